"""A file over a network that fails in every way we know of: right in the end, or not there at all."""

from __future__ import annotations

import hashlib
import itertools
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmoe.datasets.download.fetch import Patience, fetch
from mmoe.datasets.download.sources import GITHUB_LFS, Source
from mmoe.errors import DataError

from tests.datasets.download import tricks
from tests.datasets.download.server import REPOSITORY, Handler, Site, Trick

CONTENT = hashlib.shake_256(b"this").digest(10_000)
OTHER = hashlib.shake_256(b"that").digest(10_000)


class Waits(list[float]):
    """Notes how long it was to sleep, and returns at once."""

    def patience(self, **changes: float) -> Patience:
        return Patience(sleep=self.append, **changes)  # type: ignore[arg-type]


def get(site: Site, source: Source, folder: Path, **changes: float) -> Waits:
    """Fetches `source` to folder/file; returns the waits."""
    waits = Waits()
    fetch(source, folder / "file", site.base, waits.patience(**changes))
    return waits


def refused(site: Site, source: Source, folder: Path, message: str) -> Waits:
    """Fetches what can't be had; checks the message and that nothing was taken."""
    waits = Waits()
    with pytest.raises(DataError, match=message) as caught:
        fetch(source, folder / "file", site.base, waits.patience())
    assert "\n" not in str(caught.value)
    assert not (folder / "file").exists()
    return waits


def content_of(folder: Path) -> bytes:
    """The fetched file, when nothing else lies in the folder."""
    assert [path.name for path in folder.iterdir()] == ["file"]
    return (folder / "file").read_bytes()


def test_a_file_comes_whole(site: Site, tmp_path: Path) -> None:
    source = site.publish("some folder/ä.json", CONTENT)
    assert get(site, source, tmp_path) == []
    assert content_of(tmp_path) == CONTENT
    assert site.log[0].path == f"/{REPOSITORY}/{'0' * 40}/some%20folder/%C3%A4.json"
    assert site.log[0].headers["Accept-Encoding"] == "identity"


def test_what_is_there_and_right_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    source = site.publish("f", CONTENT)
    (tmp_path / "file").write_bytes(CONTENT)
    get(site, source, tmp_path)
    assert site.log == []


@pytest.mark.parametrize("there", [OTHER, b"", CONTENT[:-1]])
def test_what_is_there_and_wrong_is_fetched(site: Site, tmp_path: Path, there: bytes) -> None:
    (tmp_path / "file").write_bytes(there)
    get(site, site.publish("f", CONTENT), tmp_path)
    assert content_of(tmp_path) == CONTENT


def test_a_cut_file_goes_on_where_it_was(site: Site, tmp_path: Path) -> None:
    source = site.publish("f", CONTENT, tricks.cut_after(3000), tricks.cut_after(1000))
    assert get(site, source, tmp_path) == [1, 2]
    assert content_of(tmp_path) == CONTENT
    assert [asked.headers.get("Range") for asked in site.log] == [
        None,
        "bytes=3000-",
        "bytes=4000-",
    ]
    assert [asked.sent for asked in site.log] == [3000, 1000, 6000]
    assert site.log[1].headers["If-Range"].startswith('"')


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts=st.lists(st.integers(0, 2500), max_size=5), size=st.integers(1, 10_000))
def test_any_cuts_lose_no_byte_and_send_none_twice(
    site: Site, tmp_path: Path, cuts: list[int], size: int
) -> None:
    site.log.clear()
    (tmp_path / "file").unlink(missing_ok=True)
    source = site.publish("f", CONTENT[:size], *map(tricks.cut_after, cuts))
    get(site, source, tmp_path)
    assert content_of(tmp_path) == CONTENT[:size]
    assert sum(asked.sent for asked in site.log) == size


def test_a_later_run_goes_on_where_an_earlier_one_gave_up(site: Site, tmp_path: Path) -> None:
    source = site.publish("f", CONTENT, *[tricks.cut_after(1000)] * 6)
    message = r"gave up after 6 attempts, .* 6,000 of 10,000 bytes are kept"
    assert refused(site, source, tmp_path, message) == [1, 2, 4, 8, 16]
    get(site, source, tmp_path)
    assert content_of(tmp_path) == CONTENT
    assert site.log[-1].sent == 4000


@pytest.mark.parametrize(
    "answer",
    [
        tricks.whole_file_always,
        tricks.wrong_range(2999),
        tricks.same_range_of_another(OTHER),
        tricks.same_range_of_another(OTHER, ETag='"other"'),
        tricks.same_range_of_another(CONTENT + b"more"),
        tricks.status(416),
        tricks.gzipped(),
        tricks.chunked(),
        tricks.until_close(),
    ],
)
def test_a_resume_that_goes_wrong_starts_over(site: Site, tmp_path: Path, answer: Trick) -> None:
    source = site.publish("f", CONTENT, tricks.cut_after(3000), answer)
    get(site, source, tmp_path)
    assert content_of(tmp_path) == CONTENT


def test_a_wrong_part_is_known_before_its_body(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = site.publish("f", CONTENT, tricks.cut_after(3000), tricks.wrong_range(2999))
    get(site, source, tmp_path)
    assert "another part than was asked for; starting over" in capsys.readouterr().err


def test_a_file_that_changed_in_between_is_not_joined(site: Site, tmp_path: Path) -> None:
    """If-Range: the server sends the new file from its first byte, in one answer."""
    source = site.publish("f", CONTENT)
    site.tricks[f"/{REPOSITORY}/{'0' * 40}/f"] = [
        lambda handler, _: handler.serve(OTHER, up_to=3000)
    ]
    get(site, source, tmp_path)
    assert content_of(tmp_path) == CONTENT
    assert [asked.sent for asked in site.log] == [3000, 10_000]


def test_a_weak_etag_is_no_proof_of_the_same_bytes(site: Site, tmp_path: Path) -> None:
    def weak(handler: Handler, content: bytes) -> None:
        handler.reply(200, content, {"ETag": 'W/"x"'}, 3000)

    get(site, site.publish("f", CONTENT, weak), tmp_path)
    assert content_of(tmp_path) == CONTENT
    assert site.log[1].headers["Range"] == "bytes=3000-"
    assert "If-Range" not in site.log[1].headers


@pytest.mark.parametrize("left", [OTHER[:4000], CONTENT + b"x", OTHER, CONTENT])
def test_a_part_left_by_who_knows_whom(site: Site, tmp_path: Path, left: bytes) -> None:
    (tmp_path / "file.part").write_bytes(left)
    get(site, site.publish("f", CONTENT), tmp_path)
    assert content_of(tmp_path) == CONTENT
    assert (site.log == []) == (left == CONTENT)


@pytest.mark.parametrize(
    ("served", "message"),
    [
        (OTHER, r"/f: not the published file, SHA-256 [0-9a-f]{64} instead of [0-9a-f]{64}"),
        (CONTENT[:-1], r"9,999 bytes instead of 10,000; deleted; a proxy or login page"),
        (CONTENT + b"x", r"10,001 bytes instead of 10,000"),
        (b"", r"0 bytes instead of 10,000"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", GITHUB_LFS),
    ],
)
def test_another_file_is_never_taken(
    site: Site, tmp_path: Path, served: bytes, message: str
) -> None:
    source = site.publish("f", CONTENT, tricks.other_file(served))
    assert refused(site, source, tmp_path, message) == []
    assert list(tmp_path.iterdir()) == []


def test_an_endless_file_is_not_read_to_its_end(site: Site, tmp_path: Path) -> None:
    def endless(handler: Handler, content: bytes) -> None:
        handler.head(200, {})
        while not handler.site.closing.is_set():
            handler.send(content)

    refused(site, site.publish("f", CONTENT, endless), tmp_path, r"bytes instead of 10,000")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "remedy"),
    [(401, "login"), (403, "another network"), (404, "--mirror"), (418, "--mirror"), (204, "")],
)
def test_a_refusal_is_not_asked_again(site: Site, tmp_path: Path, code: int, remedy: str) -> None:
    source = site.publish("f", CONTENT, tricks.status(code))
    assert refused(site, source, tmp_path, rf"/f: HTTP {code} .*{remedy}") == []
    assert len(site.log) == 1


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(site: Site, tmp_path: Path, code: int) -> None:
    source = site.publish("f", CONTENT, tricks.status(code), tricks.status(code))
    assert get(site, source, tmp_path) == [1, 2]
    assert content_of(tmp_path) == CONTENT


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize(
    ("after", "least", "most"),
    [
        (lambda: "7", 7, 7),
        (lambda: "86400", 120, 120),
        (lambda: tricks.date_in(60), 55, 60),
        (lambda: tricks.date_in(86400), 120, 120),
        (lambda: tricks.date_in(-60), 0, 0),
        (lambda: "soon", 1, 1),
        (lambda: "-5", 1, 1),
    ],
)
def test_retry_after_is_obeyed_within_reason(
    site: Site, tmp_path: Path, code: int, after: Callable[[], str], least: float, most: float
) -> None:
    source = site.publish("f", CONTENT, tricks.status(code, Retry_After=after()))
    (wait,) = get(site, source, tmp_path)
    assert least <= wait <= most


def test_a_busy_server_keeps_what_had_arrived(site: Site, tmp_path: Path) -> None:
    source = site.publish("f", CONTENT, tricks.cut_after(3000), tricks.status(503))
    get(site, source, tmp_path)
    assert [asked.sent for asked in site.log] == [3000, 2, 7000]


@pytest.mark.parametrize("first", [tricks.chunked(), tricks.until_close(), tricks.gzipped()])
def test_no_length_or_a_compressed_body(site: Site, tmp_path: Path, first: Trick) -> None:
    assert get(site, site.publish("f", CONTENT, first), tmp_path) == []
    assert content_of(tmp_path) == CONTENT


@pytest.mark.parametrize(
    ("first", "then_sent"),
    [
        (tricks.chunked(4000), 6000),
        (tricks.until_close(4000), 6000),
        (tricks.until_close(0), 10_000),
        (tricks.gzipped(4000), 10_000),
        (tricks.hang_up, 10_000),
    ],
)
def test_a_cut_without_a_length(site: Site, tmp_path: Path, first: Trick, then_sent: int) -> None:
    source = site.publish("f", CONTENT, first)
    assert get(site, source, tmp_path) == [1]
    assert content_of(tmp_path) == CONTENT
    assert site.log[-1].sent == then_sent


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (tricks.silent_after(3000), "timed out"),
        (tricks.trickle(0.05), "bytes in 0 s"),
        (tricks.trickle(0.05, start=5000), "bytes in 0 s"),
    ],
)
def test_a_server_that_goes_to_sleep(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], first: Trick, reason: str
) -> None:
    source = site.publish("f", CONTENT, first)
    assert get(site, source, tmp_path, silence=0.2) == [1]
    assert content_of(tmp_path) == CONTENT
    assert 0 < site.log[1].sent < len(CONTENT)
    assert reason in capsys.readouterr().err


def test_a_redirect_is_followed_and_keeps_the_range(site: Site, tmp_path: Path) -> None:
    there = tricks.redirect_to(f"{site.base}/elsewhere")
    source = site.publish("f", CONTENT, there, there)
    site.files["/elsewhere"] = CONTENT
    site.tricks["/elsewhere"] = [tricks.cut_after(3000)]
    get(site, source, tmp_path)
    assert content_of(tmp_path) == CONTENT
    assert [asked.sent for asked in site.log] == [0, 3000, 0, 7000]


def test_a_redirect_in_a_circle(site: Site, tmp_path: Path) -> None:
    source = site.publish("f", CONTENT)
    circle = tricks.redirect_to(source.url(site.base))
    site.tricks[f"/{REPOSITORY}/{'0' * 40}/f"] = list(itertools.repeat(circle, 40))
    assert refused(site, source, tmp_path, r"can't be asked for \(Exceeded 30 redirects") == []


def test_nobody_at_that_address(site: Site, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        site.base = f"http://127.0.0.1:{taken.getsockname()[1]}"
        source = site.publish("f", CONTENT)
        message = (
            r"gave up after 6 attempts, the last: no connection \(HTTPConnection\(host='127.0.0.1', "
            r"port=\d+\): Failed .* Connection refused\); 0 of 10,000 bytes"
        )
        assert refused(site, source, tmp_path, message) == [1, 2, 4, 8, 16]


def test_the_wait_is_announced(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    get(site, site.publish("f", CONTENT, tricks.status(503, Retry_After="9")), tmp_path)
    printed = capsys.readouterr()
    assert "f: HTTP 503; again in 9 s (attempt 2 of 6)" in printed.err
    assert printed.out == ""
