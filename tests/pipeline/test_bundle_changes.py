"""A bundle's knowledge base is changed without training, and nobody sees a torn one."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest
import torch

from mmoe import Linker
from mmoe.errors import BundleError, DataError, LinkingError
from mmoe.linker import saving
from mmoe.linker.bundle import read_manifest
from mmoe.linker.changes import NewEntities
from mmoe.linker.thumbnails import Thumbnails
from mmoe.linking.ranking import best_entities
from mmoe.linking.sides import FeatureSide
from mmoe.linking.whole_kb import build_index
from mmoe.records import Entity

from pipeline.layout import Layout
from tests.pipeline.bundles import links, opened, queries, same_order, taken_out

at = Layout("tiny")


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
    with pytest.raises(LinkingError, match=r"Q900001: not in the knowledge base; leave it out$"):
        linker.remove_entities("Q900001")
    with pytest.raises(LinkingError, match=r"Zorblax: .* \(an id is a Q and a number\)"):
        linker.remove_entities(["Zorblax"])
    with pytest.raises(LinkingError, match=r"takes mmoe\.Query objects, found str"):
        list(linker.link_many(["Zorblax"]))  # type: ignore[list-item]
    with pytest.raises(LinkingError, match="context must be text, found NoneType"):
        linker.link("Zorblax", None)  # type: ignore[arg-type]
    (tmp_path / "empty.csv").write_text("qid,name\n")
    with pytest.raises(DataError, match=r"empty\.csv: holds no entity"):
        linker.add_entities(tmp_path / "empty.csv")
    with pytest.raises(BundleError, match=r"empty\.csv is a file; name another folder"):
        linker.save(tmp_path / "empty.csv" / "bundle")
    with pytest.raises(LinkingError, match="no entity would be left"):
        linker.remove_entities([entity.qid for entity in entities])
    with pytest.raises(DataError, match=r"gone\.csv: no such file"):
        linker.add_entities(tmp_path / "gone.csv")
    (tmp_path / "bad.csv").write_text("qid,name\nQ1,\n")
    with pytest.raises(DataError, match="name"):
        linker.add_entities(tmp_path / "bad.csv")
    assert linker.entities == entities


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
