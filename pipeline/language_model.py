"""The language model of stage rank, from its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmoe.config.llm import LlmParams
from mmoe.config.rank import RankParams
from mmoe.descriptions.llm import LanguageModel
from mmoe.descriptions.llm_client import logged
from mmoe.errors import RankingError
from mmoe.records import Candidate, Description, Mention

from pipeline.layout import Layout

Groups = Mapping[str, Sequence[Candidate]]


def ranked_by_model(
    at: Layout, params: RankParams, llm: LlmParams, mentions: Sequence[Mention], groups: Groups
) -> tuple[list[Description], dict[str, Any]]:
    """The descriptions, and how they were chosen, for rank.json; the ledger and the log are written.

    Raises:
        RankingError: if the run ends early; all replies so far are kept.
    """
    model = _language_model(at, params, llm)
    with logged(at.work("rank") / "log.jsonl", model.settings, model.log):
        descriptions = model.rank(mentions, groups)
    model.write_ledger(at.ledger)
    if params.order == "shuffled":
        print(f"{at.dataset}: {model.position_bias.in_words()}")
    return descriptions, model.settings | model.counts()


def estimated(
    at: Layout, params: RankParams, llm: LlmParams, mentions: Sequence[Mention], groups: Groups
) -> str:
    """What a run would send and cost, in words.

    Raises:
        RankingError: if the backend is none that costs.
    """
    if params.backend != "openai":
        raise RankingError(
            f"rank.backend: {params.backend} costs nothing; --estimate is for openai"
        )
    return _language_model(at, params, llm).estimated(mentions, groups)


def _language_model(at: Layout, params: RankParams, llm: LlmParams) -> LanguageModel:
    return LanguageModel(params, llm, image_folder=at.raw if params.with_image else None)
