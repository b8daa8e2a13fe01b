"""Features of shortlists of 64: in blocks of mentions, for one mention alone, and pair by pair.

usage  python -m benchmarks.reranking

Made-up names, texts and embeddings of 18,000 entities, as wide as MiniLM's; every family that needs no image.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from mmoe.baselines.cosine import Means, SideVectors, Vectors
from mmoe.baselines.late_interaction import CentredTokens, LateInteraction
from mmoe.features.tokens import MemoryTokens
from mmoe.records import Entity, Mention
from mmoe.reranking.context import ContextFeatures
from mmoe.reranking.families import CHUNK, Family, features_of
from mmoe.reranking.frozen import CosineFeatures, EntityCosines, LateFeatures
from mmoe.reranking.pairs import Pairs
from mmoe.reranking.strings import EntityStrings, StringFeatures, StringSpace

from benchmarks.measure import alternating_seconds, print_result

NUM_ENTITIES, NUM_MENTIONS, NUM_TRAIN, DEPTH, WIDTH, LENGTH = 18_000, 640, 512, 64, 384, 30
PLAIN_MENTIONS = 2  # of the pair-by-pair way
VOCABULARY = 6000

draw = np.random.default_rng(1)


def words(count: int) -> str:
    return " ".join(f"word{n}" for n in draw.integers(VOCABULARY, size=count))


def side(rows: int) -> tuple[SideVectors, MemoryTokens]:
    text, name = (Vectors(draw.normal(size=(rows, WIDTH)).astype(np.float16)) for _ in range(2))
    tokens = draw.normal(size=(rows * LENGTH, WIDTH)).astype(np.float16)
    lengths = np.full(rows, LENGTH)
    return SideVectors(text, name, None), MemoryTokens(torch.from_numpy(tokens), lengths)


def families() -> list[Family]:
    entities = [
        Entity(f"Q{i}", words(2), f"{words(6)} {1800 + i % 200}", ()) for i in range(NUM_ENTITIES)
    ]
    gold = draw.permutation(NUM_ENTITIES)[:NUM_MENTIONS]
    mentions = []
    for i, at in enumerate(gold.tolist()):
        form = entities[at].name.split()[1]
        context = f"{words(12)} {entities[at].name} {words(8)} 1850"
        mentions.append(Mention(f"m{i}", f"s{i}", form, context, None, f"Q{at}", True, "test"))
    (ours, our_tokens), (theirs, their_tokens) = side(NUM_MENTIONS), side(NUM_ENTITIES)
    contexts = draw.normal(size=(NUM_MENTIONS, WIDTH)).astype(np.float32)
    known = draw.normal(size=(NUM_ENTITIES, 2 * WIDTH)).astype(np.float32)
    strings = EntityStrings(StringSpace.fit(entities), entities)
    means = Means.of(ours.take(slice(0, NUM_TRAIN)), theirs)
    return [
        CosineFeatures(EntityCosines(theirs, means), ours),
        LateFeatures({"text": LateInteraction(our_tokens, CentredTokens(their_tokens))}),
        StringFeatures(strings, mentions, [mention.context for mention in mentions]),
        ContextFeatures.fit(contexts, known.__getitem__, gold, NUM_TRAIN),
    ]


def main() -> None:
    known = families()
    block = Pairs(
        np.arange(NUM_TRAIN, NUM_TRAIN + CHUNK), draw.integers(NUM_ENTITIES, size=(CHUNK, DEPTH))
    )

    def pair_by_pair() -> None:
        for i in range(PLAIN_MENTIONS):
            for j in range(DEPTH):
                pair = Pairs(block.rows[i : i + 1], block.entities_BD[i : i + 1, j : j + 1])
                features_of(known, pair)

    for family in known:
        seconds, _ = alternating_seconds(partial(features_of, [family], block), lambda: None)
        print(f"{type(family).__name__}: {1000 * seconds / CHUNK:.3f} ms a mention")
    for name, pairs in (("block", block), ("one_mention", block[:1])):
        ours, plain = alternating_seconds(partial(features_of, known, pairs), pair_by_pair)
        each, alone = 1000 * ours / len(pairs), 1000 * plain / PLAIN_MENTIONS
        print_result(f"reranking.{name}", each, "ms a mention", alone, higher_is_better=False)


if __name__ == "__main__":
    main()
