"""The baselines that read a mention's text, asked for every text that a choice makes of it."""

from __future__ import annotations

from mmoe.baselines.bm25 import bm25_ranks
from mmoe.baselines.cosine import Vectors, cosine_ranks
from mmoe.benefit.texts import ChoiceTexts
from mmoe.evaluation.ranks import Ranks
from mmoe.training.data import FeatureSide, LinkingData


def baseline_ranks(texts: ChoiceTexts, data: LinkingData) -> dict[str, Ranks]:
    """Ranks of every text by BM25 and by the encoder's cosines.

    Args:
        data: with the features of the texts, in their order, for mentions.
    """
    gold_qids = [mention.gold_qid for mention in texts.mentions]
    (m_text, m_title), (e_text, e_title) = map(_vectors, (data.mention_side, data.entity_side))
    pair, titles = (m_text, e_text), (m_title, e_title)
    return {
        "BM25, word + context": bm25_ranks(texts.queries(), gold_qids, data.entities),
        "cosine, text–text": cosine_ranks([pair], data.gold),
        "two-part cosine": cosine_ranks([pair, titles], data.gold),
    }


def _vectors(side: FeatureSide) -> tuple[Vectors, Vectors]:
    """Pooled embeddings of text and title, in the records' order."""
    rows, table = side.text_rows, side.texts
    assert table.title_pooled_NP is not None
    return Vectors(table.pooled_NP[rows].numpy()), Vectors(table.title_pooled_NP[rows].numpy())
