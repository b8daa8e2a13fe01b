"""The knowledge base as a trained matcher sees it, computed by the first stage that asks for it."""

from __future__ import annotations

import sys
from functools import partial

from mmoe.config.runtime import RuntimeParams
from mmoe.linking.checkpoint import load_checkpoint
from mmoe.linking.data import LinkingData
from mmoe.linking.device import resolve_device
from mmoe.linking.index import EntityIndex
from mmoe.linking.whole_kb import build_index, index_key
from mmoe.locks import exclusive_lock
from mmoe.model.matcher import MatcherSpec

from pipeline.layout import Layout


def open_index(
    at: Layout,
    data: LinkingData,
    runtime: RuntimeParams,
    spec: MatcherSpec | None = None,
    name: str = "matcher",
) -> EntityIndex:
    """Opens the index of a checkpoint, `<name>.safetensors`; builds it where none lies in `.mmoe/index`.

    Args:
        spec: what params.yaml says that the matcher is; None takes what the checkpoint says.
    """
    device = resolve_device(runtime.device)
    checkpoint, folder = at.model / f"{name}.safetensors", at.work("index") / name
    matcher = load_checkpoint(checkpoint, spec).matcher.to(device)
    made_of = index_key(checkpoint, at.entities, data.entity_side)
    busy = partial(print, f"{folder}: another process builds it; waiting", file=sys.stderr)
    with exclusive_lock(at.locks, "index.lock", busy):
        return build_index(matcher, data.entity_side, device, folder=folder, made_of=made_of)
