"""Tables with other people's column names to one table of our own format, with the images inside them."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from tqdm import tqdm

from mmoe.datasets.embedded import ImageWriter
from mmoe.datasets.own import ENDINGS, KEYS
from mmoe.datasets.own_schema import RENAMED, ROWS
from mmoe.datasets.problems import Kind, Problems
from mmoe.datasets.rows import DELIMITERS, plain_text, shown, split_cell
from mmoe.datasets.sources import Source, split_named
from mmoe.errors import DataError
from mmoe.files import atomic_write

IMAGES = "images"


@dataclass(frozen=True)
class Wish:
    """What the user asked for.

    Attributes:
        table: mentions or entities.
        columns: key of our format -> column of the source; other keys are matched by name.
        split: the split of every row; None: a column or the file's name says it.
        replace: whether a table that is there already may go.
    """

    table: str
    columns: Mapping[str, str]
    split: str | None = None
    replace: bool = False


@dataclass
class Conversion:
    """What was made.

    Attributes:
        matched: key -> the columns that it was taken from.
        unused: columns that no key was taken from.
        numbered: whether rows got ids made of their numbers.
        images: how many images were written.
    """

    file: Path
    num_rows: int = 0
    matched: dict[str, set[str]] = field(default_factory=dict)
    unused: set[str] = field(default_factory=set)
    numbered: bool = False
    images: int = 0


def convert(sources: list[Source], wish: Wish, folder: Path) -> Conversion:
    """Writes `folder/<table>.jsonl` and `folder/images/<table>`, both or neither.

    A pandas data frame is a source by `Source.of_frame(frame)`.

    Raises:
        DataError: if columns are missing, a value can't be read, or there is a table already; one
            problem a line.
    """
    target = folder / f"{wish.table}.jsonl"
    there = [path for e in ENDINGS if (path := folder / f"{wish.table}{e}").exists()]
    if there and not wish.replace:
        raise DataError(f"{there[0]}: is there already; remove it, or say --replace")
    plans = [_plan(source, wish) for source in sources]
    numbered = any(KEYS[wish.table].id not in plan for plan in plans)
    done, problems = Conversion(target, numbered=numbered), Problems()
    folder.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(dir=folder, prefix=".convert-") as staging,
        atomic_write(target) as temporary,
    ):
        writer = ImageWriter(Path(staging) / wish.table, f"{IMAGES}/{wish.table}")
        with temporary.open("w", encoding="utf-8") as stream:
            rows = _rows(sources, plans, wish, writer, problems)
            for row in tqdm(rows, disable=None, unit=" rows"):
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
                done.num_rows += 1
        problems.raise_any("mend these first")
        _place(writer.folder, folder / IMAGES / wish.table, wish.replace)
    for other in there:
        if other != target:
            other.unlink()
    done.images = writer.num_written
    for source, plan in zip(sources, plans, strict=True):
        for key, column in plan.items():
            done.matched.setdefault(key, set()).add(column)
        done.unused |= set(source.columns) - set(plan.values())
    return done


def _plan(source: Source, wish: Wish) -> dict[str, str]:
    """Key of our format -> column of this source."""
    fields = ROWS[wish.table].model_fields
    for key, column in wish.columns.items():
        if key not in fields:
            now = RENAMED[wish.table].get(key)
            remedy = f"it is called {now} now" if now else f"known: {', '.join(fields)}"
            raise DataError(f"--map {key}={column}: no such key; {remedy}")
        if column not in source.columns:
            raise DataError(
                f"{source.file}: no column `{column}` (wanted for `{key}`); {_found(source)}"
            )
    named = {key: wish.columns.get(key, key) for key in fields}
    plan = {key: column for key, column in named.items() if column in source.columns}
    if wish.split is not None:
        plan.pop("split", None)
    given = {*plan, "mention_id"} | ({"split"} if wish.split or source.split else set())
    missing = [key for key, rule in fields.items() if rule.is_required() and key not in given]
    if missing:
        keys = ", ".join(f"`{key}`" for key in missing)
        split = "; or --split train, valid or test" if "split" in missing else ""
        raise DataError(
            f"{source.file}: no column for {keys}; {_found(source)}; "
            f"say --map {missing[0]}=COLUMN{split}"
        )
    return plan


def _found(source: Source) -> str:
    return f"columns: {', '.join(source.columns) or 'none'}"


def _rows(
    sources: list[Source],
    plans: list[dict[str, str]],
    wish: Wish,
    writer: ImageWriter,
    problems: Problems,
) -> Iterator[dict[str, Any]]:
    number = 0
    for source, plan in zip(sources, plans, strict=True):
        for where, values in source.rows(set(plan.values()), problems):
            number += 1
            try:
                yield _row(source, plan, wish, writer, (where, number, values))
            except DataError as error:
                problems.add(Kind.TYPE, str(error))


def _row(
    source: Source,
    plan: dict[str, str],
    wish: Wish,
    writer: ImageWriter,
    place: tuple[str, int, dict[str, Any]],
) -> dict[str, Any]:
    where, number, values = place
    row: dict[str, Any] = {}
    listed: list[str | bytes] = []
    for key, column in plan.items():
        at = f"{where}, column `{column}`"
        if key in {"image", "images"}:
            is_cell = key == "images" and source.file.suffix in DELIMITERS
            listed = _listed(values[column], at, is_cell)
            row[key] = None
        else:
            row[key] = _text(values[column], at)
    if wish.table == "mentions":
        row = {"mention_id": f"m{number}"} | row if "mention_id" not in plan else row
        split = wish.split or (row["split"] if "split" in plan else source.split)
        row["split"] = split_named(split) if isinstance(split, str) else None
    name = row[KEYS[wish.table].id] or f"row-{number}"
    files = writer.write_all(name, listed, where)
    if "image" in row:
        if len(files) > 1:
            raise DataError(f"{where}: {len(files)} images; a mention has one, map a column of one")
        row["image"] = files[0] if files else None
    elif "images" in row:
        row["images"] = files
    # A required value that the source lacks is left out, so that the check names its row.
    return {key: value for key, value in row.items() if value is not None}


def _text(value: Any, where: str) -> str | None:
    """A cell as text: whole numbers without ".0", since columns of ids with gaps come as floats."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return plain_text(value, where)


def _listed(value: Any, where: str, is_cell: bool) -> list[str | bytes]:
    """The names or contents of the images in one cell: a name, bytes, {bytes, path}, or a list of them."""
    if isinstance(value, np.ndarray):  # pandas reads a Parquet file's lists so
        value = value.tolist()
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return [part for item in value for part in _listed(item, where, is_cell=False)]
    if isinstance(value, dict) and {"bytes", "path"} & value.keys():
        content = value.get("bytes")
        return _listed(value.get("path") if content is None else content, where, is_cell=False)
    if isinstance(value, bytes):
        return [value]
    if isinstance(value, str):
        text = plain_text(value, where)
        return list(split_cell(text)) if is_cell else [text]
    raise DataError(f"{where}: must be the name or the bytes of an image, found {shown(value)}")


def _place(staged: Path, final: Path, replace: bool) -> None:
    if not staged.exists():
        return
    if final.exists():
        if not replace:
            raise DataError(f"{final}: is there already; remove it, or say --replace")
        shutil.rmtree(final)
    final.parent.mkdir(exist_ok=True)
    staged.rename(final)
