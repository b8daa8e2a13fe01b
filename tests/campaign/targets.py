"""What is attacked: every stage of dvc.yaml, and every command of `mmoe` that writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from typer.main import get_command

from mmoe.cli import app

from tests.campaign.inputs import IN
from tests.imports import ROOT

# The states of a project in which a stage runs: for the first time, after DVC has deleted its outs, by hand.
STATES = ("first", "after dvc", "again")


@dataclass(frozen=True)
class Target:
    """A stage or command.

    Attributes:
        command: `mmoe` or a module, and what it is called with in a project's folder.
        deps: what it reads, for stages.
        outs: what it writes.
        states: of the project in which it is run, some of STATES.
        may_refuse: whether it says no when all is done already.
        tuned: `tune.method` of the project in which it is run, where that is not the finished project's.
    """

    name: str
    command: tuple[str, ...]
    deps: tuple[str, ...] = ()
    outs: tuple[str, ...] = ()
    states: tuple[str, ...] = STATES
    may_refuse: bool = False
    tuned: str | None = None


def stages(data: str) -> list[Target]:
    """The stages in their order, as dvc.yaml has them."""
    specs = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")["stages"]
    return [_stage(name, spec, data) for name, spec in specs.items()]


def _stage(name: str, spec: dict[str, Any], data: str) -> Target:
    def resolved(entry: Any) -> str:
        text = entry if isinstance(entry, str) else next(iter(entry))
        return text.replace("${item.dataset}", data).replace("${data.leak_policy}", "keep")

    python, option, *command = resolved(spec["cmd"]).split()
    assert (python, option) == ("python", "-m")
    outs = [resolved(e) for key in ("outs", "metrics", "plots") for e in spec.get(key, ())]
    deps = [resolved(entry) for entry in spec.get("deps", ())]
    return Target(f"stage {name}", tuple(command), tuple(deps), tuple(outs))


BUNDLE = "data/bundles/{data}"
DUMP = "data/raw/{data}/wikidata.jsonl"
OUT = "out"  # where commands write to; not there in a finished project
# By the words of the command: its arguments, and whether it says no when it is done already.
WRITING: dict[str, tuple[str, bool]] = {
    "bundle": (f"{{data}} {OUT}", False),
    "batch": (f"{BUNDLE} {IN}/mentions.jsonl {OUT}/linked.jsonl", True),
    "convert": (f"entities {IN}/entities.csv --to {OUT}", True),
    "import-checkpoint": (f"mimic {IN}/best.ckpt {OUT} --encoder {IN}/clip", False),
    "convert-encoder": (f"{IN}/pickled", True),
    "label-index": (f"{DUMP} {OUT} --processes 1", False),
    "kb build": (f"{DUMP} {OUT} --qids {IN}/qids.txt", True),
    "kb add": (f"{BUNDLE} {IN}/more/entities.jsonl", True),
    "kb remove": (f"{BUNDLE} {{gone}}", True),
}
# What it needs beyond a clone.
NEEDS = {"import-checkpoint": f"{IN}/best.ckpt"}
NOT_WRITING = {
    "check": "reads",
    "schema": "prints",
    "link": "prints",
    "plan": "prints",
    "runs": "prints",
    "models": "prints",
    "doctor": "prints",
    "params check": "reads",
    "kb stats": "reads",
    "cache": "clears a cache, of which the mutations have the file",
    "download": "over the network; its tests have a site of their own",
    "images": "over the network; its tests have a Commons of their own",
    "serve": "writes nothing; has an attack of its own",
}


def commands(data: str, root: Path) -> Iterator[Target]:
    """The commands that write, with what they need in a project."""
    gone = (root / IN / "gone.txt").read_text("utf-8").strip()
    for name, (arguments, may_refuse) in WRITING.items():
        if name in NEEDS and not (root / NEEDS[name]).exists():
            continue
        words = (*name.split(), *arguments.format(data=data, gone=gone).split())
        yield Target(f"command {name}", ("mmoe", *words), (), (), ("again",), may_refuse)


def all_targets(data: str, root: Path) -> list[Target]:
    own = stages(data)
    (tune,) = (stage for stage in own if stage.name == "stage tune")
    # In the finished project it writes no more than a note; here it is at work.
    at_work = replace(tune, name=f"{tune.name}, prompts", tuned="prompts")
    return [*own, at_work, *commands(data, root)]


def names_of_commands() -> set[str]:
    """The words of each command of `mmoe`."""

    def below(command: Any, words: tuple[str, ...]) -> Iterator[str]:
        for name, one in getattr(command, "commands", {}).items():
            yield from below(one, (*words, name))
        if not hasattr(command, "commands"):
            yield " ".join(words)

    return set(below(get_command(app), ()))
