"""Names of images from a label index, from a knowledge base's table, and from the API."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata.images.add import names_from_table

WANTED = ["Q3", "Q1", "Q404"]


def test_from_a_table(tmp_path: Path) -> None:
    table = tmp_path / "items.jsonl"
    rows = ['{"qid": "Q1", "image": "A.jpg"}', '{"qid": "Q2", "image": "B.jpg"}', ""]
    table.write_text("\n".join([*rows, '{"qid": "Q3", "image": null}']))
    assert names_from_table(table, WANTED) == {"Q1": "A.jpg", "Q3": None}
    for broken in ("{", "[]", '{"qid": "Q1"}'):
        table.write_text(f"{rows[0]}\n{broken}\n")
        with pytest.raises(WikidataError, match="row 2: "):
            names_from_table(table, WANTED)
