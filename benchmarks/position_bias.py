"""What a model's preference for the first candidate costs, in retrieval's order and in a shuffled one.

usage  python -m benchmarks.position_bias [--mentions 1000] [--bias 0.3]

The model is a fake on the loopback: with the probability `bias` it takes the first candidate that it sees,
otherwise it knows the right one. Made-up mentions have 2 to 20 candidates, among which retrieval tends to put
the gold one first, or last. The value is the accuracy with a shuffled order where the gold one tends to stand
last, the plain way the same in retrieval's order; where it tends to stand first, retrieval's order hides the
preference. A test of the places that were chosen shows it in a shuffled order alone, where every place is as
likely to be right.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import re
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

from mmoe.config.rank import RankParams
from mmoe.descriptions.counts import ranking_counts
from mmoe.descriptions.llm import LanguageModel
from mmoe.descriptions.llm_client.client import LlmClient
from mmoe.descriptions.position import PositionBias
from mmoe.records import Candidate, Mention

from benchmarks.measure import print_result

Order = Literal["retrieval", "shuffled"]
ORDERS: tuple[Order, ...] = ("retrieval", "shuffled")
SEED = 43
MOST_CANDIDATES = 20
TENDENCY = 0.6  # that each place in turn, from one end, is the gold candidate's
GOLD = re.compile(r"^(\d+)\. .*\bof the right kind$", re.MULTILINE)


class Model(BaseHTTPRequestHandler):
    """Takes the first candidate, or the right one; equal questions get equal answers."""

    protocol_version = "HTTP/1.1"
    bias = 0.0

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        question = body["messages"][-1]["content"]
        (right,) = GOLD.findall(question)
        # By what the question says, not by the order it shows: that the two orders are compared in pairs.
        name = question.partition("</text>")[0]
        is_biased = random.Random(f"{SEED} {name}").random() < self.bias  # noqa: S311 - no secret
        message = {"role": "assistant", "content": f'{{"choice": {1 if is_biased else right}}}'}
        usage = {"prompt_tokens": 100, "completion_tokens": 6, "total_tokens": 106}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        raw = json.dumps({"model": "m", "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        # In one piece with the headers: otherwise the system waits for the first to be received.
        self._headers_buffer.append(b"\r\n" + raw)  # type: ignore[attr-defined]
        self.flush_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Says nothing on stderr."""


def run_server(told: Connection, bias: float) -> None:
    handler = type("BiasedModel", (Model,), {"bias": bias})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        told.send(server.server_port)
        threading.Event().wait()


def made_up(number: int, gold_stands: str) -> tuple[list[Mention], dict[str, list[Candidate]]]:
    """Mentions and their candidates in retrieval's order; the same ones for both ends."""
    draw = random.Random(SEED)  # noqa: S311 - no secret
    mentions, groups = [], {}
    for n in range(number):
        name, qids = f"m{n}", [f"Q{n}-{i}" for i in range(draw.randint(2, MOST_CANDIDATES))]
        place = 0
        while place < len(qids) - 1 and draw.random() > TENDENCY:
            place += 1
        order = [*qids[1 : place + 1], qids[0], *qids[place + 1 :]]
        if gold_stands == "last":
            order.reverse()
        context = f"Ada was seen in text {n}"
        mentions.append(Mention(name, name, "Ada", context, None, qids[0], True, "test"))
        groups[name] = [
            Candidate(name, position, qid, "Ada", _description(qid, qids[0]), "label", None)
            for position, qid in enumerate(order)
        ]
    return mentions, groups


def _description(qid: str, gold: str) -> str:
    return f"person {qid} of the right kind" if qid == gold else f"person {qid} of another kind"


def measured(url: str, number: int, gold_stands: str, order: Order) -> tuple[float, PositionBias]:
    """Accuracy, and where the chosen candidates stood."""
    mentions, groups = made_up(number, gold_stands)
    with tempfile.TemporaryDirectory() as folder:
        model = LanguageModel(RankParams(model="m", base_url=url, order=order, seed=SEED))
        model.client = LlmClient(url, cache_folder=Path(folder))
        counts = ranking_counts(mentions, model.rank(mentions, groups), groups)["all"]
    right = counts["share_right"]
    assert isinstance(right, float), model.answers
    print(f"gold tends to stand {gold_stands}, {order} order: accuracy {right:.3f}")
    print(f"  {model.position_bias.in_words()}")
    return right, model.position_bias


def measure(url: str, number: int, bias: float) -> None:
    print(f"{number} mentions; the first candidate is taken with probability {bias}")
    found = {
        (gold, order): measured(url, number, gold, order)
        for gold in ("first", "last")
        for order in ORDERS
    }
    accuracy = {way: right for way, (right, _) in found.items()}
    for order in ORDERS:
        between = accuracy["first", order] - accuracy["last", order]
        print(f"{order} order: {100 * between:.1f} points between gold first and gold last")
    shuffled, plain = accuracy["last", "shuffled"], accuracy["last", "retrieval"]
    print_result("position_bias.accuracy", shuffled, "of 1", plain, higher_is_better=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mentions", type=int, default=1000)
    parser.add_argument("--bias", type=float, default=0.3)
    chosen = parser.parse_args()
    os.environ["no_proxy"] = "127.0.0.1"
    heard, told = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=run_server, args=(told, chosen.bias), daemon=True)
    process.start()
    try:
        measure(f"http://127.0.0.1:{heard.recv()}/v1", chosen.mentions, chosen.bias)
    finally:
        process.terminate()
        process.join()


if __name__ == "__main__":
    main()
