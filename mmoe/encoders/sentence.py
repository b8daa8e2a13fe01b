"""What the folder of a sentence-transformers model says about pooling and prompts, beside its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from mmoe.encoders.source import ModelSource

POOLINGS = ("mean", "cls", "max", "lasttoken")
# As versions before 6 write them: a flag for each.
_FLAGS = {
    "pooling_mode_cls_token": "cls",  # nosec B105
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
# By which a model asks, and those that it gives to what is asked for; the first that it has.
_OF_MENTIONS, _OF_ENTITIES = ("query",), ("document", "passage", "corpus")


@dataclass(frozen=True)
class SentenceSettings:
    """How a text model makes one embedding of a text.

    Attributes:
        pooling: of POOLINGS.
        prompts: what stands before every text of an entity and of a mention.
    """

    pooling: str = "mean"
    prompts: tuple[str, str] = ("", "")

    @classmethod
    def read(cls, source: ModelSource) -> SentenceSettings:
        """Reads modules.json and what it names; the mean and no prompts where there is no such file.

        Raises:
            FeatureStoreError: if the model does more than is computed here.
        """
        modules = source.json("modules.json")
        if modules is None:
            return cls()
        steps = [(str(step["type"]).rpartition(".")[2], str(step["path"])) for step in modules]
        kinds = [kind for kind, _ in steps]
        if kinds[:1] != ["Transformer"] or kinds[1:] not in (["Pooling"], ["Pooling", "Normalize"]):
            raise source.error(
                f"modules.json: {', '.join(kinds)} is not supported, only Transformer, Pooling and Normalize"
            )
        if steps[0][1]:
            raise source.error(f"modules.json: its model lies in {steps[0][1]}; move it up")
        prompts = _prompts(source.json("config_sentence_transformers.json") or {})
        pooling = source.json(f"{steps[1][1]}/config.json") or {}
        if any(prompts) and not pooling.get("include_prompt", True):
            raise source.error("pooling without the prompt (include_prompt) is not supported")
        return cls(_pooling(source, pooling), prompts)


def _pooling(source: ModelSource, settings: Mapping[str, Any]) -> str:
    named = settings.get("pooling_mode")
    flagged = [pooling for flag, pooling in _FLAGS.items() if settings.get(flag)]
    modes = [named] if isinstance(named, str) else list(named or flagged or ["mean"])
    if len(modes) != 1 or modes[0] not in POOLINGS:
        raise source.error(
            f"pooling {' and '.join(map(str, modes))} is not supported, only one of {', '.join(POOLINGS)}"
        )
    return cast(str, modes[0])


def _prompts(settings: Mapping[str, Any]) -> tuple[str, str]:
    """Those of entities and of mentions: by their names, else the default one."""
    prompts = settings.get("prompts") or {}
    default = prompts.get(settings.get("default_prompt_name"), "")
    of_entities, of_mentions = (
        next((str(prompts[name]) for name in names if name in prompts), default)
        for names in (_OF_ENTITIES, _OF_MENTIONS)
    )
    return of_entities, of_mentions
