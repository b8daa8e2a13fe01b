"""Features that are computed when they are asked for, with gradients that reach the encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from mmoe.config.encode import EncodeParams
from mmoe.encoders.base import Encoded, Encoder, Prepared
from mmoe.encoders.rows import laid_out
from mmoe.images import ImageError, load_image
from mmoe.linking.device import computing_in
from mmoe.linking.sides import Side
from mmoe.model.features import FeatureWidths, SideFeatures, Strings
from mmoe.model.packed import Packed
from mmoe.records import ImageInput, TextInput
from mmoe.tuning.processes import Processes

THREADS = 4  # that decode images
POOLED_ROWS = 512


@dataclass(frozen=True)
class ImageFiles:
    """The images of all records.

    Attributes:
        raw: folder of the data set.
        broken: names of those that could not be read, and why; they count as missing.
    """

    rows: Sequence[ImageInput]
    raw: Path
    max_pixels: int
    broken: dict[str, str] = field(default_factory=dict)

    def prepared(self, at: Sequence[int], encoder: Encoder) -> list[Prepared | None]:
        """What the encoder takes of the images at some places; None for a missing one."""
        with ThreadPoolExecutor(THREADS) as threads:
            return list(threads.map(lambda i: self._one(self.rows[i], encoder), at))

    def _one(self, row: ImageInput, encoder: Encoder) -> Prepared | None:
        if row.image is None or row.sha256 is None:
            return None
        try:
            image = load_image(self.raw, row.image, self.max_pixels, encoder.jpeg_side)
        except (ImageError, OSError) as error:
            self.broken[row.image] = str(error)
            return None
        return encoder.prepare_image(image)


@dataclass(frozen=True)
class Live:
    """How features are computed.

    Attributes:
        rows_at_a_time: texts or images whose inner states are held at a time; of the others a step keeps the
            features alone, and computes them again for their gradients.
        precision: of the products, float32 or bfloat16.
    """

    encoder: Encoder
    encode: EncodeParams
    rows_at_a_time: int
    precision: str = "float32"
    processes: Processes = field(default_factory=Processes)

    def side(
        self, texts: Sequence[TextInput], images: ImageFiles | None, of_mentions: bool
    ) -> LiveSide:
        """The mentions or the entities.

        Args:
            images: in the order of `texts`; None if the encoder sees none.
        """
        encoder, encode = self.encoder.for_side(of_mentions), self.encode
        layout = encoder.layout(encode.max_text_length, encode.description_budget, of_mentions)
        whole, names = laid_out(encoder, texts, layout, of_mentions)
        return LiveSide(
            replace(self, encoder=encoder),
            tuple(row.id for row in texts),
            whole,
            [tuple(layout.name_alone(name)) for name in names],
            images,
            Strings(tuple(row.name for row in texts), tuple(row.body for row in texts)),
            torch.arange(len(texts)),
        )


@dataclass(frozen=True)
class LiveSide(Side):
    """Mentions or entities that are encoded anew whenever they are read.

    Where torch keeps gradients, they reach the encoder through `torch.utils.checkpoint`: a step's memory is
    that of `rows_at_a_time` rows, and its gradients are those of the whole batch.

    Attributes:
        texts, names: token ids of all records, whole and of the name alone.
        records: int64, those of them that are on this side, in order.
    """

    live: Live
    ids: Sequence[str]
    texts: Sequence[Sequence[int]]
    names: Sequence[tuple[int, ...]]
    images: ImageFiles | None
    strings: Strings
    records: Tensor

    def __len__(self) -> int:
        return len(self.records)

    @property
    def widths(self) -> FeatureWidths:
        encoder = self.live.encoder
        images = encoder.image_widths if self.images is not None else (0, 0)
        return FeatureWidths(*encoder.text_widths, *images, encoder.joint)

    def select(self, records: Tensor) -> Self:
        return replace(self, records=self.records[records])

    def ids_of(self, records: Tensor) -> list[str]:
        return [self.ids[i] for i in self.records[records].tolist()]

    @torch.no_grad()
    def names_and_texts(self, records: Tensor) -> tuple[Tensor, Tensor]:
        found = []
        for chunk in torch.split(records, POOLED_ROWS):
            rows = self.records[chunk].tolist()
            found.append((self._names(rows), self._texts(rows).pooled_BP))
        names, texts = zip(*found, strict=True)
        return torch.cat(names), torch.cat(texts)

    def read(self, records: Tensor) -> SideFeatures:
        rows = self.records[records].tolist()
        processes = self.live.processes
        own = [rows[i] for i in processes.own(len(rows))]
        chunks = torch.split(torch.tensor(own, dtype=torch.int64), self.live.rows_at_a_time)
        parts = [self._encoded(chunk.tolist()) for chunk in chunks]
        whole = _joined(parts)
        if processes.count > 1:
            whole = _of_all(whole, processes, len(rows))
        return replace(whole, strings=self.strings.select(self.records[records]))

    def _encoded(self, rows: Sequence[int]) -> SideFeatures:
        text = self._texts(rows)
        features = SideFeatures(_packed(text), text.pooled_BP, self._names(rows))
        if self.images is None:
            return features
        encoder = self.live.encoder
        prepared = self.images.prepared(rows, encoder)
        has = torch.tensor([each is not None for each in prepared], device=encoder.device)
        width, pooled_width = encoder.image_widths
        pooled = torch.zeros(len(rows), pooled_width, device=encoder.device)
        patches = Packed(
            torch.zeros(len(rows), width, device=encoder.device), torch.ones_like(has.long())
        )
        if bool(has.any()):
            shown = [each for each in prepared if each is not None]
            image = self._kept_small(lambda: encoder.encode_prepared(shown))
            at = torch.where(has)[0]
            pooled = pooled.index_copy(0, at, image.pooled_BP.float())
            patches = _placed(_packed(image), at, len(rows))
        return replace(features, image=patches, image_pooled_BP=pooled, has_image_B=has)

    def _texts(self, rows: Sequence[int]) -> Encoded:
        texts = [self.texts[i] for i in rows]
        return self._kept_small(lambda: self.live.encoder.encode_texts(texts))

    def _names(self, rows: Sequence[int]) -> Tensor:
        names = [self.names[i] for i in rows]
        distinct = list(dict.fromkeys(names))
        pooled = self._kept_small(lambda: self.live.encoder.encode_texts(distinct)).pooled_BP
        place = {name: i for i, name in enumerate(distinct)}
        return pooled.index_select(0, torch.tensor([place[n] for n in names], device=pooled.device))

    def _kept_small(self, encode: Callable[[], Encoded]) -> Encoded:
        """What `encode` gives; of its inner states nothing is kept for the gradients."""

        def tensors() -> tuple[Tensor, Tensor, Tensor]:
            with computing_in(self.live.precision, self.live.encoder.device):
                found = encode()
            return found.tokens_BLC, found.lengths_B, found.pooled_BP

        if not torch.is_grad_enabled():
            return Encoded(*tensors())
        found: tuple[Tensor, Tensor, Tensor] = checkpoint(tensors, use_reentrant=False)
        return Encoded(*found)


def _packed(encoded: Encoded) -> Packed:
    """The real tokens of all rows, in float32."""
    tokens_BLC, lengths_B = encoded.tokens_BLC.float(), encoded.lengths_B
    mask_BL = torch.arange(tokens_BLC.shape[1], device=lengths_B.device) < lengths_B[:, None]
    slots_T = torch.where(mask_BL.flatten())[0]
    return Packed(tokens_BLC.flatten(0, 1).index_select(0, slots_T), lengths_B)


def _placed(tokens: Packed, at: Tensor, num_rows: int) -> Packed:
    """Sequences at their rows; the other rows get one token of zeros."""
    lengths_B = torch.ones(num_rows, dtype=torch.int64, device=at.device)
    lengths_B = lengths_B.index_copy(0, at, tokens.lengths_B)
    is_real = torch.zeros(num_rows, dtype=torch.bool, device=at.device).index_fill(0, at, True)
    slots_T = torch.where(torch.repeat_interleave(is_real, lengths_B))[0]
    values = tokens.values_TC.new_zeros(int(lengths_B.sum()), tokens.values_TC.shape[1])
    return Packed(values.index_copy(0, slots_T, tokens.values_TC), lengths_B)


def _joined(parts: Sequence[SideFeatures]) -> SideFeatures:
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    joined = SideFeatures(
        Packed.concatenate([part.text for part in parts]),
        torch.cat([part.text_pooled_BP for part in parts]),
        torch.cat([part.name_pooled_BP for part in parts]),
    )
    if first.image is None:
        return joined
    return replace(
        joined,
        image=Packed.concatenate([part.image for part in parts if part.image is not None]),
        image_pooled_BP=torch.cat(
            [p.image_pooled_BP for p in parts if p.image_pooled_BP is not None]
        ),
        has_image_B=torch.cat([p.has_image_B for p in parts if p.has_image_B is not None]),
    )


def _of_all(own: SideFeatures, processes: Processes, num_rows: int) -> SideFeatures:
    """The rows of all processes, in order."""

    def tensor(values: Tensor) -> Tensor:
        return processes.joined(values, num_rows)

    def packed(tokens: Packed) -> Packed:
        padded_BLC, _ = tokens.padded()
        missing = processes.largest(padded_BLC.shape[1]) - padded_BLC.shape[1]
        padded_BLC = torch.nn.functional.pad(padded_BLC, (0, 0, 0, missing))
        return _packed(Encoded(tensor(padded_BLC), tensor(tokens.lengths_B), own.text_pooled_BP))

    whole = SideFeatures(packed(own.text), tensor(own.text_pooled_BP), tensor(own.name_pooled_BP))
    if own.image is None:
        return whole
    assert own.image_pooled_BP is not None
    assert own.has_image_B is not None
    return replace(
        whole,
        image=packed(own.image),
        image_pooled_BP=tensor(own.image_pooled_BP),
        has_image_B=tensor(own.has_image_B.to(torch.uint8)).bool(),
    )
