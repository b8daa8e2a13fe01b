"""What an answer means: take it, ask again later, or give up."""

from __future__ import annotations

import time
from collections.abc import Mapping
from enum import Enum
from http import HTTPStatus
from typing import Any

import orjson
from requests import Response

from mmoe.errors import WikidataError, one_line
from mmoe.retry_after import retry_after

NO_USER_AGENT = "Please set a user-agent"  # how Wikimedia's refusal of a bad User-Agent begins
LONGEST_QUOTE = 300  # characters of a server's text that a message repeats


class Cause(Enum):
    """What an answer that failed says about the next requests."""

    FAULT = "fault"  # nothing: it concerns this request alone
    BUSY = "busy"  # the server has too much to do: all wait
    LIMIT = "limit"  # we ask too often: all wait and the pace widens
    LAG = "lag"  # its databases lag behind: all wait, as long as we are willing to


RETRIED_STATUS = {
    408: Cause.FAULT,
    425: Cause.FAULT,
    429: Cause.LIMIT,
    500: Cause.FAULT,
    502: Cause.BUSY,
    503: Cause.BUSY,
    504: Cause.BUSY,
}
RETRIED_CODES = {
    "maxlag": Cause.LAG,
    "ratelimited": Cause.LIMIT,
    "cirrussearch-too-busy-error": Cause.BUSY,
}


class TransientError(Exception):
    """A request failed in a way that another attempt may mend.

    Args:
        reason: a short name under which it is counted.
        text: what happened, for the user.
        wait: seconds that the server asked for, if it did.
    """

    def __init__(
        self, reason: str, text: str, cause: Cause = Cause.FAULT, wait: float | None = None
    ) -> None:
        super().__init__(text)
        self.reason, self.text, self.cause, self.wait = reason, text, cause, wait


def check_status(answer: Response) -> None:
    """Lets a 200 pass.

    Raises:
        TransientError: if the server is busy or asks to come back.
        WikidataError: for any other status.
    """
    status = answer.status_code
    if status == HTTPStatus.OK:
        return
    if status in RETRIED_STATUS:
        wait = retry_after(answer.headers, time.time())
        raise TransientError(f"http_{status}", f"HTTP {status}", RETRIED_STATUS[status], wait)
    if status == HTTPStatus.FORBIDDEN and NO_USER_AGENT in answer.text:
        raise WikidataError(
            f"{_address(answer)}: the server refuses our User-Agent ({_quote(answer.text)}); "
            "set MMOE_CONTACT to an e-mail address or web page at which you can be reached "
            "(https://foundation.wikimedia.org/wiki/Policy:User-Agent_policy)"
        )
    raise WikidataError(
        f"{_address(answer)}: HTTP {status} ({_quote(answer.text)}); try another network, or look at "
        "the address and the proxy"
    )


def read_api_answer(answer: Response) -> dict[str, Any]:
    """The JSON object of an Action API answer that is no error.

    Errors come with HTTP 200 as a rule, and as `error` or as a list `errors`, as `errorformat` has it.

    Raises:
        TransientError: if the API is busy, or the body is broken.
        WikidataError: if it refuses the request; the message repeats its reason.
    """
    if "json" not in answer.headers.get("Content-Type", ""):
        check_status(answer)
    try:
        content = orjson.loads(answer.content)
    except orjson.JSONDecodeError as error:
        kind = answer.headers.get("Content-Type", "no type").partition(";")[0]
        raise TransientError("broken_answer", f"not JSON but {kind} ({one_line(error)})") from None
    if not isinstance(content, dict):
        raise TransientError("broken_answer", "not a JSON object")
    _check_errors(answer, content)
    check_status(answer)
    return content


def _check_errors(answer: Response, content: Mapping[str, Any]) -> None:
    single, several = content.get("error"), content.get("errors")
    errors = [single] if single else several if isinstance(several, list) else []
    texts = [_error_text(error) for error in errors]
    for code, text in texts:
        if code in RETRIED_CODES:
            wait = retry_after(answer.headers, time.time())
            raise TransientError(code, f"{code}: {text}", RETRIED_CODES[code], wait)
    if texts:
        told = "; ".join(f"{code}: {text}" for code, text in texts)
        raise WikidataError(
            f"{_address(answer)}: the API refuses the request ({_quote(told)}); "
            "look at the languages and the address that are asked for"
        )


def _error_text(error: Any) -> tuple[str, str]:
    if not isinstance(error, dict):
        return "unknown", str(error)
    text = next((error[key] for key in ("info", "text", "html", "key") if key in error), "")
    return str(error.get("code", "unknown")), str(text)


def _quote(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE]}…"


def _address(answer: Response) -> str:
    """Without the parameters, which would repeat the surface forms."""
    return answer.url.partition("?")[0]
