"""Only words leave the machine, and the contact stands in the User-Agent and nowhere else."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata.api import ApiSettings, find_items

from tests.wikidata import loopback
from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.fake import tricks
from tests.wikidata.api.fake.server import Fake, Handler
from tests.wikidata.api.runs import CONTACT, WORDS, small_world


def quoting(handler: Handler) -> None:
    """An error page that repeats our User-Agent, as those of proxies do."""
    agent = handler.headers["User-Agent"].encode()
    handler.reply(503, b"<p>" + agent, "text/html")


def test_the_contact_is_in_the_user_agent_alone(
    fake: Fake,
    settings: ApiSettings,
    time_of: StoppedClock,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.store = small_world()
    fake.tricks = {
        2: quoting,
        4: tricks.limited(3),
        6: loopback.cut,
        8: tricks.lagged(7),
        11: tricks.api_error("badvalue", f"from {CONTACT}"),
    }
    said = [repr(settings)]
    with pytest.raises(WikidataError) as caught:
        find_items(WORDS, settings, time_of.clock())
    said.append(str(caught.value))
    found = find_items(WORDS, settings, time_of.clock())
    with pytest.raises(WikidataError) as caught:
        find_items(["unheard of"], replace(settings, offline=True), time_of.clock())
    said += [str(caught.value), repr(found), caplog.text, *capfd.readouterr()]
    assert all(CONTACT in asked.headers["User-Agent"] for asked in fake.log)
    assert len(fake.log) > 10
    user = CONTACT.partition("@")[0]  # is left as it is however the rest is written
    for asked in fake.log:
        rest = {name: value for name, value in asked.headers.items() if name != "User-Agent"}
        assert user not in f"{asked.params} {rest}"
        assert user not in quote(str(asked.params))
    assert user not in " ".join(said)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert any(file.stat().st_size > 1000 for file in files)
    assert not [file for file in files if user.encode() in file.read_bytes()]


def test_a_login_that_the_user_has_there_stays_at_home(
    fake: Fake,
    settings: ApiSettings,
    time_of: StoppedClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ada password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    find_items(["anything"], settings, time_of.clock())
    assert "Authorization" not in fake.log[0].headers
