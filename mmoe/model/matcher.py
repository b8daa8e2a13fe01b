"""The protocol that every matcher follows, and the form that most take: a sum of units.

Entity index, ranker, trainer, report and Linker know `Matcher` and nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from mmoe.config.model import ModelParams
from mmoe.config.section import Section
from mmoe.model.encoded import (
    EncodedEntities,
    EncodedMentions,
    EncodedUnit,
    inner_scores,
    inner_scores_of_own,
    num_rows,
    select,
)
from mmoe.model.features import FeatureWidths, ImageStem, SideFeatures, TextStem
from mmoe.model.losses import LossTerm, cross_entropy_terms

OVERALL = "overall"


@dataclass(frozen=True)
class MatcherSpec:
    """All that decides a matcher's shape.

    Attributes:
        widths: of the cached features.
        model: section `model` of params.yaml.
        own: the matcher's own section, of the type `SECTION` of its class.
    """

    widths: FeatureWidths
    model: ModelParams
    own: Section

    def stems(self) -> tuple[TextStem, ImageStem | None]:
        """The features' way into the units; no images where no unit needs them.

        Raises:
            ValueError: if one does and the features have none.
        """
        named = [str(unit) for unit in self.model.units if unit != "text"]
        if named and not self.widths.image:
            raise ValueError(
                f"model.units = {list(self.model.units)}: {' and '.join(named)} need images, "
                "which the feature store lacks; use model.units=[text] or another encode.model"
            )
        dropout = self.model.dropout
        texts = TextStem(self.widths, dropout)
        return texts, ImageStem(self.widths, self.model.embed_dim, dropout) if named else None

    def check_padding(self) -> None:
        """Some matchers compute with padding, as published code does; the others must not see it.

        Raises:
            ValueError: if the features are of the other kind.
        """
        wanted = self.own.needs_padding
        if self.widths.padded != wanted:
            kept, value = ("no", "true") if wanted else ("their", "false")
            raise ValueError(
                f"model.name = {self.model.name}: the features hold {kept} padding; "
                f"set encode.keep_padding: {value}"
            )


class Matcher(nn.Module, ABC):
    """Scores pairs of a mention and an entity, which are encoded apart.

    A subclass is one module of `mmoe/model/matchers` and two lines of registry (mmoe/model/registry.py,
    mmoe/config/matchers.py). It gets features and gives scores; training, exact ranks, checkpoints and report
    follow from that.

    Attributes:
        NAME: its value of model.name.
        SECTION: type of its own section of params.yaml.
        encoding_batch: None where a row's encoding depends on the row alone. A number for a matcher whose
            encodings depend on the batch, as some published code has it: outside training, rows then go
            through it so many at a time, in the order of their ids.
    """

    NAME: ClassVar[str]
    SECTION: ClassVar[type[Section]]
    encoding_batch: int | None = None

    def __init__(self, spec: MatcherSpec) -> None:
        super().__init__()
        spec.check_padding()
        self.spec = spec

    @property
    @abstractmethod
    def unit_names(self) -> tuple[str, ...]:
        """The parts of the score that tables and losses show apart, in order."""

    @abstractmethod
    def encode_mentions(self, features: SideFeatures) -> EncodedMentions:
        """Each unit's view of the mentions; independent of the batch, but see `encoding_batch`."""

    @abstractmethod
    def encode_entities(self, features: SideFeatures) -> EncodedEntities:
        """Each unit's view of the entities; independent of the batch, but see `encoding_batch`."""

    @abstractmethod
    def scores(self, mentions: EncodedMentions, entities: EncodedEntities) -> dict[str, Tensor]:
        """Scores [B, N] of all pairs: one entry for each of `unit_names`, and `overall`."""

    @abstractmethod
    def bounds(self, mentions: EncodedMentions, entities: EncodedEntities) -> tuple[Tensor, Tensor]:
        """Lower and upper bounds [B, N] of the overall score, without what is costly a pair.

        Bounds may be as wide as 1e-5 of the mention's largest |bound| on the wrong side, from rounding.

        Args:
            entities: without their packed sequences.
        """

    def quick_bounds(
        self, mentions: EncodedMentions, entities: EncodedEntities
    ) -> tuple[Tensor, Tensor]:
        """As `bounds`, wider and cheaper where a matcher has such; `bounds` then sees the pairs left open."""
        return self.bounds(mentions, entities)

    def search_vectors(self, encoded: EncodedMentions | EncodedEntities) -> Tensor:
        """Vectors [B, V] of mentions, or [N, V] of entities, whose products come close to the overall score.

        Approximate search looks for entities by them; by default they are all of the score's inner products.

        Args:
            encoded: entities may come without their packed sequences.
        """
        return torch.cat([unit.inner_BI for unit in encoded.values()], dim=1)

    def scores_of_own(
        self, mentions: EncodedMentions, entities: EncodedEntities
    ) -> dict[str, Tensor]:
        """Scores [B, n] of each mention with n entities of its own, as `scores` names them.

        Override it where all of them can be computed at once.

        Args:
            entities: B · n entities, the first mention's n first.
        """
        num_mentions = num_rows(mentions)
        device = next(iter(mentions.values())).inner_BI.device
        own = torch.arange(num_rows(entities), device=device).view(num_mentions, -1)
        each = torch.arange(num_mentions, device=device)
        parts = [
            self.scores(select(mentions, each[i : i + 1]), select(entities, own[i]))
            for i in range(num_mentions)
        ]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def loss_terms(self) -> dict[str, LossTerm]:
        """What `loss.terms` can name: by default a cross entropy for each unit and for `overall`."""
        return cross_entropy_terms([OVERALL, *self.unit_names])

    def calibrate(self, mentions: SideFeatures, entities: SideFeatures) -> None:
        """Sets constants that should start from the data, from a sample of unrelated pairs."""

    def at_progress(self, share: float) -> None:
        """Told before each step which share of training, in [0, 1), is done; most matchers need not know."""

    @property
    def may_stop(self) -> bool:
        """Whether training may stop early where it stands."""
        return True

    def for_tuning(self) -> tuple[str, ...]:
        """Told before it is trained together with an encoder; names the loss terms for that, none for all."""
        return ()

    def take_expert_load(self) -> dict[str, list[float]]:
        """Share of the routed tokens that each expert got since the last call; empty without experts."""
        return {}

    def forward(self, mentions: SideFeatures, entities: SideFeatures) -> dict[str, Tensor]:
        """`scores` of all pairs, from features."""
        return self.scores(self.encode_mentions(mentions), self.encode_entities(entities))


class Unit(nn.Module, ABC):
    """A part of a `SumOfUnits` with a score of its own: an inner product, and a fine part or none.

    Args of the methods below are encoded by `encode_mentions` and `encode_entities`.
    """

    @abstractmethod
    def encode_mentions(self, inputs: Any) -> EncodedUnit:
        """The mentions' half of the unit's score."""

    @abstractmethod
    def encode_entities(self, inputs: Any) -> EncodedUnit:
        """The entities' half of the unit's score."""

    def fine_scores(self, mentions: EncodedUnit, entities: EncodedUnit) -> Tensor | None:  # noqa: ARG002
        """The fine part of all B × N scores; None for a unit without one."""
        return None

    def fine_scores_of_own(self, mentions: EncodedUnit, entities: EncodedUnit) -> Tensor | None:  # noqa: ARG002
        """As `fine_scores`, of each mention with n entities of its own: [B, n]."""
        return None

    def fine_bounds(
        self,
        mentions: EncodedUnit,  # noqa: ARG002
        entities: EncodedUnit,  # noqa: ARG002
    ) -> tuple[Tensor, Tensor] | None:
        """Lower and upper bounds [B, N] of `fine_scores`."""
        return None

    def fine_ball(
        self,
        mentions: EncodedUnit,  # noqa: ARG002
        entities: EncodedUnit,  # noqa: ARG002
    ) -> tuple[Tensor, Tensor] | None:
        """Centres and radii [B, N] of `fine_scores`: wider bounds than `fine_bounds`, and cheaper.

        None for a unit that has none.
        """
        return None

    def fine_vectors(self, encoded: EncodedUnit) -> Tensor | None:  # noqa: ARG002
        """Vectors of mentions, or of entities, whose products come close to `fine_scores`.

        None for a unit that has none.
        """
        return None

    def calibrate(self, mentions: Any, entities: Any) -> None:
        """Sets constants that should start from the data; most units have none."""


class SumOfUnits(Matcher):
    """A matcher whose overall score is the sum of its units' scores (MMoE eq. 8).

    Attributes:
        units: by name, in the order in which tables show them.
        unit_weight: the overall score is their sum times this.
    """

    units: nn.ModuleDict
    unit_weight: float = 1.0

    @property
    def unit_names(self) -> tuple[str, ...]:
        return tuple(self.units)

    def unit(self, name: str) -> Unit:
        """One unit by its name."""
        unit = self.units[name]
        assert isinstance(unit, Unit)
        return unit

    @abstractmethod
    def unit_inputs(self, features: SideFeatures) -> Any:
        """What the units share of the work on a batch, once for all of them."""

    def encode_mentions(self, features: SideFeatures) -> EncodedMentions:
        inputs = self.unit_inputs(features)
        return {name: self.unit(name).encode_mentions(inputs) for name in self.units}

    def encode_entities(self, features: SideFeatures) -> EncodedEntities:
        inputs = self.unit_inputs(features)
        return {name: self.unit(name).encode_entities(inputs) for name in self.units}

    def scores(self, mentions: EncodedMentions, entities: EncodedEntities) -> dict[str, Tensor]:
        scores = {}
        for name in self.units:
            pair = mentions[name], entities[name]
            fine = self.unit(name).fine_scores(*pair)
            scores[name] = inner_scores(*pair) if fine is None else inner_scores(*pair) + fine
        return self._with_sum(scores)

    def scores_of_own(
        self, mentions: EncodedMentions, entities: EncodedEntities
    ) -> dict[str, Tensor]:
        scores = {}
        for name in self.units:
            pair = mentions[name], entities[name]
            fine, inner = self.unit(name).fine_scores_of_own(*pair), inner_scores_of_own(*pair)
            scores[name] = inner if fine is None else inner + fine
        return self._with_sum(scores)

    def bounds(self, mentions: EncodedMentions, entities: EncodedEntities) -> tuple[Tensor, Tensor]:
        return self._bounds(mentions, entities, quick=False)

    def quick_bounds(
        self, mentions: EncodedMentions, entities: EncodedEntities
    ) -> tuple[Tensor, Tensor]:
        return self._bounds(mentions, entities, quick=True)

    def _bounds(
        self, mentions: EncodedMentions, entities: EncodedEntities, *, quick: bool
    ) -> tuple[Tensor, Tensor]:
        pairs = [(self.unit(name), mentions[name], entities[name]) for name in self.units]
        low = torch.stack([inner_scores(*pair) for _, *pair in pairs]).sum(dim=0)
        high = low.clone()
        for unit, *pair in pairs:
            if quick and (ball := unit.fine_ball(*pair)) is not None:
                centre, radius = ball
                low += centre - radius
                high += centre + radius
            elif (fine := unit.fine_bounds(*pair)) is not None:
                low += fine[0]
                high += fine[1]
        return low * self.unit_weight, high * self.unit_weight

    def search_vectors(self, encoded: EncodedMentions | EncodedEntities) -> Tensor:
        parts = []
        for name in self.units:
            parts.append(encoded[name].inner_BI)
            fine = self.unit(name).fine_vectors(encoded[name])
            parts += [] if fine is None else [fine]
        return torch.cat(parts, dim=1)

    @torch.no_grad()
    def calibrate(self, mentions: SideFeatures, entities: SideFeatures) -> None:
        training = self.training
        self.eval()  # no dropout, and nothing counts as routed
        sides = self.unit_inputs(mentions), self.unit_inputs(entities)
        for name in self.units:
            self.unit(name).calibrate(*sides)
        self.train(training)

    def _with_sum(self, scores: dict[str, Tensor]) -> dict[str, Tensor]:
        total = torch.stack(list(scores.values())).sum(dim=0)
        return {**scores, OVERALL: total * self.unit_weight}
