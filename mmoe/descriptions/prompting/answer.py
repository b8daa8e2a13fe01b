"""The form of an answer: what a server is told, and what of a reply names a candidate or none of them."""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from string import ascii_uppercase
from typing import Any, NamedTuple

from mmoe.config.rank import MOST_LABELLED, RankParams
from mmoe.descriptions.llm_client.types import Outcome, Reply

KEY = "choice"  # of the answer's JSON object
_MAX_TOKENS = 32  # of the answer, hidden reasoning included

CHOSEN, NONE, NO_CHOICE = "chosen", "none", "no choice"  # reasons of a choice, and of no choice

_NUMBER = re.compile(r"[0-9]{1,4}")
_NAMED = re.compile(rf'"{KEY}"\s*:')
# An object without another one in it, and the key's value there.
_OBJECT = re.compile(rf'\{{[^{{}}]*"{KEY}"\s*:\s*"?([0-9]{{1,4}})"?\s*(?:,[^{{}}]*)?\}}')
# A limit of time: in prose, every brace is tried as the beginning of an object.
_SALVAGED = 20_000
# Tokenizers write the blank before a word as one of these.
_BLANKS = " \t\r\n▁Ġ"


class Choice(NamedTuple):
    """What a reply says.

    Attributes:
        option: number of the option in the question's order, 0 for none of the candidates; None if the reply
            can't be read.
        reason: for counts; with the form of the answer after a comma where it was salvaged.
        confidence: probability of the option among the options; None unless asked with logprobs and told
            some that can be used.
    """

    option: int | None
    reason: str
    confidence: float | None = None


def label(option: int, num_options: int, output: str) -> str:
    """What the prompt calls an option of a question, 0 for none of the candidates.

    Its number; but with logprobs and more than nine candidates a letter, for a label must be one token.

    Args:
        num_options: candidates that the question shows.
    """
    if output != "logprobs" or num_options <= 9 or option == 0:
        return str(option)
    assert num_options <= MOST_LABELLED
    return ascii_uppercase[option - 1]


def answer_text(option: int, num_options: int, output: str) -> str:
    """The answer that names an option, 0 for none of the candidates."""
    if output == "logprobs":
        return label(option, num_options, output)
    return json.dumps({KEY: option})


def output_arguments(num_options: int, params: RankParams) -> dict[str, Any]:
    """The arguments of chat.completions that hold an answer to its form, and its length.

    Where the server refuses the form, `llm_client.fallbacks` has a weaker one.
    """
    options = range(num_options + 1)
    schema = {
        "type": "object",
        "properties": {KEY: {"type": "integer", "enum": list(options)}},
        "required": [KEY],
        "additionalProperties": False,
    }
    # llama.cpp and Ollama may ignore the newer name.
    old = params.server in ("llama.cpp", "ollama")
    limit = "max_tokens" if old else "max_completion_tokens"
    form: dict[str, Any] = {"type": "json_object"}
    match params.output, params.server:
        case "plain", _:
            return {limit: _MAX_TOKENS}
        case "logprobs", _:
            return {limit: 1, "logprobs": True, "top_logprobs": MOST_LABELLED}
        case "schema", "vllm":
            # Whole answers, not schemas: there is nothing else that the model could write.
            texts = [answer_text(n, num_options, "schema") for n in options]
            return {limit: _MAX_TOKENS, "extra_body": {"structured_outputs": {"choice": texts}}}
        case "schema", "llama.cpp":
            form["schema"] = schema  # older builds know no other form
        case "schema", _:
            strict = {"name": "pick", "strict": True, "schema": schema}
            form = {"type": "json_schema", "json_schema": strict}
    return {limit: _MAX_TOKENS, "response_format": form}


def read_reply(reply: Reply, num_options: int, output: str = "schema") -> Choice:
    """The choice that a reply makes; many servers let any text through, so nothing is taken on trust.

    Args:
        num_options: candidates that the question showed.
        output: with which the question was written.
    """
    if reply.outcome in (Outcome.REFUSED, Outcome.FILTERED, Outcome.EMPTY):
        return Choice(None, reply.outcome)
    if reply.outcome not in (Outcome.ANSWERED, Outcome.CUT):
        return Choice(None, "failed")
    text = (reply.text or "").strip()
    if output == "logprobs":
        return _read_label(reply, text, num_options)
    if not text:
        return Choice(None, Outcome.CUT if reply.outcome == Outcome.CUT else Outcome.EMPTY)
    choice = _read_text(text, num_options)
    # Some models go on with blanks after their answer. But in what else was cut, 1 may be the start of 12.
    if reply.outcome == Outcome.CUT and choice.reason not in (CHOSEN, NONE):
        return Choice(None, Outcome.CUT)
    return choice


def _read_text(text: str, num_options: int) -> Choice:
    if _NUMBER.fullmatch(text):
        return _option(int(text), num_options, "number alone")
    if len(_NAMED.findall(text)) > 1:
        return Choice(None, "several choices")
    value = _json(text)
    if isinstance(value, dict) and KEY in value:
        return _option(value[KEY], num_options)
    if value is not None:
        return Choice(None, NO_CHOICE)
    found = _OBJECT.search(text) if len(text) <= _SALVAGED else None
    # Inside another object it may be an example.
    if found is None or text.count("{", 0, found.start()) != text.count("}", 0, found.start()):
        return Choice(None, NO_CHOICE)
    return _option(int(found[1]), num_options, "prose")


def _option(value: Any, num_options: int, form: str | None = None) -> Choice:
    """A value of the key as a choice."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # to JSON, 2.0 and 2 are the same number
    # To Python, true is a number.
    if not isinstance(value, int) or isinstance(value, bool):
        return Choice(None, "not a number")
    if not 0 <= value <= num_options:
        return Choice(None, "outside the candidates")
    reason = CHOSEN if value else NONE
    return Choice(value, f"{reason}, {form}" if form else reason)


def _read_label(reply: Reply, text: str, num_options: int) -> Choice:
    option_of = {label(n, num_options, "logprobs"): n for n in range(num_options + 1)}
    weights: defaultdict[int, float] = defaultdict(float)
    for token, logprob in reply.top_tokens or ():
        option = option_of.get(token.strip(_BLANKS).upper())
        # Servers write -9999 for "very unlikely".
        if option is not None and -700 < logprob <= 1e-3:
            weights[option] += math.exp(logprob)
    if weights:
        # Among equal ones the option shown first.
        best = max(sorted(weights), key=weights.__getitem__)
        return Choice(best, CHOSEN if best else NONE, weights[best] / sum(weights.values()))
    # None that can be used: what was written counts, without a confidence.
    option = option_of.get(text.strip(_BLANKS).removesuffix(".").upper())
    if option is not None:
        return Choice(option, f"{CHOSEN if option else NONE}, no log-probabilities")
    return Choice(None, NO_CHOICE if text or reply.top_tokens else Outcome.EMPTY)


def _json(text: str) -> Any:
    """What a text is as JSON; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
