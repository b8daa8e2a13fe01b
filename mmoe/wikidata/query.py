"""Candidates from a label index: all words of a data set in one join."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from mmoe.errors import WikidataError, one_line
from mmoe.records import Candidate, Mention
from mmoe.wikidata.hits import Hit, Matching, candidates_of, distinct_words, forms_of
from mmoe.wikidata.labels import ITEMS, NAMES, read_source

MEMORY = "1500MB"  # what a query may take; beyond it DuckDB goes to the disk

# RE2's \w knows ASCII only.
_TOKENS = r"CREATE TEMP MACRO tokens_of(name) AS regexp_extract_all(name, '[\p{L}\p{N}_]+')"

_EXACT = """
CREATE TEMP TABLE hits AS
SELECT word, qid, kind FROM words JOIN read_parquet($names) AS names USING (name)
"""

# A name that holds all tokens holds the rarest one: joining on that alone leaves few pairs to check. How
# rare a token is, is counted first, so that no more than the rarest one's names are ever held.
_RAREST = """
CREATE TEMP TABLE rarest AS
WITH split_words AS (
    SELECT word, name, list_distinct(tokens_of(name)) AS tokens FROM words
),
word_tokens AS (
    SELECT word, name, tokens, unnest(tokens) AS token FROM split_words
),
frequency AS (
    SELECT token, count(*) AS num_names
    FROM (SELECT unnest(tokens_of(name)) AS token FROM read_parquet($names))
    WHERE token IN (SELECT token FROM word_tokens)
    GROUP BY token
)
SELECT word, name, tokens, arg_min(token, coalesce(num_names, 0)) AS token
FROM word_tokens LEFT JOIN frequency USING (token)
GROUP BY word, name, tokens
"""
_BY_TOKENS = """
CREATE TEMP TABLE hits AS
SELECT
    rarest.word,
    postings.qid,
    CASE WHEN postings.name = rarest.name THEN postings.kind ELSE 'tokens' END AS kind
FROM rarest JOIN (
    SELECT name, qid, kind, tokens, unnest(list_distinct(tokens)) AS token
    FROM (SELECT name, qid, kind, tokens_of(name) AS tokens FROM read_parquet($names))
) AS postings USING (token)
WHERE list_has_all(postings.tokens, rarest.tokens)
UNION ALL
SELECT word, qid, kind FROM words JOIN read_parquet($names) AS names USING (name)
"""

_RANKED = """
WITH best AS (
    SELECT word, qid, min(CASE kind WHEN 'label' THEN 0 WHEN 'alias' THEN 1 ELSE 2 END) AS kind
    FROM hits GROUP BY word, qid
),
placed AS (
    SELECT word, qid, kind, label, description, sitelinks, row_number() OVER (
        PARTITION BY word
        ORDER BY kind, sitelinks DESC NULLS LAST, CAST(substr(qid, 2) AS HUGEINT)
    ) AS place
    FROM best JOIN read_parquet($items) AS items USING (qid)
)
SELECT
    word,
    qid,
    coalesce(label, ''),
    coalesce(description, ''),
    ['label', 'alias', 'tokens'][kind + 1],
    sitelinks
FROM placed
WHERE place <= $max_candidates
ORDER BY word, place
"""


def find_in_index(folder: Path, mentions: Sequence[Mention], matching: Matching) -> list[Candidate]:
    """The items that a mention's word may name, for all mentions in one query.

    Labels come before aliases and these before names that only hold the tokens, then items with more
    Wikipedia articles, then smaller numbers; an item counts once, by its best name.

    Raises:
        WikidataError: if the folder holds no whole label index.
    """
    read_source(folder)
    hits_by_word: dict[str, list[Hit]] = {}
    try:
        rows = _query(folder, distinct_words(mentions), matching)
    except duckdb.Error as error:
        raise WikidataError(
            f"{folder}: can't be queried ({one_line(error)}); delete it and make it again"
        ) from None
    for word, qid, label, description, match, sitelinks in rows:
        hit = Hit(qid, label, description, match, sitelinks)
        hits_by_word.setdefault(word, []).append(hit)
    return candidates_of(mentions, hits_by_word)


def _query(
    folder: Path, words: Iterable[str], matching: Matching
) -> list[tuple[str, str, str, str, str, int | None]]:
    """(word, then the fields of a hit), best first per word."""
    names, items = (str(folder / table / "*.parquet") for table in (NAMES, ITEMS))
    with tempfile.TemporaryDirectory() as spill, duckdb.connect() as database:
        database.execute("SET enable_progress_bar = false")  # it would go to standard output
        database.execute(f"SET memory_limit = '{MEMORY}'")
        database.execute("SET temp_directory = $spill", {"spill": spill})
        database.execute(_TOKENS)
        database.register("words", _words(words, matching.strip_suffix))
        for step in (_EXACT,) if matching.match == "exact" else (_RAREST, _BY_TOKENS):
            database.execute(step, {"names": names})
        values = {"items": items, "max_candidates": matching.max_candidates}
        return database.execute(_RANKED, values).fetchall()


def _words(words: Iterable[str], strip_suffix: bool) -> pa.Table:
    """Every word with each name that it may stand for."""
    rows = [(word, name) for word in words for name in forms_of(word, strip_suffix)]
    return pa.table(
        {
            "word": pa.array([word for word, _ in rows], pa.string()),
            "name": pa.array([name for _, name in rows], pa.string()),
        }
    )
