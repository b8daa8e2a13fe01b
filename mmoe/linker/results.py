"""What comes out of linking one mention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from mmoe.linker.explaining import Explanation


@dataclass(frozen=True)
class Link:
    """One entity that a mention may mean.

    Attributes:
        qid, name, description: of the entity, as the knowledge base has them (its attributes).
        score: by which the entities of one mention stand in order; comparable among those only.
        unit_scores: the score of each of the matcher's units, by name.
        probability: calibrated, that the mention means this entity of all in the knowledge base and
            outside; None without calibration.
        explanation: what of the mention carried the matcher's scores; None where nobody asked.
    """

    qid: str
    name: str
    description: str
    score: float
    unit_scores: Mapping[str, float]
    probability: float | None = None
    explanation: Explanation | None = None

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        found = {
            "qid": self.qid,
            "name": self.name,
            "description": self.description,
            "score": self.score,
            "probability": self.probability,
            "unit_scores": dict(self.unit_scores),
        }
        return found | (
            {} if self.explanation is None else {"explanation": self.explanation.to_json()}
        )


@dataclass(frozen=True)
class LinkResult(Sequence[Link]):
    """The best entities of one mention, best first; a sequence of `Link`.

    Attributes:
        surface_form: of the mention.
        description: that was added to the mention's text, if any.
        described_by: qid of the candidate whose description that is; None where it was given or there is
            none.
        links: the best of the whole knowledge base.
        nil_probability: calibrated, that the mention means no entity of the knowledge base; None without
            calibration.
        is_nil: whether that is above the threshold at which validation mentions were told apart best;
            False without calibration.
    """

    surface_form: str
    description: str | None
    links: tuple[Link, ...]
    described_by: str | None = None
    nil_probability: float | None = None
    is_nil: bool = False

    @property
    def margin(self) -> float | None:
        """How far the best score is above the second; None where there is no second."""
        return self.links[0].score - self.links[1].score if len(self.links) > 1 else None

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "surface_form": self.surface_form,
            "description": self.description,
            "described_by": self.described_by,
            "is_nil": self.is_nil,
            "nil_probability": self.nil_probability,
            "margin": self.margin,
            "links": [link.to_json() for link in self.links],
        }

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
