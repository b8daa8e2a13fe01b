"""Keys and values that earlier versions of params.yaml had, and what they are called now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MOVED = {
    "data.picture_distance": "data.image_distance",
    "rank.mode": "llm.mode",
    "rank.requests_per_minute": "llm.requests_per_minute",
    "rank.price_prompt": "llm.price_prompt",
    "rank.price_completion": "llm.price_completion",
    "rank.max_cost_usd": "llm.max_cost_usd",
    "rank.max_calls": "llm.max_calls",
    "rank.with_picture": "rank.with_image",
    "retrieve.requests_per_minute": "wikidata.requests_per_minute",
    "retrieve.max_lag_wait": "wikidata.max_lag_wait",
    "retrieve.cache_days": "wikidata.cache_days",
    "encode.batch_size": "runtime.encode_batch_size",
    "encode.shard_rows": "runtime.shard_rows",
    "encode.device": "runtime.device",
    "train.device": "runtime.device",
    "train.checkpoint_every": "runtime.checkpoint_every",
    "compare.backends": "description_ablation.backends",
}
GONE = {
    "moe.router": "model.name: mmoe_released routes as the published code does",
    "model.cross_gate": "model.name: mmoe_released has the published code's gate",
    "model.projection": "mmoe_released.smoe: false is the paper's ablation",
}
RENAMED_BACKENDS = {"perfect": "oracle_candidate", "gold": "oracle_description"}


def moved_keys(content: Mapping[str, Any]) -> Iterator[str]:
    """For each old key, what it is now called, or what stands in its place."""
    said = {old: f"is now {new}; move its value there" for old, new in MOVED.items()}
    said |= {old: f"is gone: {instead}" for old, instead in GONE.items()}
    for old, what in said.items():
        section, _, key = old.partition(".")
        found = content.get(section)
        if isinstance(found, dict) and key in found:
            yield f"{old} {what}"


def renamed_backends(content: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Where an old name of a backend stands, that name, and today's."""
    for section, key in (("rank", "backend"), ("description_ablation", "backends")):
        found = content.get(section)
        value = found.get(key) if isinstance(found, dict) else None
        for name in value if isinstance(value, list) else [value]:
            if isinstance(name, str) and name in RENAMED_BACKENDS:
                yield f"{section}.{key}", name, RENAMED_BACKENDS[name]
