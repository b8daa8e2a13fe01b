"""The command from its arguments to what it prints; the data sets are small ones on the loopback."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmoe.datasets.commands import download
from mmoe.errors import DataError

from tests.datasets.download.published import publish
from tests.datasets.download.server import Site, serving


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Site]:
    """A server with both data sets, named by MMOE_MIRROR; the working folder is an empty one."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    with serving() as running:
        monkeypatch.setenv("MMOE_MIRROR", running.base)
        catalogue = {
            "wikimel": publish(running, held_out=False),
            "richpediamel": publish(running, held_out=True),
        }
        monkeypatch.setattr(download, "CATALOGUE", catalogue)
        yield running


def run(*words: str) -> int:
    """Runs the command with these arguments."""
    parser = argparse.ArgumentParser()
    download.add_arguments(parser)
    return download.run(parser.parse_args(words))


@pytest.mark.parametrize("name", ["wikimel", "richpediamel"])
def test_a_data_set_comes_and_is_counted(
    site: Site, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert run(name) == 0
    first = capsys.readouterr().out
    assert first.splitlines()[:4] == [
        f"data/raw/{name}: complete",
        "5 mentions (train 2, valid 1, test 2), 1 entities",
        "  names_without_entity: 1",
        "",
    ]
    assert f"  dvc add data/raw/{name}\n  dvc exp run -S 'datasets=[{name}]' " in first
    assert " mv " not in first
    assert run(name) == 0
    assert f"{name}: complete already, nothing fetched" in capsys.readouterr().out


def test_long_and_keep(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("richpediamel", "--long", "--keep") == 0
    assert Path("data/raw/richpediamel/.download/train.json").is_file()
    assert "rather long" in Path("data/raw/richpediamel/qid2abs.json").read_text()


def test_another_place_than_the_pipelines(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("wikimel", "--to", "else where") == 0
    assert Path("else where/wikimel/Small-MEL.json").is_file()
    assert "  mv 'else where/wikimel' data/raw/wikimel " in capsys.readouterr().out


def test_the_option_counts_more_than_the_environment(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMOE_MIRROR", "http://127.0.0.1:1")
    assert run("wikimel", "--mirror", f"{site.base}/") == 0


@pytest.mark.parametrize("mirror", ["ftp://x", "raw.githubusercontent.com", "file:///etc"])
def test_a_mirror_that_is_no_web_server(site: Site, mirror: str) -> None:
    with pytest.raises(DataError, match=r"--mirror .*: must begin with https:// or http://"):
        run("wikimel", "--mirror", mirror)
    assert not Path("data").exists()


def test_ctrl_c_says_how_to_go_on(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(download, "assemble", interrupted)
        assert run("wikimel") == 130
    assert "the same command goes on from what has arrived" in capsys.readouterr().err


def test_a_stranger_beside_the_data_is_told_of(site: Site) -> None:
    stranger = Path("data/raw/wikimel/other.json")
    stranger.parent.mkdir(parents=True)
    stranger.write_text("{}")
    with pytest.raises(DataError, match=r"found Small-MEL\.json, other\.json; leave exactly one"):
        run("wikimel")


def test_mimic_is_explained(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("mimic") == 1
    page = capsys.readouterr().out
    for word in ("https://github.com/pengfei-luo/MIMIC", "kb_entity.json", "qid2id.json"):
        assert word in page
    for lists in ("WIKIMEL", "RichpediaMEL", "wiki_diverse"):
        assert f"{lists}_{{train,dev,test}}.json" in page
    assert "python -m mmoe.datasets check data/raw/mimic-wikimel" in page
    assert max(len(line) for line in page.splitlines()) <= 100
    assert site.log == []


@pytest.mark.parametrize("words", [[], ["richpedia"], ["wikimel", "--what"]])
def test_a_wrong_command_line(
    site: Site, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(*words)
    capsys.readouterr()
