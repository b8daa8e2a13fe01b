"""What a reply says: which option of the question, or why it says nothing."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mmoe.descriptions.llm_client import Reply
from mmoe.descriptions.llm_client.types import ANSWERED, CUT, EMPTY, FILTERED, REFUSED
from mmoe.descriptions.prompting.output import KEY, label

# Reasons of a choice: a candidate, or none of them; "…, fenced" and so on where the answer lay in more.
CHOSEN = "chosen"
NONE = "none"
FENCED = "fenced"
PROSE = "prose"
BARE = "number alone"
NO_LOGPROBS = "no log-probabilities"

# Reasons why nothing could be read; beside them the outcomes empty, refused, cut and filtered.
OUTSIDE = "outside the candidates"
NOT_A_NUMBER = "not a number"
NO_CHOICE = "no choice"
SEVERAL = "several choices"
FAILED = "failed"

_FENCE = re.compile(r"```[a-zA-Z0-9]*\s*(.*?)\s*```", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,4}")
_NAMED = re.compile(rf'"{KEY}"\s*:')
# A limit of time: beside prose the beginning of each object is tried.
_SALVAGED = 20_000
# Tokenizers write the blank before a word as one of these.
_BLANKS = " \t\r\n▁Ġ"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reply says.

    Attributes:
        option: number of the option in the question's order, 0 for none of the candidates; None if the reply
            can't be read.
        reason: for counts; a constant of this module, with its form after a comma where it was salvaged.
        confidence: probability of the option among the options; None unless asked with logprobs and told
            some that can be used.
    """

    option: int | None
    reason: str
    confidence: float | None = None


def read_reply(reply: Reply, num_options: int, output: str = "schema") -> Choice:
    """The choice that a reply makes; many servers let any text through, so nothing is taken on trust.

    Args:
        num_options: candidates that the question showed.
        output: with which the question was written.
    """
    if reply.outcome in (REFUSED, FILTERED, EMPTY):
        return Choice(None, reply.outcome)
    if reply.outcome not in (ANSWERED, CUT):
        return Choice(None, FAILED)
    text = (reply.text or "").strip()
    if output == "logprobs":
        return _read_label(reply, text, num_options)
    if not text:
        return Choice(None, CUT if reply.outcome == CUT else EMPTY)
    choice = _read_text(text, num_options)
    # Some models go on with blanks after their answer. But in what else was cut, 1 may be the start of 12.
    if reply.outcome == CUT and choice.reason not in (CHOSEN, NONE):
        return Choice(None, CUT)
    return choice


def _read_text(text: str, num_options: int) -> Choice:
    whole = _json(text)
    if isinstance(whole, dict) and KEY in whole:
        return _option(whole[KEY], num_options)
    if _NUMBER.fullmatch(text):
        return _option(int(text), num_options, BARE)
    fenced = _FENCE.fullmatch(text)
    inner = _json(fenced[1]) if fenced else None
    if isinstance(inner, dict) and KEY in inner:
        return _option(inner[KEY], num_options, FENCED)
    if whole is not None or len(text) > _SALVAGED:
        return Choice(None, NO_CHOICE)
    return _read_prose(text, num_options)


def _read_prose(text: str, num_options: int) -> Choice:
    """The choice of the only object in a text that makes one."""
    values = [found[KEY] for found in _objects(text) if KEY in found]
    if not values:
        return Choice(None, NO_CHOICE)
    # A key that no object yields lies inside another object, in a broken one, or stands there twice.
    if len(values) != 1 or len(_NAMED.findall(text)) != 1:
        return Choice(None, SEVERAL)
    return _option(values[0], num_options, PROSE)


def _option(value: Any, num_options: int, form: str | None = None) -> Choice:
    """A value of the key as a choice."""
    if isinstance(value, _Twice):
        return Choice(None, SEVERAL)
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # to JSON, 2.0 and 2 are the same number
    # To Python, true is a number.
    if not isinstance(value, int) or isinstance(value, bool):
        return Choice(None, NOT_A_NUMBER)
    if not 0 <= value <= num_options:
        return Choice(None, OUTSIDE)
    reason = CHOSEN if value else NONE
    return Choice(value, f"{reason}, {form}" if form else reason)


def _read_label(reply: Reply, text: str, num_options: int) -> Choice:
    option_of = {label(n, num_options, "logprobs"): n for n in range(num_options + 1)}
    weights = _weights(reply.top_tokens or (), option_of)
    total = sum(weights.values())
    if total > 0:
        # Among equal ones the option shown first.
        best = max(sorted(weights), key=weights.__getitem__)
        return Choice(best, CHOSEN if best else NONE, weights[best] / total)
    # None that can be used: what was written counts, without a confidence.
    option = option_of.get(text.strip(_BLANKS).removesuffix(".").upper())
    if option is not None:
        return Choice(option, f"{CHOSEN if option else NONE}, {NO_LOGPROBS}")
    return Choice(None, NO_CHOICE if text or reply.top_tokens else EMPTY)


def _weights(tokens: Sequence[tuple[str, float]], option_of: dict[str, int]) -> dict[int, float]:
    """The probability of each option that is among the tokens, relative to the likeliest of them."""
    found = [
        (option, logprob)
        for token, logprob in tokens
        if (option := option_of.get(token.strip(_BLANKS).upper())) is not None
        # -9999 is how servers write "very unlikely".
        and -9999 < logprob <= 1e-3
    ]
    highest = max((logprob for _, logprob in found), default=0.0)
    weights: dict[int, float] = {}
    for option, logprob in found:
        weights[option] = weights.get(option, 0.0) + math.exp(logprob - highest)
    return weights


class _Twice:
    """Stands for the values of a key that an object has twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    return {name: _Twice() if names.count(name) > 1 else value for name, value in pairs}


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def _json(text: str) -> Any:
    """What a text is as JSON; None if it is none."""
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None


def _objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects in a text, from left to right, those inside others left out."""
    found: list[dict[str, Any]] = []
    start = text.find("{")
    while start >= 0:
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            found.append(value)
        start = text.find("{", end)
    return found
