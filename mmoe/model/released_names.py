"""Published checkpoints: which of our tensors each of theirs is, and which of theirs nothing goes through."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mmoe.config.m3el import M3elParams
from mmoe.errors import CheckpointError
from mmoe.model.features import FeatureWidths
from mmoe.model.matcher import Matcher

SHOWN = 5  # names in a message
STEMS = {
    "text_stem.coarse_norm": "matcher.text_cls_layernorm",
    "text_stem.fine_norm": "matcher.text_tokens_layernorm",
    "image_stem.coarse": "encoder.image_cls_fc",
    "image_stem.fine": "encoder.image_tokens_fc",
    "image_stem.coarse_norm": "matcher.image_cls_layernorm",
    "image_stem.fine_norm": "matcher.image_tokens_layernorm",
}
# By matcher: beginnings of names of tensors that its release holds and does not use in a score.
UNUSED = {
    "mmoe_released": ("matcher.cross_module.context_layer_norm.",),
    "mimic": ("matcher.cmfu.context_layer_norm.",),
    "m3el": (
        *(f"matcher.{place}mclet_" for place in ("", "cmm.", "cmmb.")),
        *("matcher.text_fc.", "matcher.image_fc.", "matcher.scale_", "matcher.weight_cl_loss."),
    ),
}
# What only we have: constants for missing images and M3EL's adapter, which start without effect.
OURS_ALONE = ("units.vision.missing.", "units.cross.missing.", "text_adapter.")
HEADS = "units.cross.alignment.head_weights"


# What the sizes are read off.
SIZES = (
    "matcher.text_cls_layernorm.weight",
    "matcher.text_tokens_layernorm.weight",
    "encoder.image_cls_fc.weight",
    "encoder.image_tokens_fc.weight",
)


def released_widths(released: Mapping[str, Tensor]) -> tuple[FeatureWidths, int]:
    """Feature widths and embed_dim of a published checkpoint, which has the tensors `SIZES`.

    Raises:
        ValueError: if their shapes are none that the published code has.
    """
    [text_pooled], [text] = (released[name].shape for name in SIZES[:2])
    if text_pooled != text:
        raise ValueError(f"{SIZES[0]} is {text_pooled} wide and {SIZES[1]} {text}")
    embed_dim, image_pooled = released[SIZES[2]].shape
    image = released[SIZES[3]].shape[1]
    return FeatureWidths(text, text_pooled, image, image_pooled, joint=True, padded=True), embed_dim


def load_release(matcher: Matcher, released: Mapping[str, Tensor]) -> None:
    """Gives a matcher with all three units the weights of a published checkpoint.

    Args:
        released: tensors by their names in the checkpoint, `matcher.…` and `encoder.…`, without CLIP's.
    Raises:
        CheckpointError: naming tensors that are missing, that no place is known for, or of another shape.
    """
    pairs = ((ours, released_name(matcher, ours)) for ours in matcher.state_dict())
    wanted = {ours: theirs for ours, theirs in pairs if theirs is not None}
    missing = sorted(set(wanted.values()) - set(released))
    unused = _unused(matcher)
    extra = [n for n in sorted(set(released) - set(wanted.values())) if not n.startswith(unused)]
    problems = [
        f"{what} {_listed(names)}"
        for what, names in (("lacks", missing), ("has no place for", extra))
        if names
    ]
    state = matcher.state_dict()
    if not problems:
        found = {ours: _shaped(ours, released[theirs]) for ours, theirs in wanted.items()}
        odd = [
            f"{wanted[ours]} is {list(each.shape)}, wanted {list(state[ours].shape)}"
            for ours, each in found.items()
            if each.shape != state[ours].shape
        ]
        problems = ["; ".join(odd[:SHOWN])] if odd else []
        state |= found
    if problems:
        raise CheckpointError(
            f"no checkpoint of {matcher.NAME} of this shape: {'; '.join(problems)}"
        )
    matcher.load_state_dict(state)


def released_name(matcher: Matcher, name: str) -> str | None:
    """The release's name of one of our tensors; None for what only we have."""
    if name.startswith(OURS_ALONE):
        return None
    cross = "cmm" if _one_way(matcher) else "cmmb"
    if name == HEADS:
        return f"matcher.{cross}.multi_head_module.weight"
    names = {"mimic": _mimic, "m3el": lambda: _m3el(cross), "mmoe_released": _mmoe}[matcher.NAME]()
    known = {**STEMS, **names}
    prefix = next(prefix for prefix in known if name.startswith(f"{prefix}."))
    rest = name.removeprefix(prefix)
    if prefix.endswith(".experts"):  # .<expert>.0 is their .<expert>.ff.0.0, and .2 their .ff.2
        _, expert, layer, kind = rest.split(".")
        rest = f".{expert}.ff.{'0.0' if layer == '0' else '2'}.{kind}"
    return known[prefix] + rest


NORMED = {
    "query": "fc_query",
    "key": "fc_key",
    "value": "fc_value",
    "coarse": "fc_cls",
    "norm": "layer_norm",
}
GATED = {
    "text_fc": "text_fc",
    "image_fc": "image_fc",
    "gate_fc": "gate_fc",
    "norm": "gate_layer_norm",
}


def _parts(ours: str, theirs: str, names: Mapping[str, str]) -> dict[str, str]:
    return {f"units.{ours}.{part}": f"matcher.{theirs}.{name}" for part, name in names.items()}


def _mimic() -> dict[str, str]:
    return {
        **_parts("text", "tglu", NORMED),
        "units.vision.from_entity": "matcher.vdlu.dual_ent2men",
        "units.vision.from_mention": "matcher.vdlu.dual_men2ent",
        **_parts("cross", "cmfu", GATED),
    }


def _m3el(cross: str) -> dict[str, str]:
    ours = "units.cross.alignment"
    return {
        **_parts("text", "timm", NORMED),
        **_parts("vision", "iimm", NORMED),
        **_parts("cross.alignment", cross, GATED),
        f"{ours}.match_fc": f"matcher.{cross}.match_module.trans_linear",
        f"{ours}.fusion": f"matcher.{cross}.fusion_module.linear",
    }


def _mmoe() -> dict[str, str]:
    mixtures = {}
    for unit in ("text", "vision", "cross"):
        theirs = f"matcher.{unit}_module.moe_layer"
        mixtures[f"units.{unit}.mixture.score"] = f"{theirs}.gate.w_gate"
        mixtures[f"units.{unit}.mixture.experts"] = f"{theirs}.experts"
    return {
        **mixtures,
        **_parts("text", "text_module", NORMED),
        **_parts("vision", "vision_module", NORMED),
        **_parts("cross", "cross_module", GATED),
    }


def _one_way(matcher: Matcher) -> bool:
    own = matcher.spec.own
    return isinstance(own, M3elParams) and own.directions == "one_way"


def _unused(matcher: Matcher) -> tuple[str, ...]:
    if matcher.NAME != "m3el":
        return UNUSED[matcher.NAME]
    return (*UNUSED["m3el"], "matcher.cmmb." if _one_way(matcher) else "matcher.cmm.")


def _shaped(name: str, tensor: Tensor) -> Tensor:
    return tensor[:, 0] if name == HEADS and tensor.ndim == 2 else tensor.to(torch.float32)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (
        f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    )
