"""What a mention, an entity, a candidate and a description are."""

from __future__ import annotations

from dataclasses import dataclass

from mmoe.files import content_key

SPLITS = ("train", "valid", "test")
# Ways to describe a mention that choose no candidate: no share of their choices can be right or wrong.
WITHOUT_CHOICE = frozenset({"none", "given"})
# Ways that read the gold qid: what a run with them reaches is a bound, no result.
READS_ANSWER = frozenset({"oracle_candidate", "oracle_description"})


@dataclass(frozen=True, slots=True)
class Mention:
    """A surface form in a context that is to be linked.

    Attributes:
        mention_id: unique in the data set.
        sentence_id: shared by the mentions of one sentence.
        surface_form: m_w; need not occur in the context to the letter.
        context: the text m_t.
        image: file of m_v, relative to the data set's raw folder; None if it has none.
        gold_qid: the entity that is meant; None for nil.
        in_kb: whether the knowledge base holds the gold entity; false for nil.
        split: train, valid or test.
        description: what the data set itself says of the entity that is meant, as MMoE's DME version
            of the benchmarks does; only `rank.backend: given` reads it.
        evidence: a label by which metrics are also given apart; in the sample, what decides the mention:
            text, image or description.
    """

    mention_id: str
    sentence_id: str
    surface_form: str
    context: str
    image: str | None
    gold_qid: str | None
    in_kb: bool
    split: str
    description: str | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Entity:
    """An entry of the knowledge base: Wikidata id, name e_n, attributes e_a and images e_v."""

    qid: str
    name: str
    attributes: str
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A Wikidata item that bears a mention's surface form as a name.

    Attributes:
        position: 0 for the candidate that retrieval puts first.
        match: label, alias or tokens: how the surface form was found in the item's names.
        sitelinks: number of Wikipedia articles of the item; None where the source does not say.
    """

    mention_id: str
    position: int
    qid: str
    label: str
    description: str
    match: str
    sitelinks: int | None


@dataclass(frozen=True, slots=True)
class Description:
    """What description ranking chose for a mention; qid and description are None if it chose none.

    Attributes:
        score: the backend's own score of the choice; None where it has none.
        is_gold: whether the chosen qid is the gold one; None where either is missing.
    """

    mention_id: str
    qid: str | None
    description: str | None
    backend: str
    score: float | None
    num_candidates: int
    is_gold: bool | None

    @property
    def text_id(self) -> str:
        """Names the mention's text with this description: choices of an equal description share it."""
        return f"{self.mention_id}:{content_key(self.description)}"


@dataclass(frozen=True, slots=True)
class TextInput:
    """One text to encode: `name [SEP] body description`, the input of MMoE eq. 2.

    Attributes:
        id: mention_id or qid.
        name: the surface form, or the entity's name; also encoded alone.
        description: text that has a token budget of its own; None if there is none.
    """

    id: str
    name: str
    body: str
    description: str | None


@dataclass(frozen=True, slots=True)
class ImageInput:
    """One image to encode, with the hash of its bytes so that a changed image is encoded again.

    Attributes:
        id: mention_id or qid.
        image: file relative to the data set's raw folder; None if there is none.
        sha256: of the file's bytes; None if there is no file.
    """

    id: str
    image: str | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image of a data set by its content.

    Attributes:
        image: file relative to the data set's raw folder.
        sha256: of its bytes; None if they can't be read.
        phash: 64 bits of perceptual hash as 16 hex digits: near for images that look alike. None if
            the image can't be decoded or shows a single colour.
        width, height: in pixels; None if it can't be decoded.
        problem: why it can't be read or decoded; None for a sound image.
    """

    image: str
    sha256: str | None
    phash: str | None
    width: int | None
    height: int | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Leak:
    """What a mention of valid or test shares with train, and one of train with the other two together.

    Attributes:
        same_context: a mention on the other side has the same context.
        same_image: … has an image of the same bytes.
        similar_image: … has an image that looks alike.
        seen_gold: … has the same gold entity.
        own_image: an image of the gold entity is the mention's own, to the byte.
        similar_own_image: an image of the gold entity looks like the mention's own.
    """

    mention_id: str
    split: str
    same_context: bool
    same_image: bool
    similar_image: bool
    seen_gold: bool
    own_image: bool
    similar_own_image: bool

    @property
    def overlaps_train(self) -> bool:
        """Whether the mention's context or image recurs on the other side: in train for valid and test."""
        return self.same_context or self.same_image or self.similar_image

    @property
    def is_clean(self) -> bool:
        """Whether a right answer can't come from a recurring text or image."""
        return not (self.overlaps_train or self.own_image or self.similar_own_image)
