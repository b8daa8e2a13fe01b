"""The best entities of a mention without a look at all of them, for knowledge bases of a million and more.

A matcher has vectors whose products come close to its score (`Matcher.search_vectors`). They are reduced to a
few numbers in the way that keeps the products best, and FAISS sorts the entities into lists of neighbours; a
mention's shortlist comes from the lists next to it. Among the shortlist the best are found exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmoe.errors import LinkingError, one_line
from mmoe.files import atomic_folder, read_json, write_json
from mmoe.linking.index import EntityIndex
from mmoe.linking.ranked import BestEntities
from mmoe.linking.ranking import best_among
from mmoe.model.encoded import EncodedEntities, EncodedMentions, part
from mmoe.model.features import SideFeatures
from mmoe.model.matcher import OVERALL

WIDTH = 128  # numbers that a search vector is reduced to
SAMPLE = 20_000  # entities from which the reduction is learnt
BLOCK = 8192  # entities whose vectors are computed at a time
LEAST_SORTED = 200_000  # entities that are sorted into lists; fewer are all looked at
POINTS = 64  # entities for each list, from which its middle is learnt
SHORTLIST, PROBED = 500, 0.2  # entities compared exactly, and the share of the lists they are from
RIDGE = 1e-3  # of the mentions' mean variance, for directions that few of them show
MANIFEST, REDUCTION, LISTS = "manifest.json", "reduction.npz", "lists.faiss"
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Reduction:
    """Linear maps of mentions' and entities' vectors, from V numbers to R, that keep their products.

    Attributes:
        mention_VR, entity_VR: the maps.
        mean_V: of the entities; it is subtracted, as it does not move a mention's order of entities.
    """

    mention_VR: Floats
    entity_VR: Floats
    mean_V: Floats

    @classmethod
    def fit(cls, mentions_MV: Floats, entities_NV: Floats, width: int) -> Reduction:
        """The maps whose products differ least from the vectors' own, squared, over all pairs of a sample.

        With C and D the second moments of mentions and centred entities, they come from the eigenvectors
        of √C D √C (Eckart and Young's theorem on the products' matrix). Principal components of the
        entities alone would keep what no mention looks at.
        """
        mean_V: Floats = entities_NV.mean(axis=0)
        root_VV, inverse_VV = _root_of(_moment(mentions_MV))
        moment_VV = root_VV @ _moment(entities_NV - mean_V) @ root_VV
        vectors_VR = np.linalg.eigh(moment_VV).eigenvectors[:, ::-1][:, :width]
        mention, entity = inverse_VV @ vectors_VR, root_VV @ vectors_VR
        return cls(mention.astype(np.float32), entity.astype(np.float32), mean_V)

    def mentions(self, vectors_BV: Floats) -> Floats:
        """[B, R]."""
        reduced: Floats = vectors_BV @ self.mention_VR
        return reduced

    def entities(self, vectors_NV: Floats) -> Floats:
        """[N, R]."""
        reduced: Floats = np.subtract(vectors_NV, self.mean_V) @ self.entity_VR
        return reduced


@dataclass(frozen=True)
class ApproximateSearch:
    """Shortlists of an index's entities, from lists in a file that is mapped into memory.

    Attributes:
        index: whose entities it finds.
        lists: FAISS's.
    """

    index: EntityIndex
    reduction: Reduction
    lists: Any

    @classmethod
    @torch.inference_mode()
    def build_in(
        cls,
        folder: Path,
        made_of: str,
        index: EntityIndex,
        mentions: Iterable[SideFeatures],
        width: int = WIDTH,
    ) -> ApproximateSearch:
        """Sorts all entities of an index into lists.

        Args:
            folder: takes the place of one that is there.
            made_of: names the index; `open` asks for it.
            mentions: some thousands like those that will be linked, to learn what they look at.
            width: numbers a search vector is reduced to.
        Raises:
            LinkingError: if FAISS is not installed.
        """
        faiss, order = _faiss(), np.random.default_rng(0).permutation(len(index))
        sample_NV = np.concatenate([_vectors(index, rows) for rows in _blocks(order[:SAMPLE])])
        encoded = _encoded(index, mentions)
        mentions_MV = np.concatenate([_search_vectors(index, some) for some in encoded])
        reduction = Reduction.fit(mentions_MV, sample_NV, min(width, sample_NV.shape[1]))
        num_lists, width = _num_lists(len(index)), reduction.entity_VR.shape[1]
        kind = f"IVF{num_lists},SQ8" if num_lists else "SQ8"
        lists = faiss.index_factory(width, kind, faiss.METRIC_INNER_PRODUCT)
        search, points = cls(index, reduction, lists), order[: max(SAMPLE, POINTS * num_lists)]
        lists.train(np.concatenate([search._reduced(rows) for rows in _blocks(points)]))
        search._add_from(0)
        return search._write(folder, made_of)

    @classmethod
    def open(cls, folder: Path, made_of: str, index: EntityIndex) -> ApproximateSearch:
        """What `build_in` left in a folder.

        Raises:
            LinkingError: if it is of another index, or FAISS is not installed.
        """
        return cls._read(folder, made_of, index, mapped=True)

    def extended_in(self, folder: Path, made_of: str, index: EntityIndex) -> ApproximateSearch:
        """With the entities by which `index` is longer than before; the lists are not made anew.

        Args:
            folder: where this one lies; made_of: names the longer index.
        """
        old = read_json(folder / MANIFEST)["made_of"]
        longer = self._read(folder, old, index, mapped=False)
        longer._add_from(longer.lists.ntotal)
        return longer._write(folder, made_of)

    @torch.inference_mode()
    def best(
        self,
        mentions: Iterable[SideFeatures],
        top_n: int,
        shortlist: int = SHORTLIST,
        probed: float = PROBED,
    ) -> BestEntities:
        """The best entities of every mention among its shortlist, with exact scores.

        Args:
            shortlist: entities that are compared exactly.
            probed: share of the lists that they come from, where there are lists; of all, where so many
                hold less than top_n.
        """
        columns = min(top_n, len(self.index))
        size = min(max(shortlist, top_n), len(self.index))
        found = [BestEntities.none((*self.index.matcher.unit_names, OVERALL), (0, columns))]
        for encoded in _encoded(self.index, mentions):
            vectors_BR = self.reduction.mentions(_search_vectors(self.index, encoded))
            rows_Bn = self._nearest(vectors_BR, size, probed)
            if (rows_Bn[:, :columns] < 0).any():
                rows_Bn = self._nearest(vectors_BR, size, 1.0)
            for i, rows_n in enumerate(rows_Bn):
                rows_n = np.sort(rows_n[rows_n >= 0])
                found.append(best_among(self.index, part(encoded, i, i + 1), rows_n, columns))
        return BestEntities.joined(found)

    def _nearest(self, vectors_BR: Floats, size: int, probed: float) -> NDArray[np.int64]:
        """Positions of the entities with the largest products, [B, size]; -1 behind the last found."""
        settings = None
        if num_lists := getattr(self.lists, "nlist", 0):
            settings = _faiss().SearchParametersIVF(nprobe=math.ceil(probed * num_lists))
        rows_Bn: NDArray[np.int64] = self.lists.search(vectors_BR, size, params=settings)[1]
        return rows_Bn

    def _add_from(self, start: int) -> None:
        for rows in _blocks(np.arange(start, len(self.index))):
            self.lists.add(self._reduced(rows))

    def _reduced(self, rows: Tensor) -> Floats:
        return self.reduction.entities(_vectors(self.index, rows))

    def _write(self, folder: Path, made_of: str) -> ApproximateSearch:
        with atomic_folder(folder) as new:
            try:
                _faiss().write_index(self.lists, str(new / LISTS))
            except RuntimeError as error:  # as where the disk is full
                raise LinkingError(f"{folder}: can't be written ({one_line(error)})") from None
            np.savez(new / REDUCTION, **vars(self.reduction))
            write_json(new / MANIFEST, {"made_of": made_of})
        return self.open(folder, made_of, self.index)

    @classmethod
    def _read(
        cls, folder: Path, made_of: str, index: EntityIndex, *, mapped: bool
    ) -> ApproximateSearch:
        faiss = _faiss()
        if not is_search_of(folder, made_of):
            raise LinkingError(
                f"{folder}: holds no approximate search of this index; delete it and build it anew"
            )
        lists = faiss.read_index(str(folder / LISTS), faiss.IO_FLAG_MMAP if mapped else 0)
        with np.load(folder / REDUCTION) as arrays:
            return cls(index, Reduction(**arrays), lists)


def is_search_of(folder: Path, made_of: str) -> bool:
    """Whether the folder holds the approximate search of this index."""
    manifest = folder / MANIFEST
    return manifest.exists() and read_json(manifest)["made_of"] == made_of


def _blocks(rows: NDArray[np.int64]) -> Iterator[Tensor]:
    yield from torch.split(torch.from_numpy(rows), BLOCK)


def _vectors(index: EntityIndex, rows: Tensor) -> Floats:
    """Search vectors of some entities."""
    rows = rows.to(index.device)
    entities = {name: unit.without_tokens().select(rows) for name, unit in index.entities.items()}
    return _search_vectors(index, entities)


def _encoded(index: EntityIndex, mentions: Iterable[SideFeatures]) -> Iterator[EncodedMentions]:
    for features in mentions:
        yield index.matcher.encode_mentions(features)


def _search_vectors(index: EntityIndex, encoded: EncodedMentions | EncodedEntities) -> Floats:
    vectors: Floats = index.matcher.search_vectors(encoded).cpu().numpy()
    return vectors


def _moment(vectors_NV: Floats) -> NDArray[np.float64]:
    """Second moment [V, V]."""
    moment_VV: NDArray[np.float64] = (vectors_NV.T @ vectors_NV).astype(np.float64)
    return moment_VV / max(1, len(vectors_NV))


def _root_of(moment_VV: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Its square root and that root's inverse, with a ridge."""
    ridge_VV = RIDGE * np.trace(moment_VV) / len(moment_VV) * np.eye(len(moment_VV))
    values_V, vectors_VV = np.linalg.eigh(moment_VV + ridge_VV)
    roots_V = np.sqrt(values_V)
    return (vectors_VV * roots_V) @ vectors_VV.T, (vectors_VV / roots_V) @ vectors_VV.T


def _num_lists(size: int) -> int:
    """Into how many lists so many entities are sorted; 0 for none."""
    return round(math.sqrt(size)) if size >= LEAST_SORTED else 0


def _faiss() -> Any:
    try:
        import faiss  # an extra that few need
    except ImportError:
        raise LinkingError(
            "approximate search: FAISS is not installed; pip install faiss-cpu, or search exactly"
        ) from None
    return faiss
