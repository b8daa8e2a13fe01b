"""A zip's one JSON file comes out; everything else that a zip may hold is refused."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

from mmoe.datasets.download.archive import extract_json
from mmoe.errors import DataError


def zipped(folder: Path, **members: str) -> Path:
    """A zip in a folder of its own; two underscores stand for a dot, in the names of members."""
    (folder / "in").mkdir()
    path = folder / "in" / "data.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["data.json", "Some Folder/Daten ä.JSON", "a..b.json"])
def test_the_only_json_comes_out(tmp_path: Path, name: str) -> None:
    others = {"readme.txt": "x", "folder/": "", f"__MACOSX/._{Path(name).name}": "attributes"}
    archive = zipped(tmp_path, **{name: '{"a": 1}'} | others)
    extract_json(archive, tmp_path / "out" / "mine.json")
    assert (tmp_path / "out" / "mine.json").read_text() == '{"a": 1}'
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["data.zip", "mine.json"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "wanted one .json member, found none"),
        ({"a.txt": "x"}, "wanted one .json member, found none"),
        ({"a.json": "1", "b/c.json": "2"}, r"found a\.json, b/c\.json; look into"),
        ({"../evil.json": "1"}, r"member '\.\./evil\.json' leads out"),
        ({"a/../../evil.json": "1"}, "leads out"),
        ({"/etc/evil.json": "1"}, "leads out"),
        ({"C:/evil.json": "1"}, "leads out"),
        ({"..\\evil.json": "1"}, "leads out"),
        ({"good.json": "1", "../evil.txt": "1"}, "leads out"),
        ({"large.json": "0" * 1001}, r"'large\.json' holds 1,001 bytes, more than the 1,000"),
    ],
)
def test_what_is_refused(tmp_path: Path, members: dict[str, str], message: str) -> None:
    archive = zipped(tmp_path, **members)
    with pytest.raises(DataError, match=rf"data\.zip: .*{message}"):
        extract_json(archive, tmp_path / "mine.json", largest=1000)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_no_zip_at_all(tmp_path: Path) -> None:
    (tmp_path / "data.zip").write_bytes(b"<html>")
    with pytest.raises(DataError, match=r"data\.zip: can't be unpacked \(File is not a zip file\)"):
        extract_json(tmp_path / "data.zip", tmp_path / "mine.json")


@pytest.mark.parametrize("spoilt", ["content", "size", "encrypted"])
def test_a_zip_that_lies(tmp_path: Path, spoilt: str) -> None:
    archive = zipped(tmp_path, **{"a.json": "0123456789" * 10})
    raw = bytearray(archive.read_bytes())
    directory = raw.index(b"PK\1\2")
    if spoilt == "content":
        raw[raw.index(b"a.json") + 8] ^= 0xFF
    elif spoilt == "size":
        struct.pack_into("<I", raw, directory + 24, 7)
    else:
        raw[6] |= 1
        raw[directory + 8] |= 1
    archive.write_bytes(raw)
    with pytest.raises(DataError, match="can't be unpacked"):
        extract_json(archive, tmp_path / "mine.json")
    assert not (tmp_path / "mine.json").exists()
