"""Candidates from a label index, of any size: all surface forms in one query."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from mmoe.names import normalise_name
from mmoe.records import Candidate, Mention
from mmoe.wikidata.database import database
from mmoe.wikidata.label_index import ITEMS, NAMES, read_source, table_of
from mmoe.wikidata.matching import Matching, distinct_surface_forms, names_meant_by

MEMORY = "1500MB"  # what a query may take; beyond it DuckDB goes to the disk

# Tables of a query: forms (surface_form, name), every name that it may stand for; names (name, qid, kind);
# items (qid, label, description, sitelinks).

# RE2's \w knows ASCII only.
_TOKENS = r"CREATE TEMP MACRO tokens_of(name) AS regexp_extract_all(name, '[\p{L}\p{N}_]+')"

_EXACT = """
CREATE TEMP TABLE hits AS SELECT surface_form, qid, kind FROM forms JOIN names USING (name)
"""

# A name that holds all tokens holds the rarest one: joining on that alone leaves few pairs to check. How
# rare a token is, is counted first, so that no more than the rarest one's names are ever held.
_RAREST = """
CREATE TEMP TABLE rarest AS
WITH split_forms AS (
    SELECT surface_form, name, list_distinct(tokens_of(name)) AS tokens FROM forms
),
form_tokens AS (
    SELECT surface_form, name, tokens, unnest(tokens) AS token FROM split_forms
),
frequency AS (
    SELECT token, count(*) AS num_names
    FROM (SELECT unnest(tokens_of(name)) AS token FROM names)
    WHERE token IN (SELECT token FROM form_tokens)
    GROUP BY token
)
SELECT surface_form, tokens, arg_min(token, coalesce(num_names, 0)) AS token
FROM form_tokens LEFT JOIN frequency USING (token)
GROUP BY surface_form, name, tokens
"""
_BY_TOKENS = """
INSERT INTO hits
SELECT rarest.surface_form, postings.qid, 'tokens' AS kind
FROM rarest JOIN (
    SELECT qid, tokens, unnest(list_distinct(tokens)) AS token
    FROM (SELECT qid, tokens_of(name) AS tokens FROM names)
) AS postings USING (token)
WHERE list_has_all(postings.tokens, rarest.tokens)
"""

_RANKED = """
WITH best AS (
    SELECT surface_form, qid, min(CASE kind WHEN 'label' THEN 0 WHEN 'alias' THEN 1 ELSE 2 END) AS kind
    FROM hits GROUP BY surface_form, qid
),
placed AS (
    SELECT surface_form, qid, kind, label, description, sitelinks, row_number() OVER (
        PARTITION BY surface_form
        ORDER BY kind, sitelinks DESC NULLS LAST, CAST(substr(qid, 2) AS HUGEINT)
    ) AS place
    FROM best JOIN items USING (qid)
)
SELECT
    surface_form,
    qid,
    coalesce(label, ''),
    coalesce(description, ''),
    ['label', 'alias', 'tokens'][kind + 1],
    sitelinks
FROM placed
WHERE place <= $max_candidates
ORDER BY surface_form, place
"""


def find_in_index(folder: Path, mentions: Sequence[Mention], matching: Matching) -> list[Candidate]:
    """The items that a mention's surface form may name, for all mentions in one query.

    Labels come before aliases and these before names that only hold the tokens, then items with more
    Wikipedia articles, then smaller numbers; an item counts once, by its best name.

    Raises:
        WikidataError: if the folder holds no whole label index.
    """
    with _index(folder) as tables:
        return _candidates(tables, mentions, matching)


def images_in_index(folder: Path, qids: Sequence[str]) -> dict[str, str | None]:
    """The image of each item that a label index knows, None for an item without one.

    Raises:
        WikidataError: if the folder holds no whole label index.
    """
    with _index(folder) as tables:
        tables.register("wanted", pa.table({"qid": pa.array(qids, pa.string())}))
        found = tables.execute("SELECT qid, image FROM wanted JOIN items USING (qid)")
        return dict(found.fetchall())


@contextmanager
def _index(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    read_source(folder)

    def problem(said: str) -> str:
        return f"{folder}: can't be queried ({said}); delete it and make it again"

    with tempfile.TemporaryDirectory() as spill, database(problem, Path(spill), MEMORY) as tables:
        for table, view in ((NAMES, "names"), (ITEMS, "items")):
            tables.read_parquet(str(folder / table / "*.parquet")).create_view(view)
        tables.execute(_TOKENS)
        yield tables


def _candidates(
    tables: duckdb.DuckDBPyConnection,
    mentions: Sequence[Mention],
    matching: Matching,
) -> list[Candidate]:
    """The candidates by the views `names` and `items`."""
    rows = [
        (form, name)
        for form in distinct_surface_forms(mentions)
        for name in names_meant_by(form, matching.strip_suffix)
    ]
    schema = pa.schema([("surface_form", pa.string()), ("name", pa.string())])
    tables.register("forms", table_of(rows, schema))
    for step in (_EXACT,) if matching.match == "exact" else (_EXACT, _RAREST, _BY_TOKENS):
        tables.execute(step)
    values = {"max_candidates": matching.max_candidates}
    hits: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for form, *fields in tables.execute(_RANKED, values).fetchall():
        hits[form].append(tuple(fields))  # in the order of a candidate's
    return [
        Candidate(mention.mention_id, position, *fields)
        for mention in mentions
        for position, fields in enumerate(hits[normalise_name(mention.surface_form)])
    ]
