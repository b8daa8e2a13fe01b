"""What reads files of each kind, in this process: makes good files, and reads what has become of them."""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from tests.campaign.attack import Finding
from tests.datasets.fissfuse_folder import write_odd_fissfuse
from tests.datasets.folders import write_csv, write_melbench
from tests.datasets.mimic_folder import write_odd_mimic
from tests.datasets.wikidiverse_folder import write_odd_wikidiverse
from tests.imports import ROOT
from tests.pipeline.tiny import read_jsonl
from tests.wikidata.api.clock import STARTED

PIXELS = 4_000_000  # of a picture


@dataclass(frozen=True)
class Reader:
    """One way of reading.

    Attributes:
        make: writes good files, of a finished project or of its own, into a folder.
        read: reads the folder; returns what can be compared, or None.
        is_guarded: whether a checksum promises that nothing else than what was written is read.
    """

    name: str
    trials: int
    make: Callable[[Path, Path], object]
    read: Callable[[Path], object]
    is_guarded: bool = False


def readers(data: str) -> list[Reader]:
    """All of them; paths are those of a finished project on that data set."""
    interim = f"data/interim/{data}"
    tables = partial(_copied, (f"{interim}/*.parquet", f"{interim}/inputs/*.parquet"))
    features = partial(_copied, (f"data/features/{data}/*/*.parquet",))
    models = partial(_copied, (f"data/models/{data}/*",))
    dump = f"data/raw/{data}/wikidata.jsonl"
    index = ("label-index", "{}/wikidata.jsonl", "{}/out", "--processes", "1")
    build = ("kb", "build", "{}/wikidata.jsonl", "{}/out", "--kinds", "Q5", "--with-slice")
    return [
        Reader("raw: own", 600, partial(_own, data, ".jsonl"), _examined),
        Reader("raw: own, CSV", 600, partial(_own, data, ".csv"), _examined),
        Reader("raw: melbench", 500, lambda _, to: write_melbench(to / "x"), _examined),
        Reader("raw: mimic", 500, lambda _, to: write_odd_mimic(to / "x"), _examined),
        Reader("raw: wikidiverse", 500, lambda _, to: write_odd_wikidiverse(to / "x"), _examined),
        Reader("raw: fissfuse", 600, lambda _, to: write_odd_fissfuse(to / "x"), _examined),
        Reader("params.yaml", 1000, _params, _checked),
        Reader("tables", 800, tables, _records, is_guarded=True),
        Reader("features", 500, features, _features, is_guarded=True),
        Reader("weights", 400, models, _weights, is_guarded=True),
        Reader("bundle", 300, partial(_copied, (f"data/bundles/{data}/**/*",)), _bundle, True),
        Reader("caches", 600, _caches, _cached),
        Reader("pictures", 1200, _pictures, _decoded),
        Reader("dump: label-index", 300, partial(_copied, (dump,)), partial(_command, index)),
        Reader("dump: kb build", 300, partial(_copied, (dump,)), partial(_command, build)),
        Reader("rows: convert", 500, _rows, _converted),
    ]


def _copied(patterns: tuple[str, ...], finished: Path, to: Path) -> None:
    for pattern in patterns:
        for file in finished.glob(pattern):
            if file.is_file():
                # Their folders are named alike, but for the data set's.
                place = to / file.parent.name / file.name
                if "bundles" in pattern:
                    place = to / file.relative_to(finished / pattern.partition("/**")[0])
                if file.name == "wikidata.jsonl":
                    place = to / file.name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, place)


def _own(data: str, ending: str, finished: Path, to: Path) -> None:
    """A few rows of the data set and their pictures; in a CSV file lists are joined."""
    raw = finished / "data/raw" / data
    for table in ("mentions", "entities"):
        rows = read_jsonl(raw / f"{table}.jsonl")
        target = to / "x" / f"{table}{ending}"
        target.parent.mkdir(exist_ok=True)
        if ending == ".csv":
            write_csv(target, [row | {"images": "|".join(row.get("images", ()))} for row in rows])
        else:
            shutil.copyfile(raw / f"{table}.jsonl", target)
        for name in [n for row in rows for n in (row.get("image"), *row.get("images", ())) if n]:
            (to / "x" / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(raw / name, to / "x" / name)


def _examined(folder: Path) -> None:
    from mmoe.datasets.findings import examine
    from mmoe.datasets.registry import read_dataset

    if not examine(folder / "x", "auto", PIXELS).problems:
        read_dataset(folder / "x", "auto")


def _params(_: Path, to: Path) -> None:
    shutil.copyfile(ROOT / "params.yaml", to / "params.yaml")


def _checked(folder: Path) -> None:
    from pipeline.stage import checked_params

    checked_params(folder / "params.yaml")


def _records(folder: Path) -> str:
    from mmoe.records import (
        Candidate,
        Description,
        Entity,
        ImageInput,
        Mention,
        TextInput,
        read_records,
    )
    from mmoe.records.types import ImageFile, Leak

    kinds: dict[str, type[Any]] = {
        "mentions": Mention,
        "entities": Entity,
        "candidates": Candidate,
        "descriptions": Description,
        "images": ImageFile,
        "leaks": Leak,
    }
    found = []
    for path in sorted(folder.rglob("*.parquet")):
        kind = kinds.get(path.stem, TextInput if "text" in path.stem else ImageInput)
        if path.stem == "mention_context":
            kind = TextInput
        found.append(read_records(path, kind))
    return repr(found)


def _features(folder: Path) -> str:
    import numpy as np

    from mmoe.features.store import read_features

    digest = hashlib.sha256()
    for part in sorted(folder.iterdir()):
        table = read_features(part)
        tokens = table.tokens.gather(np.arange(len(table)))
        names = () if table.name_pooled_NP is None else (table.name_pooled_NP,)
        for tensor in (tokens, table.pooled_NP, *names):
            digest.update(tensor.contiguous().numpy().tobytes())
        digest.update(repr((table.ids, table.present.tolist(), table.content_key)).encode())
    return digest.hexdigest()


def _weights(folder: Path) -> str:
    from mmoe.linking.checkpoint import load_checkpoint
    from mmoe.reranking.files import _arrays, load_reranker

    digest = hashlib.sha256()
    (models,) = folder.iterdir()
    for name in ("matcher", "untrained"):
        checkpoint = load_checkpoint(models / f"{name}.safetensors")
        for key, tensor in sorted(checkpoint.matcher.state_dict().items()):
            digest.update(key.encode() + tensor.contiguous().numpy().tobytes())
    reranker = load_reranker(models)
    for key, array in () if reranker is None else _arrays(reranker):
        digest.update(key.encode() + array.tobytes())
    return digest.hexdigest()


def _bundle(folder: Path) -> str:
    from mmoe import Linker

    linker = Linker.from_pretrained(folder, device="cpu")
    return repr(linker.link("Mercury", "Mercury is closest to the sun.", top_k=3).to_json())


def _caches(_: Path, to: Path) -> None:
    from mmoe.descriptions.llm_client.cache import ReplyCache
    from mmoe.descriptions.llm_client.types import Outcome, Reply
    from mmoe.wikidata.api.cache import AnswerCache

    with ReplyCache(to, lambda: STARTED) as replies:
        for number in range(40):
            replies.put(Reply(f"{number:016x}", Outcome.ANSWERED, "x" * 50, [("1", -0.5)]))
    with AnswerCache(to, 90, lambda: STARTED) as answers:
        answers.put("search", {f"word {n}": {"hits": ["Q1"] * n} for n in range(40)})
        answers.put("item", {f"Q{n}": {"id": f"Q{n}", "labels": {}} for n in range(40)})


def _cached(folder: Path) -> None:
    from mmoe.descriptions.llm_client.cache import ReplyCache
    from mmoe.descriptions.llm_client.types import Outcome, Reply
    from mmoe.wikidata.api.cache import AnswerCache

    with ReplyCache(folder, lambda: STARTED) as replies:
        replies.get([f"{number:016x}" for number in range(41)])
        replies.put(Reply("f" * 16, Outcome.ANSWERED, "x"))
    with AnswerCache(folder, 90, lambda: STARTED) as answers:
        answers.get("search", [f"word {n}" for n in range(41)])
        answers.get("item", [f"Q{n}" for n in range(41)])
        answers.put("item", {"Q99": {"id": "Q99"}})
        answers.kinds()


def _pictures(_: Path, to: Path) -> None:
    image = Image.linear_gradient("L").resize((40, 30)).convert("RGB")
    for form in ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "ICO", "TGA"):
        image.save(to / f"x.{form.lower()}", form)
    image.save(to / "animated.gif", save_all=True, append_images=[image.rotate(90)])
    image.save(to / "rotated.jpg", exif=_turned(image))


def _turned(image: Image.Image) -> Image.Exif:
    exif = image.getexif()
    exif[274] = 6
    return exif


def _decoded(folder: Path) -> None:
    from mmoe.images import ImageError, decode_image

    for file in sorted(folder.iterdir()):
        try:
            decode_image(file.read_bytes(), PIXELS)
        except ImageError as error:
            if "\n" in str(error):
                raise Finding(f"{file.name}: several lines: {error}") from None


def _command(words: tuple[str, ...], folder: Path) -> None:
    from mmoe.cli import main

    assert main([word.format(folder) for word in words]) in (0, 1, 2)


def _rows(finished: Path, to: Path) -> None:
    import pandas as pd

    rows = read_jsonl(finished / "in" / "mentions.jsonl")[:30]
    write_csv(to / "a.csv", rows)
    write_csv(to / "b.tsv", rows)
    frame = pd.DataFrame(rows)
    frame.to_parquet(to / "c.parquet")
    frame.to_json(to / "d.jsonl", orient="records", lines=True)
    frame.to_feather(to / "e.arrow", compression="uncompressed")


def _converted(folder: Path) -> None:
    for file in sorted(folder.glob("?.*")):
        out = str(folder / "out" / file.stem)
        _command(("convert", "mentions", str(file), "--to", out, "--split", "train"), folder)


def png() -> bytes:
    """A small picture."""
    stream = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(stream, "PNG")
    return stream.getvalue()
