"""What is known of an item as one line: `Occupation: painter, writer. Date of birth: 1901.`"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from mmoe.wikidata.knowledge.drafts import Draft

NO_VALUE_LABEL = "value whose label is missing"
NO_PROPERTY_LABEL = "value of a property whose label is missing"


def attributes_of(draft: Draft, labels: Mapping[str, str], left_out: Counter[str]) -> str:
    """The attributes of a draft; "" if nothing can be said.

    Args:
        labels: of properties and items, by id.
        left_out: values that can't be written for want of a label are counted here.
    """
    sentences = []
    for prop, values in draft.facts.items():
        name = labels.get(prop)
        if name is None:
            left_out[NO_PROPERTY_LABEL] += len(values)
            continue
        texts = [text for value in values if (text := value.written(labels)) is not None]
        left_out[NO_VALUE_LABEL] += len(values) - len(texts)
        if texts:
            sentence = f"{name[:1].upper()}{name[1:]}: {', '.join(dict.fromkeys(texts))}"
            sentences.append(sentence if sentence.endswith(".") else f"{sentence}.")
    return " ".join(sentences)
