"""Learned prompts inside a frozen CLIP or SigLIP: vectors beside tokens, projected ones beside patches."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mmoe.encoders.base import Encoded
from mmoe.encoders.kinds import ClipEncoder, SiglipEncoder
from mmoe.errors import FeatureStoreError

INIT_STD = 0.02


class Prompts(nn.Module):
    """The prompts of both sides, for the first layers of both towers.

    A text layer gets its own prompts in place of what became of the layer's before it; a vision layer gets a
    linear projection of these (the coupling function). Behind the first `depth` layers they are tokens like
    others.

    Args:
        length: r, prompts a layer; 0 for none.
        depth: J, the layers that get new ones; fewer where a tower has fewer.
    Source: DSMIP eq. 6–8.
    """

    def __init__(self, length: int, depth: int, text_width: int, image_width: int) -> None:
        super().__init__()
        self.length = length
        sides = (torch.randn(depth, length, text_width) * INIT_STD for _ in range(2))
        self.text = nn.ParameterList(sides)  # of entities, of mentions
        self.coupling = nn.ModuleList(
            nn.ModuleList(nn.Linear(text_width, image_width) for _ in range(depth))
            for _ in range(2)
        )

    def of_texts(self, of_mentions: bool) -> list[Tensor]:
        """[r, C] for each layer."""
        return list(self.text[of_mentions])

    def of_images(self, of_mentions: bool) -> list[Tensor]:
        """[r, C] for each layer."""
        couplings = self.coupling[of_mentions]
        assert isinstance(couplings, nn.ModuleList)
        return [
            couple(prompts)
            for couple, prompts in zip(couplings, self.of_texts(of_mentions), strict=True)
        ]


def prompts_for(encoder: ClipEncoder, length: int, depth: int) -> Prompts:
    """Prompts before training, as wide and at most as deep as an encoder's towers.

    Raises:
        FeatureStoreError: if it is of a kind that has no place for them.
    """
    kind = encoder.model.config.model_type
    # NaFlex attends by a mask of its patches; a paired text model is of any kind.
    if kind not in ("clip", "siglip"):
        raise FeatureStoreError(
            f"tune.method = prompts: {encoder.name} is of the kind {kind}, which takes no prompts here; use "
            "a CLIP or a SigLIP of a fixed size, or tune.method: lora"
        )
    towers = _layers(encoder.model.text_model), _layers(encoder.model.vision_model)
    depth = min(depth, *map(len, towers))
    return Prompts(length, depth, encoder.text_widths[0], encoder.image_widths[0])


class PromptedEncoder(ClipEncoder):
    """An encoder whose towers read learned prompts; those of entities, or of mentions (see `for_side`).

    Token features begin with what became of the prompts, patch features end with it.
    """

    def __init__(self, frozen: ClipEncoder, learned: Prompts) -> None:
        # The weights are the frozen encoder's, not a copy.
        vars(self).update(vars(frozen))
        self.base = frozen
        self.learned = learned.to(frozen.device)
        self.num_added = learned.length
        self._of_mentions = False

    def for_side(self, of_mentions: bool) -> PromptedEncoder:
        other = copy.copy(self)
        other._of_mentions = of_mentions
        return other

    @property
    def sees_padding(self) -> bool:  # type: ignore[override]
        return self._frozen.sees_padding

    @property
    def text_widths(self) -> tuple[int, int]:
        return self._frozen.text_widths

    @property
    def image_widths(self) -> tuple[int, int]:
        return self._frozen.image_widths

    @property
    def _frozen(self) -> ClipEncoder:
        assert isinstance(self.base, ClipEncoder)
        return self.base

    def _encode_ids(self, ids_BL: Tensor, mask_BL: Tensor) -> tuple[Tensor, Tensor]:
        model, prompts = self.model, self.learned.of_texts(self._of_mentions)
        with _prompted_texts(model.text_model, prompts, self.num_added):
            if isinstance(self._frozen, SiglipEncoder):  # it pools at the last position
                return self._frozen._encode_ids(ids_BL, mask_BL)
            seen_BL = nn.functional.pad(mask_BL, (self.num_added, 0), value=True)
            out = model.text_model(input_ids=ids_BL, attention_mask=seen_BL.long())
        tokens_BLC = out.last_hidden_state
        # It pools at the end token, the last of each text, and looks for it where it stood without prompts.
        ends_B = self.num_added + mask_BL.sum(dim=1) - 1
        rows_B = torch.arange(len(tokens_BLC), device=tokens_BLC.device)
        return tokens_BLC, model.text_projection(tokens_BLC[rows_B, ends_B])

    def _encode_inputs(self, inputs: dict[str, Any]) -> Encoded:
        prompts = self.learned.of_images(self._of_mentions)
        with _prompted_images(self.model.vision_model, prompts, self.num_added):
            return self._frozen._encode_inputs(inputs)


def _layers(tower: Any) -> Sequence[nn.Module]:
    layers: Sequence[nn.Module] = tower.encoder.layers
    return layers


@contextmanager
def _prompted_texts(tower: Any, prompts: Sequence[Tensor], length: int) -> Iterator[None]:
    """Texts of `tower` begin with prompts: each can be seen from all tokens, under a causal mask too."""

    def begin(_module: nn.Module, _args: Any, states_BLC: Tensor) -> Tensor:
        return torch.cat([_batch_of(prompts[0], states_BLC), states_BLC], dim=1)

    def renew(prompts_rC: Tensor, states_BLC: Tensor) -> Tensor:
        return torch.cat([_batch_of(prompts_rC, states_BLC), states_BLC[:, length:]], dim=1)

    # The mask is made for as many tokens as the embeddings give.
    hooks = [tower.embeddings.register_forward_hook(begin)] if length else []
    later = list(zip(_layers(tower), prompts, strict=False))[1:] if length else []
    with _hooked(hooks + [_before(layer, renew, each) for layer, each in later]):
        yield


@contextmanager
def _prompted_images(tower: Any, prompts: Sequence[Tensor], length: int) -> Iterator[None]:
    """Patches of `tower` end with prompts, so that a class token stays the first."""

    def begin(prompts_rC: Tensor, states_BLC: Tensor) -> Tensor:
        return torch.cat([states_BLC, _batch_of(prompts_rC, states_BLC)], dim=1)

    def renew(prompts_rC: Tensor, states_BLC: Tensor) -> Tensor:
        return torch.cat([states_BLC[:, :-length], _batch_of(prompts_rC, states_BLC)], dim=1)

    pairs = list(zip(_layers(tower), prompts, strict=False)) if length else []
    with _hooked([_before(layer, renew if i else begin, p) for i, (layer, p) in enumerate(pairs)]):
        yield


def _batch_of(prompts_rC: Tensor, states_BLC: Tensor) -> Tensor:
    return prompts_rC.to(states_BLC.dtype).expand(len(states_BLC), -1, -1)


def _before(layer: nn.Module, change: Any, prompts_rC: Tensor) -> Any:
    """A hook that changes the states with which a layer is called."""

    def hook(_module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return change(prompts_rC, args[0]), *args[1:]

    return layer.register_forward_pre_hook(hook)


@contextmanager
def _hooked(hooks: Sequence[Any]) -> Iterator[None]:
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
