"""One image: what is asked for again, what never is, and what ends the run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata.api.pace import Pacer
from mmoe.wikidata.api.session import PoliteSession
from mmoe.wikidata.images.fetch import IMAGE_POLICY, Failure, FetchedImage, fetch_image

from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.runs import CONTACT
from tests.wikidata.images.commons import Commons, Trick, drawn, image, path_of, redirected
from tests.wikidata.loopback import body, cut, half, hang_up, page


@pytest.fixture
def session(time_of: StoppedClock) -> Iterator[PoliteSession]:
    pacer = Pacer(100_000, time_of.clock())
    with PoliteSession(CONTACT, IMAGE_POLICY, pacer) as running:
        yield running


def fetch(
    commons: Commons, session: PoliteSession, *tricks: Trick, sha1: str | None = None
) -> FetchedImage | Failure:
    commons.add("A.jpg", "image/jpeg", 64, 48, *tricks)
    return fetch_image(session, f"{commons.base}{path_of('A.jpg')}", sha1)


@pytest.mark.parametrize(
    ("form", "ending"), [("PNG", ".png"), ("GIF", ".gif"), ("WEBP", ".webp"), ("JPEG", ".jpg")]
)
def test_the_ending_is_that_of_the_bytes(
    commons: Commons, session: PoliteSession, form: str, ending: str
) -> None:
    data = drawn(9, 9, form)
    assert fetch(commons, session, image(data)) == FetchedImage(data, ending)
    assert CONTACT in commons.log[0].headers["User-Agent"]


@pytest.mark.parametrize(
    "trick",
    [
        page(503),
        page(503, Retry_After="3"),
        page(429, Retry_After="3"),
        page(500),
        image(b""),
        cut,
        half,
        hang_up,
        image(b"<html>"),
        image(drawn(9, 9)[:30]),
        redirected(301),
    ],
)
def test_what_another_attempt_mends(commons: Commons, session: PoliteSession, trick: Trick) -> None:
    assert isinstance(fetch(commons, session, trick, trick), FetchedImage)
    assert len(commons.log) == 3


@pytest.mark.parametrize(
    ("trick", "reason", "attempts"),
    [
        (page(404), "not at its address (HTTP 404)", 1),
        (page(410), "not at its address (HTTP 404)", 1),
        (page(429), "refused for its width (HTTP 429)", 1),
        (page(400), "HTTP 400", 1),
        (body(b"<html>", "text/html; charset=utf-8"), "no image but text/html", 1),
        (body(b"%PDF", "application/pdf"), "no image but application/pdf", 1),
        (body(drawn(9, 9, "BMP"), "image/bmp"), "in a form that is not read here: BMP", 1),
        (image(b""), "gave up: empty file", IMAGE_POLICY.attempts),
        (half, "gave up: file that can't be decoded", IMAGE_POLICY.attempts),
        (image(b"<html>"), "gave up: file that can't be decoded", IMAGE_POLICY.attempts),
        (page(503), "gave up: http_503", IMAGE_POLICY.attempts),
        (cut, "gave up: no connection that lasts", IMAGE_POLICY.attempts),
        (hang_up, "gave up: no connection that lasts", IMAGE_POLICY.attempts),
    ],
)
def test_why_there_is_no_image_and_how_often_it_is_asked_for(
    commons: Commons, session: PoliteSession, trick: Trick, reason: str, attempts: int
) -> None:
    found = fetch(commons, session, *[trick] * 20)
    assert isinstance(found, Failure)
    assert found.reason == reason
    assert len(commons.log) == attempts
    if attempts > 1:
        assert f"gave up after {attempts} attempts" in str(found.gave_up)


def test_who_is_refused_does_not_go_on(commons: Commons, session: PoliteSession) -> None:
    with pytest.raises(WikidataError, match="HTTP 403, the server refuses us; set MMOE_CONTACT"):
        fetch(commons, session, page(403))
    with pytest.raises(WikidataError, match="asks us to stay away for 4000 s"):
        fetch(commons, session, page(429, Retry_After="4000"))
    assert len(commons.log) == 2


def test_an_original_must_have_the_bytes_that_it_is_known_by(
    commons: Commons, session: PoliteSession
) -> None:
    sha1 = hashlib.sha1(drawn(64, 48), usedforsecurity=False).hexdigest()
    found = fetch(commons, session, image(drawn(64, 48, "PNG")), sha1=sha1)
    assert found == FetchedImage(drawn(64, 48), ".jpg")
    assert len(commons.log) == 2


def test_a_image_too_large_to_decode_safely_is_given_up(
    commons: Commons, session: PoliteSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 40 * 40)
    found = fetch(commons, session)
    assert isinstance(found, Failure)
    assert found.reason == "gave up: file that can't be decoded"
    assert "exceeds limit" in str(found.gave_up)
