"""`check` lists every problem and counts every warning, whatever the format."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mmoe.cli import main
from mmoe.cli.datasets import MAX_PIXELS
from mmoe.config.encode import EncodeParams

from tests.datasets.fissfuse_folder import png
from tests.datasets.folders import (
    Table,
    image,
    mention,
    record,
    three_mentions,
    two_entities,
    write_csv,
    write_melbench,
    write_own,
)
from tests.pictures import bomb

KB = [{"qid": "Q3757", "name": "Java", "attributes": "an island"}]


def check(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, list[str]]:
    code = main(["check", str(folder), *options])
    return code, capsys.readouterr().out.replace(f"{folder}/", "").splitlines()


def test_a_sound_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = check(write_own(tmp_path, entities=KB), capsys)
    assert code == 0
    assert said == [
        f"{tmp_path}: format own, 3 mentions (1 train, 1 valid, 1 test), 1 entities",
        "no problems",
        "no warnings",
    ]


def test_all_of_fifty_problems_and_their_kinds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [mention(f"m{i}", surface_form="") for i in range(50)] + [mention("m1", "dev")]
    code, said = check(write_own(tmp_path, [*rows, *three_mentions()[1:]]), capsys)
    assert code == 1
    assert [line for line in said if line.endswith("is empty; fill it in or remove the row")] == [
        f"problem: mentions.jsonl, row {i}, key `surface_form`: is empty; fill it in or remove the row"
        for i in range(1, 51)
    ]
    assert said[-2] == "54 problems: 50 empty text, 3 duplicate id, 1 no such split"


def test_warnings_do_not_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image(tmp_path, "p.png", png())
    rows = [
        mention("m0", pictur="p.png", image="gone.png", gold_qid="Q7"),
        mention("m9", surface_form="Jawa", image="p.png"),
        mention("m8", surface_form="JAVA", gold_qid="nil"),
        *three_mentions(),
    ]
    code, said = check(write_own(tmp_path, rows, two_entities()), capsys)
    assert code == 0
    assert [line.partition(";")[0] for line in said[1:-2]] == [
        "warning: mentions.jsonl, row 1, key `image`: 'gone.png' is not there",
        "warning: mentions.jsonl, row 2, key `surface_form`: 'Jawa' is not in the context",
        "warning: mentions.jsonl, row 1, key `gold_qid`: the knowledge base lacks 'Q7'",
        "warning: entities.jsonl, row 1, key `attributes`: nothing is said of 'Java'",
        "warning: mentions.jsonl, key `pictur`: ignored in 1 row",
    ]
    assert "did you mean `image`?" in said[-3]
    assert said[-2] == "no problems"
    assert said[-1].startswith("5 warnings: 1 image missing, 1 gold entity ")


@pytest.mark.parametrize(("options", "shown", "more"), [((), 5, 3), (("--warnings", "0"), 0, 0)])
def test_warnings_are_cut_but_counted(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    shown: int,
    more: int,
) -> None:
    rows = [mention(f"m{i + 5}", surface_form="Bali") for i in range(8)] + three_mentions()
    _, said = check(write_own(tmp_path, rows, KB), capsys, *options)
    assert sum("'Bali' is not in the context" in line for line in said) == shown
    assert (f"warning: … and {more} more: surface form not in its context" in said) == (more > 0)
    assert said[-1] == "8 warnings: 8 surface form not in its context"


@pytest.mark.parametrize(
    ("mentions", "entities", "message"),
    [
        (three_mentions()[1:], KB, "mentions.jsonl: no mention has split train; assign"),
        (three_mentions(), [], "entities.jsonl: the knowledge base is empty"),
        (
            [*three_mentions()[:2], mention("m3", "test", gold_qid="Q8")],
            KB,
            "no mention of split test has its gold entity in the knowledge base",
        ),
    ],
)
def test_what_only_whole_tables_lack(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    mentions: Table,
    entities: Table,
    message: str,
) -> None:
    code, said = check(write_own(tmp_path, mentions, entities), capsys)
    problems = [line for line in said if line.startswith("problem: ")]
    assert (code, len(problems)) == (1, 1)
    assert message in problems[0]


def test_a_split_is_not_called_empty_if_its_rows_are_only_spoilt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [mention("m1", surface_form=""), *three_mentions()[1:]]
    assert check(write_own(tmp_path, rows, KB), capsys)[1][-2] == "1 problem: 1 empty text"
    write_own(tmp_path, three_mentions()[1:], KB)
    with (tmp_path / "mentions.jsonl").open("a") as stream:
        stream.write('{"mention_id": "m1"\n')
    assert check(tmp_path, capsys)[1][-2] == "1 problem: 1 unreadable row"


def test_a_column_that_is_missing_is_one_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_own(tmp_path, entities=KB)
    (tmp_path / "mentions.jsonl").unlink()
    rows: list[dict[str, Any]] = [
        {key: value for key, value in row.items() if key != "context"} for row in three_mentions()
    ]
    write_csv(tmp_path / "mentions.csv", rows)
    said = check(tmp_path, capsys)[1]
    assert said[1:-1] == [
        "problem: mentions.csv, row 1: column `context` is missing; add it",
        "1 problem: 1 missing key",
    ]


def test_another_format_shows_its_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [record(name, sentence="The M is here.") for name in "abc"] + [record("d")]
    code, said = check(write_melbench(tmp_path, rows), capsys)
    assert code == 0
    assert said[0].endswith("format melbench, 3 mentions (1 train, 1 valid, 1 test), 1 entities")
    assert "  records_without_split: 1" in said
    assert said[-2:] == ["no problems", "no warnings"]


def test_another_format_shows_its_first_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [record("a", sentence=5), record("b", sentence=6), record("c")]
    assert main(["check", str(write_melbench(tmp_path, rows))]) == 1
    assert "record 'a', key `sentence`: must be text, found 5" in capsys.readouterr().err


def test_another_format_with_nothing_to_learn_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = check(
        write_melbench(tmp_path, [record("a"), record("b"), record("c", "nil")]), capsys
    )
    assert code == 1
    assert said[-2] == "1 problem: 1 empty split"


def test_every_image_is_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contents = {
        "empty": (b"", "the file is empty"),
        "cut": (photo()[:900], "the file is cut off"),
        "page": (
            b"\n<!DOCTYPE html><p>Log in",
            "a web page that was saved under the name of an image",
        ),
        "text": (b"text", "no known image format"),
        "drawing": (
            b"<?xml version='1.0'?><svg/>",
            "an SVG drawing, which is not decoded; save it as PNG",
        ),
        "bomb": (
            bomb(),
            "20,000 × 20,000 pixels are more than encode.max_pixels = 100000000 allows",
        ),
    }
    names = [image(tmp_path, f"p/{name}.jpg", content) for name, (content, _) in contents.items()]
    good = image(tmp_path, "p/good.jpg", png())
    rows = [mention(f"a{i}", image=name) for i, name in enumerate([*names, *names, good])]
    write_own(tmp_path, [*rows, *three_mentions()[1:]], KB)
    code, said = check(tmp_path, capsys)
    problems = sorted(line for line in said if line.startswith("problem: "))
    assert (code, len(problems)) == (1, 6), "each said once, though two mentions have it"
    for row, (name, (_, reason)) in enumerate(contents.items(), start=1):
        where = f"problem: mentions.jsonl, row {row}, key `image`: 'p/{name}.jpg' can't be opened ({reason})"
        assert sum(line.startswith(where) for line in problems) == 1
    assert said[-2] == "6 problems: 6 unreadable image"
    assert check(tmp_path, capsys, "--no-images")[0] == 0
    assert EncodeParams().max_pixels == MAX_PIXELS
    said = check(tmp_path, capsys, "--max-pixels", "29")[1]
    assert "6 × 5 pixels are more than encode.max_pixels = 29 allows" in "".join(said)


def photo() -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(stream, "JPEG")
    return stream.getvalue()


def test_links_that_lead_out_or_to_themselves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "private.jpg").write_bytes(png())
    folder = tmp_path / "set"
    inside = image(folder, "p/inside.jpg", png())
    (folder / "p/out.jpg").symlink_to(tmp_path / "private.jpg")
    (folder / "p/loop.jpg").symlink_to(folder / "p/loop.jpg")
    (folder / "p/in.jpg").symlink_to(folder / inside)
    (folder / "up").symlink_to(tmp_path)
    names = ["p/out.jpg", "p/loop.jpg", "up/private.jpg", f"p/{'x' * 300}.jpg", "p/in.jpg"]
    rows = [mention(f"a{i}", image=name) for i, name in enumerate(names)]
    code, said = check(write_own(folder, [*rows, *three_mentions()[1:]], KB), capsys)
    out, loop, up, long, *rest = (line for line in said if line.startswith("problem"))
    assert (code, rest) == (1, [])
    assert out.endswith(
        "'p/out.jpg' is a symbolic link and leads out of the data set's folder; copy the "
        "file into the folder"
    )
    assert loop.endswith("'p/loop.jpg' is a symbolic link to itself; replace it by the file")
    assert "'up/private.jpg' is a symbolic link and leads out" in up
    assert "is longer than a file's name may be; shorten it" in long
    (tmp_path / "linked").symlink_to(folder)
    write_own(folder, [mention("m1", image="p/in.jpg"), *three_mentions()[1:]], KB)
    assert check(tmp_path / "linked", capsys)[0] == 0


@pytest.mark.parametrize(
    ("ending", "content", "problem"),
    [
        *(
            ("jsonl", '{"word": "a", "picture": "b", "needs": "c"}\n' * 2, problem)
            for problem in (
                "key `word`: is called `surface_form`",
                "key `picture`: is called `image` now",
                "key `needs`: is called `evidence` now",
            )
        ),
        (
            "csv",
            "a;b;c\n1;2;3\n",
            "row 1: one column, `a;b;c`; the cells seem to be separated by semicolons",
        ),
        ("csv", "a\n\xe4\n", "not UTF-8"),
        (
            "jsonl",
            '{"mention_id": "m\\n1"}',
            'row 1, key `mention_id`: "m\\n1" holds a line break; write the',
        ),
        (
            "jsonl",
            '{"surface_form": "a\\u0000b"}',
            "row 1, key `surface_form`: holds a NUL character; remove",
        ),
    ],
)
def test_what_else_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str, content: str, problem: str
) -> None:
    (write_own(tmp_path, entities=KB) / "mentions.jsonl").unlink()
    (tmp_path / f"mentions.{ending}").write_bytes(content.encode("latin-1"))
    code, said = check(tmp_path, capsys)
    assert code == 1
    assert sum(f"problem: mentions.{ending}" in line and problem in line for line in said) == 1, (
        said
    )


@pytest.mark.parametrize("format_", ["auto", "own", "melbench"])
def test_a_missing_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str], format_: str) -> None:
    assert main(["check", str(tmp_path / "gone"), "--format", format_]) == 1
    assert "gone: no such folder; put the data set there" in capsys.readouterr().err
