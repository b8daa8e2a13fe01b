"""A CLIP small enough for git: its sizes, its tokenizer, and its folder in Hugging Face's layout."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmoe.files import atomic_write, read_json, write_text
from tools.sample.merges import END_OF_WORD, Pair, learn_merges

BOS, EOS = "<|startoftext|>", "<|endoftext|>"
SIZE, PATCH = 224, 32  # pixels a side; 49 patches, as in ViT-B/32
POSITIONS = 77
# Standard deviation of the token embeddings at the start. With CLIP's 0.02 the tower takes thousands of
# steps to tell words apart; after 400 steps with words alone the sample's descriptions find their entity
# with MRR 22 instead of 12.
WORD_SPREAD = 1.0
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class TowerSizes:
    """One transformer: width, heads, layers, inner width of its feed-forward networks."""

    width: int
    heads: int
    layers: int
    inner: int

    def config(self, projection: int) -> dict[str, int]:
        """As transformers names them."""
        return {
            "hidden_size": self.width,
            "num_attention_heads": self.heads,
            "num_hidden_layers": self.layers,
            "intermediate_size": self.inner,
            "projection_dim": projection,
        }


@dataclass(frozen=True)
class ClipSizes:
    """All sizes of the model; the defaults make 2.17 million parameters with the full vocabulary."""

    vision: TowerSizes = TowerSizes(width=160, heads=4, layers=4, inner=512)
    text: TowerSizes = TowerSizes(width=96, heads=4, layers=3, inner=384)
    projection: int = 96
    vocabulary: int = 2400


def new_tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    """CLIP's byte-level tokenizer, for which no text is unknown.

    Args:
        texts: what the byte-pair merges are learned from.
        vocabulary: the most entries it may have; at least 514, for the bytes and the two ends.
    """
    import transformers

    hf: Any = transformers  # half of what is called here carries no types
    merges = learn_merges(_words(texts, hf.CLIPTokenizer), vocabulary - len(_tokens([])))
    numbers = {token: number for number, token in enumerate(_tokens(merges))}
    return hf.CLIPTokenizer(vocab=numbers, merges=merges, model_max_length=POSITIONS)


def new_clip(tokenizer: Any, sizes: ClipSizes, seed: int, attention: str | None = None) -> Any:
    """A CLIPModel with seeded random weights.

    Args:
        attention: transformers' name of the implementation; None leaves its default.
    """
    import torch
    import transformers

    hf: Any = transformers
    config = _config(tokenizer, sizes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = hf.CLIPModel._from_config(config, attn_implementation=attention).eval()
        torch.nn.init.normal_(model.text_model.embeddings.token_embedding.weight, std=WORD_SPREAD)
        return model


def save_clip(folder: Path, model: Any, tokenizer: Any) -> None:
    """Writes model (float16, which changes it), tokenizer and image processor."""
    import transformers
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    hf: Any = transformers
    hf.utils.logging.disable_progress_bar()
    # What the last call asked for would be stored, and every user's texts cut as in training.
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    processor = hf.CLIPProcessor(
        image_processor=CLIPImageProcessorPil(
            size={"shortest_edge": SIZE},
            crop_size={"height": SIZE, "width": SIZE},
            image_mean=list(MEAN),
            image_std=list(STD),
        ),
        tokenizer=tokenizer,
    )
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        model.half().save_pretrained(made)
        processor.save_pretrained(made)
        # Indented, it would take twice the room.
        vocabulary = json.dumps(read_json(made / "tokenizer.json"), ensure_ascii=False)
        write_text(made / "tokenizer.json", vocabulary + "\n")
        for file in sorted(made.iterdir()):
            with atomic_write(folder / file.name) as temporary:
                shutil.copyfile(file, temporary)


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


def _config(tokenizer: Any, sizes: ClipSizes) -> Any:
    from transformers import CLIPConfig

    text = sizes.text.config(sizes.projection) | {
        "vocab_size": len(tokenizer),
        "max_position_embeddings": POSITIONS,
        # Named explicitly: the defaults belong to CLIP's own vocabulary, and pooling looks for eos.
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = sizes.vision.config(sizes.projection) | {"image_size": SIZE, "patch_size": PATCH}
    return CLIPConfig(text_config=text, vision_config=vision, projection_dim=sizes.projection)
