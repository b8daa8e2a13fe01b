"""The ledger is the same from run to run, and whole or not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmoe.descriptions.llm_client import LlmClient, Reply, write_ledger

from tests.descriptions.llm_client.fake.server import Fake
from tests.descriptions.llm_client.runs import request, requests


def test_it_has_a_sorted_line_for_each_question(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    wanted = [request(text) for text in ("b", "a", "b", "c")]
    first, second = wanted[:2]
    answered = Reply(
        *(first.key, "answered", "{\u2028}", None, 5, 1, "m-1", "fp", "not in the ledger"),
        left_out=("schema -> plain", "seed"),
    )
    write_ledger(path, wanted, {first.key: answered}, {first.key: 2, second.key: None})
    lines = [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]
    assert [line["key"] for line in lines] == sorted({one.key for one in wanted})
    by_key = {line.pop("key"): line for line in lines}
    prompt = by_key[first.key].pop("prompt")
    assert by_key[first.key] == {
        "model": "m-1",
        "fingerprint": "fp",
        "left_out": ["schema -> plain", "seed"],
        "outcome": "answered",
        "answer": "{\u2028}",
        "choice": 2,
        "prompt_tokens": 5,
        "completion_tokens": 1,
    }
    assert by_key[second.key]["outcome"] == "not asked"
    assert by_key[second.key]["prompt"] != prompt


def test_two_runs_write_the_same(fake: Fake, tmp_path: Path) -> None:
    fake.delay = 0.001
    written = []
    for wanted, folder in ((requests(20), "a"), (requests(20)[::-1], "b")):
        found = LlmClient(fake.url, cache_folder=tmp_path / folder).complete(wanted)
        write_ledger(tmp_path / f"{folder}.jsonl", wanted, found.replies, {})
        written.append((tmp_path / f"{folder}.jsonl").read_bytes())
    assert written[0] == written[1]
    assert written[0].count(b"\n") == 20


def test_a_broken_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text("old")
    broken = Reply(request("a").key, "answered", "\ud800")
    with pytest.raises(UnicodeEncodeError):
        write_ledger(path, [request("a")], {broken.key: broken}, {})
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
