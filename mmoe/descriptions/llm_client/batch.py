"""The Batch API: requests go as files, and are answered within a day for half the price."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from openai import APIStatusError, AsyncOpenAI, OpenAIError

from mmoe.descriptions.llm_client.budget import estimate
from mmoe.descriptions.llm_client.direct import open_client
from mmoe.descriptions.llm_client.key import ApiKey
from mmoe.descriptions.llm_client.response import NoResponse, Response, Retry, classify_response
from mmoe.descriptions.llm_client.session import Attempt, Session
from mmoe.descriptions.llm_client.types import Reply, Request, Stop
from mmoe.errors import one_line
from mmoe.files import content_key, read_json, write_json

ROUNDS = 3  # batches in which a request may fail
POLL = 60.0  # seconds between two looks at a batch
SILENCE = 600.0  # seconds without a byte, after which a call is lost: files are large
RETRIES = 5  # of a call, by the openai package
LOOK_RETRIES = 100  # of a look at a batch: in a day, a server may be away for a quarter of an hour
ENDED = ("completed", "failed", "expired", "cancelled")
_NAME = "mmoe"  # of the batch's metadata that says which one of ours it is
MOST_LINES = 50_000
MOST_BYTES = 190_000_000  # the limit is 200 MB


async def send_batches(session: Session, requests: Sequence[Request]) -> None:
    """Returns when every request has its reply, or when the run must end; a call is a line of a batch."""
    async with open_client(session.client.url, session.secret, SILENCE, RETRIES) as client:
        await BatchSender(session, client, requests).send()


@dataclass
class _Sent:
    """A batch: our name for it, its id once that is known, the requests in it, and what each went without."""

    name: str
    id: str | None
    keys: list[str]
    left_out: dict[str, list[str]] | None = None  # by key; earlier versions did not write it down

    def left_out_of(self, key: str) -> tuple[str, ...]:
        return tuple((self.left_out or {}).get(key, ()))


class BatchSender:
    """Sends requests in batches until all have a reply; takes up batches that a killed run has started."""

    def __init__(self, session: Session, client: AsyncOpenAI, requests: Sequence[Request]) -> None:
        self._session, self._client = session, client
        self._wanted = {request.key: request for request in requests}
        self._in_flight: dict[str, Attempt] = {}
        # What was started stands here until its answers are kept.
        name = content_key(session.client.url, [str(requests[0].body.get("model"))])
        self._started = session.cache.path.with_name(f"batches-{name}.json")
        self._sent: list[_Sent] = []
        if self._started.exists():
            self._sent = [_Sent(**one) for one in read_json(self._started)]

    async def send(self) -> None:
        try:
            await self._find_lost()
            while self._wanted.keys() - self._session.round.replies.keys():
                await self._send_missing()
                if not self._sent:
                    return
                await self._take_ended()
        except OpenAIError as error:
            self._session.end(stop_of(error, self._session.secret))

    async def _find_lost(self) -> None:
        """Looks for batches of which only the name was written down before a run was killed."""
        for one in self._sent:
            one.id = one.id or await self._find(one.name)
        self._sent = [one for one in self._sent if one.id is not None]
        for one in self._sent:
            for key in set(one.keys) & self._wanted.keys():
                body = self._wanted[key].body
                cost = estimate([body], self._session.client.params)
                self._session.client.budget.begin(cost)
                self._in_flight[key] = Attempt(key, body, one.left_out_of(key), cost)
        self._write_down()

    async def _find(self, name: str) -> str | None:
        async for batch in self._client.batches.list(limit=100):
            if (batch.metadata or {}).get(_NAME) == name:
                return batch.id
        return None

    async def _start(self, name: str, lines: bytes) -> str:
        """Uploads requests and starts a batch of that name; returns its id."""
        file = await self._client.files.create(file=(f"{name}.jsonl", lines), purpose="batch")
        batch = await self._client.batches.create(
            input_file_id=file.id,
            endpoint="/v1/chat/completions",
            completion_window="24h",
            metadata={_NAME: name},
        )
        return batch.id

    async def _send_missing(self) -> None:
        """Starts batches with all requests that are in none."""
        for part in parts(self._lines()):
            left_out = {k: list(names) for k in part if (names := self._in_flight[k].left_out)}
            sent = _Sent(uuid.uuid4().hex, None, list(part), left_out)
            self._sent.append(sent)
            self._write_down()  # first, so that a killed run's batch can be found
            try:
                sent.id = await self._start(sent.name, b"".join(part.values()))
            except OpenAIError as error:
                # Which may have got it nevertheless.
                if stop_of(error, self._session.secret).by != "server":
                    self._sent.remove(sent)
                    self._write_down()
                raise
            self._write_down()

    def _lines(self) -> Iterator[tuple[str, bytes]]:
        session = self._session
        for key, request in self._wanted.items():
            if session.round.stop is not None:
                return
            if key in session.round.replies or key in self._in_flight:
                continue
            attempt = session.attempt(request)
            if attempt is None:
                session.end(Stop("max_cost_usd", "llm.max_cost_usd is reached"))
                return
            self._in_flight[key] = attempt
            yield key, line_of(key, attempt.body)

    async def _take_ended(self) -> None:
        """Takes the answers of the batches that have ended, or waits."""
        session, has_any = self._session, False
        look = self._client.with_options(max_retries=LOOK_RETRIES).batches
        for one in list(self._sent):
            assert one.id is not None
            batch = await look.retrieve(one.id)
            if batch.status not in ENDED:
                continue
            has_any = True
            for file in filter(None, (batch.output_file_id, batch.error_file_id)):
                self._read((await self._client.files.content(file)).content, one)
            for key in one.keys:
                self._settle(key, NoResponse("never returned", "no answer in a batch"))
            self._sent.remove(one)
            self._write_down()
            if batch.status == "failed":
                errors = (batch.errors and batch.errors.data) or []
                words = session.secret.line("; ".join(error.message or "" for error in errors))
                session.end(Stop("batch", f"the server refused a batch ({words})"))
        if not has_any:
            await session.client.clock.sleep(POLL)

    def _read(self, content: bytes, sent: _Sent) -> None:
        session = self._session
        for key, response in answers(content):
            if key in sent.keys and key in self._in_flight:
                self._settle(key, response)
            elif key in sent.keys and key not in self._wanted:
                # Of an earlier run that asked for more: it was paid, so it is kept.
                reply = classify_response(key, response, session.secret)
                if isinstance(reply, Reply):
                    session.keep(replace(reply, left_out=sent.left_out_of(key)))

    def _settle(self, key: str, response: Response | NoResponse) -> None:
        if (attempt := self._in_flight.pop(key, None)) is not None:
            self._session.settle(attempt, response, ROUNDS)

    def _write_down(self) -> None:
        if self._sent:
            write_json(self._started, [asdict(one) for one in self._sent])
        else:
            self._started.unlink(missing_ok=True)


def stop_of(error: OpenAIError, secret: ApiKey) -> Stop:
    """Why a call for files or batches that failed for good ends the run."""
    if not isinstance(error, APIStatusError):
        return Stop("server", f"the server does not answer ({secret.line(one_line(error))})")
    response = Response(error.status_code, error.response.content)
    match outcome := classify_response("", response, secret):
        case Stop(by="key" | "permission" | "quota" | "address"):
            return outcome
        case Retry(without=None):
            return Stop("server", f"the server does not answer ({outcome.otherwise.error})")
    words = secret.line(f"{error.status_code} {one_line(error)}")
    why = "look at rank.base_url, or set llm.mode to direct"
    return Stop("batch", f"the server's Batch API fails ({words}); {why}")


def line_of(key: str, body: Mapping[str, Any]) -> bytes:
    """A request as a line; what the openai package would merge is merged here."""
    whole = {name: value for name, value in body.items() if name != "extra_body"}
    whole |= body.get("extra_body") or {}
    line = {"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": whole}
    return json.dumps(line).encode() + b"\n"


def parts(
    lines: Iterable[tuple[str, bytes]], most_lines: int = MOST_LINES, most_bytes: int = MOST_BYTES
) -> Iterator[dict[str, bytes]]:
    """Lines by the keys of their requests, in files of legal size."""
    file: dict[str, bytes] = {}
    size = 0
    for key, line in lines:
        if file and (len(file) >= most_lines or size + len(line) > most_bytes):
            yield file
            file, size = {}, 0
        file[key] = line
        size += len(line)
    if file:
        yield file


def answers(content: bytes) -> Iterator[tuple[str, Response | NoResponse]]:
    """Of each line that can be read the key, and the response; none if it has expired or failed."""
    for raw in filter(bytes.strip, content.splitlines()):
        try:
            line = json.loads(raw)
            key, response = line["custom_id"], line.get("response")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue
        if isinstance(response, dict) and isinstance(response.get("status_code"), int):
            body = json.dumps(response.get("body")).encode()
            yield str(key), Response(response["status_code"], body)
        else:
            yield str(key), NoResponse("failed line", "no answer in a batch")
