"""The data report's numbers on a data set small enough to count by hand."""

from __future__ import annotations

import json

import numpy as np

from mmoe.audit.data import DataInputs, data_report, table_1
from mmoe.audit.leakage import find_leaks
from mmoe.records import Entity, ImageFile, Mention

IMAGES = [
    ImageFile("a.png", "A", "0" * 16, 8, 8, None),
    ImageFile("b.png", "A", "0" * 16, 8, 8, None),
    ImageFile("c.png", "C", None, 8, 8, None),
    ImageFile("d.png", "D", None, None, None, "truncated"),
]
ENTITIES = [
    Entity("Q1", "Java", "island", ("a.png", "c.png")),
    Entity("Q2", "JAVA", " ", ()),
    Entity("Q3", "Jaguar", "cat", ("d.png",)),
]
MENTIONS = [
    Mention("m1", "s1", "java", "java lies there", "b.png", "Q1", True, "train"),
    Mention("m2", "s1", "Java", "they write Java", "b.png", "Q2", True, "train"),
    Mention("m3", "s3", "Jag", "a Jag", None, "Q3", True, "valid"),
    Mention("m4", "s4", "Jaguar", "the big cat ran off", None, "Q404", False, "test"),
]


def report(mentions: list[Mention] = MENTIONS) -> dict[str, dict[str, object]]:
    return data_report(
        DataInputs(
            mentions,
            ENTITIES,
            IMAGES,
            find_leaks(mentions, ENTITIES, IMAGES, 4),
            mention_tokens=np.array([10, 50, 51, 60][: len(mentions)]),
            entity_tokens=np.array([4, 5, 6]),
            limit=50,
            read={"format": "own", "nil": 2},
        )
    )


def test_table_1_has_the_rows_of_the_paper() -> None:
    assert table_1(MENTIONS, ENTITIES) == {
        "sentences": 3,
        "entities": 3,
        "entities_with_image": 2,
        "mentions": 4,
        "mentions_with_image": 2,
        "train_mentions": 2,
        "valid_mentions": 1,
        "test_mentions": 1,
    }


def test_texts() -> None:
    text = report()["text"]
    assert text["context_words_mean"] == 3.25
    assert (text["mention_truncated_percent"], text["entity_truncated_percent"]) == (50.0, 0.0)
    assert (text["mention_tokens_max"], text["mention_tokens_median"]) == (60, 50.5)


def test_names() -> None:
    assert report()["names"] == {
        "entities_sharing_a_name": 2,
        "surface_forms": 3,
        "surface_forms_of_several_entities": 1,
        "mentions_naming_one_entity": 1,
        "mentions_naming_several_entities": 2,
        "mentions_equal_to_gold_name": 2,
        "equal_to_gold_name_percent": 66.67,
        "surface_forms_not_in_context": 1,
        "entities_without_attributes": 1,
        "gold_entities": 3,
    }


def test_images() -> None:
    assert report()["images"] == {
        "files": 4,
        "unreadable_files": 1,
        "single_colour_files": 1,
        "duplicate_files": 2,
        "mentions_without_image": 2,
        "mentions_sharing_an_image": 2,
        "mention_images_that_an_entity_has": 1,
        "entities_without_image": 1,
        "entities_with_several_images": 1,
    }


def test_only_numbers_are_taken_of_what_was_read() -> None:
    assert report()["read"] == {"nil": 2}


def test_without_mentions_there_are_no_means_and_no_shares() -> None:
    empty = report([])
    assert "context_words_mean" not in empty["text"]
    assert "mention_truncated_percent" not in empty["text"]
    assert empty["names"]["equal_to_gold_name_percent"] is None
    json.dumps(empty, allow_nan=False)
