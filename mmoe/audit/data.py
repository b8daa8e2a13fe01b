"""The data report: the papers' Table 1, and what a researcher should know before training on the data."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmoe.audit.leakage import leak_counts
from mmoe.names import normalise_name
from mmoe.records import SPLITS, Entity, ImageFile, Leak, Mention

DECIMALS = 2


@dataclass(frozen=True)
class DataInputs:
    """What the report counts.

    Attributes:
        mention_tokens, entity_tokens: length of each text in the encoder's tokens, before it is cut.
        limit: longest text that is encoded whole.
        read: the counts of stage ingest: what it read and left out.
    """

    mentions: Sequence[Mention]
    entities: Sequence[Entity]
    images: Sequence[ImageFile]
    leaks: Sequence[Leak]
    mention_tokens: NDArray[np.int64]
    entity_tokens: NDArray[np.int64]
    limit: int
    read: dict[str, Any]


def data_report(inputs: DataInputs) -> dict[str, dict[str, Any]]:
    """All numbers by group and name; shares are in percent, a share of nothing is left out."""
    return {
        "table1": table_1(inputs.mentions, inputs.entities),
        "text": _texts(inputs),
        "names": _names(inputs.mentions, inputs.entities),
        "images": _images(inputs.mentions, inputs.entities, inputs.images),
        "read": {name: value for name, value in inputs.read.items() if isinstance(value, int)},
        "leaks": leak_counts(inputs.leaks),
    }


def table_1(mentions: Sequence[Mention], entities: Sequence[Entity]) -> dict[str, int]:
    """The rows of MMoE's Table 1, of the mentions that are kept."""
    splits = Counter(mention.split for mention in mentions)
    return {
        "sentences": len({mention.sentence_id for mention in mentions}),
        "entities": len(entities),
        "entities_with_image": sum(bool(entity.images) for entity in entities),
        "mentions": len(mentions),
        "mentions_with_image": sum(mention.image is not None for mention in mentions),
        **{f"{split}_mentions": splits[split] for split in SPLITS},
    }


def _texts(inputs: DataInputs) -> dict[str, Any]:
    words = [len(mention.context.split()) for mention in inputs.mentions]
    numbers: dict[str, Any] = {"limit_tokens": inputs.limit}
    if words:
        numbers["context_words_mean"] = round(float(np.mean(words)), DECIMALS)
    for side, lengths in (("mention", inputs.mention_tokens), ("entity", inputs.entity_tokens)):
        if not len(lengths):
            continue
        numbers |= {
            f"{side}_tokens_mean": round(float(lengths.mean()), DECIMALS),
            f"{side}_tokens_median": float(np.median(lengths)),
            f"{side}_tokens_p95": float(np.percentile(lengths, 95)),
            f"{side}_tokens_max": int(lengths.max()),
            f"{side}_truncated_percent": _share(int((lengths > inputs.limit).sum()), len(lengths)),
        }
    return numbers


def _names(mentions: Sequence[Mention], entities: Sequence[Entity]) -> dict[str, Any]:
    """Ambiguity: names that several entities bear, surface forms that mean several entities."""
    name_of = {entity.qid: normalise_name(entity.name) for entity in entities}
    bearers = Counter(name_of.values())
    golds: dict[str, set[str]] = defaultdict(set)
    for mention in mentions:
        if mention.gold_qid is not None:
            golds[normalise_name(mention.surface_form)].add(mention.gold_qid)
    forms = [normalise_name(mention.surface_form) for mention in mentions]
    linkable = [(form, m) for form, m in zip(forms, mentions, strict=True) if m.in_kb]
    equal = sum(form == name_of[m.gold_qid] for form, m in linkable if m.gold_qid is not None)
    return {
        "entities_sharing_a_name": sum(count for count in bearers.values() if count > 1),
        "surface_forms": len(set(forms)),
        "surface_forms_of_several_entities": sum(len(qids) > 1 for qids in golds.values()),
        "mentions_naming_one_entity": sum(bearers[form] == 1 for form in forms),
        "mentions_naming_several_entities": sum(bearers[form] > 1 for form in forms),
        "mentions_equal_to_gold_name": equal,
        "equal_to_gold_name_percent": _share(equal, len(linkable)),
        "surface_forms_not_in_context": sum(
            form not in normalise_name(m.context) for form, m in zip(forms, mentions, strict=True)
        ),
        "entities_without_attributes": sum(not entity.attributes.strip() for entity in entities),
        "gold_entities": len({m.gold_qid for _, m in linkable}),
    }


def _images(
    mentions: Sequence[Mention], entities: Sequence[Entity], images: Sequence[ImageFile]
) -> dict[str, Any]:
    """Gaps and repetitions; two files of the same bytes are one image."""
    content = {image.image: image.sha256 for image in images}
    of_mentions = [content[m.image] for m in mentions if m.image is not None]
    of_entities = {content[name] for entity in entities for name in entity.images} - {None}
    return {
        "files": len(images),
        "unreadable_files": sum(image.problem is not None for image in images),
        "single_colour_files": sum(p.problem is None and p.phash is None for p in images),
        "duplicate_files": _repeated(content.values()),
        "mentions_without_image": sum(mention.image is None for mention in mentions),
        "mentions_sharing_an_image": _repeated(of_mentions),
        "mention_images_that_an_entity_has": len({*of_mentions} & of_entities),
        "entities_without_image": sum(not entity.images for entity in entities),
        "entities_with_several_images": sum(len(entity.images) > 1 for entity in entities),
    }


def _repeated(contents: Iterable[str | None]) -> int:
    """How many have a content that another one has too."""
    counts = Counter(content for content in contents if content is not None)
    return sum(count for count in counts.values() if count > 1)


def _share(part: int, whole: int) -> float | None:
    return round(100 * part / whole, DECIMALS) if whole else None
