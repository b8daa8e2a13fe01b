"""Single mentions to look at: which are shown, and what is shown of each."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pandas as pd

from mmoe.errors import DataError
from mmoe.files import content_key
from mmoe.images import ImageError, load_image
from mmoe.records import Candidate, Description, Entity, Mention
from mmoe.reporting.inputs import Inputs
from mmoe.reporting.wording import minus
from mmoe.surface_forms import find_surface_form

TOP_SHOWN = 5
CANDIDATES_SHOWN = 8
LONGEST_SIDE = 160
QUALITY = 78
SCORES = {"lexical": "BM25", "embedding": "cosine", "openai": "confidence"}

Record = TypeVar("Record")


class Thumbnail(NamedTuple):
    """An image as a data URI with its size in pixels, or a note why there is none."""

    uri: str | None
    width: int
    height: int
    note: str


class TopRow(NamedTuple):
    """A line of an example's ranking; scores are texts: overall, then one for each unit."""

    position: int
    qid: str
    name: str
    scores: tuple[str, ...]
    is_gold: bool


@dataclass(frozen=True)
class Example:
    """A mention as the page shows it.

    Attributes:
        context: the text before the surface form, the surface form, and the text after it; all of the
            text is `before` if the surface form does not occur.
        options: the first candidates, the chosen and the gold one, by position from 1; num_options of
            them there are in all.
        confidence: the ranking backend's score of its choice, in words; "" where it has none.
    """

    mention: Mention
    context: tuple[str, str, str]
    image: Thumbnail
    description: Description | None
    options: dict[int, Candidate]
    num_options: int
    confidence: str
    gold: Entity
    gold_image: Thumbnail
    rank: int
    untrained_rank: int | None
    units: tuple[str, ...]
    top: tuple[TopRow, ...]


def choose_rows(ranked: pd.DataFrame, num: int) -> list[int]:
    """Which mentions are shown: half errors, of them half the worst ones; then right ones.

    Where one kind has too few, the other fills up. The draw depends on the mentions' ids alone, so a
    mention that is shown stays when another model is trained and its kind does not change.

    Returns:
        Rows of `ranked`: the worst errors, other errors, right ones.
    """
    ids, ranks = ranked["mention_id"].tolist(), ranked["rank"].tolist()
    drawn = sorted(range(len(ids)), key=lambda row: content_key(ids[row]))
    wrong = [row for row in drawn if ranks[row] > 1]
    right = [row for row in drawn if ranks[row] == 1]
    num_wrong = min(len(wrong), max((num + 1) // 2, num - len(right)))
    worst = sorted(wrong, key=lambda row: -ranks[row])[: (num_wrong + 1) // 2]
    others = [row for row in wrong if row not in worst][: num_wrong - len(worst)]
    return [*worst, *others, *right[: num - num_wrong]]


def examples(inputs: Inputs, num: int) -> list[Example]:
    """What is shown of the chosen mentions; DataError if the records lack what the ranks name."""
    untrained = inputs.untrained_ranks
    return [
        _example(
            inputs, inputs.ranked.iloc[row], None if untrained is None else int(untrained[row])
        )
        for row in choose_rows(inputs.ranked, num)
    ]


def _example(inputs: Inputs, ranked: pd.Series[Any], untrained_rank: int | None) -> Example:
    max_pixels = inputs.settings["encode"]["max_pixels"]
    mention = _known(inputs.mentions, ranked["mention_id"], "mention")
    gold = _known(inputs.entities, ranked["gold_qid"], "entity")
    description = inputs.descriptions.get(mention.mention_id)
    candidates = inputs.candidates.get(mention.mention_id, [])
    always, confidence, text = {gold.qid}, "", mention.context
    if description is not None:
        always.add(description.qid or gold.qid)
        if description.score is not None:
            score = minus(f"{description.score:.3g}")
            confidence = f"{SCORES.get(description.backend, 'score')} {score}"
    start, end = find_surface_form(text, mention.surface_form.strip()) or (len(text), len(text))
    return Example(
        mention=mention,
        context=(text[:start], text[start:end], text[end:]),
        image=thumbnail(inputs.raw, mention.image, max_pixels),
        description=description,
        options={
            position: candidate
            for position, candidate in enumerate(candidates, start=1)
            if position <= CANDIDATES_SHOWN or candidate.qid in always
        },
        num_options=len(candidates),
        confidence=confidence,
        gold=gold,
        gold_image=thumbnail(inputs.raw, next(iter(gold.images), None), max_pixels),
        rank=int(ranked["rank"]),
        untrained_rank=untrained_rank,
        # The columns beside the overall score are the matcher's units, by its own names.
        units=tuple(name for name in ranked["gold"] if name != "overall"),
        top=tuple(_top_rows(inputs, ranked)),
    )


def _top_rows(inputs: Inputs, ranked: pd.Series[Any]) -> Iterator[TopRow]:
    """The first entities, then the gold one at its rank if it is not among them."""
    gold, own, top = ranked["gold_qid"], ranked["gold"], list(ranked["top"])
    places = dict(enumerate(top, start=1))
    if all(found["qid"] != gold for found in top):
        places[int(ranked["rank"])] = {"qid": gold, **own}
    for position, found in places.items():
        qid = found["qid"]
        if position <= TOP_SHOWN or qid == gold:
            name = _known(inputs.entities, qid, "entity").name
            scores = tuple(minus(f"{found[key]:.3f}") for key in own)
            yield TopRow(position, qid, name, scores, qid == gold)


def _known(rows: dict[str, Record], key: str, kind: str) -> Record:
    if key not in rows:
        raise DataError(
            f"ranks.parquet names {kind} {key}, which the data set lacks; run dvc repro, so that "
            "all files come from one run"
        )
    return rows[key]


def thumbnail(raw: Path, image: str | None, max_pixels: int) -> Thumbnail:
    """A JPEG of at most 160 pixels a side of an image below `raw`; what is wrong with it becomes the note."""
    if image is None:
        return Thumbnail(None, 0, 0, "no image")
    try:
        small = load_image(raw, image, max_pixels, jpeg_side=2 * LONGEST_SIDE)
    except ImageError as error:
        return Thumbnail(None, 0, 0, f"{image}: {error}")
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=QUALITY, optimize=True)
    uri = "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
    return Thumbnail(uri, *small.size, note="")
