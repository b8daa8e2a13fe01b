"""What came over the wire and what it means: a reply, another attempt, or the end of the run."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from mmoe.descriptions.llm_client.fallbacks import FORM, refused_parameter
from mmoe.descriptions.llm_client.key import VARIABLE, ApiKey
from mmoe.descriptions.llm_client.types import Outcome, Reply, Stop

Cause = Literal["fault", "busy", "time out", "odd"]
# At one request, by why they fail. A time out may have been billed; busy is the server for all requests; odd
# is a strange response with status 200.
ATTEMPTS: dict[Cause, int] = {"fault": 8, "busy": 30, "time out": 3, "odd": 2}

_BUSY = frozenset({429, 503, 529})
_PASSING = frozenset({408, 409, 429})
# Some servers call a form of the response that they lack an error of their own.
_REFUSALS = frozenset({400, 422, 500, 501})
_ENDS = frozenset({401, 403, 404, 405})
_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "quota_exceeded"})
_LENGTH = frozenset({"context_length_exceeded", "exceed_context_size_error"})
_LENGTH_WORDS = re.compile(r"maximum context length|context (?:length|size|window)", re.IGNORECASE)
_FILTER = frozenset({"content_filter", "content_policy_violation"})


@dataclass(frozen=True, slots=True)
class Response:
    """What came over the wire; header names in lower case."""

    status: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_billed(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class NoResponse:
    """Why nothing came: "no connection" or "time out"."""

    kind: str
    text: str

    @property
    def is_billed(self) -> bool:
        """Whether the server may have worked on the answer nevertheless."""
        return self.kind == "time out"


@dataclass(frozen=True, slots=True)
class Retry:
    """Another attempt may help."""

    kind: str  # under which it is counted
    otherwise: Reply  # if no attempt helps
    cause: Cause = "fault"  # by which the attempts are limited
    without: str | None = None  # a parameter to leave out


Verdict = Reply | Retry | Stop


def classify_response(key: str, response: Response | NoResponse, secret: ApiKey) -> Verdict:
    """Says what to make of what came for the request `key`."""
    if isinstance(response, NoResponse):
        reply = Reply(key, Outcome.GAVE_UP, error=secret.line(response.text))
        return Retry(response.kind, reply, "time out" if response.kind == "time out" else "fault")
    text = response.content.decode("utf-8", "replace")
    content = _json(text, secret)
    error = _error(content, text)
    code, status = _code(error), response.status
    words = secret.line(f"{status} {error.get('message') or ''}")
    if code in _QUOTA or status == 402:
        return Stop("quota", f"the quota is used up ({words}); add money, or name another server")
    if 200 <= status < 300:
        return _good(key, content, words, secret)
    rejected = Reply(key, _rejected(code, error), error=words)
    gave_up = Reply(key, Outcome.GAVE_UP, error=words)
    parameter = refused_parameter(error) if status in _REFUSALS else None
    retry = Retry(f"without {parameter}", rejected, without=parameter)
    if parameter == FORM and rejected.outcome == Outcome.BAD_REQUEST:
        return retry if status < 500 else replace(retry, otherwise=gave_up)
    if status in _PASSING or status >= 500:
        return Retry(str(status), gave_up, "busy" if status in _BUSY else "fault")
    if status in _ENDS or status < 400:
        return _stop(status, words, secret)
    return rejected if parameter is None or rejected.outcome != Outcome.BAD_REQUEST else retry


def _good(key: str, content: Any, words: str, secret: ApiKey) -> Verdict:
    reply = read_completion(key, content if isinstance(content, dict) else {})
    if reply is None:
        reply = Reply(key, Outcome.NO_COMPLETION, error=f"no completion ({words})")
    elif reply.error is not None:
        reply = replace(reply, error=secret.line(reply.error))
    is_odd = reply.outcome in (Outcome.NO_COMPLETION, Outcome.EMPTY)
    return Retry(reply.outcome, reply, "odd") if is_odd else reply


def _stop(status: int, words: str, secret: ApiKey) -> Stop:
    key = f"{VARIABLE} is {'wrong for this server' if secret.is_set else 'not set'}"
    model = "knows no such model or address", "look at rank.model and rank.base_url"
    by, what, remedy = {
        401: ("key", "wants another key", key),
        403: ("permission", "refuses us", "ask who runs it"),
        404: ("model", *model),
        405: ("model", *model),
    }.get(status, ("address", "redirects us elsewhere", "put the final address into rank.base_url"))
    return Stop(by, f"the server {what} ({words}); {remedy}")


def _rejected(code: str, error: Mapping[str, Any]) -> Outcome:
    if code in _LENGTH or _LENGTH_WORDS.search(str(error.get("message") or "")):
        return Outcome.TOO_LONG
    return Outcome.FILTERED if code in _FILTER else Outcome.BAD_REQUEST


def _json(text: str, secret: ApiKey) -> Any:
    """The content without the key; None if it is no JSON. Escapes are read first, as they could hide one."""
    try:
        return json.loads(secret.out_of(json.dumps(json.loads(text), ensure_ascii=False)))
    except (ValueError, RecursionError):
        return None


def _error(content: Any, text: str) -> Mapping[str, Any]:
    """The error object, in the forms that servers have; empty if there is none."""
    if not isinstance(content, dict):
        return {"message": text}
    error = content.get("error")
    if isinstance(error, dict):
        return error
    if isinstance(error, str):
        return {"message": error}
    detail = content.get("detail")  # of FastAPI
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        place = ".".join(str(one) for one in detail[0].get("loc") or ())
        return {"message": f"{detail[0].get('msg')}: {place}", "param": place}
    if isinstance(content.get("message"), str):
        return content  # vLLM of old
    return {"message": str(detail)} if detail else {}


def _code(error: Mapping[str, Any]) -> str:
    """The code, or the type where the code is empty or only repeats the status."""
    code = error.get("code")
    return code if isinstance(code, str) and not code.isdigit() else str(error.get("type") or "")


def read_completion(key: str, content: Mapping[str, Any]) -> Reply | None:
    """The reply to the request `key` that a completion of any shape makes; None if it is none."""
    choices = content.get("choices")
    choice = _dict(choices[0]) if isinstance(choices, list) and choices else {}
    message, finish = choice.get("message"), choice.get("finish_reason")
    if not isinstance(message, dict):
        return None
    usage = _dict(content.get("usage"))
    reply = Reply(
        key,
        Outcome.CUT if finish == "length" else Outcome.ANSWERED,
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        text=_text(_joined(message.get("content"))),
        top_tokens=_top_tokens(choice),
        model=_text(content.get("model")),
        fingerprint=_text(content.get("system_fingerprint")),
    )
    if refusal := _text(message.get("refusal")):
        return replace(reply, outcome=Outcome.REFUSED, error=refusal)
    if finish == "content_filter":
        return replace(reply, outcome=Outcome.FILTERED)
    if finish != "length" and not reply.text and not reply.top_tokens:
        error = f"no text, finish_reason {finish}"
        return replace(reply, outcome=Outcome.EMPTY, text=None, error=error)
    return reply


def _joined(content: Any) -> Any:
    """The text of a content; some servers send it in parts."""
    if not isinstance(content, list):
        return content
    return "".join(_text(_dict(part).get("text")) or "" for part in content)


def _top_tokens(choice: Mapping[str, Any]) -> list[tuple[str, float]] | None:
    """The candidates for the first token; None if the server tells none."""
    content = _dict(choice.get("logprobs")).get("content")
    if not isinstance(content, list) or not content:
        return None
    entries = _dict(content[0]).get("top_logprobs")
    pairs = [
        (entry["token"], float(entry["logprob"]))
        for entry in map(_dict, entries if isinstance(entries, list) else [])
        if isinstance(entry.get("token"), str)
        and isinstance(entry.get("logprob"), int | float)
        and math.isfinite(entry["logprob"])
    ]
    return pairs or None


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
