"""Learned prompts: none change nothing, and what the hooks compute is what the layers give one by one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from mmoe.encoders.base import Encoder
from mmoe.encoders.kinds import ClipEncoder
from mmoe.encoders.prompted import PromptedEncoder, Prompts, prompts_for
from mmoe.encoders.registry import load_encoder
from mmoe.errors import FeatureStoreError

TEXTS = [[2, 9, 8, 3], [2, 7, 3], [2, 5, 6, 7, 8, 9, 3]]
IMAGES = [Image.effect_noise((24, 24), sigma).convert("RGB").resize((31, 24)) for sigma in (30, 90)]


def prompted(folder: Path, length: int = 2, depth: int = 9) -> PromptedEncoder:
    """A prompted encoder whose couplings are random too."""
    frozen = load_encoder(str(folder), "cpu")
    assert isinstance(frozen, ClipEncoder)
    torch.manual_seed(0)
    prompts = prompts_for(frozen, length, depth)
    with torch.no_grad():
        for parameter in prompts.parameters():
            parameter.normal_(std=0.5)
    return PromptedEncoder(frozen, prompts)


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_without_prompts_it_is_the_frozen_encoder_to_the_bit(
    folders: dict[str, Path], kind: str
) -> None:
    encoder = prompted(folders[kind], length=0)
    frozen = encoder.base
    assert frozen is not None
    for ours, theirs in (
        (encoder.encode_texts(TEXTS), frozen.encode_texts(TEXTS)),
        (encoder.encode_images(IMAGES), frozen.encode_images(IMAGES)),
    ):
        assert torch.equal(ours.tokens_BLC, theirs.tokens_BLC)
        assert torch.equal(ours.pooled_BP, theirs.pooled_BP)
        assert torch.equal(ours.lengths_B, theirs.lengths_B)


def slow_text(encoder: PromptedEncoder, ids: list[int], side: bool) -> tuple[Tensor, Tensor]:
    """CLIP's text tower with prompts, layer by layer, for one text without padding (DSMIP eq. 7)."""
    tower, new = encoder.model.text_model, encoder.learned.text[side]
    tokens_LC = tower.embeddings(torch.tensor([ids]))[0]
    length = len(new[0])
    states_LC = torch.cat([new[0], tokens_LC])
    size = len(states_LC)
    mask = torch.full((size, size), -torch.inf).triu(1)[None, None]
    for i, layer in enumerate(tower.encoder.layers):
        if 0 < i < len(new):
            states_LC = torch.cat([new[i], states_LC[length:]])
        states_LC = layer(states_LC[None], mask)[0]
    states_LC = tower.final_layer_norm(states_LC)
    return states_LC, encoder.model.text_projection(states_LC[-1])


def slow_image(encoder: PromptedEncoder, pixels: Tensor, side: bool) -> tuple[Tensor, Tensor]:
    """CLIP's vision tower with coupled prompts, layer by layer, for one image (DSMIP eq. 8)."""
    tower, learned = encoder.model.vision_model, encoder.learned
    patches_LC = tower.pre_layrnorm(tower.embeddings(pixels))[0]
    couplings, texts = learned.coupling[side], learned.text[side]
    assert isinstance(couplings, torch.nn.ModuleList)
    kept, length = len(patches_LC), texts.shape[1]
    states_LC = torch.cat([patches_LC, torch.empty(length, patches_LC.shape[1])])
    for i, layer in enumerate(tower.encoder.layers):
        if i < len(texts):
            states_LC = torch.cat([states_LC[:kept], couplings[i](texts[i])])
        states_LC = layer(states_LC[None], None)[0]
    class_state = tower.post_layernorm(states_LC[0])
    return states_LC, encoder.model.visual_projection(class_state)


@pytest.mark.parametrize("side", [False, True])
@pytest.mark.parametrize("depth", [1, 9])
def test_it_equals_a_slow_reference_layer_by_layer(
    folders: dict[str, Path], side: bool, depth: int
) -> None:
    encoder = prompted(folders["clip"], depth=depth).for_side(side)
    texts = encoder.encode_texts(TEXTS)
    for i, ids in enumerate(TEXTS):
        states_LC, pooled_P = slow_text(encoder, ids, side)
        assert texts.lengths_B[i] == len(states_LC) == len(ids) + 2
        torch.testing.assert_close(texts.tokens_BLC[i, : len(states_LC)], states_LC)
        torch.testing.assert_close(texts.pooled_BP[i], pooled_P)
    images = encoder.encode_images(IMAGES)
    for i, image in enumerate(IMAGES):
        pixels = encoder.prepare_image(image)["pixel_values"]
        states_LC, pooled_P = slow_image(encoder, pixels, side)
        assert images.lengths_B[i] == len(states_LC)
        torch.testing.assert_close(images.tokens_BLC[i], states_LC)
        torch.testing.assert_close(images.pooled_BP[i], pooled_P)


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_sides_have_prompts_of_their_own_and_the_weights_stay(
    folders: dict[str, Path], kind: str
) -> None:
    encoder = prompted(folders[kind])
    before = encoder.base.encode_texts(TEXTS).pooled_BP if encoder.base else None
    entities, mentions = (
        (each.encode_texts(TEXTS).pooled_BP, each.encode_images(IMAGES).pooled_BP)
        for each in (encoder.for_side(False), encoder.for_side(True))
    )
    assert not any(torch.allclose(a, b) for a, b in zip(entities, mentions, strict=True))
    assert encoder.base is not None
    assert before is not None
    assert torch.equal(encoder.base.encode_texts(TEXTS).pooled_BP, before)


def test_padding_and_the_batch_do_not_change_a_text(folders: dict[str, Path]) -> None:
    encoder = prompted(folders["clip"])
    together = encoder.encode_texts(TEXTS)
    for i, ids in enumerate(TEXTS):
        alone = encoder.encode_texts([ids])
        torch.testing.assert_close(together.pooled_BP[i], alone.pooled_BP[0])


def test_gradients_of_the_coupling_are_those_of_finite_differences(
    folders: dict[str, Path],
) -> None:
    encoder = prompted(folders["clip"])
    encoder.model.requires_grad_(False).double()
    learned = encoder.learned.double()
    pixels = encoder.prepare_image(IMAGES[0])["pixel_values"].double()
    image = {"pixel_values": pixels}

    def value() -> Tensor:
        return encoder._encode_inputs(dict(image)).pooled_BP.square().sum()

    chosen: list[tuple[Tensor, tuple[int, ...]]] = [
        (learned.text[0], (0, 1, 3)),
        (learned.get_parameter("coupling.0.1.weight"), (2, 5)),
        (learned.get_parameter("coupling.0.0.bias"), (4,)),
    ]
    gradients = torch.autograd.grad(value(), [parameter for parameter, _ in chosen])
    for (parameter, at), gradient in zip(chosen, gradients, strict=True):
        with torch.no_grad():
            old, step = parameter[at].clone(), 1e-5
            parameter[at] = old + step
            above = value()
            parameter[at] = old - step
            slope = (above - value()) / (2 * step)
            parameter[at] = old
        torch.testing.assert_close(gradient[at], slope, rtol=1e-5, atol=1e-9)
        assert slope != 0


@pytest.mark.parametrize("kind", ["paired", "naflex"])
def test_a_kind_without_a_place_for_prompts_is_named(
    encoders: dict[str, Encoder], kind: str
) -> None:
    encoder = encoders[kind]
    assert isinstance(encoder, ClipEncoder)
    with pytest.raises(FeatureStoreError, match=r"takes no prompts here.*tune.method: lora"):
        prompts_for(encoder, 2, 9)


def test_the_papers_number_of_parameters() -> None:
    """7.6 M trainable ones in the multimodal expert (DSMIP Table 3): prompts and couplings are most of it."""
    prompts = Prompts(length=2, depth=9, text_width=512, image_width=768)
    assert sum(p.numel() for p in prompts.parameters()) == 2 * 9 * (2 * 512 + 512 * 768 + 768)
