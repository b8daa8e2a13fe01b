"""The mentions that data.leak_policy keeps, for every stage that learns from train mentions."""

from __future__ import annotations

from mmoe.files import read_json
from mmoe.records import Mention, read_records

from pipeline.layout import Layout


def kept_mentions(at: Layout, leak_policy: str) -> list[Mention]:
    """All mentions but the train mentions that the policy leaves out."""
    dropped = set(read_json(at.left_out(leak_policy)))
    mentions = read_records(at.mentions, Mention)
    return [mention for mention in mentions if mention.mention_id not in dropped]
