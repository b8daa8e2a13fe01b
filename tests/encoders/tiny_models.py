"""Tiny encoders with random weights, in the folder layout of Hugging Face, made offline in a moment."""

from __future__ import annotations

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


def save_bert(folder: Path) -> None:
    """BERT: `[CLS] … [SEP]`, text only."""
    from transformers import BertConfig, BertModel

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    names = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]"}
    size = _save_tokenizer(folder, marks, "[CLS] $A [SEP]", names)
    config = BertConfig(vocab_size=size, max_position_embeddings=BERT_LIMIT, **TEXT)
    _save_model(folder, BertModel, config)


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
