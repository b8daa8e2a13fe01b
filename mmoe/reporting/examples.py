"""Single mentions to look at: which are shown, and what is shown of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mmoe.errors import DataError
from mmoe.files import content_key
from mmoe.records import Candidate, Description, Entity, Mention
from mmoe.reporting.inputs import Inputs
from mmoe.reporting.ranked import RankedMentions, Scored
from mmoe.reporting.thumbnails import Thumbnail, thumbnail
from mmoe.reporting.wording import minus
from mmoe.surface_forms import find_surface_form

TOP_SHOWN = 5
CANDIDATES_SHOWN = 8
SCORES = {"lexical": "BM25", "embedding": "cosine", "openai": "confidence"}

Record = TypeVar("Record")


@dataclass(frozen=True)
class TopRow:
    """A line of an example's ranking; scores are texts, one for each unit of the page."""

    position: int
    qid: str
    name: str
    overall: str
    units: tuple[str, ...]
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

    @property
    def is_right(self) -> bool:
        return self.rank == 1


def choose_rows(ranked: RankedMentions, num: int) -> list[int]:
    """Which mentions are shown: half errors, of them half the worst ones; then right ones.

    Where one kind has too few, the other fills up. The draw depends on the mentions' ids alone, so a
    mention that is shown stays when another model is trained and its kind does not change.

    Returns:
        Rows of `ranked`: the worst errors, other errors, right ones.
    """
    drawn = sorted(range(len(ranked)), key=lambda row: content_key(ranked.mention_ids[row]))
    wrong = [row for row in drawn if ranked.ranks[row] > 1]
    right = [row for row in drawn if ranked.ranks[row] == 1]
    num_wrong = min(len(wrong), max((num + 1) // 2, num - len(right)))
    worst = sorted(wrong, key=lambda row: -ranked.ranks[row])[: (num_wrong + 1) // 2]
    others = [row for row in wrong if row not in worst][: num_wrong - len(worst)]
    return [*worst, *others, *right[: num - num_wrong]]


def examples(inputs: Inputs, num: int) -> list[Example]:
    """What is shown of the chosen mentions.

    Raises:
        DataError: if the ranks name a mention or entity that the records lack.
    """
    return [_example(inputs, row) for row in choose_rows(inputs.ranked, num)]


def _example(inputs: Inputs, row: int) -> Example:
    ranked = inputs.ranked
    mention = _known(inputs.mentions, ranked.mention_ids[row], "mention")
    gold = _known(inputs.entities, ranked.gold_qids[row], "entity")
    top, own = ranked.top(row), ranked.gold(row)
    units = tuple(own.units)
    rank = int(ranked.ranks[row])
    description = inputs.descriptions.get(mention.mention_id)
    candidates = inputs.candidates.get(mention.mention_id, [])
    return Example(
        mention=mention,
        context=_cut(mention),
        image=thumbnail(inputs.raw, mention.image),
        description=description,
        options=_options(candidates, description, gold),
        num_options=len(candidates),
        confidence=_confidence(description),
        gold=gold,
        gold_image=thumbnail(inputs.raw, next(iter(gold.images), None)),
        rank=rank,
        untrained_rank=None if ranked.untrained is None else int(ranked.untrained[row]),
        units=units,
        top=tuple(_top_rows(inputs, top, own, units, gold, rank)),
    )


def _cut(mention: Mention) -> tuple[str, str, str]:
    text = mention.context
    start, end = find_surface_form(text, mention.surface_form.strip()) or (len(text), len(text))
    return text[:start], text[start:end], text[end:]


def _options(
    candidates: Sequence[Candidate], description: Description | None, gold: Entity
) -> dict[int, Candidate]:
    always = {gold.qid, None if description is None else description.qid}
    return {
        position: candidate
        for position, candidate in enumerate(candidates, start=1)
        if position <= CANDIDATES_SHOWN or candidate.qid in always
    }


def _confidence(description: Description | None) -> str:
    if description is None or description.score is None:
        return ""
    return f"{SCORES.get(description.backend, 'score')} {minus(f'{description.score:.3g}')}"


def _top_rows(
    inputs: Inputs,
    top: list[Scored],
    own: Scored,
    units: tuple[str, ...],
    gold: Entity,
    rank: int,
) -> Iterator[TopRow]:
    """The first entities, then the gold one at its rank if it is not among them."""

    def row(position: int, scored: Scored, name: str) -> TopRow:
        scores = tuple(_score(scored.units[unit]) for unit in units)
        return TopRow(
            position, scored.qid, name, _score(scored.overall), scores, scored.qid == gold.qid
        )

    for position, scored in enumerate(top, start=1):
        if position <= TOP_SHOWN or scored.qid == gold.qid:
            yield row(position, scored, _known(inputs.entities, scored.qid, "entity").name)
    if gold.qid not in {scored.qid for scored in top}:
        yield row(rank, own, gold.name)


def _score(value: float) -> str:
    return minus(f"{value:.3f}")


def _known(rows: dict[str, Record], key: str, kind: str) -> Record:
    if key not in rows:
        raise DataError(
            f"ranks.parquet names {kind} {key}, which the data set lacks; run dvc repro, so that "
            "all files come from one run"
        )
    return rows[key]
