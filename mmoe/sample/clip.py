"""A CLIP small enough for git, with seeded random weights, in Hugging Face's folder layout."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmoe.sample.merges import END_OF_WORD, Pair, learn_merges
from mmoe.sample.sketch import SIZE

BOS, EOS = "<|startoftext|>", "<|endoftext|>"
NUM_MERGES = 490
WIDTH, HEADS, LAYERS, INNER, PROJECTION = 64, 4, 2, 128, 32
PATCH = 32


def write_clip(folder: Path, texts: Iterable[str], seed: int) -> None:
    """Writes model, tokenizer and image processor.

    Args:
        texts: what the byte-pair merges are learned from.
        seed: of the weights.
    """
    import torch
    import transformers
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    # Half of what is called here carries no types.
    hf: Any = transformers
    merges = learn_merges(_words(texts, hf.CLIPTokenizer), NUM_MERGES)
    vocabulary = {token: number for number, token in enumerate(_tokens(merges))}
    tokenizer = hf.CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=77)
    processor = hf.CLIPProcessor(
        image_processor=CLIPImageProcessorPil(
            size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE}
        ),
        tokenizer=tokenizer,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = hf.CLIPModel(_config(vocabulary)).eval()
    model.half().save_pretrained(folder)
    processor.save_pretrained(folder)


def _words(texts: Iterable[str], tokenizer_type: Any) -> list[str]:
    """The texts normalised and cut into words of bytes as CLIP's own tokenizer does it."""
    bare = {token: number for number, token in enumerate(_tokens([]))}
    backend = tokenizer_type(vocab=bare, merges=[]).backend_tokenizer
    plain = [backend.normalizer.normalize_str(text) for text in texts]
    return [word for text in plain for word, _ in backend.pre_tokenizer.pre_tokenize_str(text)]


def _tokens(merges: list[Pair]) -> list[str]:
    """CLIP's order: every byte, every byte that ends a word, merges, beginning and end of text.

    A byte that is missing would become the end-of-text token, at which the text is pooled.
    """
    from tokenizers.pre_tokenizers import ByteLevel

    every_byte = sorted(ByteLevel.alphabet())
    ends = [byte + END_OF_WORD for byte in every_byte]
    return [*every_byte, *ends, *(left + right for left, right in merges), BOS, EOS]


def _config(vocabulary: dict[str, int]) -> Any:
    from transformers import CLIPConfig

    tower = {
        "hidden_size": WIDTH,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "projection_dim": PROJECTION,
    }
    text = tower | {
        "vocab_size": len(vocabulary),
        "max_position_embeddings": 77,
        # Named explicitly: the defaults belong to CLIP's own vocabulary, and pooling looks for eos.
        "bos_token_id": vocabulary[BOS],
        "eos_token_id": vocabulary[EOS],
        "pad_token_id": vocabulary[EOS],
    }
    vision = tower | {"image_size": SIZE, "patch_size": PATCH}
    return CLIPConfig(text_config=text, vision_config=vision, projection_dim=PROJECTION)
