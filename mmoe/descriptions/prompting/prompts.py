"""Prompts as files: messages as Jinja templates, chosen by name or path, known by a hash of what they say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateError, meta

from mmoe.errors import DataError, RankingError, one_line
from mmoe.files import content_key, read_text

FOLDER = Path(__file__).parent.parent / "prompts"
ENDING = ".txt.jinja"
_HEADING = re.compile(r"^--- (system|user|assistant) ---\n", re.MULTILINE)


@dataclass(frozen=True)
class Prompt:
    """A prompt that was read.

    Attributes:
        version: 16 hex digits of what its file says, files that it includes among it.
        turns: the role and the template of each message.
    """

    name: str
    version: str
    turns: tuple[tuple[str, Template], ...]

    def messages(self, values: Mapping[str, Any]) -> list[dict[str, str]]:
        """The messages of one question; values are never read as templates."""
        try:
            return [
                {"role": role, "content": template.render(values).strip()}
                for role, template in self.turns
            ]
        except TemplateError as error:
            raise RankingError(f"rank.prompt: {self.name}: {one_line(error)}") from None


def prompt_names() -> list[str]:
    """The prompts that come along."""
    names = (file.name.removesuffix(ENDING) for file in FOLDER.glob(f"*{ENDING}"))
    return sorted(name for name in names if not name.startswith("_"))


def load_prompt(name: str) -> Prompt:
    """Reads a prompt: lines `--- system ---`, `--- user ---`, `--- assistant ---` begin its messages.

    Args:
        name: of a prompt that comes along, or the path of a file, known by a slash or by its ending .jinja.
    Raises:
        RankingError: if there is no such prompt, or it is no template, or its last message isn't the user's.
    """
    if "/" in name or name.endswith(".jinja"):
        file = Path(name)
    elif name in prompt_names():
        file = FOLDER / f"{name}{ENDING}"
    else:
        known = ", ".join(prompt_names())
        raise RankingError(f"rank.prompt: no prompt {name!r}; use {known} or the path of a file")
    environment = Environment(  # nosec B701
        loader=FileSystemLoader([file.parent, FOLDER]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701  no page: `texts.one_line` is what keeps data apart
    )
    try:
        source = read_text(file).replace("\r\n", "\n")
        version = content_key(_sources(environment, source))
        # Parted before it is filled in, so that no value can begin a message.
        parts = _HEADING.split(source)[1:]
        turns = tuple(
            (role, environment.from_string(text))
            for role, text in zip(parts[::2], parts[1::2], strict=True)
        )
    except (DataError, TemplateError, OSError) as error:
        raise RankingError(f"rank.prompt: {file}: {one_line(error)}") from None
    if not turns or turns[-1][0] != "user":
        raise RankingError(f"rank.prompt: {file}: its last message must begin with --- user ---")
    return Prompt(name, version, turns)


def _sources(environment: Environment, source: str) -> list[str]:
    """The text of a template and of all that it includes, by name."""
    assert environment.loader is not None
    found, to_read = {"": source}, [source]
    while to_read:
        for name in meta.find_referenced_templates(environment.parse(to_read.pop())):
            if name is not None and name not in found:
                found[name] = environment.loader.get_source(environment, name)[0]
                to_read.append(found[name])
    return [found[name] for name in sorted(found)]
