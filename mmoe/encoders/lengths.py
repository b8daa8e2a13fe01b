"""How long texts are in an encoder's tokens, before any is cut: needs its tokenizer, not its weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from mmoe.encoders.layout import plain_tokens, special_tokens
from mmoe.encoders.sentence import SentenceSettings
from mmoe.encoders.source import ModelSource
from mmoe.files import read_json
from mmoe.records import TextInput

CHUNK = 4096
# Of these transformers knows that they have no separator, whatever their files say.
WITHOUT_SEPARATOR = ("CLIPTokenizer", "CLIPTokenizerFast")


class TokenCounter:
    """Counts what `name separator body description`, the special tokens and the prompt take, uncut.

    Args:
        name: the encoder, as `encode.model` names it.
    Raises:
        FeatureStoreError: if there is no such encoder, or its tokenizer is empty.
    """

    def __init__(self, name: str) -> None:
        self._tokenizer = _light_tokenizer(name) or _load_tokenizer(name)
        prompts = SentenceSettings.read(ModelSource.find(name, "encode.model")).prompts
        self._num_special = [special_tokens(name, self._tokenizer, p).total for p in prompts]

    def lengths(self, rows: Sequence[TextInput], of_mentions: bool = False) -> NDArray[np.int64]:
        """int64, one number a row, in order, with the prompt of mentions or that of entities."""
        totals, num_special = list[int](), self._num_special[of_mentions]
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            parts = [
                plain_tokens(self._tokenizer, texts)["input_ids"]
                for texts in (
                    [row.name for row in chunk],
                    [row.body for row in chunk],
                    [row.description or "" for row in chunk],
                )
            ]
            totals += [num_special + sum(map(len, ids)) for ids in zip(*parts, strict=True)]
        return np.array(totals, dtype=np.int64)


class _LightTokenizer:
    """tokenizer.json, called as transformers' tokenizers are: it starts in milliseconds, they in seconds."""

    def __init__(self, tokenizer: Tokenizer, separator: str | None, unknown: str | None) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self.sep_token_id = None if separator is None else tokenizer.token_to_id(separator)
        self.unk_token_id = None if unknown is None else tokenizer.token_to_id(unknown)

    def __call__(
        self,
        texts: str | list[str],
        add_special_tokens: bool = True,
        split_special_tokens: bool = False,
    ) -> dict[str, Any]:
        self._tokenizer.encode_special_tokens = split_special_tokens
        batch = [texts] if isinstance(texts, str) else texts
        found = self._tokenizer.encode_batch(batch, add_special_tokens=add_special_tokens)
        ids = [encoding.ids for encoding in found]
        return {"input_ids": ids[0] if isinstance(texts, str) else ids}


def _light_tokenizer(name: str) -> _LightTokenizer | None:
    """The tokenizer of a folder whose files say all about it; None where transformers must add to it."""
    source = ModelSource.find(name, "encode.model")
    folder = Path(source.path)
    file, settings = folder / "tokenizer.json", folder / "tokenizer_config.json"
    said = read_json(settings) if file.is_file() and settings.is_file() else None
    if not isinstance(said, dict):
        return None
    names = (said.get("sep_token"), said.get("unk_token"))
    separator, unknown = (n.get("content") if isinstance(n, dict) else n for n in names)
    if separator is None and said.get("tokenizer_class") not in WITHOUT_SEPARATOR:
        return None
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # it raises nothing narrower
        raise source.error(f"can't be loaded: {file.name}: {error}") from None
    return _LightTokenizer(tokenizer, separator, unknown)


def _load_tokenizer(name: str) -> Any:
    # Imported here: torch and transformers take seconds to start.
    from mmoe.encoders.registry import load_tokenizer

    return load_tokenizer(name)
