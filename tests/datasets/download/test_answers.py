"""Which 206 may be joined to what has arrived; a wrong one is known before its body is read."""

from __future__ import annotations

import pytest
from requests import Response

from mmoe.datasets.download.answers import continues

ETAG = '"a"'


def answer(**headers: str) -> Response:
    """A 206; underscores in header names stand for hyphens."""
    response = Response()
    response.status_code = 206
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Range": "bytes 30-99/100"},
        {"Content_Range": "bytes 30-99/*"},
        {"Content_Range": "bytes 30-99/100", "ETag": ETAG},
        {"Content_Range": "bytes 30-99/100", "Content_Encoding": "identity"},
    ],
)
def test_the_rest_is_joined(headers: dict[str, str]) -> None:
    assert continues(answer(**headers), 30, 100, ETAG)
    assert continues(answer(**headers), 30, 100, None)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content_Range": ""},
        {"Content_Range": "bytes */100"},
        {"Content_Range": "lines 30-99/100"},
        {"Content_Range": "bytes 29-99/100"},
        {"Content_Range": "bytes 30-98/100"},
        {"Content_Range": "bytes 30-99/101"},
        {"Content_Range": "bytes 30-99/100", "ETag": '"b"'},
        {"Content_Range": "bytes 30-99/100", "Content_Encoding": "gzip"},
    ],
)
def test_anything_else_is_not(headers: dict[str, str]) -> None:
    assert not continues(answer(**headers), 30, 100, ETAG)
