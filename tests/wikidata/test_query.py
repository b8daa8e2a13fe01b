"""Candidates from an index or a knowledge base are those of a loop over all names, in the same order."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.errors import WikidataError
from mmoe.names import name_tokens, normalise_name, without_suffix
from mmoe.records import Candidate, Entity
from mmoe.wikidata.entity import Item, Name
from mmoe.wikidata.index.build import build_from_slice
from mmoe.wikidata.label_index import NAME_SCHEMA, NAMES, write_label_index
from mmoe.wikidata.matching import Matching, NameMatcher
from mmoe.wikidata.name_table import NameTable
from mmoe.wikidata.query import find_in_index

from tests.wikidata.knowledge.world import line
from tests.wikidata.slices import mention, write_slice

ORDER = ("label", "alias", "tokens")


def known(number: int, label: str, aliases: tuple[str, ...] = (), sitelinks: int = 0) -> Item:
    names = (Name(label, "label", "en"), *(Name(alias, "alias", "en") for alias in aliases))
    return Item(f"Q{number}", label, f"thing {number}", names, sitelinks=sitelinks)


ITEMS = [
    known(1, "Paris", sitelinks=3),
    known(2, "Paris Hilton", ("Hilton",), sitelinks=9),
    known(3, "Hilton Hotel, Paris", sitelinks=1),
    known(4, "Lutetia", ("Paris",), sitelinks=8),
    known(5, "Java", sitelinks=2),
    known(6, "Java (island)", sitelinks=5),
    known(7, "Öland", ("Oland",)),
    known(8, "?!"),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("labels")
    write_label_index(folder, ITEMS, {})
    return folder


def found(folder: Path, word: str, matching: Matching) -> list[tuple[str, str]]:
    return [(c.qid, c.match) for c in find_in_index(folder, [mention(word)], matching)]


@pytest.mark.parametrize(
    ("word", "matching", "expected"),
    [
        ("paris", Matching(), [("Q1", "label"), ("Q4", "alias")]),
        (
            "paris",
            Matching("tokens"),
            [("Q1", "label"), ("Q4", "alias"), ("Q2", "tokens"), ("Q3", "tokens")],
        ),
        ("Hilton Paris", Matching("tokens"), [("Q2", "tokens"), ("Q3", "tokens")]),
        ("hilton", Matching("tokens"), [("Q2", "alias"), ("Q3", "tokens")]),
        ("Par", Matching("tokens"), []),
        ("Paris Texas", Matching("tokens"), []),
        ("öland", Matching("tokens"), [("Q7", "label")]),
        ("?!", Matching("tokens"), [("Q8", "label")]),
        ("Java (island)", Matching(), [("Q6", "label")]),
        ("Java (island)", Matching(strip_suffix=True), [("Q6", "label"), ("Q5", "label")]),
        ("Java (language)", Matching(strip_suffix=True), [("Q5", "label")]),
        ("Java (language)", Matching(), []),
        ("paris", Matching("tokens", max_candidates=1), [("Q1", "label")]),
    ],
)
def test_matches_and_their_order(
    index: Path, word: str, matching: Matching, expected: list[tuple[str, str]]
) -> None:
    assert found(index, word, matching) == expected


def oracle(items: list[Item], word: str, matching: Matching) -> list[tuple[str, str]]:
    plain = normalise_name(word)
    forms = {plain, without_suffix(plain)} if matching.strip_suffix else {plain}
    rows = []
    for item in items:
        kinds = set()
        for name in item.names:
            own = normalise_name(name.text)
            if own and own in forms:
                kinds.add(name.kind)
            elif matching.match == "tokens" and own:
                tokens = [set(name_tokens(form)) for form in forms]
                if any(each and each <= set(name_tokens(own)) for each in tokens):
                    kinds.add("tokens")
        if kinds and plain:
            best = min(map(ORDER.index, kinds))
            rows.append((best, -(item.sitelinks or 0), int(item.qid[1:]), item.qid))
    return [(qid, ORDER[best]) for best, _, _, qid in sorted(rows)][: matching.max_candidates]


NAME = st.lists(
    st.sampled_from(["ada", "Ben", "ADA", "cy-d", "d", "!", "é", "(x)", "ß_2", "٣"]),
    min_size=1,
    max_size=4,
).map(" ".join)


@settings(max_examples=20, deadline=None)
@given(
    drawn=st.lists(
        st.tuples(NAME, st.lists(NAME, max_size=2), st.integers(0, 2)), min_size=1, max_size=8
    ),
    words=st.lists(NAME, min_size=1, max_size=4),
    matching=st.builds(
        Matching, st.sampled_from(["exact", "tokens"]), st.booleans(), st.integers(1, 5)
    ),
)
def test_the_query_equals_a_loop(
    drawn: list[tuple[str, list[str], int]], words: list[str], matching: Matching
) -> None:
    items = [
        known(number, label, tuple(aliases), links)
        for number, (label, aliases, links) in enumerate(drawn, start=1)
    ]
    with tempfile.TemporaryDirectory() as name:
        write_label_index(Path(name), items, {})
        mentions = [mention(word, f"m{row}") for row, word in enumerate(words)]
        candidates = find_in_index(Path(name), mentions, matching)
        assert NameTable.of_index(Path(name)).find(mentions, matching) == candidates
    for row, word in enumerate(words):
        of_word = [c for c in candidates if c.mention_id == f"m{row}"]
        assert [(c.qid, c.match) for c in of_word] == oracle(items, word, matching)
        assert [c.position for c in of_word] == list(range(len(of_word)))


def test_names_may_lie_in_several_files(tmp_path: Path) -> None:
    write_label_index(tmp_path, ITEMS, {})
    whole = next((tmp_path / NAMES).glob("*.parquet"))
    rows = pq.read_table(whole).to_pylist()
    expected = found(tmp_path, "Paris", Matching("tokens"))
    for number, part in enumerate((rows[:3], rows[3:])):
        table = pa.Table.from_pylist(part, schema=NAME_SCHEMA)
        pq.write_table(table, whole.with_name(f"part-{number:05}.parquet"))
    assert found(tmp_path, "Paris", Matching("tokens")) == expected


def test_a_candidate_holds_what_a_slice_says(tmp_path: Path) -> None:
    lines = [
        line("Q5", "Paris", description="capital of France", aliases=("Lutetia",), articles=2),
        '{"type": "item", "id": "Q6", "labels": {}, "aliases": {"en": [{"value": "lutetia"}]}}',
    ]
    build_from_slice(write_slice(tmp_path / "wikidata.jsonl", *lines), ["en"], tmp_path / "labels")
    mentions = [mention(form, f"m{row}") for row, form in enumerate(("LUTETIA", "Paris", "Lyon"))]
    assert find_in_index(tmp_path / "labels", mentions, Matching()) == [
        Candidate("m0", 0, "Q5", "Paris", "capital of France", "alias", 2),
        Candidate("m0", 1, "Q6", "", "", "alias", None),
        Candidate("m1", 0, "Q5", "Paris", "capital of France", "label", 2),
    ]


def test_a_broken_index_is_named(tmp_path: Path) -> None:
    write_label_index(tmp_path / "labels", ITEMS, {})
    for file in (tmp_path / "labels").rglob("*.parquet"):
        file.write_bytes(b"PAR1")
    with pytest.raises(WikidataError, match=r"labels/items/.*\.parquet: broken"):
        find_in_index(tmp_path / "labels", [mention("Ada")], Matching())


def test_exact_name_then_short_names_then_the_kbs_order() -> None:
    names = (
        "George Washington",
        "Washington",
        "Washington, George Jr.",
        "Denzel Washington",
        "Oslo",
    )
    kb = [Entity(f"Q{row}", name, f"text {row}", ()) for row, name in enumerate(names, start=1)]
    assert NameTable.of_entities(kb).find([mention("washington")], Matching("tokens")) == [
        Candidate("m", 0, "Q2", "Washington", "text 2", "label", None),
        Candidate("m", 1, "Q1", "George Washington", "text 1", "tokens", None),
        Candidate("m", 2, "Q4", "Denzel Washington", "text 4", "tokens", None),
        Candidate("m", 3, "Q3", "Washington, George Jr.", "text 3", "tokens", None),
    ]


def kb_oracle(entities: list[Entity], word: str) -> list[tuple[str, str]]:
    tokens = set(name_tokens(word))
    found = []
    for position, entity in enumerate(entities):
        is_other = normalise_name(entity.name) != normalise_name(word)
        holds = tokens and tokens <= set(name_tokens(entity.name))
        if normalise_name(word) and (holds or not is_other):
            found.append((is_other, len(name_tokens(entity.name)), position, entity.qid))
    return [(qid, "tokens" if is_other else "label") for is_other, _, _, qid in sorted(found)]


@settings(max_examples=20, deadline=None)
@given(names=st.lists(NAME, max_size=9), words=st.lists(NAME, max_size=5), limit=st.integers(1, 4))
def test_names_of_a_kb_are_found_as_by_a_loop(
    names: list[str], words: list[str], limit: int
) -> None:
    entities = [Entity(f"Q{row}", name, "", ()) for row, name in enumerate(names, start=1)]
    mentions = [mention(word, f"m{row}") for row, word in enumerate(words)]
    matching = Matching("tokens", max_candidates=limit)
    found = NameTable.of_entities(entities).find(mentions, matching)
    for row, word in enumerate(words):
        of_word = [c for c in found if c.mention_id == f"m{row}"]
        assert [(c.qid, c.match) for c in of_word] == kb_oracle(entities, word)[:limit]
        assert [c.position for c in of_word] == list(range(len(of_word)))


def is_borne(wanted: str, name: str) -> bool:
    """The obvious way."""
    tokens = name_tokens(wanted)
    return wanted == name or (bool(tokens) and all(t in name_tokens(name) for t in tokens))


@given(wanted=st.frozensets(NAME, max_size=8), own=st.frozensets(NAME, max_size=3))
def test_by_tokens_as_comparing_each_with_each(wanted: frozenset[str], own: frozenset[str]) -> None:
    found = NameMatcher(wanted, "tokens").borne_by(own)
    assert found == {each for each in wanted if any(is_borne(each, name) for name in own)}
    assert NameMatcher(wanted, "exact").borne_by(own) == wanted & own
