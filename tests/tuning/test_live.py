"""Features with gradients: those that stage encode stores, and gradients of the whole batch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from mmoe.encoders.rows import encode_image_rows, encode_text_rows
from mmoe.images import load_image
from mmoe.linking.data import LinkingData
from mmoe.model.features import SideFeatures
from mmoe.records import TextInput
from mmoe.tuning.live import LiveSide

from tests.tuning.conftest import ENCODE, live_data, tuning

METHODS = ("prompts", "lora", "full")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("side", ["mention", "entity"])
def test_they_are_what_stage_encode_stores(clip: Path, raw: Path, method: str, side: str) -> None:
    tuned = tuning(clip, method)
    data = live_data(tuned, raw)
    live, mentions = (data.mention_side, True) if side == "mention" else (data.entity_side, False)
    with torch.no_grad():
        found = live.read(live.everything)
    encoder = tuned.encoder.for_side(mentions)
    rows = [
        TextInput(key, name, text, None)
        for key, name, text in zip(live.ids, live.strings.names, live.strings.texts, strict=True)
    ]
    texts = encode_text_rows(encoder, rows, 16, 4, 64, mentions)
    assert live.images is not None
    shown = [
        None if row.image is None else load_image(raw, row.image, 10**6) for row in live.images.rows
    ]
    images = encode_image_rows(encoder, shown, 64)
    assert found.image is not None
    assert found.has_image_B is not None
    assert found.has_image_B.tolist() == [image is not None for image in shown]
    for i, (text, image) in enumerate(zip(texts, images, strict=True)):
        assert text.tokens is not None
        close(found.text.part(i, i + 1).values_TC, torch.from_numpy(text.tokens))
        for values, wanted in (
            (found.text_pooled_BP, text.pooled),
            (found.name_pooled_BP, text.name_pooled),
        ):
            assert wanted is not None
            close(values[i], torch.from_numpy(wanted))
        if image.tokens is not None:
            close(found.image.part(i, i + 1).values_TC, torch.from_numpy(image.tokens))
        else:
            assert found.image.lengths_B[i] == 1


def close(ours: Tensor, stored: Tensor) -> None:
    torch.testing.assert_close(ours, stored.float(), rtol=2e-3, atol=2e-3)


def summed(features: SideFeatures) -> Tensor:
    """A number that depends on every feature of every row, on pairs of rows too."""
    assert features.image is not None
    assert features.image_pooled_BP is not None
    pooled = (features.text_pooled_BP, features.name_pooled_BP, features.image_pooled_BP)
    cross = sum((each @ each.T).square().mean() for each in pooled)
    tokens = features.text.values_TC.square().sum() + features.image.values_TC.square().sum()
    return torch.as_tensor(cross) + tokens


def gradients(data: LinkingData[LiveSide], module: torch.nn.Module) -> list[Tensor]:
    module.zero_grad()
    total = summed(data.mention_side.read(data.mention_side.everything))
    total = total + summed(data.entity_side.read(torch.tensor([3, 1, 3])))
    total.backward()  # type: ignore[no-untyped-call]
    return [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in module.parameters()]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rows_at_a_time", [1, 4, 7])
def test_rows_at_a_time_change_no_gradient(
    clip: Path, raw: Path, method: str, rows_at_a_time: int
) -> None:
    tuned = tuning(clip, method)
    if method == "lora":  # its second matrix starts at zero, and so would the first one's gradient
        for parameter in tuned.trained.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
    whole = gradients(live_data(tuned, raw, 64), tuned.trained)
    parts = gradients(live_data(tuned, raw, rows_at_a_time), tuned.trained)
    assert any(bool(each.any()) for each in whole)
    scale = max(float(each.abs().max()) for each in whole)
    for ours, wanted in zip(parts, whole, strict=True):
        torch.testing.assert_close(ours / scale, wanted / scale, rtol=1e-4, atol=1e-5)


def test_selected_records_are_those_of_the_whole(clip: Path, raw: Path) -> None:
    side = live_data(tuning(clip, "prompts"), raw).mention_side
    some = side.select(torch.tensor([7, 2]))
    assert (len(some), some.ids_of(torch.tensor([1]))) == (2, ["m2"])
    with torch.no_grad():
        whole, ours = side.read(side.everything), some.read(some.everything)
    torch.testing.assert_close(ours.text_pooled_BP, whole.text_pooled_BP[[7, 2]])
    names, texts = some.names_and_texts(some.everything)
    torch.testing.assert_close(names, ours.name_pooled_BP)
    torch.testing.assert_close(texts, ours.text_pooled_BP)


def test_an_image_that_breaks_on_the_way_is_masked_and_remembered(
    clip: Path, raw: Path, tmp_path: Path
) -> None:
    for file in raw.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    side = live_data(tuning(clip, "prompts"), tmp_path).mention_side
    (tmp_path / "1.png").write_bytes(b"no image any more")
    (tmp_path / "2.png").unlink()
    with torch.no_grad():
        found = side.read(side.everything)
    assert found.has_image_B is not None
    assert found.has_image_B[:6].tolist() == [True, False, False, True, True, False]
    assert side.images is not None
    assert set(side.images.broken) == {"1.png", "2.png"}
    assert ENCODE.max_pixels > 0
