"""Servers that lag, limit, break off and answer nonsense: totals equal to those of a calm run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from mmoe.wikidata.api import ApiSettings, find_items

from tests.campaign.attack import Attack, Finding, Trial
from tests.campaign.bench import Bench
from tests.campaign.mutations import trapped
from tests.campaign.mutators import spoilt
from tests.campaign.readers import png
from tests.descriptions.llm_client.fake import server as llm_server
from tests.descriptions.llm_client.fake import tricks as llm
from tests.descriptions.llm_client.runs import Clients, QuickClock, requests
from tests.wikidata import loopback
from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.fake import server as api_server
from tests.wikidata.api.fake import tricks as api
from tests.wikidata.api.runs import CONTACT, WORDS, small_world

TRIALS, MUTATED = 200, 1_000
QUESTIONS = 30
REFUSED = loopback.body(b"Please respect our robot policy.", "text/plain", 403)
MENTION = {"surface_form": "Mercury", "context": "Mercury is closest to the sun."}


def attacks(bench: Bench) -> Iterator[Attack]:
    yield Attack("network", "Wikidata", TRIALS, wikidata, in_worker=True)
    yield Attack("network", "language model", TRIALS, language_model, in_worker=True)
    yield Attack("network", "no way to the server", 30, no_way, in_worker=True)
    yield Attack("mutated reply", "Wikidata", MUTATED, mutated_wikidata, in_worker=True)
    yield Attack("mutated reply", "language model", MUTATED, mutated_model, in_worker=True)
    yield Attack("mutated request", "server", MUTATED, Requests(bench), in_worker=True)


def wikidata(trial: Trial) -> None:
    """Some requests meet trouble; where one is refused, one line, and the next run completes."""
    rng = trial.rng
    kinds: tuple[api_server.Trick, ...] = (
        *(loopback.page(status) for status in (500, 502, 503, 504)),
        *(loopback.page(200), loopback.page(503, Retry_After=str(rng.randint(1, 60)))),
        *(
            api.limited(rng.randint(1, 120)),
            api.limited_without_wait,
            api.lagged(rng.uniform(5, 60)),
        ),
        *(api.api_error("ratelimited"), api.list_of_errors("maxlag", "lagged")),
        *(loopback.half, loopback.cut, loopback.hang_up),
        loopback.body(b"upstream connect error", "text/plain", 503),
    )
    chosen = {rng.randint(1, 40): rng.choice(kinds) for _ in range(rng.randint(1, 12))}
    lag = rng.choice((0.0, 0.0, 4.0, 30.0))
    if refused := rng.random() < 0.2:
        chosen[rng.randint(1, 20)] = REFUSED
    how = f"tricks at {sorted(chosen)}"
    found, is_read = trapped(
        lambda: _found(trial.folder, chosen, lambda number: lag if number % 9 == 0 else 0.0), how
    )
    if not is_read:
        found = _found(trial.folder, {}) if refused else "one line"
    if found != _calm_items():
        raise Finding(f"other items than in a calm run, with {how}")


def no_way(trial: Trial) -> None:
    """No such name, nobody who listens, no TLS: one line from either client, and then all is found."""
    with api_server.serving(api_server.Fake(small_world())) as fake:
        port = fake.url.split(":")[2]
        ways = (
            f"https://127.0.0.1:{port}",
            "http://127.0.0.1:9/w/api.php",
            "http://nowhere.invalid/",
        )
        url = trial.rng.choice(ways)
        settings = ApiSettings(url, ("en",), contact=CONTACT, cache_folder=trial.folder / "cache")
        _, is_read = trapped(lambda: find_items(WORDS, settings, StoppedClock().clock()), url)
        found = Clients(f"{url}/v1", trial.folder / "cache", QuickClock())().complete(requests(3))
    answered = [r for r in found.replies.values() if r.outcome == "answered"]
    if is_read or answered:
        raise Finding(f"{url}: something is found where there is no server")
    if _found(trial.folder, {}) != _calm_items():
        raise Finding(f"{url}: other items afterwards than in a calm run")


def mutated_wikidata(trial: Trial) -> None:
    """One or two replies are spoilt, with status 200; the run ends, well or with one line."""
    replies = {trial.rng.randint(1, 20): "" for _ in range(trial.rng.randint(1, 2))}

    def trick(handler: api_server.Handler) -> None:
        content, kind = handler.good_answer()
        bad = spoilt("x.json", content, trial.rng)
        replies[max(replies)] += f" {bad.how}"
        handler.reply(200, bad.content, kind)

    trapped(lambda: _found(trial.folder, dict.fromkeys(replies, trick)), f"{replies}")


def _found(
    folder: Path, tricks: dict[int, api_server.Trick], lag: Any = lambda _: 0.0
) -> list[Any]:
    os.environ["no_proxy"] = "127.0.0.1"
    time_of = StoppedClock()
    fake = api_server.Fake(small_world(), tricks, lag, now=time_of.now)
    with api_server.serving(fake):
        settings = ApiSettings(fake.url, ("en",), contact=CONTACT, cache_folder=folder / "cache")
        return list(find_items(WORDS, settings, time_of.clock()).items)


@cache
def _calm_items() -> list[Any]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        return _found(Path(folder), {})


def language_model(trial: Trial) -> None:
    """The replies of a run with trouble, and of a second one with less of it, are those of a calm run."""
    rng = trial.rng
    kinds: tuple[llm_server.Trick, ...] = (
        *(llm.html(status) for status in (500, 502, 503, 504)),
        *(llm.error(status, "Something is wrong.") for status in (408, 409, 500, 503)),
        *(llm.limited(), llm.limited(retry_after=str(rng.randint(1, 90)))),
        *(llm.limited(retry_after_ms="250"), llm.cut_in_body, llm.hang_up, llm.html(200)),
        *(llm.body(b""), llm.body(b"null"), llm.without("choices"), llm.slow(0.02)),
    )
    chosen = {rng.randint(1, 40): rng.choice(kinds) for _ in range(rng.randint(1, 12))}
    with _asking(trial.folder, chosen) as ask:
        texts = ask()
        texts = texts if len(texts) == QUESTIONS else ask()
    if texts != {f"say {n}": str(n) for n in range(QUESTIONS)}:
        raise Finding(f"other texts than in a calm run, with tricks at {sorted(chosen)}")


def mutated_model(trial: Trial) -> None:
    """A completion is spoilt, with status 200."""
    told = []

    def trick(handler: llm_server.Handler) -> None:
        bad = spoilt("x.json", json.dumps(handler.good()).encode(), trial.rng)
        told.append(bad.how)
        handler.reply(200, bad.content, {"Content-Type": "application/json"})

    with _asking(trial.folder, {trial.rng.randint(1, QUESTIONS): trick}) as ask:
        trapped(ask, "a completion")
        trapped(ask, f"kept from a completion in which {told}")


class _asking:  # noqa: N801 - a context
    """Runs a server and gives a function that sends the questions and returns texts by question."""

    def __init__(self, folder: Path, tricks: dict[int, llm_server.Trick]) -> None:
        os.environ["no_proxy"] = "127.0.0.1"
        os.environ.pop("OPENAI_API_KEY", None)
        self._serving = llm_server.serving(llm_server.Fake(tricks))
        self._folder = folder

    def __enter__(self) -> Any:
        fake = self._serving.__enter__()
        client = Clients(fake.url, self._folder / "cache", QuickClock())

        def ask() -> dict[str, str | None]:
            sent = requests(QUESTIONS)
            found = client(concurrency=4).complete(sent)
            asked = {one.key: one.body["messages"][-1]["content"] for one in sent}
            for reply in found.replies.values():
                json.dumps(asdict(reply))
            replies = [r for r in found.replies.values() if r.outcome == "answered"]
            return {asked[reply.key]: reply.text for reply in replies}

        return ask

    def __exit__(self, *ended: Any) -> None:
        self._serving.__exit__(*ended)


class Requests:
    """Spoilt requests to the server of a bundle; none ends with status 500."""

    def __init__(self, bench: Bench) -> None:
        self._bundle = bench.finished / "data/bundles" / bench.data

    def __call__(self, trial: Trial) -> None:
        client, bodies = _client(self._bundle)
        path = trial.rng.choice(sorted(bodies))
        bad = spoilt("x.json", bodies[path], trial.rng)
        told = {"Content-Type": "application/json"}
        answer = client.post(path, content=bad.content, headers=told)
        if answer.status_code >= 500:
            raise Finding(f"{path}: status {answer.status_code}: {bad.how}")
        answer.json()


@cache
def _client(bundle: Path) -> tuple[Any, dict[str, bytes]]:
    import base64

    from starlette.testclient import TestClient

    from mmoe import Linker
    from mmoe.server.app import create_app
    from mmoe.server.settings import ServerSettings

    linker = Linker.from_pretrained(bundle, device="cpu")
    client = TestClient(create_app(linker, ServerSettings()), raise_server_exceptions=False)
    client.__enter__()  # for as long as this process lives
    picture = base64.b64encode(png()).decode()
    one = MENTION | {"top_k": 3, "image": picture}
    text = {"text": "Mercury is closest to the sun.", "top_k": 2}
    bodies = {"/link": one, "/batch": {"mentions": [MENTION, MENTION]}, "/link-text": text}
    known = {route.path for route in client.app.routes}  # type: ignore[attr-defined]
    return client, {p: json.dumps(b).encode() for p, b in bodies.items() if p in known}
