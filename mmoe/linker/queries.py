"""Mentions of one's own, and their features as the stages would have stored them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from mmoe.baselines.cosine import SideVectors, Vectors
from mmoe.config.encode import EncodeParams
from mmoe.datasets.rows import is_whole
from mmoe.encoders.base import Encoder
from mmoe.encoders.registry import base_encoder, load_encoder
from mmoe.encoders.rows import encode_image_rows, encode_text_rows, laid_out
from mmoe.errors import LinkingError
from mmoe.features.shards import OK, FeatureRow
from mmoe.features.tokens import MemoryTokens, Tokens
from mmoe.images import ImageError, as_shown, decode_image, smaller
from mmoe.linking.sides import KEEP_BASE, as_stored, features_of_rows, pooled_of
from mmoe.longer_names import STAND_IN, hide_name
from mmoe.model.features import FeatureWidths, SideFeatures, Strings
from mmoe.records import Mention, TextInput
from mmoe.reranking.families import MentionSide, text_of
from mmoe.reranking.retrieved import Retrieved

ENCODE_BATCH = 32
LONGEST = 1_000_000  # characters of a text
Picture: TypeAlias = Path | str | bytes | Image.Image


@dataclass(frozen=True)
class Query:
    """A mention to link.

    Attributes:
        surface_form: the mention as it is written.
        context: the text around it; need not hold the surface form to the letter.
        image: file, encoded bytes or PIL image that belongs to the mention; None without one.
        description: what is known of the entity that is meant. None lets the Linker choose one, where it can;
            an empty one is none.
    """

    surface_form: str
    context: str
    image: Picture | None = None
    description: str | None = None

    def check(self) -> None:
        """Raises LinkingError if the surface form is empty, or a text is too long."""
        check_text("surface_form", self.surface_form)
        check_text("context", self.context)
        if not self.surface_form.strip():
            raise LinkingError(
                "surface_form is empty: give the mention as it is written in the text"
            )

    def check_in_context(self) -> None:
        """Raises LinkingError if there is a context that does not hold the surface form, in any case."""
        if self.context.strip() and self.surface_form.casefold() not in self.context.casefold():
            raise LinkingError(
                f"surface_form {self.surface_form[:60]!r} does not stand in the context; write it as the "
                "text has it, or leave the context empty"
            )

    def as_mention(self, number: int) -> Mention:
        """The record of a mention that nobody has linked."""
        form, context = self.surface_form, self.context
        return Mention(str(number), str(number), form, context, None, None, False, "test")


def check_text(name: str, text: str) -> None:
    """Raises LinkingError if a text is none that can be linked."""
    if not isinstance(text, str):
        raise LinkingError(f"{name} must be text, found {type(text).__name__}")
    if len(text) > LONGEST:
        raise LinkingError(
            f"{name} has {len(text):,} characters, more than {LONGEST:,}; cut it into parts"
        )
    if not is_whole(text):
        raise LinkingError(f"{name} holds half a surrogate pair; write the character whole")


@dataclass(frozen=True)
class EncodedQueries:
    """Features of some mentions, one row each.

    Attributes:
        descriptions: that their texts hold.
        images: empty where the encoder is text-only.
        contexts: of the contexts with the mention hidden; empty where nobody asked for them.
        base: the same by the untuned encoder, for a matcher that reads both.
    """

    mentions: Sequence[Mention]
    descriptions: Sequence[str | None]
    texts: Sequence[FeatureRow]
    images: Sequence[FeatureRow]
    contexts: Sequence[FeatureRow]
    base: EncodedQueries | None = None

    def for_matcher(self, widths: FeatureWidths, device: torch.device) -> SideFeatures:
        """What a matcher reads."""
        strings = Strings(
            tuple(m.surface_form for m in self.mentions), tuple(m.context for m in self.mentions)
        )
        features = features_of_rows(self.texts, self.images, widths, strings, device)
        if self.base is None:
            return features
        return replace(features, base=self.base.for_matcher(widths, device))

    def for_reranker(self, widths: FeatureWidths, retrieved: Retrieved | None) -> MentionSide:
        """What a reranker reads."""
        pooled, tokens = widths.text_pooled, {"text": _tokens(self.texts, widths.text)}
        image = None
        if self.images:
            image = _vectors([row.pooled for row in self.images], widths.image_pooled)
            image = Vectors(image.values_NP, np.array([row.status == OK for row in self.images]))
            tokens["image"] = _tokens(self.images, widths.image)
        vectors = SideVectors(
            _vectors([row.pooled for row in self.texts], pooled),
            _vectors([row.name_pooled for row in self.texts], pooled),
            image,
        )
        texts = [text_of(*pair) for pair in zip(self.mentions, self.descriptions, strict=True)]
        contexts = (
            _vectors([row.pooled for row in self.contexts], pooled) if self.contexts else None
        )
        return MentionSide(self.mentions, texts, vectors, tokens, contexts, retrieved)


class QueryEncoder:
    """Encodes mentions in memory, with the settings with which a matcher's features were made.

    Args:
        config: what made those features.
        exact: whether features are to the bit those that stage encode would store; if not, texts of different
            lengths are encoded together, several times faster.
    """

    def __init__(self, encoder: Encoder, config: dict[str, Any], *, exact: bool) -> None:
        self.encoder, self._config, self._exact = encoder, config, exact
        self._keep_padding = bool(config.get("keep_padding"))
        self._base: QueryEncoder | None = None
        if config.get(KEEP_BASE):
            own = {name: value for name, value in config.items() if name != KEEP_BASE}
            self._base = QueryEncoder(base_encoder(encoder), own, exact=exact)

    def replaced(self, name: str) -> QueryEncoder:
        """Another encoder, with the same settings; the parameter `rank.encoder` names it."""
        precision, device = self._config["precision"], str(self.encoder.device)
        loaded = load_encoder(name, device, precision, "rank.encoder")
        return QueryEncoder(loaded, self._config, exact=self._exact)

    def encode(
        self,
        queries: Sequence[Query],
        descriptions: Sequence[str | None],
        *,
        contexts: bool = False,
    ) -> EncodedQueries:
        """Rows as stage `encode` stores them.

        Args:
            descriptions: that their texts get.
            contexts: whether contexts are encoded too, with the mention hidden.
        Raises:
            LinkingError: if an image can't be read.
        """
        encoder = self.encoder
        mentions = [query.as_mention(i) for i, query in enumerate(queries)]
        images: list[FeatureRow] = []
        if encoder.sees_images:  # first: an image that can't be read costs no time
            images = self._images([query.image for query in queries])
        texts = [
            TextInput(m.mention_id, m.surface_form, m.context, description)
            for m, description in zip(mentions, descriptions, strict=True)
        ]
        hidden = [
            TextInput(m.mention_id, STAND_IN, hide_name(m.context, m.surface_form), None)
            for m in mentions
        ]
        dtype = self._config.get("dtype", "float16")
        asked = (
            [*texts, *hidden] if contexts else texts
        )  # together: texts of one length are one batch
        found = self.rows(asked, keep_padding=self._keep_padding)
        return EncodedQueries(
            mentions,
            descriptions,
            as_stored(found[: len(texts)], dtype),
            as_stored(images, dtype),
            found[len(texts) :],
            None if self._base is None else self._base.encode(queries, descriptions),
        )

    def _images(self, images: Sequence[Picture | None]) -> list[FeatureRow]:
        """Rows of images; one that several mentions share is encoded once."""
        places = {id(image): i for i, image in reversed(list(enumerate(images)))}
        distinct = sorted(set(places.values()))
        decoded = [
            None if (own := images[i]) is None else _decoded(own, self.encoder.jpeg_side)
            for i in distinct
        ]
        encoder = self.encoder.for_side(of_mentions=True)
        rows = encode_image_rows(encoder, decoded, ENCODE_BATCH, self._keep_padding)
        row_of = dict(zip(distinct, rows, strict=True))
        return [row_of[places[id(image)]] for image in images]

    def decoded(self, query: Query) -> Image.Image | None:
        """A mention's image as RGB; None without one, or where the encoder is text-only.

        Raises:
            LinkingError: if it can't be read.
        """
        if query.image is None or not self.encoder.sees_images:
            return None
        return smaller(_decoded(query.image, self.encoder.jpeg_side), self.encoder.jpeg_side)

    def pieces(self, query: Query, description: str | None) -> list[str]:
        """What the encoder reads of a mention, a piece of text for each token."""
        length, budget = self._config["max_text_length"], self._config["description_budget"]
        layout = self.encoder.layout(length, budget, of_mentions=True)
        row = TextInput("", query.surface_form, query.context, description)
        (ids,), _ = laid_out(self.encoder, [row], layout, around_name=True)
        tokenizer = self.encoder.tokenizer
        return [tokenizer.decode([i]).strip() or str(tokenizer.decode([i])) for i in ids]

    def rows(
        self,
        texts: Sequence[TextInput],
        *,
        of_mentions: bool = True,
        keep_padding: bool = False,
        budget: int | None = None,
    ) -> list[FeatureRow]:
        """Encoded texts.

        Args:
            budget: tokens for descriptions; None for as many as in training.
        """
        length = self._config["max_text_length"]
        budget = self._config["description_budget"] if budget is None else budget
        return encode_text_rows(
            self.encoder.for_side(of_mentions),
            texts,
            length,
            budget,
            ENCODE_BATCH,
            of_mentions,
            keep_padding,
            mixed_lengths=not self._exact,
        )


def _tokens(rows: Sequence[FeatureRow], width: int) -> Tokens:
    own = [np.empty((0, width), "f2") if row.tokens is None else row.tokens for row in rows]
    values = torch.from_numpy(np.concatenate(own))
    return MemoryTokens(values, np.array([len(each) for each in own], dtype=np.int64))


def _vectors(rows: Sequence[NDArray[np.float16] | None], width: int) -> Vectors:
    return Vectors(pooled_of(rows, width).numpy())


def _decoded(image: Picture, jpeg_side: int) -> Image.Image:
    if isinstance(image, Image.Image):
        return as_shown(image)
    name = "image" if isinstance(image, bytes) else str(image)
    try:
        content = image if isinstance(image, bytes) else Path(image).read_bytes()
        return decode_image(content, EncodeParams().max_pixels, jpeg_side)
    except (OSError, ImageError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise LinkingError(f"{name}: {reason}; give another image, or none") from None
