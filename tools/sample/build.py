"""Writes the whole sample but its CLIP: Wikidata slice, tables, images, contact sheet and data card."""

from __future__ import annotations

from pathlib import Path

from mmoe.files import read_text, write_text
from tools.sample.card import CARD, write_sheet
from tools.sample.knowledge import knowledge_base
from tools.sample.tables import write_tables
from tools.sample.wikidata import write_slice
from tools.sample.world import read_world

SEED = 7


def build_sample(folder: Path) -> dict[str, int]:
    """Writes the sample; running it again writes the same bytes. Needs neither torch nor transformers.

    Returns:
        The counts that the data card names.
    """
    world = read_world()
    dump = folder / "wikidata.jsonl"
    counts = write_slice(dump, world)
    counts = write_tables(folder, world, knowledge_base(dump, world), SEED) | counts
    write_sheet(folder / "contact-sheet.png", world, SEED)
    write_text(folder / "README.md", read_text(CARD).format(**counts))
    return counts
