"""The terms of a knowledge base's strings and how rare each is: what turns a text into a sparse vector."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Analyzer = Callable[[str], Iterable[str]]  # the terms of a text, with repeats


@dataclass(frozen=True)
class Terms:
    """Terms with their inverse document frequencies, ln((N + 1) / (n + 1)) + 1, in the N texts of a fit.

    Attributes:
        analyzer: gives a text's terms.
        terms: those of the fit in order, then those that later texts brought.
        idf_V: of the terms.
        unseen: of a term that no text of the fit has.
    """

    analyzer: Analyzer
    terms: tuple[str, ...]
    idf_V: NDArray[np.float32]
    unseen: float

    @classmethod
    def fit(cls, analyzer: Analyzer, texts: Sequence[str]) -> Terms:
        """All terms of some texts."""
        counts = Counter(term for text in texts for term in set(analyzer(text)))
        terms = sorted(counts)
        found = np.array([counts[term] for term in terms], dtype=np.int64)
        idf_V = (np.log((len(texts) + 1) / (found + 1)) + 1).astype(np.float32)
        return cls(analyzer, tuple(terms), idf_V, math.log(len(texts) + 1) + 1)

    def __len__(self) -> int:
        return len(self.terms)

    def extended_by(self, texts: Sequence[str]) -> Terms:
        """The same with the terms that only these texts have; the others keep their frequencies."""
        new = sorted({t for text in texts for t in self.analyzer(text)} - self._column.keys())
        idf_V = np.concatenate([self.idf_V, np.full(len(new), self.unseen, dtype=np.float32)])
        return Terms(self.analyzer, (*self.terms, *new), idf_V, self.unseen) if new else self

    def counts(self, texts: Sequence[str]) -> csr_array:
        """How often each text has each term, float32 [B, V]."""
        columns: list[int] = []
        values: list[int] = []
        starts = [0]
        column = self._column
        for text in texts:
            own = Counter(column[term] for term in self.analyzer(text) if term in column)
            columns += sorted(own)
            values += (own[i] for i in sorted(own))
            starts.append(len(columns))
        parts = np.array(values, dtype=np.float32), np.array(columns, dtype=np.int32), starts
        return csr_array(parts, shape=(len(texts), len(self)))

    def weighted(self, texts: Sequence[str]) -> csr_array:
        """Which terms each text has, by their inverse document frequency, float32 [B, V]."""
        found = self.counts(texts)
        found.data = self.idf_V[found.indices]
        return found

    def unit_tf_idf(self, texts: Sequence[str]) -> csr_array:
        """Rows of length 1: (1 + ln count) · idf of each term, float32 [B, V]; zeros for an empty text."""
        found = self.counts(texts)
        found.data = (1 + np.log(found.data)) * self.idf_V[found.indices]
        rows = np.repeat(np.arange(len(texts)), np.diff(found.indptr))
        squares = np.bincount(rows, found.data.astype(np.float64) ** 2, minlength=len(texts))
        found.data = (found.data / np.sqrt(squares)[rows]).astype(np.float32)
        return found

    def totals(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Sum [B] of the frequencies of each text's distinct terms, unseen ones included."""
        column, idf_V = self._column, self.idf_V
        return np.array(
            [
                sum(
                    idf_V[column[term]] if term in column else self.unseen
                    for term in dict.fromkeys(self.analyzer(text))
                )
                for text in texts
            ],
            dtype=np.float32,
        )

    @cached_property
    def _column(self) -> dict[str, int]:
        return {term: i for i, term in enumerate(self.terms)}
