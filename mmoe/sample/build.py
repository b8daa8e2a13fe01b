"""Writes the whole sample: tables, pictures, Wikidata slice, data card, and the small CLIP."""

from __future__ import annotations

from pathlib import Path

from mmoe.files import write_text
from mmoe.sample.card import CARD
from mmoe.sample.catalogue import Catalogue, read_catalogue
from mmoe.sample.clip import write_clip
from mmoe.sample.tables import write_tables
from mmoe.sample.wikidata import write_slice

SEED = 7


def build_sample(folder: Path) -> dict[str, int]:
    """Writes everything but the CLIP; needs neither torch nor transformers.

    Returns:
        The counts that the data card names.
    """
    catalogue = read_catalogue()
    counts = write_tables(folder, catalogue, SEED)
    counts["wikidata_items"] = write_slice(folder / "wikidata.jsonl", catalogue)
    write_text(folder / "README.md", CARD.format(**counts))
    return counts


def build_clip(folder: Path) -> None:
    """Writes the small CLIP, its tokenizer learned from the catalogue's own text."""
    write_clip(folder / "clip", authored_text(read_catalogue()), SEED)


def authored_text(catalogue: Catalogue) -> list[str]:
    """Every sentence, name, attribute text and description, in order."""
    texts = [text for entity in catalogue.entities for _, text in entity.contexts]
    texts += [mention.context for mention in catalogue.unlinked]
    texts += [f"{entity.name}. {entity.attributes}" for entity in catalogue.entities]
    return texts + [item.description for item in (*catalogue.entities, *catalogue.distractors)]
