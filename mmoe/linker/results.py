"""What comes out of linking one mention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload


@dataclass(frozen=True)
class Link:
    """One entity that a mention may mean.

    Attributes:
        qid, name, attributes: of the entity, as the knowledge base has them.
        score: the matcher's overall score; comparable among the entities of one mention only.
        unit_scores: the score of each of the matcher's units, by name.
    """

    qid: str
    name: str
    attributes: str
    score: float
    unit_scores: Mapping[str, float]


@dataclass(frozen=True)
class LinkResult(Sequence[Link]):
    """The best entities of one mention, best first; a sequence of `Link`.

    Attributes:
        surface_form: of the mention.
        description: that was added to the mention's text, if any.
        links: exact: no entity of the knowledge base that is missing here scores higher.
    """

    surface_form: str
    description: str | None
    links: tuple[Link, ...]

    @property
    def margin(self) -> float | None:
        """How far the best score is above the second; None where there is no second."""
        return self.links[0].score - self.links[1].score if len(self.links) > 1 else None

    def __len__(self) -> int:
        return len(self.links)

    def __iter__(self) -> Iterator[Link]:
        return iter(self.links)

    @overload
    def __getitem__(self, index: int) -> Link: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Link]: ...

    def __getitem__(self, index: int | slice) -> Link | Sequence[Link]:
        return self.links[index]
