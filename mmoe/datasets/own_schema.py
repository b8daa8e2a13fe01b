"""The rows of our own format as models: what reader and JSON Schema allow, and how a bad value is said."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import ErrorDetails

from mmoe.datasets.problems import Kind
from mmoe.datasets.rows import DELIMITERS, Row, shown, text_problem
from mmoe.records import SPLITS

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# Keys of earlier versions -> what they are called now.
RENAMED = {
    "mentions": {"word": "surface_form", "picture": "image", "needs": "evidence"},
    "entities": {"pictures": "images"},
}

# Of Python's and of ECMA 262's regular expressions, for the JSON Schema.
_FILLED = r"^(?=[^\x00]*$)[\s\S]*\S"
_ONE_LINE = r"^(?![\s\S]*[\x00-\x1f\x7f\x85\u2028\u2029])[\s\S]*\S"
_ENTITY = _ONE_LINE.replace("^", r"^(?!\s*[nN][iI][lL]\s*$)", 1)

Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
Filled = Annotated[str, Field(pattern=_FILLED)]


class _TableRow(BaseModel):
    # python-re knows look-ahead and takes the same characters for blank as str.strip().
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, regex_engine="python-re")


class MentionRow(_TableRow):
    """One row of mentions.jsonl or mentions.csv: a surface form in its context that is to be linked."""

    mention_id: str = Field(
        pattern=_ONE_LINE,
        description="Names the mention, in one line; stands once in the table.",
        examples=["m1"],
    )
    surface_form: Filled = Field(
        description="The mention as it is written. It need not occur in the context to the letter.",
        examples=["Tesla"],
    )
    context: Text = Field(
        description="The sentence or passage around the mention; may be empty.",
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

    qid: str = Field(
        pattern=_ENTITY,
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
        table: mentions or entities; None for both.
    """
    if table is not None:
        return {"$schema": DIALECT} | ROWS[table].model_json_schema()
    return {
        "$schema": DIALECT,
        "title": "A row of mentions or of entities",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in ROWS],
        "$defs": {name: row.model_json_schema() for name, row in ROWS.items()},
    }


def explain(detail: ErrorDetails, row: Row) -> tuple[Kind, str]:
    """The kind of one validation error and its line: file, row, key, what is wrong; remedy."""
    key, *place = detail["loc"]
    value, where = detail["input"], f"{row.where}, key `{key}`"
    if place:
        where += f", number {int(place[0]) + 1}"
    match detail["type"]:
        case "missing" if row.file.suffix in DELIMITERS:
            # Every row lacks it: one line for the table says so.
            return Kind.MISSING, f"{row.file}, row 1: column `{key}` is missing; add it"
        case "missing":
            return Kind.MISSING, f"{row.where}: key `{key}` is missing; add it to the row"
        case "string_type":
            return Kind.TYPE, f"{where}: {text_problem(value)}"
        case "list_type":
            return Kind.TYPE, f'{where}: must be a list of texts, found {shown(value)}; write ["…"]'
        case "literal_error":
            splits = ", ".join(SPLITS)
            return Kind.SPLIT, f"{where}: {value!r} is no split; write one of {splits}"
        case "string_pattern_mismatch":
            return _explain_pattern(str(key), value, where)
        case "string_unicode":
            return Kind.CHARACTER, f"{where}: {text_problem(value)}"
    raise AssertionError(f"a rule without a line of its own: {detail['type']}")


def _explain_pattern(key: str, value: str, where: str) -> tuple[Kind, str]:
    if "\0" in value:
        return Kind.CHARACTER, f"{where}: {text_problem(value)}"
    if not value.strip():
        return Kind.EMPTY, f"{where}: is empty; fill it in or remove the row"
    if value.strip().lower() == "nil":
        return Kind.QID, f"{where}: {shown(value)} means no entity; give the entity its id"
    if key == "evidence":
        return Kind.LABEL, f"{where}: {shown(value)} is no label; write it with a-z, 0-9 and _"
    return Kind.CHARACTER, f"{where}: {shown(value)} holds a line break; write the id in one line"
