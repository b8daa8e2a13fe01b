"""What commands are given: mentions, new entities, a published checkpoint, pickled weights."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from tests.datasets.folders import write_csv
from tests.pipeline.tiny import SAMPLE, read_jsonl, write_jsonl

IN = "in"  # folder of a project


def write_inputs(root: Path, data: str) -> None:
    """Writes them into a finished project."""
    folder = root / IN
    folder.mkdir()
    mentions = read_jsonl(root / "data/raw" / data / "mentions.jsonl")
    keys = ("mention_id", "surface_form", "context", "gold_qid")
    plain = [{key: row[key] for key in keys} for row in mentions]
    rows = [row | {"mention_id": f"{row['mention_id']}-{n}"} for n in range(8) for row in plain]
    write_jsonl(folder / "mentions.jsonl", rows[:160])
    own = read_jsonl(root / "data/raw" / data / "entities.jsonl")
    known = {row["qid"] for row in own}
    # Of tiny, others of the sample; of the sample, some under other ids.
    new = [row for row in read_jsonl(SAMPLE / "entities.jsonl") if row["qid"] not in known][:12]
    new = new or [row | {"qid": f"Q99{row['qid'][1:]}"} for row in own[:12]]
    for image in {image for row in new for image in row["images"]}:
        (folder / "more" / image).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SAMPLE / image, folder / "more" / image)
    write_jsonl(folder / "more" / "entities.jsonl", new)
    write_csv(folder / "entities.csv", [{k: row[k] for k in ("qid", "name")} for row in own])
    (folder / "gone.txt").write_text(own[1]["qid"], "utf-8")
    (folder / "qids.txt").write_text("".join(f"{row['qid']}\n" for row in own), "utf-8")
    _write_weights(folder)


def _write_weights(folder: Path) -> None:
    import torch
    from safetensors.torch import load_file

    from tests.encoders.tiny_models import save_clip

    save_clip(folder / "clip")
    shutil.copytree(folder / "clip", folder / "pickled")
    weights = folder / "pickled" / "model.safetensors"
    torch.save(load_file(weights), weights.with_name("pytorch_model.bin"))
    weights.unlink()
    real = os.environ.get("MMOE_REAL_DATA")
    if real is not None:
        from benchmarks import parity

        releases = json.loads((Path(real) / "releases.json").read_text("utf-8"))
        shapes = releases["releases"]["mimic"]["state"]
        state = {n: parity.by_formula(releases["salt"], n, shape) for n, shape in shapes.items()}
        torch.save(state, folder / "best.ckpt")
