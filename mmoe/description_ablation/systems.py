"""The baselines that read a mention's description, asked for every text that a choice makes of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmoe.baselines.bm25 import bm25_ranks
from mmoe.baselines.cosine import Vectors
from mmoe.baselines.encoder import SideVectors, encoder_ranks
from mmoe.description_ablation.texts import ChoiceTexts
from mmoe.evaluation.ranks import Ranks
from mmoe.linking.data import FeatureSide, LinkingData

# The others compare words or images alone.
READ_DESCRIPTIONS = ("cosine, text–text", "two-part cosine", "CLIP zero-shot")


def baseline_ranks(
    texts: ChoiceTexts, data: LinkingData, own: NDArray[np.int64]
) -> dict[str, Ranks]:
    """Ranks of every text by BM25 and by the encoder's cosines.

    Args:
        data: with the features of the texts, in their order, for mentions.
        own: rows of the texts with the run's own descriptions; what a missing image counts hangs on these
            alone, so that no figure hangs on what else is compared.
    """
    gold_qids = [mention.gold_qid for mention in texts.mentions]
    found = encoder_ranks(
        _vectors(data.mention_side), _vectors(data.entity_side), data.gold, typical=own
    )
    return {
        "BM25 with description": bm25_ranks(texts.queries(), gold_qids, data.entities),
        **{name: found[name] for name in READ_DESCRIPTIONS if name in found},
    }


def _vectors(side: FeatureSide) -> SideVectors:
    """Pooled embeddings in the records' order."""
    rows, table = side.text_rows, side.texts
    assert table.name_pooled_NP is not None
    image = None
    if side.images is not None:
        present = side.images.present[side.image_rows.numpy()]
        image = Vectors(side.images.pooled_NP[side.image_rows].numpy(), present)
    text, name = table.pooled_NP[rows].numpy(), table.name_pooled_NP[rows].numpy()
    return SideVectors(Vectors(text), Vectors(name), image)
