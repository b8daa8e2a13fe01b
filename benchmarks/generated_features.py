"""A knowledge base and mentions of it as features, generated, of any size.

Made so that a matcher has something to learn and ranks are neither all 1 nor random: about three entities
share a name; pooled vectors lie in few dimensions, and a mention's are its entity's, blurred; of its tokens
some are its entity's own words, the others everybody's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.features.shards import OK, FeatureRow, PartColumns, shard_name, shard_table, write_shard
from mmoe.files import write_sealed_json
from mmoe.records import Candidate, Description, Entity, Mention, write_records
from mmoe.vectors import unit_rows

from pipeline.kept import write_left_out
from pipeline.layout import Layout

SHARD_ROWS, VOCABULARY, OWN_WORDS = 2048, 20_000, 2
NAME_DIMS, OWN_DIMS, BLUR = 16, 12, 2.0
SPLITS = {"train": 0.7, "valid": 0.1, "test": 0.2}  # as WikiMEL's 18,092, 2,585 and 5,169
SYLLABLES = [f"{a}{b}" for a in "bdfgklmn" for b in "aeiou"]
Floats = NDArray[np.float32]
Halves = NDArray[np.float16]


@dataclass(frozen=True)
class Shape:
    """Of the features: CLIP ViT-B/32's, if nothing else is said.

    Attributes:
        tokens: of each text and image.
        text_only: leaves images out.
    """

    tokens: int = 50
    text_only: bool = False
    dtype: Literal["float16", "int8"] = "float16"

    @property
    def text(self) -> PartColumns:
        """Columns of a text."""
        return PartColumns("text", 512, 512, self.dtype)

    @property
    def context(self) -> PartColumns:
        """Columns of a context, which has no tokens."""
        return PartColumns("text", 0, 512, self.dtype)

    @property
    def image(self) -> PartColumns:
        """Columns of an image."""
        if self.text_only:
            return PartColumns("image", 0, 0, self.dtype)
        return PartColumns("image", 768, 512, self.dtype)


class World:
    """What features are drawn from; latent vectors and own words belong to the entities, in order."""

    def __init__(self, num_entities: int, shape: Shape) -> None:
        self.shape = shape
        self.rng = np.random.default_rng(0)
        names = self._normal(max(1, num_entities // 3), NAME_DIMS)
        self.name_of = self.rng.integers(len(names), size=num_entities)
        self.names = names[self.name_of]
        self.texts = np.concatenate([self.names, self._normal(num_entities, OWN_DIMS)], axis=1)
        self.images = self._normal(num_entities, OWN_DIMS)
        self.own_words = self.rng.integers(VOCABULARY, size=(num_entities, OWN_WORDS))
        self.words, self.patches = (
            self._normal(VOCABULARY, columns.token_width).astype(np.float16)
            for columns in (shape.text, shape.image)
        )

    def write(self, at: Layout, side: str, ids: Sequence[str], of: NDArray[np.int64]) -> None:
        """All parts of one side; `of` are the entities that the rows mean."""
        config = ParamsFile().section(EncodeParams).feature_config
        metadata = {**config, "fingerprint": "generated", "joint": not self.shape.text_only}
        for number, start in enumerate(range(0, len(ids), SHARD_ROWS)):
            rows = slice(start, start + SHARD_ROWS)
            for part, columns, features in self._parts(side, ids[rows], of[rows]):
                path = at.features / part / shard_name(number)
                write_shard(path, shard_table(features, columns, metadata))

    def _parts(
        self, side: str, ids: Sequence[str], of: NDArray[np.int64]
    ) -> Iterator[tuple[str, PartColumns, list[FeatureRow]]]:
        blur = BLUR if side == "mention" else 0.0
        names, texts = self._pooled(self.names[of], blur / 3), self._pooled(self.texts[of], blur)
        words = self._tokens(of, self.words)
        keys = [f"{side} {id_}" for id_ in ids]
        all_ok, nothing = [OK] * len(ids), [None] * len(ids)
        rows = [*map(FeatureRow, ids, all_ok, words, texts, names, keys)]
        yield f"{side}_text", self.shape.text, rows
        if side == "mention":
            rows = [*map(FeatureRow, ids, all_ok, nothing, texts, names, keys)]
            yield "mention_context", self.shape.context, rows
        rows = []
        if not self.shape.text_only:
            images, patches = (
                self._pooled(self.images[of], blur),
                self._tokens(of, self.patches),
            )
            rows = [*map(FeatureRow, ids, all_ok, patches, images, nothing, keys)]
        yield f"{side}_image", self.shape.image, rows

    def _pooled(self, latent: Floats, blur: float) -> Halves:
        """Unit vectors of 512 numbers; the latent ones are blurred by so many standard deviations."""
        basis = np.random.default_rng(latent.shape[1]).standard_normal((latent.shape[1], 512))
        vectors = (latent + blur * self._normal(*latent.shape)) @ basis.astype(np.float32)
        return unit_rows(vectors).astype(np.float16)

    def _tokens(self, of: NDArray[np.int64], table: Halves) -> Halves:
        """[B, L, C]: each row's own words among everybody's, at places drawn at random."""
        drawn = self.rng.integers(VOCABULARY, size=(len(of), self.shape.tokens))
        drawn[:, :OWN_WORDS] = self.own_words[of]
        tokens: Halves = table[self.rng.permuted(drawn, axis=1)]
        return tokens

    def _normal(self, *shape: int) -> Floats:
        return self.rng.standard_normal(shape, dtype=np.float32)


def generate_features(at: Layout, num_entities: int, num_mentions: int, shape: Shape) -> None:
    """Records and features, below the current folder, as stage encode leaves them."""
    rng = np.random.default_rng(1)
    words = np.array([f"{a}{b}{c}" for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES])
    world = World(num_entities, shape)
    names = [
        " ".join(np.random.default_rng(name).choice(words, 2)) for name in world.name_of.tolist()
    ]
    entities = [
        Entity(f"Q{i}", name, " ".join(rng.choice(words, 12)), ()) for i, name in enumerate(names)
    ]
    of = rng.integers(num_entities, size=num_mentions)
    splits = rng.choice(list(SPLITS), size=num_mentions, p=list(SPLITS.values()))
    mentions = []
    for i, (entity, split) in enumerate(zip(of.tolist(), splits.tolist(), strict=True)):
        form, around = names[entity].split()[1], " ".join(rng.choice(words, 18))
        context = f"{around} {names[entity]} {around}"
        mentions.append(Mention(f"m{i}", f"s{i}", form, context, None, f"Q{entity}", True, split))
    write_records(at.mentions, Mention, mentions)
    write_records(at.entities, Entity, entities)
    write_records(at.candidates, Candidate, [], made_of=at.records)
    write_records(at.descriptions, Description, [], made_of=at.choice)
    world.write(at, "entity", [entity.qid for entity in entities], np.arange(num_entities))
    world.write(at, "mention", [mention.mention_id for mention in mentions], of)
    write_left_out(at, "keep", [])
    write_sealed_json(at.tuned / "tune.json", {"method": "none"})
