"""`mmoe download` from its words to what it prints; the data sets are small ones on the loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mmoe.cli import main
from mmoe.datasets import catalogue

from tests.datasets.published_site import Site, publish, serving


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Site]:
    """A server with both data sets, named by MMOE_MIRROR; the working folder is an empty one."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    with serving() as running:
        monkeypatch.setenv("MMOE_MIRROR", running.base)
        both = {
            "wikimel": publish(running, held_out=False),
            "richpediamel": publish(running, held_out=True),
        }
        monkeypatch.setattr(catalogue, "CATALOGUE", both)
        yield running


@pytest.mark.parametrize("name", ["wikimel", "richpediamel"])
def test_a_data_set_comes_and_is_counted(
    site: Site, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["download", name]) == 0
    first = capsys.readouterr().out
    assert first.splitlines()[:4] == [
        f"data/raw/{name}: complete",
        "5 mentions (train 2, valid 1, test 2), 1 entities",
        "  names_without_entity: 1",
        "",
    ]
    assert f"  dvc add data/raw/{name}\n  dvc exp run -S 'datasets=[sample,{name}]' " in first
    assert " mv " not in first
    assert main(["download", name]) == 0
    assert f"{name}: complete already" in capsys.readouterr().out


def test_another_place_another_server_long(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMOE_MIRROR", "http://127.0.0.1:1")
    words = ["--to", "else where", "--mirror", f"{site.base}/", "--long"]
    assert main(["download", "richpediamel", *words]) == 0
    assert "rather long" in Path("else where/richpediamel/qid2abs.json").read_text()
    assert "  mv 'else where/richpediamel' data/raw/richpediamel " in capsys.readouterr().out


@pytest.mark.parametrize("mirror", ["ftp://x", "raw.githubusercontent.com"])
def test_a_mirror_that_is_no_web_server(
    site: Site, mirror: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["download", "wikimel", "--mirror", mirror]) == 1
    assert "must begin with https:// or http://" in capsys.readouterr().err
    assert not Path("data").exists()


def test_a_stranger_beside_the_data_is_told_of(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = Path("data/raw/wikimel/other.json")
    stranger.parent.mkdir(parents=True)
    stranger.write_text("{}")
    assert main(["download", "wikimel"]) == 1
    assert "found Small-MEL.json, other.json; leave exactly one" in capsys.readouterr().err


def test_mimic_is_explained(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["download", "mimic"]) == 1
    page = capsys.readouterr().out
    for word in ("https://github.com/pengfei-luo/MIMIC", "kb_entity.json", "qid2id.json"):
        assert word in page
    for lists in ("WIKIMEL", "RichpediaMEL", "wiki_diverse"):
        assert f"{lists}_{{train,dev,test}}.json" in page
    assert "mmoe check data/raw/mimic-wikimel" in page
    assert max(len(line) for line in page.splitlines()) <= 100
    assert site.log == []
