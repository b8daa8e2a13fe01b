"""The language model of stage rank, from its parameters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mmoe.config.llm import LlmParams
from mmoe.config.rank import RankParams
from mmoe.descriptions.choice import Groups, Mentions
from mmoe.descriptions.llm import LanguageModel
from mmoe.errors import RankingError
from mmoe.files import append_json_line
from mmoe.records import Description

from pipeline.layout import Layout


def ranked_by_model(
    at: Layout, params: RankParams, llm: LlmParams, mentions: Mentions, groups: Groups
) -> tuple[list[Description], dict[str, Any]]:
    """The descriptions, and how they were chosen, for rank.json; the ledger and the log are written.

    Raises:
        RankingError: if the run ends early; all replies so far are kept.
    """
    model = _language_model(at, params, llm)
    with _logged(at.work("rank") / "log.jsonl", model):
        descriptions = model.rank(mentions, groups)
    model.write_ledger(at.ledger)
    print(f"{at.dataset}: {model.failures()}")
    if params.order == "shuffled":
        print(f"{at.dataset}: {model.position_bias.in_words()}")
    return descriptions, model.settings | model.counts()


def estimated(
    at: Layout, params: RankParams, llm: LlmParams, mentions: Mentions, groups: Groups
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


@contextmanager
def _logged(path: Path, model: LanguageModel) -> Iterator[None]:
    """Adds a JSON line when a run starts and one when it ends in any way; a killed run has the first."""
    started, is_finished = _now(), False
    append_json_line(path, {"event": "started", "started": started, **model.settings})
    try:
        yield
        is_finished = True
    finally:
        times = {"started": started, "ended": _now(), "is_finished": is_finished}
        append_json_line(path, {"event": "ended", **times, **model.settings, **model.log()})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
