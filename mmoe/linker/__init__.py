"""Links a mention of one's own with a trained run; stands above every other room but cli."""

from mmoe.linker.linker import Linker
from mmoe.linker.queries import Query
from mmoe.linker.results import Link, LinkResult

__all__ = ["Link", "LinkResult", "Linker", "Query"]
