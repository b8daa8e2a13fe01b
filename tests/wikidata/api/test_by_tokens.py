"""Items of which a name holds all tokens of a word: those that a dump would give, or told to be cut.

The last test holds it for names that are equal, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mmoe.names import name_tokens, normalise_name
from mmoe.wikidata.api import ApiSettings
from mmoe.wikidata.api.search import QUIET_HITS
from mmoe.wikidata.matching import Match

from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.conftest import Client
from tests.wikidata.api.fake.server import Fake
from tests.wikidata.api.fake.store import Store, item, terms, tokens
from tests.wikidata.api.runs import bearers, qids


@pytest.fixture
def find(settings: ApiSettings, time_of: StoppedClock) -> Client:
    return Client(settings, time_of, "tokens")


def test_a_word_that_is_longer_than_a_question(fake: Fake, find: Client) -> None:
    """The shortest tokens are not asked for; the comparison here still wants them."""
    word = " ".join(["of", "the", *(f"part{number:03}" for number in range(60))])
    fake.store.add(item(1, f"{word} at last"), item(2, word.replace("of the ", "")))
    found = find([word])
    assert (qids(found.items), found.surface_forms_cut) == (["Q1"], [])
    assert all(asked.is_good for asked in fake.log)


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("J.R. O'Neal", ["J. R. O'Neal", "J.R. O Neal", "O’Neal, J.R.", "J R O Neal"]),
        ("O'Mara D'Ob", ["O Mara d'Ob", "O'Mara d’Ob", "D'Ob O-Mara", "d’ob o’mara the Third"]),
        ("J.R.R. Vell", ["J. R.R. Vell", "Vell, J. R. R.", "J.R. Vell", "J.R. R. Vell"]),
        ("O'Mara O", ["O'Mara", "O Mara"]),
        ("L'Ob d'Ida o'Mara", ["L'Ob d Ida O’Mara", "l ob d'Ida O Mara"]),
        ("O'b B'o.Vell", ["O'b Vell", "B'o Vell", "O, b (Vell)"]),
    ],
)
def test_names_that_mix_the_ways_are_found(
    fake: Fake, find: Client, word: str, names: list[str]
) -> None:
    fake.store.add(*(item(number, name) for number, name in enumerate(names, start=1)))
    found = find([word])
    assert qids(found.items) == bearers(fake.store, [word], match="tokens")
    assert (len(found.items), found.surface_forms_cut) == (len(names), [])


def test_marks_belong_to_their_letters_for_the_server(fake: Fake, find: Client) -> None:
    fake.store.add(item(1, "नी देवी"), item(2, "देवी"))
    assert qids(find(["नी"]).items) == ["Q1"]


def test_a_word_in_too_many_names_is_told_and_its_own_names_are_found(
    fake: Fake, find: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.store.add(*(item(number, f"Ob {number}") for number in range(1, 1501)), popularity=0.5)
    fake.store.add(*(item(number, "Ob") for number in range(2000, 2060)))
    fake.store.add(item(3000, "City of Ob", sitelinks=9), popularity=1.0)
    fake.store.add(item(3001, "Village of Ob"))
    found = find(["Ob"], max_hits=1000)
    assert found.surface_forms_cut == ["ob"]
    assert {"Q3000", *(f"Q{number}" for number in range(2000, 2060))} <= set(qids(found.items))
    assert "Q3001" not in qids(found.items)
    # Longer names hold the token too, but only exact ones keep the list by prefix going.
    assert fake.actions()["query"] == 1
    assert fake.actions()["wbsearchentities"] <= (100 + QUIET_HITS) // 50
    assert (
        "1 of 1 surface forms are in more names than the API lists (ob)" in capsys.readouterr().err
    )


def test_kept_answers_serve_the_other_match_too(fake: Fake, find: Client) -> None:
    fake.store.add(item(1, "Ob"), item(2, "New Ob"))
    assert qids(find(["Ob"], "exact").items) == ["Q1"]
    more = find(["Ob"])
    assert qids(more.items) == ["Q1", "Q2"]
    assert more.requests == {"items": 1}
    assert find(["Ob"], "exact").requests == {}
    assert find(["Ob"], offline=True).items == more.items


TEXTS = st.text("aAbé' -_.\"ßI’", min_size=1, max_size=6)
PARTS = st.sampled_from(["a'b", "A’b", "a.b", "é'a", "a", "b", "é", "b'a.é"])
NAMES = (TEXTS | st.lists(PARTS, min_size=1, max_size=3).map(" ".join)).map(str.strip).filter(bool)
ITEMS = st.tuples(
    st.dictionaries(st.sampled_from(["en", "de", "fr", "mul"]), NAMES, max_size=3),
    st.lists(NAMES, max_size=2),
    st.sampled_from([0.0, 0.5, 1.0]),
)


def cuts(word: str) -> Iterator[list[str]]:
    """A word in parts: cut at its blanks and hyphens and at any of its signs; ’ counts as '."""
    first, *others = re.split(r"([^\w]+)", word.replace("’", "'"))
    signs, tokens = others[::2], others[1::2]
    for is_cut in product([True, False], repeat=len(signs)):
        text = first
        for sign, token, cut in zip(signs, tokens, is_cut, strict=True):
            text += (" " if cut or re.search(r'[\s"-]', sign) else sign) + token
        yield text.split()


def num_signs(word: str) -> int:
    return len(re.findall(r"\w(?=[^\w\s-]+\w)", word))


def promised_bearers(store: Store, words: Sequence[str], languages: Sequence[str]) -> set[str]:
    """Items of which the terms of a name, as the server sees them, hold a word, cut in some way."""

    def is_promised(name: str, word: str) -> bool:
        seen = {term.replace("’", "'") for term in tokens(name)}
        return any(
            set(name_tokens(word))
            <= {token for part in parts if part in seen for token in name_tokens(part)}
            for parts in cuts(word)
        )

    return {
        qid
        for qid, one in store.items.items()
        for _, _, text in terms(one, (*languages, "mul"))
        for word in words
        if qid not in store.deleted and name_tokens(word) and is_promised(text, word)
    }


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    world=st.lists(ITEMS, max_size=12),
    words=st.lists(NAMES, min_size=1, max_size=4),
    deleted=st.sets(st.integers(1, 12), max_size=2),
    max_hits=st.sampled_from([0, 2, 10_000]),
    match=st.sampled_from(["exact", "tokens"]),
    has_signs=st.booleans(),
)
def test_any_world_gives_what_looking_at_every_name_gives(
    fake: Fake,
    find: Client,
    world: list[tuple[dict[str, str], list[str], float]],
    words: list[str],
    deleted: set[int],
    max_hits: int,
    match: Match,
    has_signs: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """By tokens, names with a sign inside may be lacking, but not if the word holds their terms."""

    def spelt(name: str) -> str:
        return name if has_signs else name.translate(dict.fromkeys(map(ord, "'’."), "-"))

    fake.store = Store(deleted={f"Q{number}" for number in deleted})
    for number, (labels, aliases, popularity) in enumerate(world, start=1):
        written = {code: spelt(label) for code, label in labels.items()}
        one = item(number, written, [spelt(alias) for alias in aliases])
        fake.store.add(one, popularity=popularity)
    languages, words = ("en", "de"), [spelt(word) for word in words]
    cache = tmp_path_factory.mktemp("cache")
    found = find(words, match, languages=languages, cache_folder=cache, max_hits=max_hits)
    expected = bearers(fake.store, words, languages, match)
    if match == "exact" or not has_signs:
        assert qids(found.items) == expected
        assert found.surface_forms_cut == []
    else:
        asked = {*map(normalise_name, words)} - {*found.surface_forms_cut}
        exact = bearers(fake.store, words, languages)
        promised = {*exact, *promised_bearers(fake.store, [*asked], languages)}
        assert promised <= set(qids(found.items)) <= set(expected)
        assert all(num_signs(word) > 2 for word in found.surface_forms_cut)
