"""The one ladder of fall-backs: what a server refuses is left out, and the rest of the run goes without.

The form of the answer falls from schema to json_object to plain; a limit of tokens takes its other name;
temperature, seed and log-probabilities are dropped. The prompt is the same for all of them, and what comes
back is checked in any case: a weaker form costs answers that can't be read, never wrong ones.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

FORM = "response_format"  # what a refusal of any form is called
SCHEMA, JSON_OBJECT, PLAIN = "schema", "json_object", "plain"  # in the words of rank.output
EXTRA = "extra_body"  # holds vLLM's structured_outputs, and nothing else

_LENGTHS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
# Of the forms, one at most is in a body.
_GO_TOGETHER = {"logprobs": ("logprobs", "top_logprobs"), FORM: (SCHEMA, JSON_OBJECT)}
DROPPABLE = frozenset({"temperature", "seed", FORM, "logprobs", "top_logprobs", *_LENGTHS})

_CODES = frozenset({"unsupported_parameter", "unsupported_value", "unknown_parameter"})
_REFUSAL = re.compile(
    r"unsupported|not support|unrecogni[sz]ed|unknown (?:parameter|argument|field)"
    r"|extra (?:inputs|fields) (?:are )?not (?:permitted|allowed)",
    re.IGNORECASE,
)
_FORM = re.compile(
    r"response_format|structured[_ ]outputs?|json[_ ]schema|json_object|guided (?:decoding|generation)",
    re.IGNORECASE,
)
# The form can be wrong in more ways: a kind of it, its schema, or what the server makes of the schema.
_FORM_REFUSAL = re.compile(
    r"must be (?:one of|either)|input should be|must contain the word|not implemented|cannot unmarshal"
    r"|invalid (?:parameter|value|schema|type)|failed to (?:parse|compile|convert|load)",
    re.IGNORECASE,
)
_GRAMMAR = re.compile(
    r"(?:failed to|error|unable to|can't|cannot)\b[^.]{0,40}\bgrammar", re.IGNORECASE
)
_NAME = re.compile(
    rf"\b(?:{'|'.join(sorted(DROPPABLE, key=len, reverse=True))})\b|{_FORM.pattern}", re.IGNORECASE
)


def refused_parameter(error: Mapping[str, Any]) -> str | None:
    """The parameter that an error object complains about, if it is one that can be left out.

    "response_format" stands for whatever holds the answer to its form.
    """
    message, param = str(error.get("message") or ""), str(error.get("param") or "")
    if error.get("code") in _CODES or _REFUSAL.search(message):
        named = _NAME.search(param) or _NAME.search(message)
        if named is not None:
            return FORM if _FORM.fullmatch(named[0]) else named[0].lower()
    is_about_form = _FORM.search(param) or (_FORM.search(message) and _FORM_REFUSAL.search(message))
    return FORM if is_about_form or _GRAMMAR.search(message) else None


def form_of(body: Mapping[str, Any]) -> str:
    """The form that arguments of chat.completions hold the answer to, in whichever server's words."""
    if EXTRA in body:
        return SCHEMA
    match body.get(FORM):
        case None:
            return PLAIN
        case {"type": "json_schema"} | {"schema": _}:
            return SCHEMA
    return JSON_OBJECT


def names_in(body: Mapping[str, Any]) -> frozenset[str]:
    """What of a body can be refused; the form of the answer by its name: schema or json_object."""
    return frozenset({*body, form_of(body)} - {FORM, PLAIN})


class Fallbacks:
    """What the server was found to refuse; holds for the whole run."""

    def __init__(self) -> None:
        self.refused: set[str] = set()  # names, as `names_in` says

    def fit(self, body: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The body as the server takes it, and what it lacks, sorted.

        A parameter by its name, one that goes under its other name as "old name -> new name", a weaker form
        of the answer as "schema -> json_object".
        """
        kept, form, left_out = dict(body), form_of(body), []
        if form in self.refused:
            kept = {name: value for name, value in body.items() if name not in (FORM, EXTRA)}
            if form == SCHEMA and JSON_OBJECT not in self.refused:
                kept[FORM] = {"type": "json_object"}  # which all servers write alike
            left_out.append(f"{form} -> {form_of(kept)}")
        for name in kept.keys() & self.refused:
            value, other = kept.pop(name), _LENGTHS.get(name, name)
            if other in self.refused:
                left_out.append(name)
            else:
                kept[other] = value
                left_out.append(f"{name} -> {other}")
        return kept, tuple(sorted(left_out))

    def refuse(self, name: str, sent: Collection[str]) -> bool:
        """Notes that the server refused a parameter; returns whether another attempt differs.

        Args:
            sent: what was in the refused body, as `names_in` says.
        """
        names = [one for one in _GO_TOGETHER.get(name, (name,)) if one in sent]
        self.refused.update(names)
        return bool(names)
