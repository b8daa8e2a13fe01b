"""Reads params.yaml and hands out its sections."""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from mmoe.config.section import Section
from mmoe.errors import ConfigError
from mmoe.files import read_text

SectionType = TypeVar("SectionType", bound=Section)


class ParamsFile:
    """A params.yaml that has been read; sections are validated as they are asked for.

    ruamel reads YAML 1.2, as DVC does: `5e-6` is a float (PyYAML would make it a string).

    Raises:
        ConfigError: if the file is missing, is not YAML, or is no mapping of sections.
    """

    def __init__(self, path: Path = Path("params.yaml")) -> None:
        self.path = path
        if not path.is_file():
            raise ConfigError(f"{path}: no such file; run from the project's root folder")
        try:
            content = YAML(typ="safe", pure=True).load(read_text(path))
        except MarkedYAMLError as error:
            where = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
            raise ConfigError(f"{path}: not valid YAML{where}: {error.problem}") from None
        except RecursionError:
            raise ConfigError(
                f"{path}: not valid YAML: brackets within brackets, too deep"
            ) from None
        except (YAMLError, ValueError) as error:  # ValueError: a date such as 2024-13-01
            raise ConfigError(f"{path}: not valid YAML: {error}") from None
        if not isinstance(content, dict):
            raise ConfigError(
                f"{path}: must be a mapping of sections, found {type(content).__name__}"
            )
        self.content: dict[str, Any] = content

    def changed(self, values: Mapping[str, Any]) -> ParamsFile:
        """The same parameters with other values of some keys, by their full names (`train.seed`)."""
        other = copy.copy(self)
        other.content = copy.deepcopy(self.content)
        for name, value in values.items():
            section, _, key = name.partition(".")
            other.content.setdefault(section, {})[key] = value
        return other

    def section(self, kind: type[SectionType]) -> SectionType:
        """One validated section; what the file leaves out has its default.

        Raises:
            ConfigError: naming every bad key of the section, its value and the rule.
        """
        name = kind.SECTION
        try:
            return kind.model_validate(self.content.get(name, {}))
        except ValidationError as error:
            lines = [_explain(kind, detail) for detail in _root_causes(error.errors())]
            raise ConfigError("\n".join(f"{self.path}: {line}" for line in lines)) from None


def _root_causes(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Drops "too short" of a list whose items are wrong: pydantic does not count such items."""
    broken = {detail["loc"][:-1] for detail in details}
    return [d for d in details if d["type"] != "too_short" or d["loc"] not in broken]


def _explain(kind: type[Section], detail: ErrorDetails) -> str:
    """One line: key, value, rule."""
    key = ".".join([kind.SECTION, *(str(part) for part in detail["loc"])])
    match detail["type"]:
        case "extra_forbidden":
            return (
                f"{key}: unknown key{_suggestion(str(detail['loc'][-1]), list(kind.knob_names()))}"
            )
        case "value_error":
            return detail["msg"].removeprefix("Value error, ")
        case "tuple_type":
            return f"{key} = {detail['input']!r}: should be a list"
        case "model_type":
            return f"{key} = {detail['input']!r}: should be a mapping of keys"
        case _:
            rule = re.sub(r"^(Input|String|Tuple) ", "", detail["msg"])
            return f"{key} = {detail['input']!r}: {rule}"


def _suggestion(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean `{close[0]}`?" if close else f"; known keys: {', '.join(known)}"
