"""One image from one address: whole and decodable, or the reason why there is none."""

from __future__ import annotations

import hashlib
import warnings
from http import HTTPStatus
from io import BytesIO
from typing import NamedTuple

from PIL import Image
from requests import Response

from mmoe.errors import WikidataError, one_line
from mmoe.images import DECODING_ERRORS
from mmoe.wikidata.api.answers import TransientError, check_status
from mmoe.wikidata.api.session import PoliteSession, RetryPolicy

ENDINGS = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "GIF": ".gif", "WEBP": ".webp"}
IMAGE_POLICY = RetryPolicy(max_concurrent=1, attempts=4)
KIND = "image"  # under which requests are counted


class FetchedImage(NamedTuple):
    """An image as it came, decoded once to be sure that it is whole."""

    data: bytes
    ending: str


class Failure(NamedTuple):
    """Why there is no image.

    Attributes:
        reason: by which it is counted.
        gave_up: what to tell the user if the next images fare no better; None if the fault is this
            image's alone.
    """

    reason: str
    gave_up: str | None = None


class RefusedError(Exception):
    """The server refuses us, not the image; the message says what to do."""


def fetch_image(session: PoliteSession, url: str, sha1: str | None) -> FetchedImage | Failure:
    """Asks for an image until it comes whole, if another attempt may mend that.

    Args:
        sha1: of the bytes, if it is known.
    Raises:
        WikidataError: if the server refuses us.
    """
    troubles: list[str] = []

    def read(answer: Response) -> FetchedImage | Failure:
        try:
            return _read_image(answer, sha1)
        except TransientError as error:
            troubles.append(error.reason)
            raise

    try:
        return session.get(url, {}, KIND, read)
    except RefusedError as error:
        raise WikidataError(str(error)) from None
    except WikidataError as error:
        reason = troubles[-1] if troubles else "no connection that lasts"
        return Failure(f"gave up: {reason}", gave_up=str(error))


def _read_image(answer: Response, sha1: str | None) -> FetchedImage | Failure:
    """The image of an answer, or why it will never hold one.

    Raises:
        TransientError: for what another attempt may mend.
        RefusedError: if the server refuses us.
    """
    status = answer.status_code
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return Failure("not at its address (HTTP 404)")
    # A server that is asked too often says when to come back; one that refuses a width does not.
    if status == HTTPStatus.TOO_MANY_REQUESTS and "Retry-After" not in answer.headers:
        told = "refuses this width (HTTP 429 without Retry-After); choose another --width"
        return Failure("refused for its width (HTTP 429)", gave_up=f"{answer.url}: {told}")
    if status == HTTPStatus.FORBIDDEN:
        raise RefusedError(
            f"{answer.url}: HTTP 403, the server refuses us; set MMOE_CONTACT to an e-mail address or "
            "web page at which you can be reached, or try another network"
        )
    try:
        check_status(answer)
    except TransientError as error:
        if error.wait is not None and error.wait > IMAGE_POLICY.longest_wait:
            raise RefusedError(
                f"{answer.url}: asks us to stay away for {error.wait:.0f} s ({error.text}); run the "
                "command again then, it goes on from what has arrived"
            ) from None
        raise
    except WikidataError:
        return Failure(f"HTTP {status}")
    return _decoded(answer, sha1)


def _decoded(answer: Response, sha1: str | None) -> FetchedImage | Failure:
    data = answer.content
    mime = answer.headers.get("Content-Type", "no type").partition(";")[0].strip().lower()
    if not data:
        raise TransientError("empty file", "empty file")
    if not mime.startswith("image/"):
        told = f"answers with {mime} in place of an image; does a proxy or login page stand in between?"
        return Failure(f"no image but {mime}", gave_up=f"{answer.url}: {told}")
    if sha1 and hashlib.sha1(data, usedforsecurity=False).hexdigest() != sha1:
        raise TransientError("other bytes than the original's", "other bytes than the original's")
    try:
        with warnings.catch_warnings(), Image.open(BytesIO(data)) as image:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image.load()
            form = image.format or "unknown"
    except (*DECODING_ERRORS, Image.DecompressionBombWarning) as error:
        raise TransientError(
            "file that can't be decoded", f"no whole {mime} ({one_line(error)})"
        ) from None
    if form not in ENDINGS:
        return Failure(f"in a form that is not read here: {form}")
    return FetchedImage(data, ENDINGS[form])
