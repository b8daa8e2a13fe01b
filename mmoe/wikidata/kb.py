"""Candidates from the knowledge base itself: entities whose name holds every token of the word."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from mmoe.names import name_tokens, normalise_name
from mmoe.records import Candidate, Entity, Mention
from mmoe.wikidata.hits import Hit, candidates_of, distinct_words

# A name that holds all tokens holds the rarest one: joining on that alone leaves few pairs to check.
_QUERY = """
WITH postings AS (
    SELECT position, unnest(list_distinct(tokens)) AS token FROM entities
),
word_tokens AS (
    SELECT word, tokens, unnest(tokens) AS token FROM words
),
frequency AS (
    SELECT token, count(*) AS num_entities FROM postings GROUP BY token
),
rarest AS (
    SELECT word, tokens, arg_min(token, coalesce(num_entities, 0)) AS token
    FROM word_tokens LEFT JOIN frequency USING (token)
    GROUP BY word, tokens
)
SELECT word, position, is_exact
FROM (
    SELECT rarest.word, entities.position, entities.name = rarest.word AS is_exact, row_number() OVER (
        PARTITION BY rarest.word
        ORDER BY entities.name = rarest.word DESC, len(entities.tokens), entities.position
    ) AS place
    FROM rarest JOIN postings USING (token) JOIN entities USING (position)
    WHERE list_has_all(entities.tokens, rarest.tokens)
)
WHERE place <= $max_candidates
ORDER BY word, place
"""


def find_in_kb(
    entities: Sequence[Entity], mentions: Sequence[Mention], max_candidates: int
) -> list[Candidate]:
    """The entities whose name holds every token of a mention's word, with their attributes as description.

    The word's own name comes first (match `label`, others `tokens`), then names of fewer tokens, then
    the knowledge base's order. A word without a token ("?!") has no candidate.
    """
    hits_by_word: dict[str, list[Hit]] = {}
    for word, position, is_exact in _query(entities, distinct_words(mentions), max_candidates):
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
    entities: Sequence[Entity], words: Sequence[str], max_candidates: int
) -> list[tuple[str, int, bool]]:
    """(word, position in the knowledge base, whether the name equals the word), best first per word."""
    token_list = pa.list_(pa.string())
    names = {
        "position": pa.array(range(len(entities)), pa.int64()),
        "name": pa.array([normalise_name(entity.name) for entity in entities], pa.string()),
        "tokens": pa.array([name_tokens(entity.name) for entity in entities], token_list),
    }
    wanted = {
        "word": pa.array(words, pa.string()),
        "tokens": pa.array([list(dict.fromkeys(name_tokens(word))) for word in words], token_list),
    }
    with duckdb.connect() as database:
        database.register("entities", pa.table(names))
        database.register("words", pa.table(wanted))
        return database.execute(_QUERY, {"max_candidates": max_candidates}).fetchall()
