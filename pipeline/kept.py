"""What stages have in common: the mentions that data.leak_policy keeps, and features of the rows of now."""

from __future__ import annotations

from pathlib import Path

from mmoe.errors import FeatureStoreError
from mmoe.files import read_json
from mmoe.records import Mention, read_records
from mmoe.sealed_parquet import seal_of

from pipeline.layout import PARTS, Layout


def kept_mentions(at: Layout, leak_policy: str) -> list[Mention]:
    """All mentions but the train mentions that the policy leaves out."""
    dropped = set(read_json(at.left_out(leak_policy)))
    mentions = read_records(at.mentions, Mention)
    return [mention for mention in mentions if mention.mention_id not in dropped]


def current_features(at: Layout) -> Path:
    """The folder of features, if they were made of the texts and images of now.

    Raises:
        FeatureStoreError: if a part was made of others.
    """
    for part in PARTS:
        said, inputs = at.made_of(part), at.inputs(part)
        if (at.features / part).is_dir() and inputs.is_file():
            stated = read_json(said) if said.is_file() else {}
            if stated != {"inputs": seal_of(inputs)}:
                raise FeatureStoreError(
                    f"{at.features / part}: made of other rows than {inputs} holds now; run stage encode "
                    "again (dvc repro)"
                )
    return at.features
