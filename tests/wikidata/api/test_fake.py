"""The server of our tests behaves as the documents say that Wikidata does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.wikidata.api.fake.server import Fake
from tests.wikidata.api.fake.store import Store, item

AGENT = "mmoe-tests/1 (tests@contact.example) bot"


@pytest.fixture
def web(fake: Fake) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers["User-Agent"] = AGENT
        yield session


def get(web: requests.Session, fake: Fake, **params: str | int) -> Any:
    answer = web.get(fake.url, params={"format": "json", **params}, timeout=5)
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize("agent", ["", "python-requests/2.32.3", "curl/8.0"])
def test_a_library_is_no_user_agent(fake: Fake, agent: str) -> None:
    answer = requests.get(fake.url, headers={"User-Agent": agent}, timeout=5)
    assert answer.status_code == 403
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.text.startswith("Please set a user-agent and respect our robot policy")


def test_gzip_when_asked(fake: Fake, web: requests.Session) -> None:
    fake.store.add(item(1, "Ob"))
    for encodings, expected in (("gzip", "gzip"), ("identity", None)):
        answer = web.get(
            fake.url,
            params={"action": "wbgetentities", "ids": "Q1"},
            headers={"Accept-Encoding": encodings},
            timeout=5,
        )
        assert answer.headers.get("Content-Encoding") == expected
        assert answer.json()["entities"]["Q1"]["id"] == "Q1"


def test_lag_is_an_error_inside_200(fake: Fake, web: requests.Session) -> None:
    fake.lag = lambda _: 7.5
    for maxlag, wait in (("5", "5"), ("6", "6"), ("-1", "5")):
        answer = web.get(fake.url, params={"action": "wbgetentities", "maxlag": maxlag}, timeout=5)
        assert answer.status_code == 200
        error = answer.json()["error"]
        assert error["code"] == answer.headers["MediaWiki-API-Error"] == "maxlag"
        assert (error["lag"], error["type"], "*" in error) == (7.5, "db", True)
        assert answer.headers["Retry-After"] == wait
        assert answer.headers["X-Database-Lag"] == "7"
    assert "error" not in get(web, fake, action="wbgetentities", ids="Q1", maxlag=8)


def test_minus_one_always_lags(fake: Fake, web: requests.Session) -> None:
    assert get(web, fake, action="wbgetentities", ids="Q1", maxlag=-1)["error"]["code"] == "maxlag"


def test_requests_above_the_limit_are_sent_away(fake: Fake, web: requests.Session) -> None:
    fake.per_minute = 2
    statuses = [
        web.get(fake.url, params={"action": "wbgetentities", "ids": "Q1"}, timeout=5).status_code
        for _ in range(3)
    ]
    assert statuses == [200, 200, 429]
    assert (fake.most_per_window, fake.early) == (3, 0)
    web.get(fake.url, timeout=5)
    assert fake.early == 1


def test_search_continue_stops_at_fifty(fake: Fake, web: requests.Session) -> None:
    fake.store.add(*(item(number, f"Ob {number}") for number in range(1, 231)))
    search: dict[str, str | int] = {
        "action": "wbsearchentities",
        "search": "ob",
        "language": "en",
        "limit": 50,
    }
    assert get(web, fake, **search)["search-continue"] == 50
    assert "search-continue" not in get(web, fake, **search, **{"continue": 50})
    sizes = [
        len(get(web, fake, **search, **{"continue": offset})["search"])
        for offset in (50, 200, 230, 10_000)
    ]
    assert sizes == [50, 30, 0, 0]
    assert get(web, fake, **search | {"limit": 20})["search-continue"] == 20
    beyond = get(web, fake, **search | {"limit": 500}, **{"continue": 20_000})
    assert beyond["search"] == []
    assert "no more than 10000" in json.dumps(beyond["warnings"])


def test_too_large_a_limit_is_clamped(fake: Fake, web: requests.Session) -> None:
    fake.store.add(*(item(number, f"Ob {number}") for number in range(1, 61)))
    answer = get(web, fake, action="wbsearchentities", search="ob", language="en", limit=500)
    assert len(answer["search"]) == 50
    assert "no more than 50" in answer["warnings"]["wbsearchentities"]["warnings"]


def test_a_popular_longer_name_outranks_an_exact_one(fake: Fake, web: requests.Session) -> None:
    fake.store.add(item(1, "Ob"))
    fake.store.add(item(2, "Ob Valley"), popularity=0.95)
    fake.store.add(item(3, "Ob Station"), popularity=0.5)
    answer = get(web, fake, action="wbsearchentities", search="Ob", language="en")
    assert [hit["id"] for hit in answer["search"]] == ["Q2", "Q1", "Q3"]


def test_case_diacritics_and_hyphens_fold(fake: Fake, web: requests.Session) -> None:
    fake.store.add(item(1, "Éa-Bó"), item(2, "Ea Bo"), item(3, "o'n"))
    answer = get(web, fake, action="wbsearchentities", search="ea bo", language="en")
    assert [hit["id"] for hit in answer["search"]] == ["Q2", "Q1"]
    answer = get(web, fake, action="wbsearchentities", search="O’N", language="en")
    assert [hit["id"] for hit in answer["search"]] == ["Q3"]


@pytest.mark.parametrize("value", ["1", "0", "false", ""])
def test_any_value_makes_a_presence_boolean_true(
    fake: Fake, web: requests.Session, value: str
) -> None:
    fake.store.add(item(1, {"fr": "Ob"}), item(2, {"mul": "Ob"}), item(3, "Ob"))
    search = {"action": "wbsearchentities", "search": "ob", "language": "en"}
    assert [hit["id"] for hit in get(web, fake, **search)["search"]] == ["Q3", "Q2", "Q1"]
    strict = get(web, fake, **search, strictlanguage=value)
    assert [hit["id"] for hit in strict["search"]] == ["Q3", "Q2"]


def test_a_hit_names_the_matched_term_and_leaves_absent_keys_out(
    fake: Fake, web: requests.Session
) -> None:
    fake.store.add(item(1, "River", ["Ob", "Obb"], description="a river"), item(2, {"fr": "Ob"}))
    search = {"action": "wbsearchentities", "search": "ob", "language": "en"}
    first, second = get(web, fake, **search)["search"]
    assert (first["label"], first["aliases"], first["match"]["type"]) == ("River", ["Ob"], "alias")
    assert first["display"]["description"] == {"value": "a river", "language": "en"}
    assert (second["display"], "label" in second, "description" in second) == ({}, False, False)
    assert "url" in first
    assert "url" not in get(web, fake, **search, props="")["search"][0]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"action": "wbsearchentities", "language": "en"}, "missingparam"),
        ({"action": "wbsearchentities", "search": "x", "language": "xx"}, "badvalue"),
        ({"action": "wbgetentities"}, "param-missing"),
        ({"action": "wbgetentities", "ids": "Q1|Paris"}, "no-such-entity"),
        ({"action": "wbgetentities", "ids": "|".join(["Q1"] * 51)}, "toomanyvalues"),
        ({"action": "nonsense"}, "badvalue"),
        (
            {"action": "query", "list": "search", "srsearch": "x" * 301},
            "cirrussearch-query-too-long",
        ),
    ],
)
def test_refusals(fake: Fake, web: requests.Session, params: dict[str, str], code: str) -> None:
    assert get(web, fake, **params)["error"]["code"] == code


def test_entities_missing_redirected_and_filtered(fake: Fake, web: requests.Session) -> None:
    fake.store = Store(redirects={"Q9": "Q1"})
    fake.store.add(item(1, {"en": "Ob", "fr": "L'Ob"}, {"fr": ["O"]}, sitelinks=2))
    params = {"action": "wbgetentities", "ids": "Q9|Q1|Q77|Q1", "props": "labels|aliases"}
    entities = get(web, fake, **params, languages="fr|mul")["entities"]
    assert list(entities) == ["Q9", "Q1", "Q77"]
    assert entities["Q9"]["id"] == "Q1"
    assert entities["Q9"]["redirects"] == {"from": "Q9", "to": "Q1"}
    assert entities["Q77"] == {"id": "Q77", "missing": ""}
    assert entities["Q1"] == {
        "type": "item",
        "id": "Q1",
        "labels": {"fr": {"language": "fr", "value": "L'Ob"}},
        "aliases": {"fr": [{"language": "fr", "value": "O"}]},
    }
    unredirected = get(web, fake, **params, redirects="no")["entities"]
    assert "missing" in unredirected["Q9"]
    assert get(web, fake, action="wbgetentities", ids="Q1", props="")["entities"] == {
        "Q1": {"type": "item", "id": "Q1"}
    }


def test_a_phrase_inside_a_label_and_where_its_list_ends(fake: Fake, web: requests.Session) -> None:
    fake.store.add(
        item(1, "Ob"),
        item(2, {"fr": "Sur l'Ob"}),
        item(3, "Valley", ["New Ob Road"]),
        item(4, "Obb"),
        item(5, "road ob"),
    )
    search: dict[str, str | int] = {"action": "query", "list": "search"}

    def found(query: str, **more: str | int) -> list[str]:
        answer = get(web, fake, **search | {"srsearch": query}, **more)
        return [hit["title"] for hit in answer["query"]["search"]]

    assert found('inlabel:"OB"') == ["Q1", "Q3", "Q5"]
    assert found('inlabel:"Ob Road"@en') == ["Q3"]
    assert found('inlabel:"l\'ob"@fr,mul') == ["Q2"]
    assert found('inlabel:"ob"', srlimit=2, sroffset=2) == ["Q5"]
    first = get(web, fake, **search | {"srsearch": 'inlabel:"ob"', "srlimit": 2})
    assert first["continue"]["sroffset"] == 2
    assert first["query"]["searchinfo"]["totalhits"] == 3


def test_several_terms_may_stand_in_different_names(fake: Fake, web: requests.Session) -> None:
    fake.store.add(
        item(1, "Ada Vell"),
        item(2, "Ada Ob", ["Vell of Ob"]),
        item(3, {"fr": "Vell"}, {"de": ["Ada"]}),
        item(4, "Ada", ["Velle"]),
        item(5, "Ada O'Vell"),
    )

    def found(query: str) -> list[str]:
        answer = get(web, fake, action="query", list="search", srsearch=query)
        return [hit["title"] for hit in answer["query"]["search"]]

    assert found('inlabel:"vell" inlabel:"ada"') == ["Q1", "Q2", "Q3"]
    assert found('inlabel:"vell"@fr inlabel:"ada"@de') == ["Q3"]
    assert found('inlabel:"ada" inlabel:"o\'vell"') == ["Q5"]
    assert found('inlabel:"ada" inlabel:"?"') == []
    unknown = get(web, fake, action="query", list="search", srsearch='inlabel:"ada" vell')
    assert unknown["error"]["code"] == "fake-syntax"
