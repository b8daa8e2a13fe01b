"""A bundle links as the run did; broken ones are refused; its knowledge base can be changed."""

from __future__ import annotations

import gc
import json
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from mmoe import Linker, LinkResult, Query
from mmoe.errors import BundleError, DataError, LinkingError, MmoeError
from mmoe.linker import saving
from mmoe.linker.bundle import read_manifest
from mmoe.linker.changes import NewEntities
from mmoe.linker.thumbnails import Thumbnails
from mmoe.linking.data import FeatureSide
from mmoe.linking.ranking import best_entities
from mmoe.linking.whole_kb import build_index
from mmoe.records import Entity, Mention, read_records

from pipeline.layout import Layout
from tests.pipeline.project import run
from tests.pipeline.tiny import corrupt_image, write_jsonl, write_params

at = Layout("tiny")


@pytest.fixture
def bundle(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the stage's bundle, far from its project."""
    folder = tmp_path / "elsewhere" / "bundle"
    shutil.copytree(built / at.bundle, folder)
    monkeypatch.chdir(folder.parent)
    return folder


def queries(built: Path) -> list[Query]:
    mentions = read_records(built / at.mentions, Mention)
    unread = corrupt_image()
    images = [
        None if m.image in (None, unread) else built / at.raw / str(m.image) for m in mentions
    ]
    return [Query(m.surface_form, m.context, i) for m, i in zip(mentions, images, strict=True)]


def opened(bundle: Path | str) -> Linker:
    return Linker.from_pretrained(bundle, device="cpu")


def links(linker: Linker, asked: Sequence[Query]) -> list[LinkResult]:
    return list(linker.link_many(asked, top_k=min(10, len(linker.entities))))


def same_order(found: list[LinkResult], wanted: list[LinkResult]) -> bool:
    return [[link.qid for link in r] for r in found] == [[link.qid for link in r] for r in wanted]


def test_it_links_as_the_run_does(
    bundle: Path, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = Linker.from_pretrained(bundle, device="cpu", exact=True)
    found, quick = links(exact, queries(built)), links(opened(bundle), queries(built))
    monkeypatch.chdir(built)
    wanted = links(Linker.from_run(at.model, at.interim, device="cpu"), queries(built))
    assert found == wanted
    assert same_order(quick, wanted)


def test_the_matcher_alone_links_too(
    bundle: Path, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = Linker.from_pretrained(bundle, device="cpu", rerank=False, exact=True)
    found = links(exact, queries(built))
    monkeypatch.chdir(built)
    run_of = Linker.from_run(at.model, at.interim, device="cpu", rerank=False)
    assert found == links(run_of, queries(built))


def test_other_code_than_the_index_was_made_with_builds_it_anew(
    bundle: Path, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = links(opened(bundle), queries(built))
    monkeypatch.setattr("mmoe.linker.opening.index_code", lambda: "other")
    shutil.rmtree(bundle / "kb-0/index/0.bin", ignore_errors=True)
    assert same_order(links(opened(bundle), queries(built)), wanted)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "file", ["model.safetensors", "kb-0/entities.parquet", "encoder/config.json"]
)
@pytest.mark.parametrize(
    ("damage", "said"),
    [(Path.unlink, "missing; copy the whole"), (cut, "not the file"), (flip, "not the file")],
)
def test_a_missing_or_changed_file_is_refused(
    damage: Callable[[Path], None], said: str, file: str, bundle: Path
) -> None:
    damage(bundle / file)
    with pytest.raises(BundleError, match=said) as caught:
        opened(bundle)
    assert str(caught.value).startswith(str(bundle / file))
    assert "mmoe bundle DATASET FOLDER" in str(caught.value)


def test_what_is_no_bundle_of_this_version_is_refused(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such folder; make it anew: mmoe bundle"):
        opened(tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError, match=r"holds no manifest\.json, so it is no bundle"):
        opened(tmp_path / "empty")
    file = bundle / "manifest.json"
    manifest = json.loads(file.read_text())
    file.write_text(json.dumps(manifest | {"format": 99}))
    with pytest.raises(BundleError, match=r"format 99, and this version reads 1; .* install"):
        opened(bundle)
    outside = manifest["files"] | {"../../passwords": {"bytes": 1, "sha256": ""}}
    file.write_text(json.dumps(manifest | {"files": outside}))
    with pytest.raises(
        BundleError, match=r"names a file outside of the bundle, \.\./\.\./passwords"
    ):
        opened(bundle)
    odd: list[dict[str, Any]] = [{"kb": 3}, {"kb": "../kb-0"}, {"settings": []}, {"files": {}}]
    broken = [json.dumps(manifest | each) for each in odd]
    for content in ("{", "[]", '{"format": 1}', '{"format": 1, "files": 3}', *broken):
        file.write_text(content)
        with pytest.raises(BundleError, match="not the manifest of a bundle"):
            opened(bundle)
    unread = {"retrieve": {"source": "x"}, "rank": {}}
    file.write_text(json.dumps(manifest | {"settings": unread}))
    with pytest.raises(BundleError, match="settings that can't be read"):
        opened(bundle)


def test_an_encoder_by_name_that_is_not_there_is_said(bundle: Path) -> None:
    with pytest.raises(MmoeError, match=r"nowhere/clip/at/all: no such folder"):
        Linker.from_pretrained(bundle, encoder="nowhere/clip/at/all", device="cpu")


def test_a_bundle_holds_pictures_other_names_and_a_card(bundle: Path, built: Path) -> None:
    entities = read_records(bundle / "kb-0/entities.parquet", Entity)
    pictures = Thumbnails(bundle / "kb-0/thumbnails")
    assert {e.qid for e in entities if e.images} == {e.qid for e in entities if e.qid in pictures}
    shown = pictures.of(next(e.qid for e in entities if e.images))
    assert shown is not None
    assert shown.jpeg.startswith(b"\xff\xd8")
    aliases = opened(bundle).engine.kb.files.read_aliases()
    known = {row["id"]: row for row in items_of(built)}
    assert aliases
    for qid, names in aliases.items():
        listed = {alias["value"] for alias in known[qid].get("aliases", {}).get("en", ())}
        assert set(names) - listed <= {known[qid]["labels"]["en"]["value"]}
    card = (bundle / "README.md").read_text()
    for said in ("library_name: mmoe", "| reranked |", "Licence of the data: not stated", "Limits"):
        assert said in card


def items_of(built: Path) -> list[dict[str, Any]]:
    lines = (built / at.raw / "wikidata.jsonl").read_text("utf-8").splitlines()
    items = [json.loads(line.rstrip(",")) for line in lines if len(line) > 2]
    return [item for item in items if item["id"].startswith("Q")]


def taken_out(linker: Linker, number: int = 4) -> tuple[list[Entity], list[str]]:
    gone = list(linker.entities[1 : 1 + number])
    return gone, [entity.qid for entity in gone]


def test_what_is_taken_out_and_put_back_ranks_as_before(bundle: Path, built: Path) -> None:
    linker, asked = opened(bundle), queries(built)
    before = links(linker, asked)
    gone, qids = taken_out(linker)
    linker.remove_entities(qids)
    without = links(linker, asked)
    assert not {link.qid for result in without for link in result} & set(qids)
    added = linker.add_entities(NewEntities(tuple(gone), built / at.raw))
    assert added.masked == ()
    after = links(linker, asked)
    assert same_order(after, before)
    for found, wanted in zip(after, before, strict=True):
        for link, other in zip(found, wanted, strict=True):
            assert link.score == pytest.approx(other.score, abs=1e-5)
    assert linker.save() == bundle
    again = opened(bundle)
    assert links(again, asked) == after
    assert read_manifest(bundle, check=True).kb == "kb-1"


def test_ranks_are_those_of_an_index_built_anew(bundle: Path, built: Path) -> None:
    linker = Linker.from_pretrained(bundle, device="cpu", rerank=False)
    gone, qids = taken_out(linker, 7)
    linker.remove_entities(qids)
    linker.add_entities(NewEntities(tuple(gone[::-1]), built / at.raw))
    kb, checkpoint = linker.engine.kb, linker.trained.checkpoint
    side = FeatureSide.of_entities(kb.files.features, kb.entities, checkpoint.feature_config)
    anew = build_index(checkpoint.matcher, side, torch.device("cpu"))
    batches = [linker.encode(query) for query in queries(built)]
    ours, wanted = (best_entities(index, batches, len(kb.entities)) for index in (kb.index, anew))
    assert (ours.top_Bn == wanted.top_Bn).all()


def test_a_change_can_be_saved_as_another_bundle(bundle: Path, built: Path, tmp_path: Path) -> None:
    linker = opened(bundle)
    linker.remove_entities(taken_out(linker)[1])
    wanted = links(linker, queries(built))
    assert linker.save(tmp_path / "new") == tmp_path / "new"
    assert links(opened(tmp_path / "new"), queries(built)) == wanted
    assert len(opened(bundle).entities) == len(linker.entities) + 4


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet", "folder", "records"])
def test_entities_come_from_tables_and_records(
    form: str, bundle: Path, built: Path, tmp_path: Path
) -> None:
    rows = [
        {"qid": "Q900001", "name": "Zorblax", "attributes": "A racing snail."},
        {"qid": "Q900002", "name": "Quibble", "attributes": ""},
    ]
    folder = tmp_path / "mine"
    folder.mkdir()
    sources = {
        "jsonl": folder / "things.jsonl",
        "csv": folder / "things.csv",
        "parquet": folder / "things.parquet",
        "folder": folder,
        "records": [Entity(**row, images=()) for row in rows],
    }
    write_jsonl(folder / ("entities.jsonl" if form == "folder" else "things.jsonl"), rows)
    pd.DataFrame(rows).to_csv(folder / "things.csv", index=False)
    pd.DataFrame(rows).to_parquet(folder / "things.parquet")
    linker = opened(bundle)
    before = len(linker.entities)
    linker.add_entities(sources[form])  # type: ignore[arg-type]
    assert len(linker.entities) == before + 2
    assert linker.link("Zorblax", "Zorblax, a racing snail, won.")[0].qid == "Q900001"


def test_entities_come_from_a_slice_of_the_dump(bundle: Path, built: Path, tmp_path: Path) -> None:
    linker = opened(bundle)
    known = {entity.qid for entity in linker.entities}
    items = [r for r in items_of(built) if r["id"] not in known][:5]
    lines = ",\n".join(json.dumps(item) for item in items)
    (tmp_path / "slice.json").write_text(f"[\n{lines}\n]\n")
    added = linker.add_entities(tmp_path / "slice.json")
    assert {e.qid for e in added.entities} == {item["id"] for item in items}
    linker.save()
    aliases = opened(bundle).engine.kb.files.read_aliases()
    for item in items:
        names = [alias["value"] for alias in item.get("aliases", {}).get("en", ())]
        assert set(names) <= set(aliases.get(item["id"], ()))


def test_a_change_that_cannot_be_made_is_said_and_changes_nothing(
    bundle: Path, tmp_path: Path
) -> None:
    linker = opened(bundle)
    entities = list(linker.entities)
    new = Entity("Q900001", "Zorblax", "", ())
    for add, said in [
        ([entities[0]], "in the knowledge base already; remove it first"),
        ([new, new], "Q900001: stands twice"),
        ([Entity("Q900001", "Zorblax", "", ("gone.png",))], r"gone\.png, of Q900001: no such file"),
    ]:
        with pytest.raises((LinkingError, DataError), match=said):
            linker.add_entities(add)
    with pytest.raises(LinkingError, match="Q900001: not in the knowledge base"):
        linker.remove_entities(["Q900001"])
    with pytest.raises(LinkingError, match="no entity would be left"):
        linker.remove_entities([entity.qid for entity in entities])
    with pytest.raises(DataError, match=r"gone\.csv: no such file"):
        linker.add_entities(tmp_path / "gone.csv")
    (tmp_path / "bad.csv").write_text("qid,name\nQ1,\n")
    with pytest.raises(DataError, match="name"):
        linker.add_entities(tmp_path / "bad.csv")
    assert linker.entities == entities


def test_an_image_that_cannot_be_read_is_masked_and_told(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    linker = opened(bundle)
    new = NewEntities((Entity("Q900001", "Zorblax", "", ("broken.png",)),), tmp_path)
    (masked,) = linker.add_entities(new).masked
    assert (masked.image, masked.ids) == ("broken.png", ("Q900001",))


def test_of_two_who_change_a_bundle_the_second_is_told(bundle: Path) -> None:
    first, second = opened(bundle), opened(bundle)
    for linker in (first, second):
        linker.remove_entities(taken_out(linker, 1)[1])
    first.save()
    with pytest.raises(BundleError, match="another process has changed it since"):
        second.save()


def test_a_save_that_fails_leaves_the_old_one_whole(
    bundle: Path, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linker = opened(bundle)
    wanted = links(linker, queries(built))
    linker.remove_entities(taken_out(linker)[1])

    def full(*arguments: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(saving, "write_manifest", full)
        with pytest.raises(OSError, match="No space left"):
            linker.save()
    assert links(opened(bundle), queries(built)) == wanted
    linker.save()
    assert links(opened(bundle), queries(built)) == links(linker, queries(built))


def test_readers_see_the_old_or_the_new_while_one_changes_it(bundle: Path, built: Path) -> None:
    """Each opening is of one state, however many come and go meanwhile."""
    writer, states, done = opened(bundle), set[int](), threading.Event()
    failures: list[Exception] = []
    sizes = {len(writer.entities) - i for i in range(4)}

    def read() -> None:
        while not done.is_set():
            try:
                reader = Linker.from_pretrained(bundle, device="cpu")
                assert len(reader.link("Mercury", "Mercury rose.", top_k=3)) == 3
                states.add(len(reader.entities))
            except Exception as error:
                failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in readers:
        thread.start()
    for _ in range(3):
        writer.remove_entities([writer.entities[0].qid])
        writer.save()
    done.set()
    for thread in readers:
        thread.join()
    assert failures == []
    assert states <= sizes


def test_who_has_opened_it_goes_on_with_the_old_one(bundle: Path, built: Path) -> None:
    reader, writer, asked = opened(bundle), opened(bundle), queries(built)
    wanted = links(opened(bundle), asked)
    for _ in range(3):
        writer.remove_entities([writer.entities[0].qid])
        writer.save()
    assert links(reader, asked) == wanted
    assert {path.name for path in bundle.glob("kb-*")} >= {"kb-0", "kb-3"}
    del reader
    gc.collect()
    writer.remove_entities([writer.entities[0].qid])
    writer.save()
    assert not (bundle / "kb-0").exists()


def test_what_is_not_a_bundle_is_not_written_over(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers/thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="holds something else than a bundle"):
        opened(bundle).save(tmp_path / "papers")
    assert (tmp_path / "papers/thesis.txt").read_text() == "years of work"


def test_a_run_without_a_name_for_its_bundle_is_told(project: Path) -> None:
    with pytest.raises(BundleError, match="opened from a run; name a folder"):
        Linker.from_run(at.model, at.interim, device="cpu").save()
    with pytest.raises(BundleError, match="there is no bundle yet; save one first"):
        Linker.from_run(at.model, at.interim, device="cpu").push_to_hub("someone/a-bundle")


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"bundle": {"enabled": False}}, "bundle.enabled is false"),
        (
            {"rank": {"backend": "oracle_candidate"}},
            "rank.backend oracle_candidate reads the answer",
        ),
    ],
)
def test_the_stage_says_why_it_makes_none(
    sections: dict[str, dict[str, object]],
    said: str,
    project: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.rmtree(at.bundle)
    write_params(Path("params.yaml"), **sections)
    run("bundle", "tiny")
    assert capsys.readouterr().out == f"tiny: no bundle ({said})\n"
    assert list(at.bundle.iterdir()) == []


def test_images_of_a_table_lie_beside_it(bundle: Path, built: Path, tmp_path: Path) -> None:
    """Whether the folder or a file in it is named; what is not there is told."""
    mine = tmp_path / "mine"
    mine.mkdir()
    entity = next(e for e in opened(bundle).entities if e.images)
    (mine / "photo.png").write_bytes((built / at.raw / entity.images[0]).read_bytes())
    rows = [
        {"qid": "Q900001", "name": "Zorblax", "attributes": "", "images": ["photo.png"]},
        {"qid": "Q900002", "name": "Quibble", "attributes": "", "images": ["gone.png"]},
    ]
    write_jsonl(mine / "entities.jsonl", rows)
    pd.DataFrame(rows).to_parquet(mine / "things.parquet")
    for source in (mine, mine / "entities.jsonl", mine / "things.parquet"):
        linker = opened(bundle)
        added = linker.add_entities(source)
        assert (added.masked, added.missing) == ((), ("gone.png",))
        table = linker.engine.kb.files.thumbnails
        assert table is not None
        assert "Q900001" in Thumbnails(table)


def test_a_slice_is_recognised_by_its_beginning(bundle: Path, built: Path, tmp_path: Path) -> None:
    linker = opened(bundle)
    known = {entity.qid for entity in linker.entities}
    items = [item for item in items_of(built) if item["id"] not in known][:3]
    lines = ",\n".join(json.dumps(item) for item in items)
    (tmp_path / "wikidata.jsonl").write_text(f"[\n{lines}\n]\n")
    assert len(linker.add_entities(tmp_path / "wikidata.jsonl").entities) == 3


def test_columns_of_other_names_are_told_how_to_convert(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("id,title\nQ1,Zorblax\n")
    with pytest.raises(DataError, match="columns of other names: mmoe convert entities"):
        opened(bundle).add_entities(tmp_path / "mine.csv")


def test_what_only_looks_like_a_bundle_is_not_written_over(bundle: Path, tmp_path: Path) -> None:
    page = tmp_path / "page"
    page.mkdir()
    (page / "manifest.json").write_text('{"name": "an extension"}')
    (page / "precious.js").write_text("1")
    linker = opened(bundle)
    with pytest.raises(BundleError, match="holds something else than a bundle"):
        linker.save(page)
    linker.save(page / "new")
    (page / "new/notes.txt").write_text("mine")
    with pytest.raises(BundleError, match=r"something else than a bundle \(notes\.txt\)"):
        linker.save(page / "new")
    (page / "new/notes.txt").unlink()
    linker.save(page / "new")


def test_nothing_of_an_entity_comes_back_with_it(bundle: Path) -> None:
    """Taken out and added again without a picture and under another name, it is what was added."""
    linker = opened(bundle)
    aliases = linker.engine.kb.files.read_aliases()
    old = next(e for e in linker.entities if e.images and e.qid in aliases)
    linker.remove_entities([old.qid])
    linker.add_entities([Entity(old.qid, "Zorblax", "A racing snail.", ())])
    linker.save()
    kb = opened(bundle).engine.kb
    assert kb.files.thumbnails is not None
    assert old.qid not in Thumbnails(kb.files.thumbnails)
    assert old.qid not in kb.files.read_aliases()
    assert linker.link("Zorblax", "Zorblax, a racing snail, won.")[0].qid == old.qid
    gc.collect()
    assert sorted(path.name for path in bundle.glob("kb-*")) == ["kb-1"]


def test_it_links_wherever_the_process_goes(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linker = Linker.from_pretrained(bundle.name, device="cpu")
    (tmp_path / "away").mkdir()
    monkeypatch.chdir(tmp_path / "away")
    assert linker.link("Mercury", "Mercury rose.")
    linker.remove_entities([linker.entities[0].qid])
    assert linker.save() == bundle


def test_a_run_opened_for_the_matcher_alone_gives_a_whole_bundle(
    project: Path, tmp_path: Path
) -> None:
    Linker.from_run(at.model, at.interim, device="cpu", rerank=False).save(tmp_path / "new")
    whole = Linker.from_run(at.model, at.interim, device="cpu")
    words = "Mercury", "Mercury rose."
    assert opened(tmp_path / "new").link(*words)[0].qid == whole.link(*words)[0].qid
