"""A Linker gives what the stages gave: the same features to the bit, the same entities in the same order."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

import mmoe
from mmoe import Linker
from mmoe.errors import CheckpointError, DataError, FeatureStoreError, LinkingError
from mmoe.images import load_image
from mmoe.linker import Query
from mmoe.linker.changes import NewEntities
from mmoe.linking.data import LinkingData
from mmoe.model.features import SideFeatures
from mmoe.records import Description, Entity, Mention, read_records

from pipeline.layout import Layout
from tests.pipeline.project import run
from tests.pipeline.tiny import write_params

RAW = Path("data/raw/tiny")
at = Layout("tiny")


@pytest.fixture(scope="module")
def linker(built: Path) -> Linker:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(built)
        return Linker.from_run(
            "data/models/tiny", kb="data/interim/tiny", device="cpu", rerank=False
        )


def test_an_index_in_files_and_a_shortlist_of_all_give_the_same(
    linker: Linker, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("faiss", reason="the extra `approximate` is not installed")
    monkeypatch.chdir(built)
    mention = first()
    wanted = linker.link(mention.surface_form, mention.context)
    for approximate in (False, True, True):  # built, built and opened
        other = Linker.from_run(
            "data/models/tiny",
            kb="data/interim/tiny",
            device="cpu",
            rerank=False,
            index=tmp_path / "index",
            approximate=approximate,
        )
        found = other.link(mention.surface_form, mention.context)
        assert [link.qid for link in found] == [link.qid for link in wanted]
    with pytest.raises(LinkingError, match=r"needs rerank=False, and index=…, a folder"):
        Linker.from_run("data/models/tiny", kb="data/interim/tiny", approximate=True)


def mentions_with_descriptions() -> list[tuple[Mention, str | None]]:
    mentions = read_records(at.mentions, Mention)
    records = {r.mention_id: r.description for r in read_records(at.descriptions, Description)}
    return [(mention, records[mention.mention_id]) for mention in mentions]


def image_of(mention: Mention) -> Path | None:
    """The mention's image, unless it is the one that can't be decoded."""
    if mention.image is None or mention is first():
        return None
    return RAW / mention.image


def first() -> Mention:
    return read_records(at.mentions, Mention)[0]


def tensors(features: SideFeatures) -> Sequence[Any]:
    assert features.image is not None
    present = features.has_image_B
    patches = features.image.values_TC if present is not None and bool(present[0]) else None
    pooled = features.image_pooled_BP if patches is not None else None
    return (
        features.text.values_TC,
        features.text_pooled_BP,
        features.name_pooled_BP,
        patches,
        pooled,
        present,
    )


def test_a_query_is_encoded_as_the_stage_has_stored_it(project: Path, linker: Linker) -> None:
    entities = read_records(at.entities, Entity)
    pairs = mentions_with_descriptions()
    data = LinkingData.open([m for m, _ in pairs], entities, at.features, {})
    for i, (mention, description) in enumerate(pairs):
        image = None if i == 0 else image_of(mention)
        encoded = linker.encode(Query(mention.surface_form, mention.context, image, description))
        stored = data.mention_side.gather(torch.tensor([i]), torch.device("cpu"))
        assert encoded.strings == stored.strings
        for found, wanted in zip(tensors(encoded), tensors(stored), strict=True):
            assert (found is None) == (wanted is None)
            assert found is None or torch.equal(found, wanted), mention.mention_id


def test_it_links_as_stage_evaluate_ranked(project: Path, linker: Linker) -> None:
    described = {m.mention_id: (m, d) for m, d in mentions_with_descriptions()}
    ranks = pq.read_table(at.ranks / "ranks.parquet").to_pylist()
    assert ranks
    for row in ranks:
        mention, description = described[row["mention_id"]]
        result = linker.link(
            mention.surface_form,
            mention.context,
            image_of(mention),
            description=description,
            top_k=10,
        )
        assert [link.qid for link in result] == [best["qid"] for best in row["top"]]
        for link, best in zip(result, row["top"], strict=True):
            assert link.score == pytest.approx(best["overall"], rel=1e-5, abs=1e-5)
            assert set(link.unit_scores) == {"text", "vision", "cross"}
            assert sum(link.unit_scores.values()) == pytest.approx(link.score, rel=1e-5, abs=1e-5)


def test_it_links_as_stage_rerank_ranked(project: Path) -> None:
    linker = Linker.from_run(at.model, kb=at.interim, device="cpu")
    records = {m.mention_id: m for m, _ in mentions_with_descriptions()}
    described = {r.mention_id: r for r in read_records(at.descriptions, Description)}
    table = pq.read_table(at.ranks / "reranked.parquet").to_pylist()
    rows = [row for row in table if row["method"] == table[-1]["method"]]  # the better one is last
    mentions = [records[row["mention_id"]] for row in rows]
    queries = [Query(m.surface_form, m.context, image_of(m)) for m in mentions]
    assert linker.engine.reranker is not None
    depth = min(linker.engine.reranker.depth, len(linker.entities))
    results = list(linker.link_many(queries, top_k=depth))
    for row, mention, result in zip(rows, mentions, results, strict=True):
        own = described[mention.mention_id]
        assert (result.description, result.described_by) == (own.description, own.qid)
        place = 1 + [link.qid for link in result].index(str(mention.gold_qid))
        assert row["rank_optimistic"] <= place <= row["rank"]
        one = linker.link(mention.surface_form, mention.context, image_of(mention), top_k=depth)
        assert [link.qid for link in one] == [link.qid for link in result]


def test_a_knowledge_base_without_candidates_is_said_where_they_are_needed(project: Path) -> None:
    (at.interim / "candidates.parquet").unlink()
    with pytest.raises(LinkingError, match="nothing was retrieved here; run stages retrieve"):
        Linker.from_run(at.model, kb=at.interim, device="cpu")
    assert Linker.from_run(at.model, kb=at.interim, device="cpu", rerank=False).link("Java", "")


def test_a_given_description_stands_before_a_chosen_one(project: Path) -> None:
    linker = Linker.from_run(at.model, kb=at.interim, device="cpu")
    mention = next(m for m, description in mentions_with_descriptions() if description)
    chosen = linker.link(mention.surface_form, mention.context)
    assert chosen.description
    assert chosen.described_by
    given = linker.link(mention.surface_form, mention.context, description="a metal")
    assert (given.description, given.described_by) == ("a metal", None)
    without = linker.link(mention.surface_form, mention.context, description="")
    assert (without.description, without.described_by) == (None, None)
    with pytest.raises(LinkingError, match=r"top_k = 1000: at most \d+ entities are reranked"):
        linker.link(mention.surface_form, mention.context, top_k=1000)


def test_an_image_may_be_a_file_bytes_or_decoded(project: Path, linker: Linker) -> None:
    mention = next(m for m, _ in mentions_with_descriptions()[1:] if m.image)
    assert mention.image is not None
    file = RAW / mention.image
    ways: list[Path | str | bytes | Image.Image] = [
        file,
        str(file),
        file.read_bytes(),
        load_image(RAW, mention.image, max_pixels=10**6),
    ]
    found = [linker.link(mention.surface_form, mention.context, image) for image in ways]
    assert all(result == found[0] for result in found)
    assert found[0].links != linker.link(mention.surface_form, mention.context).links


def test_an_opened_image_of_sixteen_bits_is_seen_as_its_file(
    tmp_path: Path, linker: Linker
) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).repeat(16).reshape(256, 16)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    with Image.open(tmp_path / "deep.png") as image:
        assert image.mode.startswith("I;16")
        opened = linker.link("Mercury", "Mercury in grey.", image)
    assert opened == linker.link("Mercury", "Mercury in grey.", tmp_path / "deep.png")


def test_a_result_is_a_sequence_with_a_margin(linker: Linker) -> None:
    result = linker.link("Mercury", "The rover photographed Mercury.", top_k=3)
    assert len(result) == 3
    assert result[0].score >= result[1].score >= result[2].score
    assert result.margin == pytest.approx(result[0].score - result[1].score)
    assert [link.qid for link in result[:2]] == [result[0].qid, result[1].qid]
    assert linker.link("Mercury", "", top_k=1).margin is None
    assert len(linker.link("Mercury", "", top_k=10_000)) == len(linker.entities)


def test_what_cannot_be_linked_is_said(project: Path, linker: Linker) -> None:
    with pytest.raises(LinkingError, match="surface_form is empty"):
        linker.link(" ", "context")
    with pytest.raises(LinkingError, match="top_k = 0"):
        linker.link("Mercury", "context", top_k=0)
    with pytest.raises(LinkingError, match=r"gone\.png: .*give another image"):
        linker.link("Mercury", "context", "gone.png")
    with pytest.raises(LinkingError, match=r"image: .*give another image"):
        linker.link("Mercury", "context", b"\x89PNG\r\n\x1a\n and then nothing")


def test_a_run_that_cannot_be_opened_is_said(project: Path) -> None:
    with pytest.raises(CheckpointError, match=r"gone.*no such file"):
        Linker.from_run("data/models/gone", kb=at.interim)
    with pytest.raises(DataError, match=r"entities\.parquet: no such file"):
        Linker.from_run(at.model, kb="data/interim/gone")
    weights = next(Path("data/raw/sample/clip").glob("*.safetensors"))
    with weights.open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\x00\x00\x80\x3f")
    with pytest.raises(CheckpointError, match="trained on features of another encoder"):
        Linker.from_run(at.model, kb=at.interim)


def test_the_public_surface_is_there_and_costs_nothing_until_asked_for() -> None:
    for name in mmoe.__all__:
        assert getattr(mmoe, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'linker_'"):
        mmoe.linker_  # noqa: B018


def test_descriptions_are_chosen_with_the_encoder_that_ranked(project: Path) -> None:
    write_params(Path("params.yaml"), rank={"backend": "embedding", "encoder": "data/other"})
    shutil.copytree("data/raw/sample/clip", "data/other")
    run("rank", "tiny")
    records = {r.mention_id: r for r in read_records(at.descriptions, Description)}
    linker = Linker.from_run(at.model, kb=at.interim, device="cpu")
    mentions = [m for m, _ in mentions_with_descriptions()]
    found = linker.link_many(Query(m.surface_form, m.context) for m in mentions)
    assert [r.described_by for r in found] == [records[m.mention_id].qid for m in mentions]
    shutil.rmtree("data/other")
    with pytest.raises(FeatureStoreError, match=r"rank\.encoder = data/other"):
        Linker.from_run(at.model, kb=at.interim, device="cpu").link("Mercury", "")


def test_an_explanation_says_what_a_score_loses_without_a_word_or_a_cell(
    project: Path, linker: Linker
) -> None:
    mention = next(m for m in read_records(at.mentions, Mention)[1:] if m.image)
    words = mention.surface_form, f"{mention.surface_form} {mention.context}"
    image = load_image(RAW, str(mention.image), max_pixels=10**7)
    plain = linker.link(*words, image, top_k=2)
    result = linker.link(*words, image, top_k=2, explain=True)
    assert [link.qid for link in result] == [link.qid for link in plain]
    for link in result:
        found = link.explanation
        assert found is not None
        assert (
            set(found.text)
            == set(found.image)
            == {*linker.trained.checkpoint.matcher.unit_names, "overall"}
        )
        assert [words[1][a:b] for a, b in found.words[:1]] == [mention.surface_form.split()[0]]
        for number, (start, end) in enumerate(found.words[:3]):
            without = words[1][:start] + words[1][end:]
            bare = linker.link(words[0], without, image, top_k=len(linker.entities))
            score = next(each.score for each in bare if each.qid == link.qid)
            fall = found.text["overall"][number]
            assert fall == pytest.approx(link.score - score, abs=1e-3 * abs(link.score) + 1e-3)
        assert found.image["vision"].shape == (7, 7)
        assert found.text_experts["text"].shape == (len(found.tokens), 3)
        assert found.image_experts["vision"].shape == (7, 7, 3)
    without_image = linker.link(*words, explain=True)[0].explanation
    assert without_image is not None
    assert without_image.image == {}
    assert "vision" not in without_image.image_experts


def test_a_reranked_score_is_explained_too(project: Path) -> None:
    linker = Linker.from_run(at.model, kb=at.interim, device="cpu")
    words = "Mercury", "Mercury is the planet closest to the sun."
    result = linker.link(*words, explain=True, top_k=1)
    found = result[0].explanation
    assert found is not None
    start, end = found.words[-1]
    without = words[1][:start] + words[1][end:]
    depth = min(64, len(linker.entities))
    bare = linker.link(words[0], without, top_k=depth, description=result.description or "")
    score = next(each.score for each in bare if each.qid == result[0].qid)
    assert json.dumps(result.to_json())
    if result.described_by is None:
        assert found.text["overall"][-1] == pytest.approx(result[0].score - score, abs=1e-2)


def test_entities_are_linked_without_any_training(project: Path, tmp_path: Path) -> None:
    linker = Linker.from_entities(RAW, encoder="data/raw/sample/clip", device="cpu")
    assert {e.qid for e in linker.entities} == {e.qid for e in read_records(at.entities, Entity)}
    for entity in linker.entities[:5]:
        assert linker.link(entity.name, entity.attributes)[0].qid == entity.qid
    linker.save(tmp_path / "bundle")
    opened = Linker.from_pretrained(tmp_path / "bundle", device="cpu")
    mentions = [m for m, _ in mentions_with_descriptions()[1:]]
    asked = [Query(m.surface_form, m.context, image_of(m)) for m in mentions]
    assert list(opened.link_many(asked)) == list(linker.link_many(asked))
    assert all(result[0].probability is None for result in opened.link_many(asked))
    (masked,) = linker.add_entities(
        NewEntities((Entity("Q900001", "Zorblax", "A snail.", (mask_me(tmp_path),)),), tmp_path)
    ).masked
    assert masked.ids == ("Q900001",)
    assert linker.link("Zorblax", "")[0].qid == "Q900001"


def mask_me(folder: Path) -> str:
    (folder / "broken.png").write_bytes(b"no image")
    return "broken.png"
