"""The language model of stage rank, from its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from mmoe.config.llm import LlmParams
from mmoe.config.rank import RankParams
from mmoe.descriptions.llm import LanguageModel
from mmoe.descriptions.llm_client import AskSettings, Prices, logged
from mmoe.descriptions.prompting import PromptSettings
from mmoe.errors import RankingError
from mmoe.records import Candidate, Description, Mention

from pipeline.layout import Layout

Groups = Mapping[str, Sequence[Candidate]]


def ranked_by_model(
    at: Layout, params: RankParams, limits: LlmParams, mentions: Sequence[Mention], groups: Groups
) -> tuple[list[Description], dict[str, Any]]:
    """The descriptions, and how they were chosen: model and server, what was asked for and what the server
    refused of that (`left_out`), answers by kind, images by what became of them, places of the chosen
    candidates. The ledger is written, and the log of runs gets its lines.

    Raises:
        RankingError: if the run ends early; all replies so far are kept.
    """
    model = language_model(at, params, limits)
    asked: dict[str, Any] = {
        "model": limits.model,
        "server": params.server,
        "host": model.asking.host,
        "prompt": model.prompt_version,
        "output": params.output,
        "temperature": model.prompting.temperature,
        "seed": params.seed,
    }
    with logged(at.work("rank") / "log.jsonl", asked, model.log):
        descriptions = model.rank(mentions, groups)
    model.write_ledger(at.ledger)
    asked["left_out"] = dict(sorted(model.left_out.items()))
    asked["answers"] = dict(sorted(model.readings.items()))
    if params.with_image:
        asked["images"] = dict(sorted(model.images.items()))
    # In retrieval's order the best known candidate is early, so that places say nothing about the model.
    if params.order == "shuffled":
        asked["position"] = asdict(model.places)
        print(f"{at.dataset}: {model.places.in_words()}")
    return descriptions, asked


def estimated(
    at: Layout, params: RankParams, limits: LlmParams, mentions: Sequence[Mention], groups: Groups
) -> str:
    """What a run would send and cost, in words.

    Raises:
        RankingError: if the backend is none that costs.
    """
    if params.backend != "openai":
        raise RankingError(
            f"rank.backend: {params.backend} costs nothing; --estimate is for openai"
        )
    return language_model(at, params, limits).estimated(mentions, groups)


def language_model(at: Layout, params: RankParams, limits: LlmParams) -> LanguageModel:
    """What `rank.backend: openai` stands for; nothing is sent yet.

    Raises:
        RankingError: if address, prompt or number of candidates is wrong.
    """
    prompting = PromptSettings(
        model=limits.model,
        prompt=params.prompt,
        base_url=params.base_url,
        server=params.server,
        output=params.output,
        order=params.order,
        seed=params.seed,
        max_candidates=params.shown_candidates,
        image_folder=at.raw if params.with_image else None,
    )
    prices = None
    if limits.price_prompt is not None and limits.price_completion is not None:
        prices = Prices(limits.price_prompt, limits.price_completion)
    asking = AskSettings(
        base_url=params.base_url,
        requests_per_minute=limits.requests_per_minute,
        max_calls=limits.max_calls,
        max_cost_usd=limits.max_cost_usd,
        prices=prices,
    )
    return LanguageModel(prompting, asking, in_batches=limits.mode == "batch")
