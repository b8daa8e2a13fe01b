"""A matcher of a few lines, to prove that a matcher is one class and one section."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from mmoe.config.section import Section
from mmoe.model.encoded import EncodedEntities, EncodedMentions, EncodedUnit, inner_scores
from mmoe.model.features import FeatureWidths, SideFeatures
from mmoe.model.matcher import OVERALL, Matcher, MatcherSpec

from tests.model.matchers import model_params

WIDTHS = FeatureWidths(text=6, text_pooled=6, image=0, image_pooled=0, joint=False)


class ToyParams(Section):
    SECTION: ClassVar[str] = "toy"

    start: float = Field(default=1.0, gt=0)


class ToyMatcher(Matcher):
    """A learned diagonal between the pooled texts, and as fine part the share of equal letters in the names.

    The fine part lies in [0, 1], which is all that its bounds know.
    """

    NAME = "toy"
    SECTION = ToyParams
    unit_names = ("texts", "letters")

    def __init__(self, spec: MatcherSpec) -> None:
        super().__init__(spec)
        assert isinstance(spec.own, ToyParams)
        self.weights = nn.Parameter(torch.full((spec.widths.text_pooled,), spec.own.start))

    def encode_mentions(self, features: SideFeatures) -> EncodedMentions:
        return self._encode(features.text_pooled_BP * self.weights, features)

    def encode_entities(self, features: SideFeatures) -> EncodedEntities:
        return self._encode(features.text_pooled_BP, features)

    def scores(self, mentions: EncodedMentions, entities: EncodedEntities) -> dict[str, Tensor]:
        texts = inner_scores(mentions["texts"], entities["texts"])
        ours, theirs = mentions["letters"].tensor("has"), entities["letters"].tensor("has")
        shared = (ours[:, None] * theirs[None]).sum(dim=-1)
        letters = shared / (1 + ours.sum(dim=-1)[:, None])
        return {"texts": texts, "letters": letters, OVERALL: texts + letters}

    def bounds(self, mentions: EncodedMentions, entities: EncodedEntities) -> tuple[Tensor, Tensor]:
        low = inner_scores(mentions["texts"], entities["texts"])
        return low, low + 1

    def _encode(self, vectors: Tensor, features: SideFeatures) -> dict[str, EncodedUnit]:
        names = ("",) * len(features) if features.strings is None else features.strings.names
        has = vectors.new_tensor([[letter in name for letter in LETTERS] for name in names])
        letters = EncodedUnit(vectors.new_zeros(len(vectors), 1), {"has": has})
        return {"texts": EncodedUnit(vectors), "letters": letters}


LETTERS = "aeiou0123456789"


def toy_matcher() -> ToyMatcher:
    """The matcher with its first weights, for texts of width 6."""
    return ToyMatcher(MatcherSpec(WIDTHS, model_params(name="toy"), ToyParams()))
