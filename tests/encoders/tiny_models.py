"""Tiny encoders with random weights, in the folder layout of Hugging Face, made offline in a moment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

LETTERS = [chr(code) for code in range(ord("a"), ord("z") + 1)]
WORDS = ["the", "jaguar", "runs", "river", "of", "car", "[", "]", "sep", "café", *LETTERS]
TEXT: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
VISION = {**TEXT, "image_size": 24, "patch_size": 8}
BERT_LIMIT, CLIP_LIMIT, SIGLIP_LIMIT = 40, 32, 20
BERT_NAMES = {
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "unk_token": "[UNK]",
}
PROMPTS = {"query": "the river: ", "document": ""}


def save_bert(folder: Path) -> None:
    """BERT: `[CLS] … [SEP]`, text only."""
    from transformers import BertModel

    _save_model(folder, BertModel, _bert_config(folder))


def save_sentence(folder: Path, pooling: str, prompts: dict[str, str] | None = None) -> None:
    """A BERT as sentence-transformers saves it, in its form before version 6 if it has no prompts."""
    save_bert(folder)
    _save_pooling(folder, {"pooling_mode": pooling} if prompts else _flags(pooling), prompts)


def save_lasttoken(folder: Path) -> None:
    """A causal model as sentence-transformers saves it: pools at its last token, asks with an instruction."""
    from transformers import Qwen3Config, Qwen3Model

    names = {"pad_token": "<pad>", "eos_token": "<end>", "unk_token": "<unk>"}
    size = _save_tokenizer(folder, ["<unk>", "<pad>", "<end>"], "$A <end>", names)
    sizes: dict[str, Any] = {"num_key_value_heads": 1, "head_dim": 8, "vocab_size": size}
    config = Qwen3Config(max_position_embeddings=BERT_LIMIT, **TEXT, **sizes)
    _save_model(folder, Qwen3Model, config)
    _save_pooling(folder, {"pooling_mode": "lasttoken", "include_prompt": True}, PROMPTS)


def _flags(pooling: str) -> dict[str, bool]:
    named = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens"}
    return {f"pooling_mode_{name}": mode == pooling for mode, name in named.items()}


def _save_pooling(folder: Path, pooling: dict[str, Any], prompts: dict[str, str] | None) -> None:
    steps = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
    modules = [{"type": f"a.b.{kind}", "path": path} for kind, path in steps.items()]
    (folder / "1_Pooling").mkdir()
    for name, content in (
        ("modules.json", modules),
        ("1_Pooling/config.json", pooling),
        ("config_sentence_transformers.json", {"prompts": prompts or {}}),
    ):
        (folder / name).write_text(json.dumps(content))


def _bert_config(folder: Path) -> Any:
    from transformers import BertConfig

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    size = _save_tokenizer(folder, marks, "[CLS] $A [SEP]", BERT_NAMES)
    return BertConfig(vocab_size=size, max_position_embeddings=BERT_LIMIT, **TEXT)


def save_paired(folder: Path) -> None:
    """A BERT and a ViT of another width, as transformers' VisionTextDualEncoder."""
    from transformers import (
        VisionTextDualEncoderConfig,
        VisionTextDualEncoderModel,
        ViTConfig,
        ViTImageProcessorPil,
    )

    vision, text = ViTConfig(**{**VISION, "hidden_size": 24}), _bert_config(folder)
    config = VisionTextDualEncoderConfig.from_vision_text_configs(vision, text, projection_dim=12)
    _save_model(folder, VisionTextDualEncoderModel, config)
    ViTImageProcessorPil(size={"height": 24, "width": 24}).save_pretrained(folder)


def save_clip(folder: Path) -> None:
    """CLIP whose two widths differ from its embeddings', and whose end is not its highest id."""
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    marks = ["<unk>", "<pad>", "<start>", "<end>"]
    names = {"pad_token": "<pad>", "bos_token": "<start>", "eos_token": "<end>"}
    size = _save_tokenizer(folder, marks, "<start> $A <end>", {**names, "unk_token": "<unk>"})
    ids = {"pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 3}
    text = {**TEXT, **ids, "vocab_size": size, "max_position_embeddings": CLIP_LIMIT}
    config = CLIPConfig(
        text_config=text, vision_config={**VISION, "hidden_size": 24}, projection_dim=12
    )
    _save_model(folder, CLIPModel, config)
    square = {"height": 24, "width": 24}
    CLIPImageProcessorPil(size={"shortest_edge": 24}, crop_size=square).save_pretrained(folder)


def save_siglip(folder: Path) -> None:
    """SigLIP: `… </s>`, padded with the end token, a bidirectional text tower."""
    from transformers import SiglipConfig, SiglipImageProcessorPil, SiglipModel

    names = {"pad_token": "</s>", "eos_token": "</s>", "unk_token": "<unk>"}
    size = _save_tokenizer(folder, ["<pad>", "</s>", "<unk>"], "$A </s>", names)
    ids = {"pad_token_id": 1, "bos_token_id": None, "eos_token_id": 1, "projection_size": 16}
    text = {**TEXT, **ids, "vocab_size": size, "max_position_embeddings": SIGLIP_LIMIT}
    _save_model(folder, SiglipModel, SiglipConfig(text_config=text, vision_config=VISION))
    SiglipImageProcessorPil(size={"height": 24, "width": 24}).save_pretrained(folder)


def save_naflex(folder: Path) -> None:
    """SigLIP 2 that keeps proportions: `… <eos>`, padded with another token; 12 patches at most."""
    from transformers import Siglip2Config, Siglip2ImageProcessorPil, Siglip2Model

    ids = {"pad_token_id": 0, "bos_token_id": None, "eos_token_id": 1, "projection_size": 24}
    size = _save_naflex_tokenizer(folder)
    text = {**TEXT, **ids, "vocab_size": size, "max_position_embeddings": SIGLIP_LIMIT}
    vision = {**TEXT, "hidden_size": 24, "patch_size": 8, "num_patches": 9}
    _save_model(folder, Siglip2Model, Siglip2Config(text_config=text, vision_config=vision))
    Siglip2ImageProcessorPil(patch_size=8, max_num_patches=12).save_pretrained(folder)


def _save_naflex_tokenizer(folder: Path) -> int:
    """Transformers loads no other class with the model: BPE, in which a word grows from its first letter."""
    from transformers import Siglip2Tokenizer

    marks = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    pieces = [word[:end] for word in WORDS for end in range(1, len(word) + 1)]
    names = dict.fromkeys([*marks, "▁", "é", *pieces])
    vocabulary = {name: number for number, name in enumerate(names)}
    merges: Any = [(word[:end], word[end]) for word in WORDS for end in range(1, len(word))]
    tokenizer: Any = Siglip2Tokenizer(vocab=vocabulary, merges=merges, padding_side="right")
    tokenizer._tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <eos>", special_tokens=[("<eos>", vocabulary["<eos>"])]
    )
    tokenizer.save_pretrained(folder)
    return len(vocabulary)


def _save_tokenizer(folder: Path, marks: list[str], form: str, names: dict[str, str]) -> int:
    import transformers

    vocabulary = {word: number for number, word in enumerate([*marks, *WORDS])}
    raw = Tokenizer(models.WordLevel(vocabulary, unk_token=names["unk_token"]))
    raw.normalizer = normalizers.Lowercase()
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    used = [(mark, vocabulary[mark]) for mark in marks if mark in form.split()]
    raw.post_processor = processors.TemplateProcessing(single=form, special_tokens=used)
    fast: Any = transformers.PreTrainedTokenizerFast
    fast(tokenizer_object=raw, **names).save_pretrained(folder)
    return len(vocabulary)


def _save_model(folder: Path, kind: Any, config: Any) -> None:
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.manual_seed(0)
    model = kind(config)
    with torch.no_grad():
        for (
            weight
        ) in model.parameters():  # at the usual 0.02 a wrong state could pass for the right one
            if weight.ndim > 1:
                weight.normal_(std=0.3)
    model.save_pretrained(folder)
