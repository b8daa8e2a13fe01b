"""`mmoe serve`, killed and stopped while it answers: the bundle is as it was, and the next server answers."""

from __future__ import annotations

import json
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.campaign.attack import Attack, Finding, Trial
from tests.campaign.bench import Bench, contents, env_of, must_equal
from tests.campaign.process import Running, start
from tests.campaign.targets import Target

TRIALS, REQUESTS = 10, 40
MENTION = json.dumps(
    {"surface_form": "Mercury", "context": "Mercury is closest to the sun."}
).encode()
UP, DOWN = 60.0, 30.0  # seconds in which it must listen, and end


def attacks(bench: Bench) -> Iterator[Attack]:
    yield Attack("kill", "command serve", TRIALS, Serve(bench).run)


@dataclass(frozen=True)
class Serve:
    """SIGKILL, SIGTERM or SIGINT at a random moment of its start or of its answers."""

    bench: Bench

    def run(self, trial: Trial) -> None:
        bundle = f"data/bundles/{self.bench.data}"
        command = ("mmoe", "serve", bundle, "--port", "0")
        root = self.bench.project(trial.folder, Target("serve", command), "again")
        (trial.folder / "tmp").mkdir()
        before = contents(root)
        number = trial.rng.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGINT))
        pause = trial.rng.uniform(0, 2)
        first = start(command, root, trial.folder / "first", env=env_of(root))
        when = f"{number.name} {pause:.2f} s after its start"
        if trial.rng.random() < 0.7:
            when = f"{number.name} {pause:.2f} s after it listens"
            _asked(_address(first), pause, lambda: first.send(number))
        else:
            time.sleep(pause)
            first.send(number)
        done = first.end(DOWN)
        if number != signal.SIGKILL and "Traceback (most recent call last)" in done.err:
            raise Finding(f"{when}: {done.told}")
        must_equal(root, before, when)
        second = start(command, root, trial.folder / "second", env=env_of(root))
        answers = _asked(_address(second), 1.0, lambda: None)
        second.send(signal.SIGTERM)
        second.end(DOWN)
        if set(answers) != {200}:
            raise Finding(f"{when}, then again: answers with status {sorted(set(answers))}")
        must_equal(root, before, f"{when}, then again")


def _address(server: Running) -> str:
    """Where it listens and answers."""
    until = time.monotonic() + UP
    while time.monotonic() < until:
        words = (server.streams / "out").read_text("utf-8").split()
        if words and words[0].startswith("http://"):
            try:
                with urllib.request.urlopen(f"{words[0]}/ready", timeout=1):  # noqa: S310 - http
                    return words[0]
            except OSError:
                pass
        time.sleep(0.02)
    server.process.kill()
    raise Finding(f"does not listen: {(server.streams / 'err').read_text('utf-8')[-300:]}")


def _asked(address: str, pause: float, meanwhile: Callable[[], None]) -> list[int]:
    """The statuses of many requests; 0 where there was no answer."""

    def ask(_: int) -> int:
        told = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{address}/link", MENTION, told)  # noqa: S310 - http
        try:
            with urllib.request.urlopen(request, timeout=DOWN) as answer:  # noqa: S310 - http
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except (OSError, ValueError):
            return 0

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask, number) for number in range(REQUESTS)]
        time.sleep(pause)
        meanwhile()
        return [answer.result() for answer in answers]
