"""The Batch API: requests go as files, and are answered within a day for half the price."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mmoe.descriptions.llm_client.budget import Estimate
from mmoe.descriptions.llm_client.connection import (
    BatchConnection,
    BatchState,
    StopError,
    open_client,
)
from mmoe.descriptions.llm_client.fallbacks import left_out_of, names_in
from mmoe.descriptions.llm_client.response import (
    Response,
    Retry,
    RetryWithout,
    classify_response,
)
from mmoe.descriptions.llm_client.session import Session
from mmoe.descriptions.llm_client.types import GAVE_UP, Reply, Request, Stop
from mmoe.files import content_key, read_json, write_json

ROUNDS = 3  # batches in which a request may go
POLL = 60.0  # seconds between two looks at a batch
SILENCE = 600.0  # seconds without a byte, after which a call is lost: files are large
RETRIES = 5  # of a call, by the openai package
FAILED_LOOKS = 15  # in a row, after which the run ends
MOST_LINES = 50_000
MOST_BYTES = 190_000_000  # the limit is 200 MB

Line = tuple[Request, bytes]


async def send_batches(session: Session, requests: Sequence[Request]) -> None:
    """Returns when every request has its reply, or when the run must end; a call is a line of a batch."""
    async with open_client(session.client.url, session.secret, SILENCE, RETRIES) as client:
        await BatchSender(session, BatchConnection(client, session.secret), requests).send()


@dataclass
class _Sent:
    """A batch: our name for it, its id once that is known, and the requests in it.

    Attributes:
        left_out: by request what it went without, if anything; None if that was not recorded.
    """

    name: str
    id: str | None
    keys: list[str]
    left_out: dict[str, list[str]] | None = None

    def left_out_of(self, key: str) -> tuple[str, ...] | None:
        return None if self.left_out is None else tuple(self.left_out.get(key, ()))


@dataclass
class _Attempt:
    """A line in flight: what it may cost, what it went without, and what of it can be refused."""

    estimate: Estimate
    left_out: tuple[str, ...] | None
    names: frozenset[str]


class BatchSender:
    """Sends requests in batches until all have a reply; takes up batches that a killed run has started."""

    def __init__(
        self, session: Session, batches: BatchConnection, requests: Sequence[Request]
    ) -> None:
        self._session, self._batches = session, batches
        self._wanted = frozenset(request.key for request in requests)
        self._missing = {request.key: request for request in requests}
        self._in_flight: dict[str, _Attempt] = {}
        self._rounds: Counter[str] = Counter()
        self._odd: set[str] = set()
        self._failed_looks = 0
        # What was started stands here until its answers are kept.
        name = content_key(session.client.url, [str(requests[0].body.get("model"))])
        self._started = session.cache.path.with_name(f"batches-{name}.json")
        self._sent: list[_Sent] = []
        if self._started.exists():
            self._sent = [_Sent(**one) for one in read_json(self._started)]

    async def send(self) -> None:
        try:
            await self._find_lost()
            while self._missing:
                await self._send_missing()
                if not self._sent:
                    break
                await self._take_ended()
        except StopError as error:
            self._session.end(error.stop)
        if self._session.round.stop is None:
            for key in list(self._missing):
                self._take(Reply(key, GAVE_UP, error=f"no answer in {ROUNDS} batches"))

    async def _find_lost(self) -> None:
        """Looks for batches of which only the name was written down before a run was killed."""
        for one in self._sent:
            one.id = one.id or await self._batches.find(one.name)
        self._sent = [one for one in self._sent if one.id is not None]
        for one in self._sent:
            for key in set(one.keys) & self._missing.keys():
                body = self._missing[key].body
                self._begin(
                    key, self._session.client.budget.estimate(body), body, one.left_out_of(key)
                )
        self._write_down()

    def _begin(
        self,
        key: str,
        estimate: Estimate,
        body: Mapping[str, Any],
        left_out: tuple[str, ...] | None,
    ) -> None:
        self._session.client.budget.begin(estimate)
        self._in_flight[key] = _Attempt(estimate, left_out, names_in(body))

    async def _send_missing(self) -> None:
        """Starts batches with all requests that are in none."""
        for part in parts(self._lines()):
            keys = [request.key for request, _ in part]
            left_out = {k: list(names) for k in keys if (names := self._in_flight[k].left_out)}
            sent = _Sent(uuid.uuid4().hex, None, keys, left_out)
            self._sent.append(sent)
            self._write_down()  # first, so that a killed run's batch can be found
            try:
                sent.id = await self._batches.create(sent.name, b"".join(line for _, line in part))
            except StopError as error:
                if error.stop.by != "server":  # which may have got it nevertheless
                    self._sent.remove(sent)
                    self._write_down()
                raise
            self._write_down()

    def _lines(self) -> Iterator[Line]:
        session, sent = self._session, {key for one in self._sent for key in one.keys}
        for key, request in self._missing.items():
            if key in sent or self._rounds[key] >= ROUNDS or session.round.stop is not None:
                continue
            estimate = session.client.budget.estimate(request.body)
            if not session.may_call(estimate):
                session.end(Stop("max_cost_usd", "llm.max_cost_usd is reached"))
                return
            self._rounds[key] += 1
            body = session.client.fallbacks.fit(request.body, session.round.left_out)
            self._begin(key, estimate, body, left_out_of(request.body, body))
            yield request, line_of(key, body)

    async def _take_ended(self) -> None:
        """Takes the answers of the batches that have ended, or waits."""
        has_any = False
        for one in list(self._sent):
            assert one.id is not None
            state = await self._look(one.id)
            if state is None or not state.has_ended:
                continue
            has_any = True
            for file in state.files:
                self._read(await self._batches.content(file), one)
            for key in one.keys:
                self._close(key, "never returned")
            self._sent.remove(one)
            self._write_down()
            if state.status == "failed":
                raise StopError(Stop("batch", f"the server refused a batch ({state.words})"))
        if not has_any:
            await self._session.client.clock.sleep(POLL)

    async def _look(self, batch_id: str) -> BatchState | None:
        """A batch's state; None if the server is away for a while, which in a day may happen."""
        try:
            state = await self._batches.state(batch_id)
        except StopError as error:
            self._failed_looks += 1
            if error.stop.by != "server" or self._failed_looks >= FAILED_LOOKS:
                raise
            return None
        self._failed_looks = 0
        return state

    def _read(self, content: bytes, sent: _Sent) -> None:
        session = self._session
        for key, response, why in answers(content, session.round.oddities):
            if key in self._in_flight and key in sent.keys:
                if response is None:
                    self._close(key, why)
                else:
                    self._follow(key, response)
            elif key in sent.keys and key not in self._wanted and response is not None:
                # Of an earlier run that asked for more: it was paid, so it is kept.
                reply = classify_response(key, response, session.secret, sent.left_out_of(key))
                if isinstance(reply, Reply):
                    session.keep(reply)
            else:
                session.round.oddities["unknown line"] += 1

    def _follow(self, key: str, response: Response) -> None:
        session, attempt = self._session, self._in_flight.pop(key)
        match outcome := session.settle(key, response, attempt.estimate, attempt.left_out):
            case Reply():
                self._take(outcome)
            case Stop():
                session.end(outcome)
            case RetryWithout(parameter, otherwise):
                if session.client.fallbacks.refuse(parameter, attempt.names):
                    self._rounds[key] -= 1
                    session.round.retries[f"without {parameter}"] += 1
                else:
                    self._take(otherwise)
            case Retry(kind, otherwise, is_odd):
                if outcome.is_last or (is_odd and key in self._odd):
                    self._take(otherwise)
                else:
                    self._odd.update([key] if is_odd else [])
                    session.round.retries[kind] += 1

    def _take(self, reply: Reply) -> None:
        del self._missing[reply.key]
        self._session.take(reply)

    def _close(self, key: str, why: str) -> None:
        """Counts a line without an answer; it was not billed."""
        if (attempt := self._in_flight.pop(key, None)) is not None:
            self._session.client.budget.end(attempt.estimate, None, None, is_billed=False)
            self._session.round.retries[why] += 1

    def _write_down(self) -> None:
        if self._sent:
            write_json(self._started, [asdict(one) for one in self._sent])
        else:
            self._started.unlink(missing_ok=True)


def line_of(key: str, body: Mapping[str, Any]) -> bytes:
    """A request as a line; what the openai package would merge is merged here."""
    whole = {name: value for name, value in body.items() if name != "extra_body"}
    whole |= body.get("extra_body") or {}
    line = {"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": whole}
    return json.dumps(line).encode() + b"\n"


def parts(
    lines: Iterable[Line], most_lines: int = MOST_LINES, most_bytes: int = MOST_BYTES
) -> Iterator[list[Line]]:
    """Requests and their lines in files of legal size."""
    file: list[Line] = []
    size = 0
    for request, line in lines:
        if file and (len(file) >= most_lines or size + len(line) > most_bytes):
            yield file
            file, size = [], 0
        file.append((request, line))
        size += len(line)
    if file:
        yield file


def answers(content: bytes, oddities: Counter[str]) -> Iterator[tuple[str, Response | None, str]]:
    """Of each line the key, the response if there is one, and otherwise why not."""
    for raw in content.splitlines():
        if not raw.strip():
            continue
        try:
            line = json.loads(raw)
            key, response, error = line["custom_id"], line.get("response"), line.get("error")
        except (ValueError, TypeError, KeyError, AttributeError):
            oddities["unreadable line"] += 1
            continue
        if isinstance(response, dict) and isinstance(response.get("status_code"), int):
            body = json.dumps(response.get("body")).encode()
            yield str(key), Response(response["status_code"], body), ""
        else:
            code = error.get("code") if isinstance(error, dict) else None
            yield str(key), None, code if isinstance(code, str) else "failed line"
