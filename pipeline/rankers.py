"""The rankers that need no server, with what single ones of them read."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mmoe.config.encode import EncodeParams
from mmoe.config.runtime import RuntimeParams
from mmoe.descriptions import Embedder, RankerResources, rank_mentions
from mmoe.descriptions.choice import Groups, Mentions
from mmoe.records import (
    Description,
    Entity,
    TextInput,
    read_records,
    write_records,
)

from pipeline.layout import Layout

if TYPE_CHECKING:
    from mmoe.encoders.base import Encoder

EMBEDDINGS = "embeddings"  # below the stage's work folder


@dataclass(frozen=True)
class LocalRankers:
    """All that the rankers without a server may need; it is read when one needs it.

    Attributes:
        stage: that ranks; what `embedding` has embedded lies under its name, for a run after a kill and for
            the next one.
        seed: of `random`.
        encoder: of `embedding`, by its name; None for that of `encoding`.
    """

    at: Layout
    stage: str
    seed: int
    encoder: str | None
    encoding: EncodeParams
    runtime: RuntimeParams
    _encoders: dict[tuple[str, str], Encoder] = field(default_factory=dict, repr=False)

    def rank(self, backend: str, mentions: Mentions, groups: Groups) -> list[Description]:
        """One description record a mention.

        Raises:
            RankingError: if the backend is none of those that need no server.
            FeatureStoreError: if it is `embedding` and its encoder can't be loaded.
        """
        resources = RankerResources(self.seed, self._attributes, self._embedder)
        return rank_mentions(backend, mentions, groups, resources)

    def loaded(self, model: str, precision: str, knob: str) -> Encoder:
        """The encoder that a parameter names, loaded once."""
        from mmoe.encoders.registry import load_encoder

        if (model, precision) not in self._encoders:
            found = load_encoder(model, self.runtime.device, precision, knob)
            self._encoders[model, precision] = found
        return self._encoders[model, precision]

    def _attributes(self) -> dict[str, str]:
        return {entity.qid: entity.attributes for entity in read_records(self.at.entities, Entity)}

    def _embedder(self) -> Embedder:
        # Imported here: torch and transformers take seconds to start.
        from mmoe.encoders.encode import encode_texts
        from mmoe.features.store import read_features

        settings = self.encoding.model_copy(update={"model": self.encoder or self.encoding.model})
        knob = "rank.encoder" if self.encoder else "encode.model"
        encoder = self.loaded(settings.model, settings.precision, knob)
        folder = self.at.work(self.stage) / EMBEDDINGS

        def embed(side: str, rows: Sequence[TextInput]) -> NDArray[np.floating]:
            table, out = folder / f"{side}.parquet", folder / f"{side}-pooled"
            write_records(table, TextInput, rows)
            around = side == "mention"
            encode_texts(
                table,
                out,
                folder / side,
                settings,
                self.runtime,
                encoder,
                around_name=around,
                keep_tokens=False,
            )
            vectors: NDArray[np.floating] = read_features(out).pooled_NP.numpy()
            table.unlink()
            shutil.rmtree(out)  # its rows are kept beside it
            return vectors

        return embed
