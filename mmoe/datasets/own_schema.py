"""The rows of our own format as models: the reader validates with them, the JSON Schema is made of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

HALF_A_CHARACTER = "half_a_character"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

# Not blank, and not one of the ways to write nil.
_ENTITY_ID = r"^(?!\s*[nN][iI][lL]\s*$)[\s\S]*\S"


def _whole(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError(HALF_A_CHARACTER, "holds half a surrogate pair") from None
    return text


Text = Annotated[str, AfterValidator(_whole)]
Filled = Annotated[str, Field(pattern=r"\S"), AfterValidator(_whole)]
EntityId = Annotated[str, Field(pattern=_ENTITY_ID), AfterValidator(_whole)]


class _TableRow(BaseModel):
    # python-re knows look-ahead and takes the same characters for blank as str.strip().
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, regex_engine="python-re")


class MentionRow(_TableRow):
    """One row of mentions.jsonl or mentions.csv: a word in its context that is to be linked."""

    mention_id: Filled = Field(
        description="Names the mention; stands once in the table.", examples=["m1"]
    )
    surface_form: Filled = Field(
        description="The mention as it is written. It need not occur in the context to the letter.",
        examples=["Tesla"],
    )
    context: Text = Field(
        description="The sentence or passage around the word; may be empty.",
        examples=["Tesla lit lamps without wires."],
    )
    split: Literal["train", "valid", "test"] = Field(
        description="What the mention is for. Each of the three needs a mention whose gold entity "
        "is in the knowledge base."
    )
    sentence_id: Text | None = Field(
        default=None,
        description="Shared by the mentions of one sentence; null, empty or left out: the mention_id.",
    )
    image: Text | None = Field(
        default=None,
        description="File of the mention's image, relative to the data set's folder, with forward "
        "slashes; it may not lead out of the folder. Null, empty or left out: no image.",
        examples=["images/m1.jpg"],
    )
    gold_qid: Text | None = Field(
        default=None,
        description='The qid of the entity that is meant. Null, empty, "nil" or left out: the mention '
        "means no entity of Wikidata.",
        examples=["Q9036"],
    )
    description: Text | None = Field(
        default=None,
        description="What the data set itself says of the entity that is meant; null, empty or left "
        "out: nothing.",
    )
    evidence: Annotated[str, Field(pattern=r"^[a-z0-9_]*$")] | None = Field(
        default=None,
        description="A label in lower case by which metrics are also given apart, such as what decides the "
        "mention; null, empty or left out: none.",
        examples=["image"],
    )


class EntityRow(_TableRow):
    """One row of entities.jsonl or entities.csv: an entry of the knowledge base."""

    qid: EntityId = Field(
        description='The entity\'s Wikidata id; stands once in the table and is not "nil".',
        examples=["Q9036"],
    )
    name: Filled = Field(description="The entity's name.", examples=["Nikola Tesla"])
    attributes: Text | None = Field(
        default=None,
        description="What is known of the entity, as one text; null, empty or left out: nothing.",
        examples=["Occupation: inventor. Birth: 1856, Smiljan."],
    )
    images: list[Text] | None = Field(
        default=None,
        description="Files of the entity's images, relative to the data set's folder; the first one "
        "that exists is encoded. In CSV one cell, names separated by a bar.",
        examples=[["images/Q9036-1.jpg", "images/Q9036-2.jpg"]],
    )


ROWS: dict[str, type[MentionRow] | type[EntityRow]] = {
    "mentions": MentionRow,
    "entities": EntityRow,
}


def json_schema(table: str | None = None) -> dict[str, Any]:
    """The JSON Schema of one table's rows, or of both as `$defs` with the tables' names.

    Args:
        table: mentions or entities; null for both.
    """
    if table is not None:
        return {"$schema": DIALECT} | ROWS[table].model_json_schema()
    return {
        "$schema": DIALECT,
        "title": "A row of mentions or of entities",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in ROWS],
        "$defs": {name: row.model_json_schema() for name, row in ROWS.items()},
    }
