"""The model card of a bundle: what it is, how good, on what data, under which licence, and its limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from mmoe.linker.knowledge import KnowledgeBase
from mmoe.linker.trained import Trained
from mmoe.reranking.calibration import FEW

UNKNOWN = "not stated"
SHOWN = ("reranked", "system")  # kinds of `mmoe.read_metrics`


def model_card(
    trained: Trained,
    kb: KnowledgeBase,
    calibrated: Mapping[str, Any] | None,
    pictures: Mapping[str, int],
    metrics: pd.DataFrame | None,
    licence: str | None,
) -> str:
    """The card in Markdown.

    Args:
        calibrated: what `reranker.json` says of probabilities.
        pictures: how many thumbnails are under each licence.
        metrics: of `mmoe.read_metrics`.
        licence: of the data.
    """
    blocks = [
        *_head(trained, kb),
        *_metrics(trained, metrics),
        *_probabilities(calibrated),
        *_data(trained, kb, pictures, licence),
        *_limits(trained),
    ]
    return "\n\n".join(blocks) + "\n"


def _head(trained: Trained, kb: KnowledgeBase) -> Iterator[str]:
    tags = ("entity-linking", "multimodal")
    yield "\n".join(("---", "library_name: mmoe", "tags:", *(f"- {tag}" for tag in tags), "---"))
    yield f"# {trained.name}: multimodal entity linking"
    form = kb.entities[0].name
    yield (
        f"Links a mention, given as text and image, to one of {len(kb.entities):,} entities. Matcher: "
        f"{trained.checkpoint.matcher.spec.model.name}; encoder: "
        f"{trained.checkpoint.feature_config['encoder']}, frozen."
    )
    yield "\n".join(
        (
            "```python",
            "import mmoe",
            "",
            'linker = mmoe.Linker.from_pretrained("this folder")',
            f"print(linker.link({form!r}, {f'This is about {form}.'!r})[0])",
            "```",
        )
    )


def _metrics(trained: Trained, metrics: pd.DataFrame | None) -> Iterator[str]:
    yield "## Metrics"
    if not trained.is_trained:
        yield (
            "Nothing was trained: cosines of the encoder and names rank the entities. Try it on your own "
            "mentions."
        )
        return
    if metrics is None:
        yield "None were given when the bundle was made."
        return
    lines = ["| | Mentions | MRR | 95 % interval | Hits@1 |", "|---|---|---|---|---|"]
    rows = metrics[metrics["kind"].isin(SHOWN)]
    for row in rows.to_dict("records"):
        interval = f"{row['mrr_low']:.2f} to {row['mrr_high']:.2f}"
        cells = [row["name"], row["num_mentions"], f"{row['mrr']:.2f}", interval]
        lines.append(f"| {' | '.join(map(str, cells))} | {row['hits_at_1']:.2f} |")
    yield f"Test mentions of {trained.name}, ranked among all of its entities:"
    yield "\n".join(lines)


def _probabilities(calibrated: Mapping[str, Any] | None) -> Iterator[str]:
    yield "## Probabilities"
    if not calibrated:
        yield "Not calibrated: results bear scores only."
        return
    nil = calibrated["nil"]
    few = f" (fewer than {FEW}, so these two say little)" if nil["few"] else ""
    yield (
        "A temperature and the probability that no entity is meant are fitted to validation mentions, some "
        "of whose entities were taken out. On test mentions the expected calibration error is "
        f"{calibrated['ece']:.1f} points; of mentions said to mean no entity {nil['precision']:.1f} % do; of "
        f"{nil['mentions']} that do{few}, {nil['recall']:.1f} % are found."
    )


def _data(
    trained: Trained, kb: KnowledgeBase, pictures: Mapping[str, int], licence: str | None
) -> Iterator[str]:
    yield "## Data"
    shown = ", ".join(f"{name} ({number:,})" for name, number in pictures.items())
    with_image = sum(bool(entity.images) for entity in kb.entities)
    made_of = "Trained on" if trained.is_trained else "Made of"
    yield (
        f"{made_of} {trained.name}: {len(kb.entities):,} entities when the bundle was made, {with_image:,} "
        f"with an image. Licence of the data: {licence or UNKNOWN}. Licences of the thumbnails: "
        f"{shown or 'none'}; authors are in the files."
    )


def _limits(trained: Trained) -> Iterator[str]:
    yield "## Limits"
    seen = "text and images" if trained.encoder.encoder.sees_images else "text only"
    yield (
        f"The encoder reads {seen}, in the languages that it was trained on. Probabilities hold for mentions "
        "like those of the data set; for others, and after many changes of the knowledge base, they are a "
        "guess. Names, descriptions and what was learned carry over the data's biases."
    )
