"""A bundle links as the run did, elsewhere too, and broken ones are refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmoe import Linker
from mmoe.errors import BundleError, MmoeError
from mmoe.linker.thumbnails import Thumbnails
from mmoe.records import Entity, read_records

from pipeline.layout import Layout
from tests.pipeline.bundles import items_of, links, opened, queries, same_order
from tests.pipeline.project import run
from tests.pipeline.tiny import write_params

at = Layout("tiny")


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


def test_what_is_not_a_bundle_is_not_written_over(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers/thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="holds something else than a bundle"):
        opened(bundle).save(tmp_path / "papers")
    assert (tmp_path / "papers/thesis.txt").read_text() == "years of work"
    (tmp_path / "killed").mkdir()
    (tmp_path / "killed/.changing").touch()  # of a run that was killed before it wrote anything
    assert opened(opened(bundle).save(tmp_path / "killed")).entities


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
