"""What the strings of a mention and an entity say: names, words and years, as sparse vectors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import CountVectorizer

from mmoe.longer_names import longer_name
from mmoe.names import name_tokens, normalise_name
from mmoe.records import Entity, Mention
from mmoe.reranking.pairs import Pairs
from mmoe.reranking.terms import Analyzer, Terms

_YEAR = re.compile(r"\b(?:1\d{3}|20\d{2})\b")
_NGRAMS = CountVectorizer(analyzer="char_wb", ngram_range=(2, 4)).build_analyzer()
ANALYZERS: dict[str, Analyzer] = {
    "name_ngrams": _NGRAMS,
    "name_words": name_tokens,
    "text_words": name_tokens,
    "attribute_words": name_tokens,
    "attribute_years": _YEAR.findall,
}
WHOLE = 1 - 1e-4  # of a share: all of it, but for rounding
Column = Callable[[Pairs], NDArray[Any]]


@dataclass(frozen=True)
class StringSpace:
    """The terms of a knowledge base's names and attributes, by what they are terms of (`ANALYZERS`)."""

    terms: dict[str, Terms]

    @classmethod
    def fit(cls, entities: Sequence[Entity]) -> StringSpace:
        """The terms of all entities."""
        texts = _entity_texts(entities)
        return cls({kind: Terms.fit(own, texts[kind]) for kind, own in ANALYZERS.items()})

    def extended_by(self, entities: Sequence[Entity]) -> StringSpace:
        """The same with the terms that only these entities have; see `Terms.extended_by`."""
        texts = _entity_texts(entities)
        return StringSpace({k: own.extended_by(texts[k]) for k, own in self.terms.items()})


class SparseSide:
    """Sparse vectors of all entities, [N, V]."""

    def __init__(self, vectors: csr_array) -> None:
        self.vectors = vectors

    @cached_property
    def by_term(self) -> csr_array:
        """The same as [V, N]: a product with few mentions reads only the rows of their terms."""
        return self.vectors.T.tocsr()


class EntityStrings:
    """The entities' side of all string features, computed once for all mentions.

    Args:
        space: fitted to these entities, or to some of them.
    """

    def __init__(self, space: StringSpace, entities: Sequence[Entity]) -> None:
        self.terms = terms = space.extended_by(entities).terms
        texts = _entity_texts(entities)
        self.names = texts["name_words"]
        self.name_ngrams = SparseSide(terms["name_ngrams"].unit_tf_idf(texts["name_ngrams"]))
        self.documents = SparseSide(terms["text_words"].unit_tf_idf(texts["text_words"]))
        self.name_words = SparseSide(terms["name_words"].weighted(self.names))
        self.name_totals_N = np.maximum(terms["name_words"].totals(self.names), 1e-9)
        attributes = texts["attribute_words"]
        self.attribute_words = SparseSide(terms["attribute_words"].weighted(attributes))
        self.attribute_totals_N = np.maximum(terms["attribute_words"].totals(attributes), 1e-9)
        years = _binary(terms["attribute_years"], attributes)
        self.years = SparseSide(years)
        self.num_years_N = np.diff(years.indptr)
        homonyms = Counter(self.names)
        self.homonyms_N = np.log([homonyms[name] for name in self.names])
        words = [name_tokens(name) for name in self.names]
        self.num_words_N = np.array([len(own) for own in words], dtype=np.int64)
        self.whole, self.first, self.last = (
            _Numbers.of(each)
            for each in (self.names, [_word(w, 0) for w in words], [_word(w, -1) for w in words])
        )


class SparsePair:
    """Sparse vectors of some mentions, [M, V], and of the entities."""

    def __init__(self, mentions: csr_array, entities: SparseSide) -> None:
        self.mentions, self.entities = mentions, entities
        self._last: tuple[Pairs, NDArray[np.float32]] | None = None

    def every(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Inner products [B, N] of some mentions with all entities."""
        scores: NDArray[np.float32] = (self.mentions[rows] @ self.entities.by_term).toarray()
        return scores

    def of(self, pairs: Pairs) -> NDArray[np.float32]:
        """Inner products [B, D] of each mention with entities of its own; the last pairs asked for are kept.

        Several features read the same products.
        """
        if self._last is None or self._last[0] is not pairs:
            left = self.mentions[np.repeat(pairs.rows, pairs.entities_BD.shape[1])]
            products = left.multiply(self.entities.vectors[pairs.entities_BD.ravel()]).sum(axis=1)
            found = np.asarray(products, dtype=np.float32).reshape(pairs.entities_BD.shape)
            self._last = pairs, found
        return self._last[1]


class StringFeatures:
    """Features of names and texts; none of them is ever missing, as an empty text simply shares nothing.

    Args:
        texts: of the mentions, surface form, context and description, as the text encoder reads them.
    """

    def __init__(
        self, entities: EntityStrings, mentions: Sequence[Mention], texts: Sequence[str]
    ) -> None:
        forms = [normalise_name(each.surface_form) for each in mentions]
        longer = [normalise_name(longer_name(m.context, m.surface_form)) for m in mentions]
        contexts = [normalise_name(each) for each in texts]
        ngrams, words = entities.terms["name_ngrams"], entities.terms["text_words"]
        ours = [ngrams.unit_tf_idf(forms), ngrams.unit_tf_idf(longer), words.unit_tf_idf(contexts)]
        self.similarities = {
            "n-grams, surface form–name": SparsePair(ours[0], entities.name_ngrams),
            "n-grams, longer name–name": SparsePair(ours[1], entities.name_ngrams),
            "words, text–text": SparsePair(ours[2], entities.documents),
        }
        self._columns: dict[str, Column] = {
            name: pair.of for name, pair in self.similarities.items()
        }
        self._add_shares(entities, forms, longer, contexts)
        self._add_attributes(entities, contexts)
        self._add_places(entities, forms, longer)

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
        self, entities: EntityStrings, forms: list[str], longer: list[str], contexts: list[str]
    ) -> None:
        """Shares of one name's words, weighted by their rarity among the names, that the other side has."""
        terms, theirs = entities.terms["name_words"], entities.name_totals_N
        for title, texts in (("surface form", forms), ("longer name", longer)):
            pair = SparsePair(_binary(terms, texts), entities.name_words)
            ours = np.maximum(terms.totals(texts), 1e-9)
            self._columns[f"share of {title} in name"] = partial(
                _share, pair, ours, of_mention=True
            )
            self._columns[f"share of name in {title}"] = partial(_share, pair, theirs)
        pair = SparsePair(_binary(terms, contexts), entities.name_words)
        self._columns["share of name in context"] = partial(_share, pair, theirs)

    def _add_attributes(self, entities: EntityStrings, contexts: list[str]) -> None:
        """The attributes' words that the context holds, and years that both have or miss."""
        words = _binary(entities.terms["attribute_words"], contexts)
        pair = SparsePair(words, entities.attribute_words)
        theirs, num_theirs = entities.attribute_totals_N, entities.num_years_N
        self._columns["share of attributes in context"] = partial(_share, pair, theirs)
        self._columns["attributes in context"] = lambda pairs: np.log1p(pair.of(pairs))
        years = SparsePair(_binary(entities.terms["attribute_years"], contexts), entities.years)
        num_ours = np.array([len(set(_YEAR.findall(text))) for text in contexts])
        self._columns["years in both"] = years.of
        self._columns["years that miss"] = lambda pairs: np.where(
            num_ours[pairs.rows, None] > 0, num_theirs[pairs.entities_BD] - years.of(pairs), 0
        )

    def _add_places(self, entities: EntityStrings, forms: list[str], longer: list[str]) -> None:
        """Which words of the names are the same, and how common the name is."""
        for title, texts in (("surface form", forms), ("longer name", longer)):
            self._columns[f"{title} is the name"] = entities.whole.equal_to(texts)
        for title, numbers, at in (("first", entities.first, 0), ("last", entities.last, -1)):
            edges = [_word(name_tokens(form), at) for form in forms]
            self._columns[f"same {title} word"] = numbers.equal_to(edges)
        share, lengths_N, homonyms_N = self._columns, entities.num_words_N, entities.homonyms_N
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


@dataclass(frozen=True)
class _Numbers:
    """A number for each distinct text of the entities."""

    number: dict[str, int]
    theirs_N: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[str]) -> _Numbers:
        number = {text: i for i, text in enumerate(dict.fromkeys(texts))}
        return cls(number, np.array([number[text] for text in texts], dtype=np.int64))

    def equal_to(self, texts: Sequence[str]) -> Column:
        """Whether a mention's text is the entity's; empty ones equal nothing."""
        found = [self.number.get(text, -1) if text else -1 for text in texts]
        ours_M = np.array(found, dtype=np.int64)
        return lambda pairs: ours_M[pairs.rows, None] == self.theirs_N[pairs.entities_BD]


def _entity_texts(entities: Sequence[Entity]) -> dict[str, list[str]]:
    """What each kind of term is taken from."""
    names = [normalise_name(each.name) for each in entities]
    attributes = [normalise_name(each.attributes) for each in entities]
    return {
        "name_ngrams": names,
        "name_words": names,
        "text_words": [f"{n} {a}" for n, a in zip(names, attributes, strict=True)],
        "attribute_words": attributes,
        "attribute_years": attributes,
    }


def _binary(terms: Terms, texts: Sequence[str]) -> csr_array:
    found = terms.counts(texts)
    found.data[:] = 1
    return found


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


def _word(words: Sequence[str], at: int) -> str:
    """The first or last word of a name; empty without any."""
    return words[at] if words else ""
