"""Candidates from the knowledge base itself, by its names."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from mmoe.names import name_tokens, normalise_name
from mmoe.records import Candidate, Entity, Mention
from mmoe.wikidata.hits import Hit, Matching, candidates_of, distinct_words, forms_of

_TOKEN_LIST = pa.list_(pa.string())

# A name that holds all tokens holds the rarest one: joining on that alone leaves few pairs to check.
_QUERY = """
WITH postings AS (
    SELECT position, unnest(list_distinct(tokens)) AS token FROM entities
),
word_tokens AS (
    SELECT word, form, tokens, unnest(tokens) AS token FROM words
),
frequency AS (
    SELECT token, count(*) AS num_entities FROM postings GROUP BY token
),
rarest AS (
    SELECT word, form, tokens, arg_min(token, coalesce(num_entities, 0)) AS token
    FROM word_tokens LEFT JOIN frequency USING (token)
    GROUP BY word, form, tokens
),
hits AS (
    SELECT word, position, bool_or(entities.name = form) AS is_exact
    FROM rarest JOIN postings USING (token) JOIN entities USING (position)
    WHERE list_has_all(entities.tokens, rarest.tokens)
        AND (entities.name = form OR $match = 'tokens')
    GROUP BY word, position
)
SELECT word, position, is_exact
FROM (
    SELECT word, position, is_exact, row_number() OVER (
        PARTITION BY word ORDER BY is_exact DESC, len(entities.tokens), position
    ) AS place
    FROM hits JOIN entities USING (position)
)
WHERE place <= $max_candidates
ORDER BY word, place
"""


def find_in_kb(
    entities: Sequence[Entity], mentions: Sequence[Mention], matching: Matching
) -> list[Candidate]:
    """The entities that a mention's word may name, with their attributes as description.

    The word's own name comes first (match `label`, others `tokens`), then names of fewer tokens, then
    the knowledge base's order. A word without a token ("?!") has no candidate.
    """
    hits_by_word: dict[str, list[Hit]] = {}
    for word, position, is_exact in _query(entities, distinct_words(mentions), matching):
        entity = entities[position]
        hit = Hit(
            qid=entity.qid,
            label=entity.name,
            description=entity.attributes,
            match="label" if is_exact else "tokens",
            sitelinks=None,
        )
        hits_by_word.setdefault(word, []).append(hit)
    return candidates_of(mentions, hits_by_word)


def _query(
    entities: Sequence[Entity], words: Sequence[str], matching: Matching
) -> list[tuple[str, int, bool]]:
    """(word, position in the knowledge base, whether the name equals it), best first per word."""
    names = {
        "position": pa.array(range(len(entities)), pa.int64()),
        "name": pa.array([normalise_name(entity.name) for entity in entities], pa.string()),
        "tokens": pa.array([name_tokens(entity.name) for entity in entities], _TOKEN_LIST),
    }
    forms = [(word, form) for word in words for form in forms_of(word, matching.strip_suffix)]
    wanted = {
        "word": pa.array([word for word, _ in forms], pa.string()),
        "form": pa.array([form for _, form in forms], pa.string()),
        "tokens": pa.array(
            [list(dict.fromkeys(name_tokens(form))) for _, form in forms], _TOKEN_LIST
        ),
    }
    with duckdb.connect() as database:
        database.register("entities", pa.table(names))
        database.register("words", pa.table(wanted))
        values = {"max_candidates": matching.max_candidates, "match": matching.match}
        return database.execute(_QUERY, values).fetchall()
