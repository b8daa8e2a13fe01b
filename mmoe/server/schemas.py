"""What requests and answers look like, for checking and for OpenAPI."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from mmoe.datasets.rows import is_whole

MOST = 100  # entities of an answer


def _whole(text: str) -> str:
    if not is_whole(text):
        raise ValueError("holds half a surrogate pair; write the character whole")
    return text


Text = Annotated[str, AfterValidator(_whole)]
TopK = Annotated[int, Field(ge=1, le=MOST, description="Entities of each mention.")]
Picture = Annotated[str, Field(description="An encoded image (JPEG, PNG, WebP …) in Base64.")]
EXAMPLE: dict[str, JsonValue] = {
    "surface_form": "Mercury",
    "context": "Mercury is closest to the sun.",
    "top_k": 2,
}


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class MentionIn(_Request):
    """A mention."""

    surface_form: Annotated[Text, Field(min_length=1, description="As the text has it.")]
    context: Text = ""
    image: Picture | None = None
    description: Annotated[
        Text | None,
        Field(description="What is known of the entity; null has one chosen, empty is none."),
    ] = None


class LinkRequest(MentionIn):
    """One mention, and what is asked of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    top_k: TopK = 5
    explain: Annotated[
        bool,
        Field(description="Which words, patches and experts carried the scores; takes longer."),
    ] = False


class TextRequest(_Request):
    """A text whose mentions are to be found by the names of entities."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "Java is an island, and Mercury a planet."}]}
    )

    text: Annotated[Text, Field(min_length=1)]
    image: Picture | None = None
    top_k: TopK = 5


class BatchRequest(_Request):
    """Several mentions."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"mentions": [{"surface_form": "Java"}]}]}
    )

    mentions: Annotated[list[MentionIn], Field(min_length=1)]
    top_k: TopK = 5


class LinkOut(BaseModel):
    """An entity that a mention may mean."""

    qid: str
    name: str
    description: str
    score: float
    probability: float | None
    unit_scores: dict[str, float]
    has_thumbnail: bool
    explanation: dict[str, Any] | None = None


class ResultOut(BaseModel):
    """The entities of a mention, best first."""

    surface_form: str
    description: str | None
    described_by: str | None
    is_nil: bool
    nil_probability: float | None
    margin: float | None
    links: list[LinkOut]


class FoundOut(ResultOut):
    """A mention that was found, by its characters."""

    start: int
    end: int


class TextOut(BaseModel):
    """All mentions of a text, from left to right."""

    mentions: list[FoundOut]


class BatchOut(BaseModel):
    """One result for each mention, in order."""

    results: list[ResultOut]


class EntityOut(BaseModel):
    """An entity of the knowledge base."""

    qid: str
    name: str
    description: str
    aliases: list[str]
    has_thumbnail: bool
    author: str | None = None
    licence: str | None = None
    licence_url: str | None = None


class Problem(BaseModel):
    """What was wrong, and what to do."""

    detail: str
