"""Stage tune: encoder and matcher trained together, where tune.method says so.

usage  python -m pipeline.tune DATASET
       torchrun --nproc-per-node N -m pipeline.tune DATASET    (on N GPUs, a part of each batch on each)
in     data/interim/<dataset>/{mentions,entities}.parquet, left_out/<leak_policy>.json and inputs/ there,
       images of data/raw/<dataset>
out    data/tuned/<dataset>: tune.json; encoder, the tuned one; matcher.safetensors, trained with it

What the other sections of params.yaml decide here stands in the stage's fingerprint, and only where
something is tuned: with `tune.method: none` nothing but a note is written, and a knob of the matcher runs
nothing again.
A run that was killed goes on from .mmoe/tune/<dataset> and ends with the same weights.
"""

from __future__ import annotations

from mmoe.config.load import ParamsFile
from mmoe.config.tune import TuneParams
from mmoe.files import atomic_folder, write_sealed_json

from pipeline.layout import Layout
from pipeline.stage import run_stage


def tune(at: Layout, file: ParamsFile) -> None:
    params = file.section(TuneParams)
    if params.method == "none":
        with atomic_folder(at.tuned) as folder:
            write_sealed_json(folder / "tune.json", {"method": "none"})
        print(f"{at.dataset}: the encoder is used as it is (tune.method: none)")
        return
    # Imported here: torch and transformers take seconds to start.
    from pipeline.tuning import tune_jointly

    tune_jointly(at, file, params)


if __name__ == "__main__":
    run_stage(tune, __doc__)
