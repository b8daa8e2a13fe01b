"""What a mention, an entity, a candidate and a description are."""

from __future__ import annotations

from dataclasses import dataclass

from mmoe.files import content_key

SPLITS = ("train", "valid", "test")
# Ways to describe a mention that choose no candidate: no share of their choices can be right or wrong.
WITHOUT_CHOICE = frozenset({"none", "given"})
# Ways that read the gold qid: what a run with them reaches is a bound, no result.
READS_ANSWER = frozenset({"perfect", "gold"})


@dataclass(frozen=True, slots=True)
class Mention:
    """A surface form in a context that is to be linked.

    Attributes:
        mention_id: unique in the data set.
        sentence_id: shared by the mentions of one sentence.
        word: the surface form m_w; need not occur in the context to the letter.
        context: the text m_t.
        picture: file of m_v, relative to the data set's raw folder; null if it has none.
        gold_qid: the entity that is meant; null for nil.
        in_kb: whether the knowledge base holds the gold entity; false for nil.
        split: train, valid or test.
        description: what the data set itself says of the entity that is meant, as MMoE's DME version
            of the benchmarks does; only `rank.backend: given` reads it.
        needs: a label by which metrics are also given apart, in the sample what decides the mention: text,
            picture or description.
    """

    mention_id: str
    sentence_id: str
    word: str
    context: str
    picture: str | None
    gold_qid: str | None
    in_kb: bool
    split: str
    description: str | None = None
    needs: str | None = None


@dataclass(frozen=True, slots=True)
class Entity:
    """An entry of the knowledge base: Wikidata id, name e_n, attributes e_a and pictures e_v."""

    qid: str
    name: str
    attributes: str
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A Wikidata item that bears a mention's word.

    Attributes:
        position: 0 for the candidate that retrieval puts first.
        match: label, alias or tokens: how the word was found in the item's names.
        sitelinks: number of Wikipedia articles of the item; null where the source does not say.
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
    """What description ranking chose for a mention; qid and description are null if it chose none.

    Attributes:
        score: the backend's own score of the choice; null where it has none.
        is_gold: whether the chosen qid is the gold one; null where either is missing.
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
    """One text to encode: `title [SEP] body description`, the input of MMoE eq. 2.

    Attributes:
        id: mention_id or qid.
        title: the word or the name; also encoded alone.
        description: text that has a token budget of its own; null if there is none.
    """

    id: str
    title: str
    body: str
    description: str | None


@dataclass(frozen=True, slots=True)
class ImageInput:
    """One picture to encode, with the hash of its bytes so that a changed picture is encoded again.

    Attributes:
        id: mention_id or qid.
        picture: file relative to the data set's raw folder; null if there is none.
        sha256: of the file's bytes; null if there is no file.
    """

    id: str
    picture: str | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a data set by its content.

    Attributes:
        picture: file relative to the data set's raw folder.
        sha256: of its bytes; null if they can't be read.
        phash: 64 bits of perceptual hash as 16 hex digits: near for pictures that look alike. Null if
            the picture can't be decoded or shows a single colour.
        width, height: in pixels; null if it can't be decoded.
        problem: why it can't be read or decoded; null for a sound picture.
    """

    picture: str
    sha256: str | None
    phash: str | None
    width: int | None
    height: int | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Leak:
    """What a mention shares with mentions across the border between train and the other two splits.

    Attributes:
        same_context: another mention across the border has the same context.
        same_picture: … has a picture of the same bytes.
        similar_picture: … has a picture that looks alike.
        seen_gold: … has the same gold entity.
        own_picture: a picture of the gold entity is the mention's own, to the byte.
        similar_own_picture: a picture of the gold entity looks like the mention's own.
    """

    mention_id: str
    split: str
    same_context: bool
    same_picture: bool
    similar_picture: bool
    seen_gold: bool
    own_picture: bool
    similar_own_picture: bool

    @property
    def crosses(self) -> bool:
        """Whether the mention itself, text or picture, recurs across the border."""
        return self.same_context or self.same_picture or self.similar_picture

    @property
    def is_clean(self) -> bool:
        """Whether a right answer can't come from a recurring text or picture."""
        return not (self.crosses or self.own_picture or self.similar_own_picture)
