"""The parts of a data set through the frozen encoder, whole or some shards of them."""

from __future__ import annotations

from collections.abc import Sequence

from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.config.runtime import RuntimeParams
from mmoe.encoders.encode import EncodeSummary, encode_images, encode_texts
from mmoe.encoders.registry import load_encoder
from mmoe.files import write_json
from mmoe.sealed_parquet import seal_of

from pipeline.layout import Layout


class Encoding:
    """The encoder of params.yaml, loaded, for one data set."""

    def __init__(self, at: Layout, file: ParamsFile) -> None:
        self._at, self._params = at, file.section(EncodeParams)
        self._runtime = file.section(RuntimeParams)
        self._encoder = load_encoder(
            self._params.model, self._runtime.device, self._params.precision
        )

    def part(self, part: str, only: Sequence[int] | None = None) -> EncodeSummary:
        """Encodes a part.

        Args:
            only: numbers of shards, which are then left in the work folder; None makes the stage's output.
        """
        at = self._at
        table, out, work = at.inputs(part), at.features / part, at.work("encode") / part
        common = table, out, work, self._params, self._runtime, self._encoder
        if part.endswith("image"):
            summary = encode_images(*common, at.raw, only=only)
        else:
            summary = encode_texts(
                *common,
                around_name=part != "entity_text",
                keep_tokens=part != "mention_context",
                only=only,
            )
        if only is None:
            write_json(at.made_of(part), {"inputs": seal_of(table)})
        return summary
