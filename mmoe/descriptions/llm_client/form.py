"""The form that a server holds an answer to, and the weaker ones to ask for where it refuses that.

The prompt is the same for all of them, and what comes back is checked in any case: a weaker form costs
answers that can't be read, never wrong ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FORM = "response_format"  # what a refusal of any form is called
# In the words of rank.output, the strongest first.
SCHEMA, JSON_OBJECT, PLAIN = "schema", "json_object", "plain"
FORMS = (SCHEMA, JSON_OBJECT)

EXTRA, _VLLM = "extra_body", "structured_outputs"


def form_of(body: Mapping[str, Any]) -> str:
    """The form that arguments of chat.completions hold the answer to, in whichever server's words."""
    if _VLLM in (body.get(EXTRA) or {}):
        return SCHEMA
    match body.get(FORM):
        case None:
            return PLAIN
        case {"type": "json_schema"} | {"schema": _}:
            return SCHEMA
    return JSON_OBJECT


def in_form(body: Mapping[str, Any], form: str) -> dict[str, Any]:
    """The same arguments with a weaker form: json_object, which all servers write alike, or plain."""
    extra = {name: value for name, value in (body.get(EXTRA) or {}).items() if name != _VLLM}
    rest = {name: value for name, value in body.items() if name not in (FORM, EXTRA)}
    rest |= {EXTRA: extra} if extra else {}
    return rest | {FORM: {"type": "json_object"}} if form == JSON_OBJECT else rest
