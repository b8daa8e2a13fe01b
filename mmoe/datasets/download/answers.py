"""What a server's answer means: go on, come back later, or never."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from requests import Response

from mmoe.errors import DataError

OK, PARTIAL_CONTENT = HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
REMEDIES = {
    401: "the server wants a login; name another server with --mirror",
    403: "a firewall or the server refuses; try another network or name a server with --mirror",
    404: "the file is gone from that address; name a server that has it with --mirror",
    407: "the proxy wants a login; put it into HTTPS_PROXY",
}
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class TransientError(Exception):
    """An attempt failed in a way that another one may mend; what has arrived is kept or dropped.

    Args:
        reason: what happened, for the user.
        wait: seconds that the server asked for, if it did.
    """

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def check_status(answer: Response) -> None:
    """Lets a 200 or 206 pass.

    Raises:
        TransientError: if the server is busy or asks to come back.
        DataError: for any other status.
    """
    status = answer.status_code
    if status in (OK, PARTIAL_CONTENT):
        return
    if status in TRANSIENT:
        raise TransientError(f"HTTP {status}", seconds_to_wait(answer.headers))
    remedy = REMEDIES.get(status, "try later, or name another server with --mirror")
    raise DataError(f"{answer.url}: HTTP {status} {answer.reason or ''}".rstrip() + f"; {remedy}")


def seconds_to_wait(headers: Mapping[str, str]) -> float | None:
    """What Retry-After asks for, given in seconds or as a date; null if absent or unreadable."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    # "-0000" gives a date without a zone; HTTP knows no other than UTC.
    return max(0.0, date.replace(tzinfo=date.tzinfo or UTC).timestamp() - time.time())


def continues(answer: Response, offset: int, size: int, etag: str | None) -> bool:
    """Whether a 206 carries all bytes from `offset` to the end of a file of `size` bytes.

    Args:
        etag: what the bytes before `offset` came under, if known.
    """
    # A range of a body that is compressed on the way counts other bytes than the file's.
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
    if match is None or is_encoded(answer):
        return False
    first, last, total = match.groups()
    same = etag is None or answer.headers.get("ETag", etag) == etag
    return same and int(first) == offset and int(last) == size - 1 and total in ("*", str(size))


def is_encoded(answer: Response) -> bool:
    """Whether the body is compressed on the way, so that its bytes are not the file's."""
    return answer.headers.get("Content-Encoding", "identity").strip().lower() != "identity"


def says_where_it_ends(answer: Response) -> bool:
    """Whether a body that was cut can be told from a body that has ended."""
    chunked = "chunked" in answer.headers.get("Transfer-Encoding", "").lower()
    return chunked or "Content-Length" in answer.headers
