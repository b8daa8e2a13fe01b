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
# An object without another one in it, and the key's value there.
_OBJECT = re.compile(rf'\{{[^{{}}]*"{KEY}"\s*:\s*"?([0-9]{{1,4}})"?\s*(?:,[^{{}}]*)?\}}')
# A limit of time: in prose, every brace is tried as the beginning of an object.
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
    if _NUMBER.fullmatch(text):
        return _option(int(text), num_options, BARE)
    if len(_NAMED.findall(text)) > 1:
        return Choice(None, SEVERAL)
    fenced = _FENCE.fullmatch(text)
    for form, content in ((None, text), (FENCED, fenced[1] if fenced else "")):
        value = _json(content)
        if isinstance(value, dict) and KEY in value:
            return _option(value[KEY], num_options, form)
        if value is not None:
            return Choice(None, NO_CHOICE)
    found = _OBJECT.search(text) if len(text) <= _SALVAGED else None
    # Inside another object it may be an example.
    if found is None or text.count("{", 0, found.start()) != text.count("}", 0, found.start()):
        return Choice(None, NO_CHOICE)
    return _option(int(found[1]), num_options, PROSE)


def _option(value: Any, num_options: int, form: str | None = None) -> Choice:
    """A value of the key as a choice."""
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


def _json(text: str) -> Any:
    """What a text is as JSON; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
