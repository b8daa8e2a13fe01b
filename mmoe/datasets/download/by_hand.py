"""What only a browser can get: where it lies, and which files a reader expects of it."""

from __future__ import annotations

from pathlib import Path

ADDRESS = "https://github.com/pengfei-luo/MIMIC"
# Proposed folder -> the name that the release gives its three lists of mentions.
RELEASES = {
    "mimic-wikimel": "WIKIMEL",
    "mimic-richpediamel": "RichpediaMEL",
    "mimic-wikidiverse": "wiki_diverse",
}
COMMON = {
    "kb_entity.json": "the knowledge base",
    "qid2id.json": "row of each entity",
    "kb_image/": "the entities' images",
    "mention_image/ or mention_images/": "the mentions' images",
}


def mimic_page(parent: Path) -> str:
    """The instructions for MIMIC's three data sets, to be unpacked below `parent`."""
    lines = [
        "MIMIC's data sets (full knowledge bases and images) stand behind links that want a",
        "browser and a password, so they can't be fetched here. Links and password are in",
        f"the readme of {ADDRESS}, step 2. Unpack each archive so that",
        "these files lie directly in its folder:",
    ]
    for folder, prefix in RELEASES.items():
        lists = f"{prefix}_{{train,dev,test}}.json"
        files = {lists: "the mentions, three files"} | COMMON
        lines += ["", f"{parent / folder}/"]
        lines += [f"  {name:<36}{what}" for name, what in files.items()]
    return "\n".join([*lines, "", "Then look what is missing:", *_checks(parent)])


def _checks(parent: Path) -> list[str]:
    return [f"  python -m mmoe.datasets check {parent / folder}" for folder in RELEASES]
