"""What headers say about waiting."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.descriptions.llm_client.headers import allowance, duration, retry_after

WALL = 1_800_000_000.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2),
        ({"retry-after": "0.2"}, 0.2),
        ({"retry-after": "121"}, 121),
        ({"retry-after": formatdate(WALL + 30, usegmt=True)}, 30),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7),
        ({"retry-after-ms": "0", "retry-after": "7"}, 7),
        ({"retry-after": formatdate(WALL - 30, usegmt=True)}, None),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 99 Foo 2026 00:00:00 GMT"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, WALL) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1),
        ("20ms", 0.02),
        ("6m0s", 360),
        ("1h2m3.5s", 3723.5),
        ("500us", 0.0005),
        ("1d", 86400),
        ("12", 12),
        ("0", 0),
        (str(int(WALL) + 60), 60),
        (str(int(WALL) - 60), None),
        ("-1", None),
        ("1s later", None),
        ("s", None),
        ("", None),
        (None, None),
    ],
)
def test_duration(text: str | None, seconds: float | None) -> None:
    assert duration(text, WALL) == pytest.approx(seconds)


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_a_duration_is_the_sum_of_its_parts(h: int, m: int, s: int, ms: int) -> None:
    text = f"{h}h{m}m{s}s{ms}ms"
    assert duration(text, WALL) == pytest.approx(3600 * h + 60 * m + s + ms / 1000)


@given(st.text(), st.text())
def test_no_header_breaks_the_reading(text: str, other: str) -> None:
    headers = {"retry-after": text, "retry-after-ms": other}
    headers |= {"x-ratelimit-remaining-tokens": text, "x-ratelimit-reset-tokens": other}
    waits = [retry_after(headers, WALL), duration(text, WALL)]
    left = allowance(headers, "tokens", WALL)
    assert all(wait is None or wait >= 0 for wait in waits)
    assert left is None or (left.remaining >= 0 and left.reset >= 0)


def test_what_is_left() -> None:
    headers = {"x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-requests": "20ms"}
    assert allowance(headers, "requests", WALL) == (7, 0.02)
    assert allowance(headers, "tokens", WALL) is None
    assert allowance(headers | {"x-ratelimit-remaining-requests": "-1"}, "requests", WALL) is None
    del headers["x-ratelimit-reset-requests"]
    assert allowance(headers, "requests", WALL) is None
