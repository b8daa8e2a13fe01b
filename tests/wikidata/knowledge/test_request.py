"""Which items are taken: listed ids and names add up, kinds narrow; and the lists of ids and names."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata.entity import Item, Name
from mmoe.wikidata.knowledge.request import Choice, read_names, read_qids


def item(qid: str = "Q1", label: str | None = "Ada", kinds: tuple[str, ...] = ("Q5",)) -> Item:
    names = [Name("The Countess", "alias", "en")]
    if label is not None:
        names.insert(0, Name(label, "label", "en"))
    return Item(qid, label, None, tuple(names), kinds)


def choice(names: str | None = None, qids: str | None = None, kinds: str | None = None) -> Choice:
    listed, ids, of_kinds = (
        None if text is None else frozenset(text.split(",")) for text in (names, qids, kinds)
    )
    return Choice(listed, ids, of_kinds)


@pytest.mark.parametrize(
    ("asked", "found", "reason"),
    [
        (choice(names="ada"), item(), None),
        (choice(names="the countess"), item(), None),
        (choice(names="ben"), item(), "not asked for"),
        (choice(qids="Q1"), item(), None),
        (choice(qids="Q2"), item(), "not asked for"),
        (choice(names="ben", qids="Q1"), item(), None),
        (choice(names="ada", qids="Q2"), item(), None),
        (choice(kinds="Q5"), item(), None),
        (choice(kinds="Q5"), item(kinds=("Q6", "Q5")), None),
        (choice(kinds="Q5"), item(kinds=()), "of another kind"),
        (choice(names="ada", kinds="Q6"), item(), "of another kind"),
        (choice(qids="Q1", kinds="Q6"), item(), "of another kind"),
        (choice(names="ben", kinds="Q5"), item(), "not asked for"),
        (choice(names="ada"), item(kinds=("Q4167410",)), "disambiguation page"),
        (choice(qids="Q1"), item(kinds=("Q4167410",)), None),
        (choice(kinds="Q4167410"), item(kinds=("Q4167410",)), None),
        (choice(kinds="Q5"), item(kinds=("Q5", "Q4167410")), "disambiguation page"),
        (choice(names="ada", kinds="Q5"), item(kinds=("Q4167410",)), "disambiguation page"),
        (choice(kinds="Q5,Q4167410"), item(kinds=("Q5", "Q4167410")), None),
        (choice(kinds="Q4167410"), item(kinds=("Q4167410", "Q4167836")), "category"),
        (choice(qids="Q1", kinds="Q5"), item(kinds=("Q5", "Q4167410")), None),
        (choice(names="the countess"), item(label=None), "without a label in the languages"),
        (choice(qids="Q1"), item(label=" "), "without a label in the languages"),
    ],
)
def test_why_an_item_is_left_out(asked: Choice, found: Item, reason: str | None) -> None:
    assert asked.reason_against(found) == reason


ADA, KINDS = frozenset({"ada"}), frozenset({"Q5", "Q4167410"})


@pytest.mark.parametrize(
    ("asked", "from_api", "complaint"),
    [
        (Choice(), False, "no item is asked for; add --names, --qids or --kinds"),
        (Choice(kinds=KINDS, match="tokens"), False, "--match tokens: .*; add --names"),
        (Choice(names=ADA, with_subclasses=True), False, "--with-subclasses: .*; add --kinds"),
        (Choice(kinds=KINDS), True, "does not list all items of a kind; add --names or --qids"),
        (Choice(qids=ADA, kinds=KINDS, with_subclasses=True), True, "does not list subclasses"),
        (Choice(names=ADA, kinds=KINDS), True, "--kinds Q4167410: by name the API gives no pages"),
    ],
)
def test_options_in_vain_are_named(asked: Choice, from_api: bool, complaint: str) -> None:
    with pytest.raises(WikidataError, match=complaint):
        asked.check(from_api)


def test_a_page_is_left_out_though_its_kind_is_below_one_that_is_asked_for() -> None:
    asked = Choice(
        kinds=frozenset({"Q9"}),
        with_subclasses=True,
        closed_kinds=frozenset({"Q9", "Q5", "Q4167410"}),
    )
    assert asked.reason_against(item()) is None
    assert asked.reason_against(item(kinds=("Q4167410",))) == "disambiguation page"
    assert asked.reason_against(item(kinds=("Q6",))) == "of another kind"


def write(tmp_path: Path, name: str, text: str) -> Path:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def test_names_are_normalised_and_stand_once(tmp_path: Path) -> None:
    file = write(tmp_path, "names.txt", "Paris\n\n  paris \r\nNew_York\n \n")
    assert read_names(file) == {"paris", "new york"}
    rows = '{"mention_id": "a", "surface_form": "Ada"}\n\n{"surface_form": " "}\n'
    assert read_names(write(tmp_path, "mentions.jsonl", rows)) == {"ada"}


def test_ids_keep_their_order(tmp_path: Path) -> None:
    assert read_qids(write(tmp_path, "ids", "Q9\nQ10\nQ9\n\n")) == ("Q9", "Q10")
    entities = write(tmp_path, "e.jsonl", '{"qid": "Q3", "name": "x"}\n{"qid": "Q1"}\n')
    assert read_qids(entities) == ("Q3", "Q1")
    rows = '{"gold_qid": "Q3"}\n{"gold_qid": null}\n{"gold_qid": "nil"}\n{"gold_qid": ""}\n'
    assert read_qids(write(tmp_path, "m.jsonl", rows)) == ("Q3",)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("ids", "Q1\nParis\n", "row 2: 'Paris' is no item's id; write Q and a number"),
        ("ids", "Q1\nQ01\n", "row 2: 'Q01' is no item's id"),
        ("ids", "\n", "holds no item id; write one a line"),
        ("ids.jsonl", '{"gold_qid": null}', "holds no item id"),
        ("ids.jsonl", '{"id": "Q1"}', "row 1: has no key `qid` or `gold_qid`"),
        ("ids.jsonl", '["Q1"]', "row 1: must be a JSON object"),
        ("ids.jsonl", '{"qid": "Q1"}\nQ2', "row 2: not valid JSON"),
    ],
)
def test_what_is_no_list_of_ids_is_named(
    tmp_path: Path, name: str, text: str, complaint: str
) -> None:
    with pytest.raises(WikidataError, match=complaint):
        read_qids(write(tmp_path, name, text))


def test_no_name_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(WikidataError, match="holds no name; write one a line"):
        read_names(write(tmp_path, "names", "\n"))
    with pytest.raises(WikidataError, match=r"gone: no such file"):
        read_names(tmp_path / "gone")
