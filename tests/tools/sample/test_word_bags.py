"""Texts that share words: how many, in which forms, and never a word that an image would be told by."""

from __future__ import annotations

import random
import re
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tools.sample.authored import read_authored
from tools.sample.captions import SYLLABLES, vocabulary_texts
from tools.sample.word_bags import LEAST_SHARED, MOST_OTHER, MOST_SHARED, WordBags

TEXTS = ["first planet from the Sun", "Roman god of trade, the god"]


def rng_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - words are no secret


def words_of(text: str) -> list[str]:
    return re.findall(r"[\w'’-]+", text.replace("[SEP]", ""))


@given(st.integers(0, 10_000))
def test_a_pair_shares_words_and_has_not_too_many_others(seed: int) -> None:
    bags = WordBags(TEXTS)
    known = set(bags.words)
    first, second = (
        Counter(word for word in words_of(text) if word in known)
        for text in bags.pair(rng_of(seed))
    )
    assert (first & second).total() >= LEAST_SHARED
    for words in (first, second):
        assert LEAST_SHARED <= words.total() <= MOST_SHARED + MOST_OTHER


def test_texts_take_the_forms_of_names_attributes_and_phrases() -> None:
    bags, rng = WordBags(TEXTS), rng_of(0)
    texts = [text for _ in range(200) for text in bags.pair(rng)]
    invented = re.compile(f"({'|'.join(SYLLABLES)})+", re.IGNORECASE)
    assert 50 < sum(" [SEP] " in text for text in texts) < 150
    assert 150 < sum(":" in text for text in texts) < 250
    named = [text.split(" [SEP] ")[0] for text in texts if " [SEP] " in text]
    assert all(invented.fullmatch(word) for name in named for word in name.split())


def test_rare_words_are_dealt_more_often_than_they_stand() -> None:
    bags, rng = WordBags(["a " * 160 + "b " * 10]), rng_of(0)
    dealt = Counter(bags._deal(8000, rng))
    assert 6 < dealt["a"] / dealt["b"] < 10  # 16 ** 0.75 = 8


def test_empty_words_say_nothing_of_an_image() -> None:
    spoken = " ".join(vocabulary_texts()).lower()
    bags = WordBags(read_authored().texts, meaningful=vocabulary_texts())
    assert {"planet", "grey", "Type"} & set(bags.words)
    dealt = bags.empty_words(500, rng_of(0))
    assert len(dealt) == 500
    assert not [word for word in dealt if re.search(rf"\b{re.escape(word.lower())}\b", spoken)]
