"""String features equal a loop over the words of single pairs."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.longer_names import longer_name
from mmoe.names import name_tokens, normalise_name
from mmoe.records import Entity, Mention
from mmoe.reranking.pairs import Pairs
from mmoe.reranking.strings import EntityStrings, StringFeatures, StringSpace

WORDS = st.lists(st.sampled_from(["Anna", "Smith", "anna", "of", "1850", "1901", "baker", "?!"]))
TEXTS = WORDS.map(" ".join)


def mention(surface_form: str, context: str) -> Mention:
    return Mention("m", "s", surface_form, context, None, None, True, "train")


def features_of(
    entities: list[Entity], mentions: list[Mention], texts: list[str]
) -> StringFeatures:
    return StringFeatures(EntityStrings(StringSpace.fit(entities), entities), mentions, texts)


def idf_of(texts: list[str]) -> Counter[str]:
    """Weights of the words that some text has; of any other, the weight of a word that none has."""
    counts = Counter(word for text in texts for word in set(name_tokens(text)))
    return Counter({w: math.log((len(texts) + 1) / (n + 1)) + 1 for w, n in counts.items()})


def weigh(words: set[str], idf: Counter[str], num_texts: int) -> float:
    return sum(idf.get(word, math.log(num_texts + 1) + 1) for word in words)


def by_pair(one: Mention, entity: Entity, entities: list[Entity]) -> dict[str, float]:
    """The shares and equalities of one pair."""
    n = len(entities)
    idf, worth = idf_of([e.name for e in entities]), idf_of([e.attributes for e in entities])
    longer = longer_name(one.context, one.surface_form)
    name, words = set(name_tokens(entity.name)), set(name_tokens(entity.attributes))
    context = set(name_tokens(one.context))
    found: dict[str, float] = {}

    def share(of: set[str], other: set[str], weights: Counter[str]) -> float:
        return weigh(of & other, weights, n) / max(weigh(of, weights, n), 1e-9)

    for title, text in (("surface form", one.surface_form), ("longer name", longer)):
        own = set(name_tokens(text))
        found[f"share of {title} in name"] = share(own, name, idf)
        found[f"share of name in {title}"] = share(name, own, idf)
        same = normalise_name(text) == normalise_name(entity.name) != ""
        found[f"{title} is the name"] = same
    found["share of name in context"] = share(name, context, idf)
    found["share of attributes in context"] = share(words, context, worth)
    years, theirs = ({w for w in x if w in ("1850", "1901")} for x in (context, words))
    found["years in both"] = len(years & theirs)
    found["years that miss"] = len(theirs - years) if years else 0
    first, last = (
        [
            ours[at] if ours else ""
            for ours in (name_tokens(one.surface_form), name_tokens(entity.name))
        ]
        for at in (0, -1)
    )
    found["same first word"] = first[0] == first[1] != ""
    found["same last word"] = last[0] == last[1] != ""
    found["words of name"] = len(name_tokens(entity.name))
    names = [normalise_name(e.name) for e in entities]
    found["entities of that name"] = math.log(names.count(normalise_name(entity.name)))
    return found


@settings(max_examples=30)
@given(
    st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=3),
    st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4),
)
def test_they_equal_a_loop(ours: list[tuple[str, str]], theirs: list[tuple[str, str]]) -> None:
    mentions = [mention(form, context) for form, context in ours]
    entities = [Entity(f"Q{i}", name, more, ()) for i, (name, more) in enumerate(theirs)]
    entities.append(Entity("Q99", "Anna Baker", "born 1850", ()))  # some word is there
    features = features_of(entities, mentions, [m.context for m in mentions])
    every = np.tile(np.arange(len(entities)), (len(mentions), 1))
    found = features.of(Pairs(np.arange(len(mentions)), every))
    assert found.shape == (len(mentions), len(entities), len(features.names))
    assert np.isfinite(found).all()
    for i, one in enumerate(mentions):
        for j, entity in enumerate(entities):
            for name, wanted in by_pair(one, entity, entities).items():
                value = found[i, j, features.names.index(name)]
                np.testing.assert_allclose(
                    value, wanted, atol=1e-4, err_msg=f"{name} {one} {entity}"
                )


def test_inner_products_of_pairs_are_entries_of_the_table() -> None:
    entities = [Entity(f"Q{i}", name, "x", ()) for i, name in enumerate(["Anna", "Anne", "Bo"])]
    mentions = [mention("Ann", ""), mention("Bo", "")]
    features = features_of(entities, mentions, ["", ""])
    for pair in features.similarities.values():
        whole = pair.every(np.arange(2))
        own = np.array([[2, 0], [1, 1]])
        found = pair.of(Pairs(np.arange(2), own))
        np.testing.assert_allclose(found, np.take_along_axis(whole, own, axis=1), rtol=1e-6)
