"""Asks an OpenAI-compatible server many questions: each one once, at a pace that suits it, for a known price.

`ask_all` asks one by one, `ask_batch` in files that are answered within a day.
"""

from mmoe.ranking.asking.ask import ask_all
from mmoe.ranking.asking.asked import Asked
from mmoe.ranking.asking.batch import ask_batch
from mmoe.ranking.asking.ledger import write_ledger
from mmoe.ranking.asking.log import logged
from mmoe.ranking.asking.settings import AskSettings, Prices, server_url
from mmoe.ranking.asking.types import Reply, Request

__all__ = [
    "AskSettings",
    "Asked",
    "Prices",
    "Reply",
    "Request",
    "ask_all",
    "ask_batch",
    "logged",
    "server_url",
    "write_ledger",
]
