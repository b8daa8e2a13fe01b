"""The Batch API: questions go as files, and are answered within a day for half the price."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from typing import Protocol

from mmoe.descriptions.llm_client.ask import collect
from mmoe.descriptions.llm_client.asked import Asked
from mmoe.descriptions.llm_client.batch_lines import BatchState, StopError, answers, line_of, parts
from mmoe.descriptions.llm_client.budget import Budget, Estimate
from mmoe.descriptions.llm_client.key import ApiKey
from mmoe.descriptions.llm_client.pace import CLOCK, Clock
from mmoe.descriptions.llm_client.parameters import left_out_of, names_in
from mmoe.descriptions.llm_client.settings import AskSettings
from mmoe.descriptions.llm_client.types import GAVE_UP, Reply, Request
from mmoe.descriptions.llm_client.verdict import Again, Answer, Stop, Without, judge
from mmoe.descriptions.llm_client.way import Run
from mmoe.files import content_key, read_json, write_json

ROUNDS = 3  # batches in which a question may go
POLL = 60.0  # seconds between two looks at a batch
PATIENCE = 15  # looks in a row that may fail


class Batches(Protocol):
    """What the Batch API can do; each call raises StopError if it fails for good."""

    async def create(self, name: str, lines: bytes) -> str: ...
    async def find(self, name: str) -> str | None: ...
    async def state(self, batch_id: str) -> BatchState: ...
    async def content(self, file_id: str) -> bytes: ...


def ask_batch(
    requests: Iterable[Request],
    settings: AskSettings,
    on_reply: Callable[[Reply], None] = lambda _: None,
    clock: Clock = CLOCK,
    refused: set[str] | None = None,
    budget: Budget | None = None,
) -> Asked:
    """Asks as ask_all does, but in batches; a run after a kill goes on with the batches that were started.

    Args:
        settings: their prices are those of batches; concurrency and timeout don't count.
        on_reply, refused, budget: as those of ask_all.
    Returns:
        replies and counts; a call is a line of a batch.
    Raises:
        RankingError: if the cache can't be used or the key can't be one.
    """
    return collect(BatchRun, requests, settings, on_reply, clock, refused, budget)


@dataclass
class _Sent:
    """A batch: our name for it, its id once that is known, and the questions in it.

    Attributes:
        left_out: by question what it went without, if anything; None if that was not recorded.
    """

    name: str
    id: str | None
    keys: list[str]
    left_out: dict[str, list[str]] | None = None


class BatchRun(Run):
    """Sends questions in batches until all have a reply or the run must end."""

    name = ", in batches"

    def __init__(
        self,
        settings: AskSettings,
        secret: ApiKey,
        on_reply: Callable[[Reply], None],
        on_other: Callable[[Reply], None],
        clock: Clock,
        refused: set[str] | None = None,
        budget: Budget | None = None,
    ) -> None:
        super().__init__(settings, secret, on_reply, on_other, clock, refused, budget)
        self._started = settings.cache_folder
        self._sent: list[_Sent] = []
        self._missing: dict[str, Request] = {}
        self._rounds: Counter[str] = Counter()
        self._estimates: dict[str, Estimate] = {}
        self._names: dict[str, frozenset[str]] = {}  # of the parameters that were sent
        self._left_out: dict[str, tuple[str, ...] | None] = {}
        self._odd: set[str] = set()
        self._away = 0
        self._asked: frozenset[str] = frozenset()

    def connection(self) -> AbstractAsyncContextManager[Batches]:
        from mmoe.descriptions.llm_client.batch_connection import BatchConnection

        return BatchConnection(self._settings, self._secret)

    async def ask(self, requests: Sequence[Request], connection: Batches) -> None:
        batches = connection
        self._missing = {request.key: request for request in requests}
        self._asked = frozenset(self._missing)
        self._take_up(requests)
        try:
            await self._find_lost(batches)
            while self._missing:
                await self._send(batches)
                if not self._sent:
                    break
                await self._take_ended(batches)
        except StopError as error:
            self.stop = error.stop
        if self.stop is None:
            for key in list(self._missing):
                why = f"no answer in {ROUNDS} batches"
                self._take(Reply(key, GAVE_UP, error=why, left_out=self._left_out.get(key)))

    def _take_up(self, requests: Sequence[Request]) -> None:
        """Reads what an earlier run with these models has written down."""
        models = sorted({str(request.body.get("model")) for request in requests})
        name = f"batches-{content_key(self._settings.url, models)}.json"
        self._started = self._settings.cache_folder / name
        if self._started.exists():
            self._sent = [_Sent(**one) for one in read_json(self._started)]
        for sent in self._sent:
            for key in sent.keys:
                known = None if sent.left_out is None else sent.left_out.get(key, ())
                self._left_out[key] = None if known is None else tuple(known)

    async def _find_lost(self, batches: Batches) -> None:
        """Looks for batches of which only the name was written down before a run was killed."""
        for one in self._sent:
            one.id = one.id or await batches.find(one.name)
        self._sent = [one for one in self._sent if one.id is not None]
        for one in self._sent:
            for key in set(one.keys) & self._missing.keys():
                self._estimates[key] = self.budget.estimate(self._missing[key].body)
                self._names[key] = names_in(self._missing[key].body)
                self.budget.begin(self._estimates[key])
        self._write_down()

    async def _send(self, batches: Batches) -> None:
        """Starts batches with all questions that are in none."""
        for part in parts(self._to_send()):
            keys = [request.key for request, _ in part]
            left_out = {key: list(names) for key in keys if (names := self._left_out[key])}
            sent = _Sent(uuid.uuid4().hex, None, keys, left_out)
            self._sent.append(sent)
            self._write_down()  # first, so that a killed run's batch can be found
            try:
                sent.id = await batches.create(sent.name, b"".join(line for _, line in part))
            except StopError as error:
                if error.stop.by != "server":  # which may have got it nevertheless
                    self._sent.remove(sent)
                    self._write_down()
                raise
            self._write_down()

    def _to_send(self) -> Iterator[tuple[Request, bytes]]:
        under_way = {key for one in self._sent for key in one.keys}
        for key, request in self._missing.items():
            if key in under_way or self._rounds[key] >= ROUNDS or self.stop is not None:
                continue
            estimate = self.budget.estimate(request.body)
            if not self.budget.has_calls():
                self.stop = Stop("max_calls", "rank.max_calls is reached")
            elif not self.budget.has_money(estimate):
                self.stop = Stop("max_cost_usd", "rank.max_cost_usd is reached")
            else:
                self.budget.begin(estimate)
                self._estimates[key] = estimate
                self._rounds[key] += 1
                body = self.parameters.fit(request.body)
                self._names[key] = names_in(body)
                self._left_out[key] = left_out_of(request.body, body)
                yield request, line_of(key, body)

    async def _take_ended(self, batches: Batches) -> None:
        """Takes the answers of the batches that have ended, or waits."""
        has_any = False
        for one in list(self._sent):
            assert one.id is not None
            state = await self._look(one.id, batches)
            if state is None or not state.has_ended:
                continue
            has_any = True
            for file in state.files:
                self._read(await batches.content(file), set(one.keys))
            for key in one.keys:
                self._close(key, "never returned")
            self._sent.remove(one)
            self._write_down()
            if state.status == "failed":
                raise StopError(Stop("batch", f"the server refused a batch ({state.words})"))
        if not has_any:
            await self._clock.sleep(POLL, asyncio.Event())

    async def _look(self, batch_id: str, batches: Batches) -> BatchState | None:
        """A batch's state; None if the server is away for a while, which in a day may happen."""
        try:
            state = await batches.state(batch_id)
        except StopError as error:
            self._away += 1
            if error.stop.by != "server" or self._away >= PATIENCE:
                raise
            return None
        self._away = 0
        return state

    def _read(self, content: bytes, keys: set[str]) -> None:
        for key, answer, why in answers(content, self.oddities):
            if key in self._estimates and key in keys:
                if answer is None:
                    self._close(key, why)
                else:
                    self._judge(key, answer)
            elif key in keys - self._asked and answer is not None:
                verdict = judge(key, answer, self._secret, self._left_out[key])
                if isinstance(verdict, Reply):
                    self._on_other(verdict)
            else:
                self.oddities["unknown line"] += 1

    def _judge(self, key: str, answer: Answer) -> None:
        verdict = judge(key, answer, self._secret, self._left_out[key])
        reply = verdict.otherwise if isinstance(verdict, Again | Without) else verdict
        is_billed = 200 <= answer.status < 300
        told = reply if isinstance(reply, Reply) else None
        self.budget.end(
            self._estimates.pop(key),
            told.prompt_tokens if told else None,
            told.completion_tokens if told else None,
            is_billed=is_billed,
        )
        match verdict:
            case Reply():
                self._take(verdict)
            case Stop():
                self.stop = self.stop or verdict
            case Without(parameter, otherwise):
                if self.parameters.refuse(parameter, self._names[key]):
                    self._rounds[key] -= 1
                    self.retries[f"without {parameter}"] += 1
                else:
                    self._take(otherwise)
            case Again(kind, otherwise, is_odd, _, is_last):
                was_odd = key in self._odd
                if is_last or (is_odd and was_odd):
                    self._take(otherwise)
                else:
                    self._odd.update([key] if is_odd else [])
                    self.retries[kind] += 1

    def _take(self, reply: Reply) -> None:
        del self._missing[reply.key]
        self._on_reply(reply)

    def _close(self, key: str, why: str) -> None:
        """Counts a line without an answer; it was not billed."""
        if (estimate := self._estimates.pop(key, None)) is not None:
            self.budget.end(estimate, None, None, is_billed=False)
            self.retries[why] += 1

    def _write_down(self) -> None:
        if self._sent:
            write_json(self._started, [asdict(one) for one in self._sent])
        else:
            self._started.unlink(missing_ok=True)
