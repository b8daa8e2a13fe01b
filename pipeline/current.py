"""Whether features are those of the rows of now: by hand, stages may be run in any order."""

from __future__ import annotations

from mmoe.errors import FeatureStoreError
from mmoe.files import read_sealed_json
from mmoe.sealed_parquet import seal_of

from pipeline.layout import PARTS, Layout


def check_features(at: Layout) -> None:
    """Compares the parts of the features with the tables of which they were made.

    Raises:
        FeatureStoreError: if a part was made of another one.
    """
    for part in PARTS:
        said, inputs = at.made_of(part), at.inputs(part)
        if (at.features / part).is_dir() and inputs.is_file():
            stated = read_sealed_json(said) if said.is_file() else {}
            if stated != {"inputs": seal_of(inputs)}:
                raise FeatureStoreError(
                    f"{at.features / part}: made of other rows than {inputs} holds now; run stage encode "
                    "again (dvc repro)"
                )
