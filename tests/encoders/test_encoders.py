"""What every encoder's features are, held against plain calls of transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

from mmoe.encoders.base import Encoder, pretrained
from mmoe.encoders.registry import load_encoder
from mmoe.errors import FeatureStoreError

from tests.encoders.conftest import KINDS, SAMPLE_CLIP, SEEING
from tests.encoders.tiny_models import PROMPTS
from tests.pictures import noise

TEXTS = ["the jaguar runs", "river", "", "the car of a river"]


def laid_out(encoder: Encoder, texts: Sequence[str], of_mentions: bool = False) -> list[list[int]]:
    layout = encoder.layout(20, 4, of_mentions)
    ids = encoder.tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    return [layout.name_alone(text) for text in ids]


@torch.inference_mode()
def plain_text(folder: Path, kind: str, text: str) -> tuple[Tensor, Tensor]:
    """Token states [L, C] and embedding [P] of one text, by transformers alone."""
    model = AutoModel.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer([text], return_tensors="pt")
    length = inputs["input_ids"].shape[1]
    if kind in ("siglip", "naflex"):
        padded = tokenizer([text], padding="max_length", max_length=20, return_tensors="pt")
        out = model.get_text_features(input_ids=padded["input_ids"])
        return out.last_hidden_state[0, :length], out.pooler_output[0]
    if kind in SEEING:
        out = model.get_text_features(**inputs)
        return out.last_hidden_state[0], out.pooler_output[0]
    states = model(**inputs).last_hidden_state[0]
    pooled = {
        "cls": states[0],
        "max": states.max(dim=0).values,
        "lasttoken": states[-1],
    }
    return states, pooled.get(kind, states.mean(dim=0))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("of_mentions", [False, True])
def test_texts_in_a_batch_equal_plain_calls_one_by_one(
    encoders: dict[str, Encoder], folders: dict[str, Path], kind: str, of_mentions: bool
) -> None:
    encoder = encoders[kind]
    batch = laid_out(encoder, TEXTS, of_mentions)
    out = encoder.encode_texts(batch)
    prompt = PROMPTS["query"] if of_mentions and kind in ("cls", "lasttoken") else ""
    for i, text in enumerate(TEXTS):
        tokens, pooled = plain_text(folders[kind], kind, prompt + text)
        assert out.lengths_B[i] == len(tokens)
        found = out.tokens_BLC[i, : len(tokens)]
        torch.testing.assert_close(found, tokens, atol=2e-5, rtol=1e-4)
        torch.testing.assert_close(out.pooled_BP[i], pooled, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", SEEING)
@torch.inference_mode()
def test_images_in_a_batch_equal_plain_calls_one_by_one(
    encoders: dict[str, Encoder], folders: dict[str, Path], kind: str
) -> None:
    model = AutoModel.from_pretrained(folders[kind], dtype=torch.float32)
    processor = pretrained(AutoImageProcessor, str(folders[kind]), backend="pil")
    images = [noise(size) for size in ((24, 24), (90, 40), (3, 50), (1, 1), (200, 30))]
    out = encoders[kind].encode_images(images)
    for i, image in enumerate(images):
        inputs = processor(images=[image], return_tensors="pt")
        plain = model.get_image_features(**inputs)
        count = plain.last_hidden_state.shape[1]
        if kind == "naflex":
            count = int(inputs["pixel_attention_mask"].sum())
        assert out.lengths_B[i] == count
        found, wanted = out.tokens_BLC[i, :count], plain.last_hidden_state[0, :count]
        torch.testing.assert_close(found, wanted, atol=2e-5, rtol=1e-4)
        torch.testing.assert_close(out.pooled_BP[i], plain.pooler_output[0], atol=2e-5, rtol=1e-4)
    if kind == "naflex":
        assert len(set(out.lengths_B.tolist())) > 1
        assert encoders[kind].encode_no_image().lengths_B.tolist() == [9]


def test_only_mentions_have_the_prompt_and_it_takes_of_the_length(
    encoders: dict[str, Encoder],
) -> None:
    encoder = encoders["lasttoken"]
    prompt = encoder.tokenizer(PROMPTS["query"], add_special_tokens=False)["input_ids"]
    layouts = [encoder.layout(20, 4, of_mentions) for of_mentions in (False, True)]
    of_entity, of_mention = (layout.whole([7], [8] * 30) for layout in layouts)
    assert of_mention[: len(prompt)] == prompt != of_entity[: len(prompt)]
    assert len(of_mention) == len(of_entity) == 20
    with pytest.raises(FeatureStoreError, match=r"max_text_length = 8: the special tokens and pro"):
        encoder.layout(8, 0, of_mentions=True)


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
