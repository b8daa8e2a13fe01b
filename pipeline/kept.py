"""The mentions that data.leak_policy keeps, for every stage that learns from train mentions."""

from __future__ import annotations

from collections.abc import Sequence

from mmoe.files import read_sealed_json, write_sealed_json
from mmoe.records import Mention, read_records

from pipeline.layout import Layout


def write_left_out(at: Layout, leak_policy: str, mention_ids: Sequence[str]) -> None:
    """Writes which train mentions the policy leaves out."""
    write_sealed_json(at.left_out(leak_policy), {"mention_ids": list(mention_ids)})


def kept_mentions(at: Layout, leak_policy: str) -> list[Mention]:
    """All mentions but the train mentions that the policy leaves out."""
    dropped = set(read_sealed_json(at.left_out(leak_policy))["mention_ids"])
    mentions = read_records(at.mentions, Mention)
    return [mention for mention in mentions if mention.mention_id not in dropped]
