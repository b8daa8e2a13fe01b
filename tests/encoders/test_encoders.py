"""What every encoder's features are, held against single texts worked out from the model's parts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from mmoe.encoders.base import Encoder
from mmoe.encoders.registry import load_encoder
from mmoe.errors import FeatureStoreError

from tests.encoders.conftest import SAMPLE_CLIP

KINDS = ("sample", "clip", "siglip", "bert")
SEEING = ("sample", "clip", "siglip")
TEXTS = ["the jaguar runs", "river", "", "the car of the jaguar runs a b c d e f"]


def laid_out(encoder: Encoder, texts: Sequence[str]) -> list[list[int]]:
    layout = encoder.layout(20, 4)
    ids = encoder.tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    return [layout.whole(ids[0], body) for body in ids]


@torch.inference_mode()
def by_hand(encoder: Encoder, ids: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Token features and embedding of one text alone."""
    model = encoder.model
    if encoder.name.endswith("siglip"):
        padded = [*ids, *[encoder.tokenizer.pad_token_id] * (encoder.text_limit - len(ids))]
        tokens = model.text_model(input_ids=torch.tensor([padded])).last_hidden_state[0]
        return tokens[: len(ids)], model.text_model.head(tokens[-1])
    if encoder.name.endswith("bert"):
        tokens = model(input_ids=torch.tensor([list(ids)])).last_hidden_state[0]
        return tokens, tokens.mean(dim=0)
    tokens = model.text_model(input_ids=torch.tensor([list(ids)])).last_hidden_state[0]
    end = list(ids).index(encoder.tokenizer.eos_token_id)
    return tokens, functional.linear(tokens[end], model.text_projection.weight)


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_in_a_batch_equals_the_text_alone(encoders: dict[str, Encoder], kind: str) -> None:
    encoder = encoders[kind]
    batch = laid_out(encoder, TEXTS)
    out = encoder.encode_texts(batch)
    assert out.lengths_B.tolist() == [len(ids) for ids in batch]
    for i, ids in enumerate(batch):
        tokens, pooled = by_hand(encoder, ids)
        torch.testing.assert_close(out.tokens_BLC[i, : len(ids)], tokens, atol=2e-5, rtol=1e-4)
        torch.testing.assert_close(out.pooled_BP[i], pooled, atol=2e-5, rtol=1e-4)


def test_clip_pools_an_image_from_its_class_token(encoders: dict[str, Encoder]) -> None:
    encoder = encoders["clip"]
    out = encoder.encode_images([Image.effect_noise((24, 24), 90).convert("RGB")])
    with torch.inference_mode():
        first = encoder.model.vision_model.post_layernorm(out.tokens_BLC[:, 0])
        torch.testing.assert_close(out.pooled_BP, encoder.model.visual_projection(first))
    assert out.tokens_BLC.shape[1] == 1 + 9


@pytest.mark.parametrize("kind", KINDS)
def test_the_widths_are_those_of_the_output(encoders: dict[str, Encoder], kind: str) -> None:
    encoder = encoders[kind]
    texts = encoder.encode_texts([[5, 3]])
    assert encoder.text_widths == (texts.tokens_BLC.shape[-1], texts.pooled_BP.shape[-1])
    if encoder.sees_images:
        images = encoder.encode_images([Image.new("RGB", (5, 5))])
        assert encoder.image_widths == (
            images.tokens_BLC.shape[-1],
            images.pooled_BP.shape[-1],
        )


def test_a_text_only_encoder_refuses_images(encoders: dict[str, Encoder]) -> None:
    assert encoders["bert"].image_widths == (0, 0)
    assert not encoders["bert"].joint
    with pytest.raises(FeatureStoreError, match="text-only"):
        encoders["bert"].encode_images([Image.new("RGB", (5, 5))])
    with pytest.raises(FeatureStoreError, match="text-only"):
        encoders["bert"].encode_no_image()


@pytest.mark.parametrize(("kind", "limit"), [("sample", 77), ("clip", 32), ("siglip", 20)])
def test_a_text_length_beyond_the_model_names_the_knob(
    encoders: dict[str, Encoder], kind: str, limit: int
) -> None:
    encoder = encoders[kind]
    longest = encoder.layout(limit, 0).whole(list(range(9)), [7] * 99)
    assert encoder.encode_texts([longest]).lengths_B.tolist() == [limit]
    with pytest.raises(
        FeatureStoreError, match=rf"encode\.max_text_length = {limit + 1}: .* at most {limit} "
    ):
        encoder.layout(limit + 1, 0)


def test_a_text_length_without_room_for_special_tokens_names_the_knob(
    encoders: dict[str, Encoder],
) -> None:
    encoder = encoders["sample"]
    special = encoder.layout(encoder.text_limit, 0).special
    least = 2 * sum(map(len, (special.prefix, special.separator, special.suffix))) - 1
    wanted = rf"encode\.max_text_length = {least - 1}: .* need {least}"
    with pytest.raises(FeatureStoreError, match=wanted):
        encoder.layout(least - 1, 0)
    assert len(encoder.layout(least, 0).whole([7] * 99, [7] * 99)) == least


def test_the_separator_is_the_tokenizers_own_where_it_has_one(encoders: dict[str, Encoder]) -> None:
    assert encoders["bert"].layout(20, 4).special.separator == (
        encoders["bert"].tokenizer.sep_token_id,
    )
    written = encoders["clip"].tokenizer("[sep]", add_special_tokens=False)["input_ids"]
    assert encoders["clip"].layout(20, 4).special.separator == tuple(written)


def test_half_precision_gives_nearly_the_same() -> None:
    halved = load_encoder(str(SAMPLE_CLIP), "cpu", "bfloat16")
    batch = laid_out(halved, TEXTS)
    full = load_encoder(str(SAMPLE_CLIP), "cpu").encode_texts(batch).pooled_BP
    half = halved.encode_texts(batch).pooled_BP
    assert half.dtype == torch.bfloat16
    assert functional.cosine_similarity(half.float(), full).min() > 0.99
