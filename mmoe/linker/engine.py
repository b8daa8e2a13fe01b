"""Links batches of mentions: encodes them, makes shortlists, scores and puts in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mmoe.errors import LinkingError
from mmoe.linker.describer import Described, Describer
from mmoe.linker.explaining import Explanation, Variants, experts_of
from mmoe.linker.knowledge import KnowledgeBase
from mmoe.linker.queries import EncodedQueries, Query, QueryEncoder
from mmoe.linker.results import Link, LinkResult
from mmoe.linking.approximate import ApproximateSearch
from mmoe.linking.ranked import BestEntities
from mmoe.linking.ranking import best_entities
from mmoe.model.features import SideFeatures
from mmoe.model.matcher import OVERALL
from mmoe.reranking.families import PairFeatures
from mmoe.reranking.matcher import MatcherFeatures
from mmoe.reranking.pairs import Pairs
from mmoe.reranking.reranker import Reranker
from mmoe.reranking.retrieved import Retrieved
from mmoe.reranking.shortlists import best_of


@dataclass(frozen=True)
class Engine:
    """What a Linker computes with; nothing of it ever changes, so threads may share it.

    Attributes:
        encoder: of mentions.
        kb: whose index holds the matcher.
        reranker: puts shortlists in order; None where the matcher alone does it, over all entities.
        describer: chooses a description for mentions that bring none; None without one.
        search: finds the matcher's shortlists in a large knowledge base; None looks at all entities.
    """

    encoder: QueryEncoder
    kb: KnowledgeBase
    reranker: Reranker | None = None
    describer: Describer | None = None
    search: ApproximateSearch | None = None

    @property
    def lacks_candidates(self) -> bool:
        """Whether the reranker asks for candidates and nothing retrieves them."""
        uses_them = self.reranker is not None and self.reranker.uses_retrieval
        return uses_them and self.describer is None

    def explained(self, query: Query, result: LinkResult) -> LinkResult:
        """The same result, its entities with explanations; the mention is encoded once more.

        Raises:
            LinkingError: if the matcher's scores depend on what else is in the batch.
        """
        matcher = self.kb.index.matcher
        if matcher.encoding_batch is not None:
            raise LinkingError(
                f"explain: scores of {matcher.spec.model.name} depend on what else is in the batch, so "
                "the effect of one word cannot be measured"
            )
        variants = Variants.of(query, self.encoder.decoded(query))
        rows = np.array([self.kb.position[link.qid] for link in result])
        scores_Vn = self._scores_of(variants.queries, result, rows)
        features = self.for_matcher(self.encoder.encode(variants.queries[:1], [result.description]))
        prompts = self.encoder.encoder.num_added
        text_experts, image_experts = experts_of(matcher, features, prompts)
        tokens = tuple(self.encoder.pieces(query, result.description))
        links = []
        for i, link in enumerate(result):
            parts = {name: variants.parts(each_Vn[:, i]) for name, each_Vn in scores_Vn.items()}
            text = {name: words for name, (words, _) in parts.items()}
            image = {name: cells for name, (_, cells) in parts.items() if cells is not None}
            own = Explanation(variants.words, text, image, tokens, text_experts, image_experts)
            links.append(replace(link, explanation=own))
        return replace(result, links=tuple(links))

    @torch.inference_mode()
    def _scores_of(
        self, queries: Sequence[Query], result: LinkResult, rows: NDArray[np.int64]
    ) -> dict[str, NDArray[Any]]:
        """The scores [B, n] of the entities at `rows`, for mentions that differ from the result's in little.

        Args:
            result: whose description they get.
        """
        towers = self.reranker is not None and self.reranker.towers is not None
        encoded = self.encoder.encode(queries, [result.description] * len(queries), contexts=towers)
        index = self.kb.index
        mentions = index.matcher.encode_mentions(self.for_matcher(encoded))
        found = index.scores(mentions, torch.from_numpy(rows).to(index.device))
        scores: dict[str, NDArray[Any]] = {k: v.float().cpu().numpy() for k, v in found.items()}
        if self.reranker is None:
            return scores
        described = None
        if self.reranker.uses_retrieval and self.describer is not None:
            described = self.describer.describe(
                [query.as_mention(i) for i, query in enumerate(queries)]
            )
        known = self._known(encoded, described, [result.described_by] * len(queries))
        units_BnU = np.stack([scores[name] for name in index.matcher.unit_names], axis=-1)
        pairs = Pairs(np.arange(len(queries)), np.tile(rows, (len(queries), 1)))
        scores[OVERALL] = self.reranker.scores(known, pairs, units_BnU)
        return scores

    def check_top_k(self, top_k: int) -> None:
        """Raises LinkingError if so many entities can't be given."""
        if top_k < 1:
            raise LinkingError(f"top_k = {top_k}: must be at least 1")
        if self.reranker is not None and top_k > self.reranker.depth:
            raise LinkingError(
                f"top_k = {top_k}: at most {self.reranker.depth} entities are reranked; ask for as many, "
                "or link without the reranker (rerank=False, --no-rerank)"
            )

    @torch.inference_mode()
    def link(self, queries: Sequence[Query], top_k: int) -> list[LinkResult]:
        """The best entities of each mention; see `Linker.link`."""
        for query in queries:
            if not isinstance(query, Query):
                raise LinkingError(f"takes mmoe.Query objects, found {type(query).__name__}")
            query.check()
        described = self._described(queries)
        descriptions = [query.description or None for query in queries]
        chosen: list[str | None] = [None] * len(queries)
        for i, own in enumerate(() if described is None else described.chosen):
            if queries[i].description is None:
                descriptions[i], chosen[i] = own.description, own.qid
        towers = self.reranker is not None and self.reranker.towers is not None
        encoded = self.encoder.encode(queries, descriptions, contexts=towers)
        if self.reranker is None:
            found = _Found(self._best([self.for_matcher(encoded)], top_k))
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

    def for_matcher(self, encoded: EncodedQueries) -> SideFeatures:
        """What the matcher reads of some mentions."""
        return encoded.for_matcher(self.kb.index.matcher.spec.widths, self.kb.index.device)

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
        reranker, index = self.reranker, self.kb.index
        assert reranker is not None
        known = self._known(encoded, described, chosen)
        rows = np.arange(len(encoded.mentions))
        lists_BD = best_of(known.order(slice(0, len(rows))), min(reranker.depth, len(index)))
        pairs = Pairs(rows, lists_BD)
        mentions = index.matcher.encode_mentions(self.for_matcher(encoded))
        units_BDU = MatcherFeatures(index, mentions).of(pairs)
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

    def _known(
        self, encoded: EncodedQueries, described: Described | None, chosen: Sequence[str | None]
    ) -> PairFeatures:
        """What the reranker knows of all pairs."""
        reranker, side, retrieved = self.reranker, self.kb.side, None
        assert reranker is not None
        assert side is not None
        if reranker.uses_retrieval:
            assert described is not None
            by_mention = {str(i): qid for i, qid in enumerate(chosen) if qid is not None}
            retrieved = Retrieved.of(
                encoded.mentions, described.candidates, by_mention, self.kb.position
            )
        widths = self.kb.index.matcher.spec.widths
        return reranker.features(side, encoded.for_reranker(widths, retrieved))

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
