"""The key stands in the request and nowhere else; questions go where the user was told."""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path

import pytest

from mmoe.descriptions.llm_client.cache import FILE
from mmoe.descriptions.llm_client.key import ApiKey
from mmoe.descriptions.llm_client.response import Response, classify_response
from mmoe.descriptions.llm_client.types import Reply
from mmoe.errors import RankingError

from tests.descriptions.llm_client.fake import tricks
from tests.descriptions.llm_client.fake.server import Fake
from tests.descriptions.llm_client.runs import CANARY, Clients, requests, stopped_by


def test_the_key_is_in_the_request_alone(
    fake: Fake,
    client: Clients,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Even where answers of every status repeat it."""
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    caplog.set_level(logging.DEBUG)
    sending = client(concurrency=1)
    fake.tricks = {
        n: tricks.echo(status) for n, status in enumerate([200, 400, 413, 422, 429, 500, 200], 2)
    }
    fake.tricks[12] = tricks.body(CANARY.encode())
    fake.tricks |= {13: tricks.hang_up, 14: tricks.echo(401)}
    wanted = requests(20)
    found = sending.complete(wanted)
    assert stopped_by(found) == "key"
    said = [repr(found), str(found), json.dumps(found.log()), repr(sending), found.stopped or ""]
    try:
        found.raise_if_stopped()
    except RankingError:
        said.append(traceback.format_exc())
    said += [caplog.text, *capfd.readouterr()]
    assert "[key]" in said[0]
    assert {call.headers["authorization"] for call in fake.log} == {f"Bearer {CANARY}"}
    assert len(fake.log) == 14
    assert not [text for text in said if CANARY in text]
    for call in fake.log:
        rest = {name: value for name, value in call.headers.items() if name != "authorization"}
        assert CANARY not in f"{call.body} {rest}"
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert FILE in {file.name for file in files}
    assert not [file for file in files if CANARY.encode() in file.read_bytes()]


@pytest.mark.parametrize("key", [f"{CANARY} x", f"{CANARY}\nx", f"{CANARY}é"])
def test_a_key_that_can_not_be_one_is_not_repeated(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(RankingError, match="OPENAI_API_KEY") as caught:
        ApiKey()
    assert CANARY not in str(caught.value)


def test_words_of_the_server_are_one_short_line_without_a_masked_key() -> None:
    line = ApiKey().line("a\nb\x1b[31m\u202e wrong key sk-cana************7e2a. " + "c " * 1000)
    assert line.startswith("a b [31m wrong key [key] c")
    assert len(line) == 300
    assert line.isprintable()


def test_escapes_hide_neither_the_key_nor_half_a_character(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key := f'{CANARY}"\\x')
    escaped = "".join(f"\\u{ord(character):04x}" for character in key).encode()
    content = b'{"choices": [{"message": {"content": "' + escaped + b'\\ud83d"}}]}'
    reply = classify_response("k", Response(200, content), ApiKey())
    assert isinstance(reply, Reply)
    assert reply.text == "[key]?"
