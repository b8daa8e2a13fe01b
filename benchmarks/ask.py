"""Questions a second to a server that allows a certain rate, and how often it turns us away.

usage  python -m benchmarks.ask [--questions 20000] [--rate 200] [--latency 0.05]

The server runs on the loopback in a process of its own: a bucket of one second's calls, and answers after
the latency. The plain way is a loop over the client
library, one question after the other, measured on 200.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from openai import OpenAI

from mmoe.descriptions.llm_client.client import LlmClient
from mmoe.descriptions.llm_client.types import Request
from mmoe.files import content_key

from benchmarks.measure import print_result

PLAIN_QUESTIONS = 200


class Server:
    """Chat completions with a limit; repeats the last word of what it is asked."""

    def __init__(self, rate: float, latency: float) -> None:
        self.rate, self.latency = rate, latency
        self.left, self.filled = rate, time.monotonic()

    async def serve(self, told: Connection) -> None:
        server = await asyncio.start_server(self.answer, "127.0.0.1", 0, backlog=256)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await self.read_head(reader):
            lines = head.decode().lower().split("\r\n")
            (length,) = (line[15:] for line in lines if line.startswith("content-length:"))
            body = json.loads(await reader.readexactly(int(length)))
            writer.write(await self.reply(body))
            await writer.drain()
        writer.close()

    async def read_head(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""

    async def reply(self, body: dict[str, list[dict[str, str]]]) -> bytes:
        now = time.monotonic()
        self.left = min(self.rate, self.left + (now - self.filled) * self.rate)
        self.filled = now
        is_in = self.left >= 1
        self.left -= is_in
        headers = "" if is_in else f"retry-after-ms: {1000 / self.rate:.0f}\r\n"
        content: dict[str, object] = {"error": {"code": "rate_limit_exceeded", "message": "wait"}}
        if is_in:
            await asyncio.sleep(self.latency)
            message = {"role": "assistant", "content": body["messages"][-1]["content"].split()[-1]}
            usage = {"prompt_tokens": 100, "completion_tokens": 1, "total_tokens": 101}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            content = {"model": "m", "choices": [choice], "usage": usage}
        raw = json.dumps(content).encode()
        status = "200 OK" if is_in else "429 Too Many Requests"
        start = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{headers}"
        return f"{start}Content-Length: {len(raw)}\r\n\r\n".encode() + raw


def run_server(told: Connection, rate: float, latency: float) -> None:
    asyncio.run(Server(rate, latency).serve(told))


def question(number: int) -> Request:
    text = f"Which of the candidates fits the mention in its context? {'word ' * 60}{number}"
    body = {"model": "m", "messages": [{"role": "user", "content": text}], "temperature": 0}
    return Request(content_key(body), body)


def plain_rate(url: str) -> float:
    """Questions a second, one after the other."""
    with OpenAI(base_url=url, api_key="none", max_retries=10) as client:
        start = time.perf_counter()
        for number in range(PLAIN_QUESTIONS):
            done = client.chat.completions.create(**question(number).body)
            assert done.choices[0].message.content
        return PLAIN_QUESTIONS / (time.perf_counter() - start)


def measure(url: str, questions: int, rate: float) -> None:
    plain = plain_rate(url)
    time.sleep(1)  # until the bucket is full
    with tempfile.TemporaryDirectory() as folder:
        client = LlmClient(url, cache_folder=Path(folder))
        wanted = [question(number) for number in range(questions)]
        start, used = time.perf_counter(), time.process_time()
        found = client.complete(wanted)
        seconds, used = time.perf_counter() - start, time.process_time() - used
        again = client.complete(wanted)
    assert found.outcomes == {"answered": questions}, found.log()
    assert (again.calls, again.cache_hits) == (0, questions)
    # The full bucket at the start is a gift that is no part of the rate.
    share = (questions - rate) / seconds / rate
    turned_away = found.retries["429"]
    print(f"{questions} questions in {seconds:.1f} s, {used:.1f} s of processor time")
    print(f"{share:.1%} of the allowed rate; turned away {turned_away} times of {found.calls}")
    print(f"again, all kept: {again.seconds:.2f} s")
    print_result("ask.share_of_rate", share, "of 1", plain / rate, higher_is_better=True)
    print_result("ask.rate", questions / seconds, "questions/s", plain, higher_is_better=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--latency", type=float, default=0.05)
    chosen = parser.parse_args()
    os.environ["no_proxy"] = "127.0.0.1"
    heard, told = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    arguments = (told, chosen.rate, chosen.latency)
    process = context.Process(target=run_server, args=arguments, daemon=True)
    process.start()
    try:
        measure(f"http://127.0.0.1:{heard.recv()}/v1", chosen.questions, chosen.rate)
    finally:
        process.terminate()
        process.join()


if __name__ == "__main__":
    main()
