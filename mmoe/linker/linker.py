"""A trained run as a function: surface form, context and image in, entities of its knowledge base out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mmoe.encoders.base import Encoder
from mmoe.errors import LinkingError
from mmoe.linker.describer import Described, Describer
from mmoe.linker.knowledge import KnowledgeBase, entity_side, read_entities
from mmoe.linker.opening import IndexSources, load_encoder_of
from mmoe.linker.queries import EncodedQueries, Picture, Query, QueryEncoder
from mmoe.linker.results import Link, LinkResult
from mmoe.linker.run_settings import DescriberSettings
from mmoe.linking.approximate import ApproximateSearch
from mmoe.linking.checkpoint import Checkpoint, checkpoint_file, load_checkpoint
from mmoe.linking.device import resolve_device
from mmoe.linking.ranked import BestEntities
from mmoe.linking.ranking import best_entities
from mmoe.model.features import SideFeatures
from mmoe.model.matcher import OVERALL
from mmoe.reranking.files import load_reranker
from mmoe.reranking.matcher import MatcherFeatures
from mmoe.reranking.pairs import Pairs
from mmoe.reranking.reranker import Reranker
from mmoe.reranking.retrieved import Retrieved
from mmoe.reranking.shortlists import best_of

BATCH = 32  # mentions that are linked at a time


class Linker:
    """Links mentions to the entities of one knowledge base.

    Make one with `from_run`. Linking changes nothing of it, so threads may share it; the first call takes
    longer than later ones.

    Attributes:
        reranker: puts shortlists in order; None where the matcher alone does it, over all entities.
        describer: chooses a description for mentions that bring none; None without one.
        search: finds the matcher's shortlists in a large knowledge base; None looks at all entities.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        encoder: Encoder,
        kb: KnowledgeBase,
        *,
        reranker: Reranker | None = None,
        describer: Describer | None = None,
        search: ApproximateSearch | None = None,
    ) -> None:
        self.checkpoint, self.kb = checkpoint, kb
        self.reranker, self.describer, self.search = reranker, describer, search
        self._encoder = QueryEncoder(encoder, checkpoint.feature_config)

    @classmethod
    def from_run(
        cls,
        model: Path | str,
        kb: Path | str,
        *,
        features: Path | str | None = None,
        encoder: str | None = None,
        device: str = "auto",
        rerank: bool = True,
        index: Path | str | None = None,
        approximate: bool = False,
    ) -> Linker:
        """Opens what `dvc repro` left of a data set.

        Args:
            model: folder of the trained matcher, `data/models/<dataset>`.
            kb: folder with `entities.parquet`, `data/interim/<dataset>`; any knowledge base whose
                features were made with the same encoder will do.
            features: folder of its features; None for the one that belongs to `kb`,
                `data/features/<dataset>`.
            encoder: folder or Hugging Face id of the encoder, where it lies elsewhere than in training;
                None for the one that the checkpoint names.
            device: auto, cpu, cuda or cuda:<n>.
            rerank: whether mentions are linked as stage rerank does it, with the description that stage rank
                would choose; False links by the matcher alone, as stage evaluate does.
            index: folder for what the matcher makes of the entities, in files that are mapped into memory;
                what lies there is used if it is of this matcher and knowledge base. None holds it in memory.
            approximate: whether the matcher's scores are computed for a shortlist of entities instead of all,
                which pays off from a million on; with rerank=False, `index`, the training mentions beside the
                knowledge base, and FAISS (the extra `approximate`). See docs/scale.md.
        Raises:
            CheckpointError: if the matcher can't be read, or the encoder is not the one it was trained on.
            DataError, FeatureStoreError: if knowledge base, features or encoder can't be read.
        """
        if approximate and (rerank or index is None):
            raise LinkingError(
                "approximate=True: needs rerank=False, and index=…, a folder for its files"
            )
        checkpoint = load_checkpoint(Path(model))
        loaded = load_encoder_of(checkpoint, str(model), encoder, device)
        entities, place = read_entities(Path(kb)), Path(kb).resolve()
        stored = place.parents[1] / "features" / place.name if features is None else Path(features)
        config, where = checkpoint.feature_config, resolve_device(device)
        sources = IndexSources(checkpoint_file(Path(model)), place, stored, config)
        built, search = sources.opened(
            checkpoint.matcher.to(where),
            entities,
            where,
            None if index is None else Path(index),
            approximate=approximate,
        )
        reranker = load_reranker(Path(model)) if rerank else None
        describer = None
        if rerank:
            settings, own = DescriberSettings.of_run(place), QueryEncoder(loaded, config)
            labels, statistics = settings.labels(place), settings.statistics(place)
            describer = settings.describer(entities, labels, own, statistics)
        if reranker is not None and reranker.uses_retrieval and describer is None:
            raise LinkingError(
                f"{kb}: {model} reranks with what is retrieved for a mention, and nothing was retrieved "
                "here; run stages retrieve and rank for it, or link with rerank=False"
            )
        side = entity_side(reranker, entities, stored, config)
        opened = KnowledgeBase(entities, built, side)
        return cls(
            checkpoint, loaded, opened, reranker=reranker, describer=describer, search=search
        )

    def link(
        self,
        surface_form: str,
        context: str,
        image: Picture | None = None,
        *,
        description: str | None = None,
        top_k: int = 5,
    ) -> LinkResult:
        """The entities that a mention most likely means.

        Args:
            surface_form, context, image, description: see `Query`.
            top_k: how many entities to return.
        Returns:
            The best entities of the whole knowledge base, best first.
        Raises:
            LinkingError: if the surface form is empty, top_k is not positive or more than the reranker
                looks at, or the image can't be read.
        """
        query = Query(surface_form, context, image, description)
        return next(self.link_many([query], top_k=top_k))

    def link_many(self, queries: Iterable[Query], *, top_k: int = 5) -> Iterator[LinkResult]:
        """As `link`, many mentions in batches: one result each, in their order, as they are asked for.

        Raises:
            LinkingError: see `link`.
        """
        self._check_top_k(top_k)
        remaining = iter(queries)
        while batch := list(islice(remaining, BATCH)):
            yield from self._link(batch, top_k)

    def encode(self, query: Query) -> SideFeatures:
        """A mention's features for the matcher, as stage `encode` would store them."""
        return self._for_matcher(self._encoder.encode([query], [query.description]))

    def _check_top_k(self, top_k: int) -> None:
        if top_k < 1:
            raise LinkingError(f"top_k = {top_k}: must be at least 1")
        if self.reranker is not None and top_k > self.reranker.depth:
            raise LinkingError(
                f"top_k = {top_k}: at most {self.reranker.depth} entities are reranked; ask for as many, "
                "or link with rerank=False"
            )

    @torch.inference_mode()
    def _link(self, queries: Sequence[Query], top_k: int) -> list[LinkResult]:
        for query in queries:
            query.check()
        described = self._described(queries)
        descriptions = [query.description or None for query in queries]
        chosen: list[str | None] = [None] * len(queries)
        for i, own in enumerate(() if described is None else described.chosen):
            if queries[i].description is None:
                descriptions[i], chosen[i] = own.description, own.qid
        towers = self.reranker is not None and self.reranker.towers is not None
        encoded = self._encoder.encode(queries, descriptions, contexts=towers)
        if self.reranker is None:
            found = _Found(self._best([self._for_matcher(encoded)], top_k))
        else:
            found = self._reranked(encoded, described, chosen, top_k)
        return [
            self._result(query, found, row, description, described_by)
            for row, (query, description, described_by) in enumerate(
                zip(queries, descriptions, chosen, strict=True)
            )
        ]

    def _described(self, queries: Sequence[Query]) -> Described | None:
        """Candidates and chosen descriptions, where anything asks for them."""
        if self.describer is None:
            return None
        uses = self.reranker is not None and self.reranker.uses_retrieval
        if not uses and all(query.description is not None for query in queries):
            return None
        return self.describer.describe([query.as_mention(i) for i, query in enumerate(queries)])

    def _for_matcher(self, encoded: EncodedQueries) -> SideFeatures:
        return encoded.for_matcher(self.checkpoint.matcher.spec.widths, self.kb.index.device)

    def _best(self, batches: list[SideFeatures], top_k: int) -> BestEntities:
        if self.search is None:
            return best_entities(self.kb.index, batches, top_k)
        return self.search.best(batches, top_k)

    def _reranked(
        self,
        encoded: EncodedQueries,
        described: Described | None,
        chosen: Sequence[str | None],
        top_k: int,
    ) -> _Found:
        """The best of each mention's shortlist, by the reranker's scores."""
        reranker, index, side = self.reranker, self.kb.index, self.kb.side
        assert reranker is not None
        assert side is not None
        retrieved = None
        if reranker.uses_retrieval:
            assert described is not None
            by_mention = {str(i): qid for i, qid in enumerate(chosen) if qid is not None}
            retrieved = Retrieved.of(
                encoded.mentions, described.candidates, by_mention, self.kb.position
            )
        widths = self.checkpoint.matcher.spec.widths
        known = reranker.features(side, encoded.for_reranker(widths, retrieved))
        rows = np.arange(len(encoded.mentions))
        depth = min(reranker.depth, len(index))
        lists_BD = best_of(known.order(slice(0, len(rows))), depth)
        pairs, mentions = Pairs(rows, lists_BD), self._for_matcher(encoded)
        units_BDU = MatcherFeatures(index, index.matcher.encode_mentions(mentions)).of(pairs)
        scores_BD = reranker.scores(known, pairs, units_BDU)
        order_Bn = np.argsort(-scores_BD, axis=1, kind="stable")[:, :top_k]

        def top(values_BD: NDArray[Any]) -> NDArray[Any]:
            return np.take_along_axis(values_BD, order_Bn, axis=1)

        names = index.matcher.unit_names
        scores = {name: top(units_BDU[..., i]) for i, name in enumerate(names)}
        scores[OVERALL] = top(scores_BD).astype(np.float32)
        best = BestEntities(top(lists_BD), scores, lists_BD.size)
        if (calibration := reranker.calibration) is None:
            return _Found(best)
        nil_B = calibration.nil(scores_BD)
        probabilities_Bn = top(calibration.probabilities(scores_BD))
        return _Found(best, probabilities_Bn, nil_B, calibration.threshold)

    def _result(
        self,
        query: Query,
        found: _Found,
        row: int,
        description: str | None,
        described_by: str | None,
    ) -> LinkResult:
        links, best = [], found.best
        for place, position in enumerate(best.top_Bn[row].tolist()):
            scores = {name: float(each[row, place]) for name, each in best.scores_Bn.items()}
            overall, entity = scores.pop(OVERALL), self.kb.entities[position]
            probability = None
            if found.probabilities_Bn is not None:
                probability = float(found.probabilities_Bn[row, place])
            about = entity.qid, entity.name, entity.attributes
            links.append(Link(*about, overall, scores, probability))
        nil = None if found.nil_B is None else float(found.nil_B[row])
        return LinkResult(
            query.surface_form,
            description,
            tuple(links),
            described_by,
            nil,
            is_nil=nil is not None and nil > found.threshold,
        )


@dataclass(frozen=True)
class _Found:
    """The best entities of some mentions, and what calibration says of them; None without.

    Attributes:
        probabilities_Bn: of the entities.
        nil_B: probability that none of the knowledge base is meant; threshold, above which that is so.
    """

    best: BestEntities
    probabilities_Bn: NDArray[np.float64] | None = None
    nil_B: NDArray[np.float64] | None = None
    threshold: float = 1.0
