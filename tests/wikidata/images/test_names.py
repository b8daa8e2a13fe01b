"""Names of images from a label index, from a knowledge base's table, and from the API."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata.api import ApiSettings
from mmoe.wikidata.api.ask import Api
from mmoe.wikidata.entity import Item
from mmoe.wikidata.images.add import names_from_api, names_from_table
from mmoe.wikidata.label_index import write_label_index
from mmoe.wikidata.query import images_in_index

from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.fake.server import Fake, serving
from tests.wikidata.api.fake.store import Store, item
from tests.wikidata.images.conftest import MAIL
from tests.wikidata.knowledge.statements import statement

WANTED = ["Q3", "Q1", "Q404"]


def test_from_an_index(tmp_path: Path) -> None:
    items = [
        Item("Q1", "Ada", None, image="Ada 1901.jpg"),
        Item("Q2", "Ben", None, image="Ben.jpg"),
        Item("Q3", "Cy", None),
    ]
    write_label_index(tmp_path, items, {})
    assert images_in_index(tmp_path, WANTED) == {"Q1": "Ada 1901.jpg", "Q3": None}
    with pytest.raises(WikidataError, match="no whole label index"):
        images_in_index(tmp_path / "gone", WANTED)


def test_from_a_table(tmp_path: Path) -> None:
    table = tmp_path / "items.jsonl"
    rows = ['{"qid": "Q1", "image": "A.jpg"}', '{"qid": "Q2", "image": "B.jpg"}', ""]
    table.write_text("\n".join([*rows, '{"qid": "Q3", "image": null}']))
    assert names_from_table(table, WANTED) == {"Q1": "A.jpg", "Q3": None}
    for broken in ("{", "[]", '{"qid": "Q1"}'):
        table.write_text(f"{rows[0]}\n{broken}\n")
        with pytest.raises(WikidataError, match="row 2: "):
            names_from_table(table, WANTED)


def test_from_the_api_fifty_at_a_time(tmp_path: Path, time_of: StoppedClock) -> None:
    store = Store()
    for number in range(1, 61):
        one = item(number, f"Name {number}")
        if number % 2:
            one["claims"]["P18"] = [statement(f"File {number}.jpg")]
        store.add(one)
    store.redirects["Q70"] = "Q5"
    qids = [f"Q{number}" for number in (70, *range(60, 0, -1), 404)]
    with serving(Fake(store, now=time_of.now)) as fake:
        settings = ApiSettings(fake.url, ("en",), contact=MAIL, cache_folder=tmp_path)
        with Api(settings, "names", time_of.clock()) as api:
            names = names_from_api(api, qids)
        assert fake.actions() == {"wbgetentities": 2}
    assert names == {"Q70": "File 5.jpg"} | {
        f"Q{number}": f"File {number}.jpg" if number % 2 else None for number in range(1, 61)
    }
