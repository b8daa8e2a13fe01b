"""The parts of a data set through the frozen encoder, whole or some shards of them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.config.runtime import RuntimeParams
from mmoe.encoders.base import Encoder
from mmoe.encoders.encode import EncodeSummary, encode_images, encode_texts
from mmoe.encoders.registry import base_encoder, load_encoder
from mmoe.files import write_json, write_sealed_json
from mmoe.sealed_parquet import seal_of

from pipeline.layout import MATCHER_PARTS, Layout
from pipeline.tuned import tuned_encoder


class Encoding:
    """The encoder of params.yaml, loaded, for one data set."""

    def __init__(self, at: Layout, file: ParamsFile) -> None:
        self._at, self._params = at, file.section(EncodeParams)
        self._runtime = file.section(RuntimeParams)
        name = tuned_encoder(at) or self._params.model
        self._encoder = load_encoder(name, self._runtime.device, self._params.precision)
        keeps = self._params.keep_base and self._encoder.tuned is not None
        self._base = base_encoder(self._encoder) if keeps else None

    def part(self, part: str, only: Sequence[int] | None = None) -> EncodeSummary:
        """Encodes a part.

        Args:
            only: numbers of shards, which are then left in the work folder; None makes the stage's output.
        """
        at = self._at
        summary = self._encoded(self._encoder, part, at.features / part, part, only)
        if only is None:
            write_sealed_json(at.made_of(part), {"inputs": seal_of(at.inputs(part))})
        return summary

    def base(self) -> None:
        """Encodes what `encode.keep_base` asks for; without that the output is a note."""
        at = self._at
        folder = at.features_base
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if self._base is None:
            why = "encode.keep_base is false, or nothing is tuned"
            write_json(folder / "none.json", {"why": why})
            return
        for part in MATCHER_PARTS:
            self._encoded(self._base, part, folder / part, f"base_{part}")

    def _encoded(
        self, encoder: Encoder, part: str, out: Path, work: str, only: Sequence[int] | None = None
    ) -> EncodeSummary:
        at = self._at
        kept = at.work("encode") / work
        common = at.inputs(part), out, kept, self._params, self._runtime, encoder
        if part.endswith("image"):
            of_mentions = part.startswith("mention")
            return encode_images(*common, at.raw, of_mentions=of_mentions, only=only)
        return encode_texts(
            *common,
            around_name=part != "entity_text",
            keep_tokens=part != "mention_context",
            only=only,
        )
