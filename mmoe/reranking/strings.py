"""What the strings of a mention and an entity say: names, words and years, as sparse vectors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from mmoe.longer_names import longer_name
from mmoe.names import name_tokens, normalise_name
from mmoe.records import Entity, Mention
from mmoe.reranking.pairs import Pairs

_YEAR = re.compile(r"\b(?:1\d{3}|20\d{2})\b")
NGRAMS = (2, 4)
WHOLE = 1 - 1e-4  # of a share: all of it, but for rounding
Column = Callable[[Pairs], NDArray[Any]]


class SparsePair:
    """Sparse vectors of both sides in one vocabulary, that of the entities.

    Args:
        mentions: [M, V], `entities`: [N, V].
    """

    def __init__(self, mentions: csr_array, entities: csr_array) -> None:
        self.mentions, self.entities = mentions, entities
        self._last: tuple[Pairs, NDArray[np.float32]] | None = None

    def every(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Inner products [B, N] of some mentions with all entities."""
        scores: NDArray[np.float32] = (self.mentions[rows] @ self.entities.T).toarray()
        return scores

    def of(self, pairs: Pairs) -> NDArray[np.float32]:
        """Inner products [B, D] of each mention with entities of its own; the last pairs asked for are kept.

        Several features read the same products.
        """
        if self._last is None or self._last[0] is not pairs:
            left = self.mentions[np.repeat(pairs.rows, pairs.entities_BD.shape[1])]
            products = left.multiply(self.entities[pairs.entities_BD.ravel()]).sum(axis=1)
            found = np.asarray(products, dtype=np.float32).reshape(pairs.entities_BD.shape)
            self._last = pairs, found
        return self._last[1]


class StringFeatures:
    """Features of names and texts; none of them is ever missing, as an empty text simply shares nothing.

    Args:
        texts: of the mentions, surface form, context and description, as the text encoder reads them.
    """

    def __init__(
        self, mentions: Sequence[Mention], entities: Sequence[Entity], texts: Sequence[str]
    ) -> None:
        forms = [normalise_name(each.surface_form) for each in mentions]
        longer = [normalise_name(longer_name(m.context, m.surface_form)) for m in mentions]
        contexts = [normalise_name(each) for each in texts]
        names = [normalise_name(each.name) for each in entities]
        attributes = [normalise_name(each.attributes) for each in entities]

        ngrams = TfidfVectorizer(
            analyzer="char_wb", ngram_range=NGRAMS, sublinear_tf=True, dtype=np.float32
        ).fit(names)
        words = TfidfVectorizer(analyzer=name_tokens, sublinear_tf=True, dtype=np.float32)
        documents = words.fit_transform(
            [f"{n} {a}" for n, a in zip(names, attributes, strict=True)]
        )
        name_ngrams = ngrams.transform(names)
        self.similarities = {
            "n-grams, surface form–name": SparsePair(ngrams.transform(forms), name_ngrams),
            "n-grams, longer name–name": SparsePair(ngrams.transform(longer), name_ngrams),
            "words, text–text": SparsePair(words.transform(contexts), documents),
        }
        self._columns: dict[str, Column] = {
            name: pair.of for name, pair in self.similarities.items()
        }
        self._add_shares(forms, longer, contexts, names)
        self._add_attributes(contexts, attributes)
        self._add_places(forms, longer, names)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features, in order."""
        return tuple(self._columns)

    def of(self, pairs: Pairs) -> NDArray[np.float32]:
        """All features [B, D, F] of pairs."""
        return np.stack([column(pairs) for column in self._columns.values()], axis=-1).astype(
            np.float32
        )

    def _add_shares(
        self, forms: list[str], longer: list[str], contexts: list[str], names: list[str]
    ) -> None:
        """Shares of one name's words, weighted by their rarity among the names, that the other side has."""
        counter = CountVectorizer(analyzer=name_tokens, binary=True, dtype=np.float32)
        own = csr_array(counter.fit_transform([*names, *forms, *longer])[: len(names)])
        weights = csr_array(own.multiply(_idf(own)))
        theirs = np.maximum(np.asarray(weights.sum(axis=1)).ravel(), 1e-9)
        for title, texts in (("surface form", forms), ("longer name", longer)):
            words = csr_array(counter.transform(texts))
            pair = SparsePair(words, weights)
            ours = np.maximum(words @ _idf(own), 1e-9)
            self._columns[f"share of {title} in name"] = partial(
                _share, pair, ours, of_mention=True
            )
            self._columns[f"share of name in {title}"] = partial(_share, pair, theirs)
        pair = SparsePair(csr_array(counter.transform(contexts)), weights)
        self._columns["share of name in context"] = partial(_share, pair, theirs)

    def _add_attributes(self, contexts: list[str], attributes: list[str]) -> None:
        """The attributes' words that the context holds, and years that both have or miss."""
        counter = CountVectorizer(analyzer=name_tokens, binary=True, dtype=np.float32)
        own = csr_array(counter.fit_transform([*attributes, "nothing"])[: len(attributes)])
        weights = csr_array(own.multiply(_idf(own)))
        theirs = np.maximum(np.asarray(weights.sum(axis=1)).ravel(), 1e-9)
        pair = SparsePair(csr_array(counter.transform(contexts)), weights)
        self._columns["share of attributes in context"] = partial(_share, pair, theirs)
        self._columns["attributes in context"] = lambda pairs: np.log1p(pair.of(pairs))

        counter = CountVectorizer(analyzer=_YEAR.findall, binary=True, dtype=np.float32)
        own = csr_array(counter.fit_transform([*attributes, "1000"])[: len(attributes)])
        years = SparsePair(csr_array(counter.transform(contexts)), own)
        num_ours = np.array([len(set(_YEAR.findall(text))) for text in contexts])
        num_theirs = np.asarray(own.sum(axis=1)).ravel()
        self._columns["years in both"] = years.of
        self._columns["years that miss"] = lambda pairs: np.where(
            num_ours[pairs.rows, None] > 0, num_theirs[pairs.entities_BD] - years.of(pairs), 0
        )

    def _add_places(self, forms: list[str], longer: list[str], names: list[str]) -> None:
        """Which words of the names are the same, and how common the name is."""
        homonyms = Counter(names)
        homonyms_N = np.log([homonyms[name] for name in names])
        lengths_N = np.array([len(name_tokens(name)) for name in names])
        for title, texts in (("surface form", forms), ("longer name", longer)):
            self._columns[f"{title} is the name"] = partial(_equal, *_numbers(texts, names))
        for title, at in (("first", 0), ("last", -1)):
            edges = _numbers(
                [_word(form, at) for form in forms], [_word(name, at) for name in names]
            )
            self._columns[f"same {title} word"] = partial(_equal, *edges)
        share = self._columns
        self._columns |= {
            "name holds surface form": lambda pairs: (
                share["share of surface form in name"](pairs) > WHOLE
            ),
            "whole name elsewhere in context": lambda pairs: (
                (share["share of name in context"](pairs) > WHOLE)
                & (share["share of name in longer name"](pairs) < WHOLE)
            ),
            "words of name": lambda pairs: lengths_N[pairs.entities_BD],
            "entities of that name": lambda pairs: homonyms_N[pairs.entities_BD],
        }


def _idf(own: csr_array) -> NDArray[np.float32]:
    """ln((N + 1) / (n + 1)) + 1 of every word."""
    counts = np.asarray(own.sum(axis=0)).ravel()
    idf: NDArray[np.float32] = (np.log((own.shape[0] + 1) / (counts + 1)) + 1).astype(np.float32)
    return idf


def _share(
    pair: SparsePair,
    whole: NDArray[np.float32],
    pairs: Pairs,
    *,
    of_mention: bool = False,
) -> NDArray[np.float32]:
    """What both share, over all that the entity, or the mention, has."""
    found = whole[pairs.rows, None] if of_mention else whole[pairs.entities_BD]
    shares: NDArray[np.float32] = pair.of(pairs) / found
    return shares


def _equal(
    ours_M: NDArray[np.int64], theirs_N: NDArray[np.int64], pairs: Pairs
) -> NDArray[np.bool_]:
    equal: NDArray[np.bool_] = ours_M[pairs.rows, None] == theirs_N[pairs.entities_BD]
    return equal


def _numbers(
    ours: Sequence[str], theirs: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Equal texts get equal numbers on both sides; empty ones of ours equal nothing."""
    number = {text: i for i, text in enumerate(dict.fromkeys(theirs))}
    found = [number.get(text, -1) if text else -1 for text in ours]
    return np.array(found, dtype=np.int64), np.array([number[text] for text in theirs])


def _word(name: str, at: int) -> str:
    """The first or last word of a name; empty without any."""
    words = name_tokens(name)
    return words[at] if words else ""
