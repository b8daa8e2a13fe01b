"""The form of an answer: what a server is told, so that it can only name a candidate's number or none."""

from __future__ import annotations

import json
from string import ascii_uppercase
from typing import Any

from mmoe.config.rank import MOST_LABELLED, RankParams

KEY = "choice"  # of the answer's JSON object
_MAX_TOKENS = 32  # of the answer, hidden reasoning included


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
    # llama.cpp and Ollama may ignore the newer name.
    old = params.server in ("llama.cpp", "ollama")
    limit = "max_tokens" if old else "max_completion_tokens"
    length = {limit: _MAX_TOKENS}
    match params.output:
        case "schema" if params.server == "vllm":
            # Whole answers, not schemas: there is nothing else that the model could write.
            texts = [answer_text(n, num_options, "schema") for n in range(num_options + 1)]
            return {**length, "extra_body": {"structured_outputs": {"choice": texts}}}
        case "schema" if params.server == "llama.cpp":
            # Older builds know no other form.
            form = {"type": "json_object", "schema": _schema(num_options)}
            return {**length, "response_format": form}
        case "schema":
            schema = {"name": "pick", "strict": True, "schema": _schema(num_options)}
            form = {"type": "json_schema", "json_schema": schema}
            return {**length, "response_format": form}
        case "json_object":
            return {**length, "response_format": {"type": "json_object"}}
        case "logprobs":
            return {limit: 1, "logprobs": True, "top_logprobs": MOST_LABELLED}
    return length


def _schema(num_options: int) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {KEY: {"type": "integer", "enum": list(range(num_options + 1))}},
        "required": [KEY],
        "additionalProperties": False,
    }
