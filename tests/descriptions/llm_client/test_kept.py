"""Replies are kept: equal questions, later runs, killed runs and runs side by side ask nothing twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mmoe.descriptions.llm_client.cache import FILE, REJECTED_FOR, ReplyCache
from mmoe.descriptions.llm_client.client import LlmClient
from mmoe.descriptions.llm_client.session import server_url
from mmoe.errors import RankingError

from tests.descriptions.llm_client.fake import tricks
from tests.descriptions.llm_client.fake.server import Fake
from tests.descriptions.llm_client.runs import Clients, requests, start
from tests.imports import ROOT

TEXTS = [f"say {n}" for n in range(40)]


def finish(process: subprocess.Popen[str]) -> list[str]:
    """The texts that a process has got, sorted."""
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return sorted(json.loads(out).values())


def wait_until_kept(folder: Path, replies: int) -> None:
    for _ in range(1000):
        with ReplyCache(folder) as cache:
            kept = cache._database.execute("SELECT count(*) FROM replies").fetchone()[0]
        if kept == replies:
            return
        time.sleep(0.01)
    pytest.fail(f"{kept} replies are kept, not {replies}")


def test_a_later_run_sends_what_is_new(
    fake: Fake, client: Clients, capfd: pytest.CaptureFixture[str]
) -> None:
    first = client().complete(requests(10) * 3)
    assert (first.requests, len(fake.log)) == (10, 10)
    capfd.readouterr()
    second = client().complete(requests(15))
    assert (second.cache_hits, second.calls) == (10, 5)
    assert second.replies.items() > first.replies.items()
    assert capfd.readouterr().err == f"rank: questions that go to {client().host}: 5\n"
    client().complete(requests(15))
    assert capfd.readouterr().err == ""
    assert len(fake.log) == 15


def test_the_openai_package_is_loaded_only_to_send() -> None:
    code = (
        "import sys, tempfile; from pathlib import Path; from mmoe.descriptions.llm_client.client import *;"
        "LlmClient(cache_folder=Path(tempfile.mkdtemp())).complete([]);"
        "sys.exit(bool({'openai', 'httpx2', 'torch'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_a_rejection_holds_for_a_day(fake: Fake, client: Clients) -> None:
    fake.tricks = {1: tricks.error(400)}
    assert client().complete(requests(1)).outcomes == {"bad request": 1}
    assert client().complete(requests(1)).cache_hits == 1
    client.time_of.time += REJECTED_FOR
    assert client().complete(requests(1)).outcomes == {"answered": 1}
    client.time_of.time += 1000 * REJECTED_FOR
    assert client().complete(requests(1)).cache_hits == 1


def test_a_killed_run_repeats_only_what_was_under_way(fake: Fake, client: Clients) -> None:
    """Killed by SIGKILL while the server thinks about four answers; another that waits for it goes on."""
    held = 21
    arrived, release = threading.Semaphore(0), threading.Event()
    fake.tricks = dict.fromkeys(range(held, 1000), tricks.held(arrived, release))
    process = start(fake.url, client.folder, TEXTS)
    for _ in range(4):
        assert arrived.acquire(timeout=30)
    wait_until_kept(client.folder, held - 1)
    second = start(fake.url, client.folder, TEXTS)
    assert second.stderr is not None
    assert "waiting for it" in second.stderr.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    fake.tricks = {}
    release.set()
    assert finish(second) == sorted(map(str, range(40)))
    assert len(fake.log) == len(TEXTS) + 4


def test_an_interrupted_run_ends_at_once(fake: Fake, client: Clients) -> None:
    """Ctrl-C while the server has sent us away for minutes."""
    fake.tricks = dict.fromkeys(range(10, 1000), tricks.limited(retry_after="250"))
    process = start(fake.url, client.folder, TEXTS)
    wait_until_kept(client.folder, 9)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in err


def test_a_broken_file_is_named(client: Clients) -> None:
    client.folder.mkdir()
    (client.folder / FILE).write_bytes(b"not a database" * 100)
    with pytest.raises(RankingError, match=r"llm-replies\.sqlite: can't be used .*MMOE_CACHE"):
        client().complete(requests(1))


@pytest.mark.parametrize(
    "url",
    ["localhost:8000/v1", "https://", "http://user:secret@host/v1", "http://host/v1?key=secret"],
)
def test_an_address_that_can_not_be_found_or_holds_a_secret_is_refused(url: str) -> None:
    with pytest.raises(RankingError, match=r"rank\.base_url") as caught:
        LlmClient(url)
    assert "secret" not in str(caught.value)


def test_the_address_is_one_however_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://elsewhere/v1")
    assert server_url(None) == server_url("https://api.openai.com/v1/")
    assert LlmClient("http://host:8000/v1/").host == "host:8000"
