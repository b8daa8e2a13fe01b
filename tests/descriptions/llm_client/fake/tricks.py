"""Ways in which servers, models, proxies and the network misbehave on one call, one function each."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

from tests.descriptions.llm_client.fake.batches import completion
from tests.descriptions.llm_client.fake.server import Handler, Trick

HTML = b"<!DOCTYPE html><html><title>Bad gateway</title><p>The server is busy.</html>"


def error(
    status: int,
    message: str = "Something is wrong.",
    code: str | int | None = None,
    kind: str = "invalid_request_error",
    param: str | None = None,
    **headers: str,
) -> Trick:
    """An error in the usual envelope; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.error(status, message, code, kind, param, named)


def limited(**headers: str) -> Trick:
    """Too many calls."""
    return error(429, "Rate limit reached", "rate_limit_exceeded", "requests", **headers)


def quota(handler: Handler) -> None:
    """No money left: a 429 that never ends."""
    handler.error(429, "You exceeded your quota.", "insufficient_quota", "insufficient_quota")


def html(status: int) -> Trick:
    """A page of a proxy."""
    return lambda handler: handler.reply(status, HTML, {"Content-Type": "text/html"})


def body(content: bytes | Any, status: int = 200) -> Trick:
    """Whatever a test thinks of, called JSON."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return lambda handler: handler.reply(status, raw, {"Content-Type": "application/json"})


def redirect(handler: Handler) -> None:
    handler.reply(307, b"", {"Location": "http://127.0.0.1:9/v1/chat/completions"})


def says(text: str | None, finish: str | None = "stop", **message: Any) -> Trick:
    """A completion with that text."""

    def trick(handler: Handler) -> None:
        content = completion(text, handler.asked().body, **message)
        content["choices"][0]["finish_reason"] = finish
        handler.json(200, content)

    return trick


def label(*pairs: tuple[str, float]) -> Trick:
    """One token and its log-probabilities."""

    def trick(handler: Handler) -> None:
        content = completion(pairs[0][0], handler.asked().body)
        top = [{"token": token, "logprob": value, "bytes": None} for token, value in pairs]
        first = {"token": pairs[0][0], "logprob": pairs[0][1], "top_logprobs": top}
        content["choices"][0] |= {"logprobs": {"content": [first]}, "finish_reason": "length"}
        handler.json(200, content)

    return trick


def good(handler: Handler) -> None:
    """What the server does without a trick."""
    handler.json(200, handler.good())


def lacking(refusal: Trick, *forms: str, otherwise: Trick = good) -> Trick:
    """Refuses forms of the answer, by type of response_format, a key in it, or name of the parameter."""

    def trick(handler: Handler) -> None:
        form = handler.asked().body.get("response_format") or {}
        is_refused = {*handler.asked().body, *form, form.get("type")} & set(forms)
        (refusal if is_refused else otherwise)(handler)

    return trick


def without(*names: str) -> Trick:
    """A completion that lacks fields."""

    def trick(handler: Handler) -> None:
        handler.json(200, {k: v for k, v in handler.good().items() if k not in names})

    return trick


def cut_in_body(handler: Handler) -> None:
    """Promises the whole answer and hangs up early."""
    raw = json.dumps(handler.good()).encode()
    handler.reply(200, raw, {"Content-Type": "application/json"}, up_to=15)
    handler.close_connection = True


def hang_up(handler: Handler) -> None:
    """Closes the connection without a word."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def slow(seconds: float) -> Trick:
    """Answers, but late."""

    def trick(handler: Handler) -> None:
        handler.fake.closing.wait(seconds)
        handler.json(200, handler.good())

    return trick


def dripping(pause: float) -> Trick:
    """Sends a byte now and then, so that no silence is long."""

    def trick(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not handler.fake.closing.wait(pause):
            handler.wfile.write(b" ")

    return trick


def held(arrived: threading.Semaphore, release: threading.Event) -> Trick:
    """Tells that the call has come, and answers it only when told to."""

    def trick(handler: Handler) -> None:
        arrived.release()
        release.wait(20)
        handler.json(200, handler.good())

    return trick


def echo(status: int) -> Trick:
    """Repeats the key in every place that a client might keep."""

    def trick(handler: Handler) -> None:
        told = handler.headers["Authorization"]
        if status == 200:
            content = completion(f"you are {told}", handler.asked().body)
            content |= {"model": told, "system_fingerprint": told}
            handler.json(200, content)
        else:
            handler.error(status, f"Incorrect API key provided: {told}", told, told, told)

    return trick
