"""Published checkpoints of MMoE, M3EL and MIMIC as matchers of this project."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from torch import Tensor

from mmoe.config.encode import EncodeParams
from mmoe.config.m3el import M3elParams
from mmoe.config.mimic import MimicParams
from mmoe.config.mmoe_released import MmoeReleasedParams
from mmoe.config.model import ModelParams
from mmoe.config.section import Section
from mmoe.encoders.convert import only_tensors, read_pickled, write_encoder
from mmoe.encoders.source import ModelSource
from mmoe.errors import CheckpointError, one_line
from mmoe.linking.checkpoint import Checkpoint, save_checkpoint
from mmoe.model.matcher import MatcherSpec
from mmoe.model.registry import build_matcher
from mmoe.model.released_names import SIZES, load_release, released_widths

CLIP = "encoder.clip."
TEXT_LENGTH = {"mmoe": 50, "m3el": 40, "mimic": 40}  # as published


def import_checkpoint(
    kind: str,
    file: Path,
    out: Path,
    encoder: Path,
    *,
    directions: str = "one_way",
    top_k: int = 3,
    max_text_length: int | None = None,
) -> dict[str, Any]:
    """Writes a published Lightning checkpoint as `matcher.safetensors` and, beside it, its tuned encoder.

    Args:
        kind: mmoe, m3el or mimic.
        out: folder to write to; its `encoder` gets the CLIP weights of the checkpoint, if it has any.
        encoder: folder of the CLIP that was tuned; configuration and tokenizer are taken from there. A
            checkpoint without CLIP's weights was trained on that very encoder.
        directions: of M3EL.
        top_k: of MMoE; a checkpoint does not tell.
        max_text_length: in tokens; None for the published one.
    Returns:
        The parameters with which it computes as published, by section.
    Raises:
        CheckpointError: if the file is broken or holds other objects than tensors, or naming tensors that
            are missing, that no place is known for, or of another shape.
    """
    content = read_pickled(file)
    tensors = only_tensors(file, content.get("state_dict", content))
    clip = {n.removeprefix(CLIP): t for n, t in tensors.items() if n.startswith(CLIP)}
    rest = {n: t for n, t in tensors.items() if not n.startswith(CLIP)}
    where = out / "encoder" if clip else encoder
    encode = EncodeParams(
        model=str(where),
        max_text_length=max_text_length or TEXT_LENGTH[kind],
        keep_padding=True,
    )
    spec = _spec(kind, file, rest, directions, top_k)
    matcher = build_matcher(spec).eval()
    try:
        load_release(matcher, rest)
        if clip:
            write_encoder(where, encoder, clip)
    except CheckpointError as error:
        raise CheckpointError(f"{file}: {error}") from None
    source = ModelSource.find(str(where), "encoder")
    made = {"fingerprint": source.fingerprint(), "joint": spec.widths.joint}
    sections = (spec.model, spec.own, encode)
    params = {section.SECTION: section.model_dump(mode="json") for section in sections}
    versions = {name: version(name) for name in ("mmoe", "torch")}
    whole = Checkpoint(matcher, encode.feature_config | made, params, versions)
    save_checkpoint(out / "matcher.safetensors", whole)
    return params


def _spec(
    kind: str, file: Path, tensors: dict[str, Tensor], directions: str, top_k: int
) -> MatcherSpec:
    missing = [name for name in SIZES if name not in tensors]
    if missing:
        raise CheckpointError(f"{file}: no checkpoint of {kind}: lacks {', '.join(missing)}")
    try:
        widths, embed_dim = released_widths(tensors)
        experts = sum(
            "text_module.moe_layer.experts" in n and n.endswith("ff.2.bias") for n in tensors
        )
        own: Section
        if kind == "mmoe":
            own = MmoeReleasedParams(num_experts=experts, top_k=top_k)
        elif kind == "m3el":
            own = M3elParams.model_validate({"variant": "released", "directions": directions})
        else:
            own = MimicParams(variant="released")
        name = "mmoe_released" if kind == "mmoe" else kind
        return MatcherSpec(widths, ModelParams(name=name, embed_dim=embed_dim), own)
    except (ValueError, IndexError) as error:
        raise CheckpointError(
            f"{file}: no checkpoint of {kind} that this version can build ({one_line(error)})"
        ) from None
