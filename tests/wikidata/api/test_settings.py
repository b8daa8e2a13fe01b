"""Who asks, and where answers are kept."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
import requests

from mmoe.errors import WikidataError
from mmoe.wikidata.api.settings import ApiSettings, user_agent


@pytest.mark.parametrize("contact", ["ada@contact.example", "https://contact.example/ada"])
def test_the_user_agent_names_program_contact_and_library(contact: str) -> None:
    expected = f"mmoe/{version('mmoe')} ({contact}; bot) python-requests/{requests.__version__}"
    assert user_agent(contact) == expected


def test_a_missing_contact_says_which_variable_and_why() -> None:
    with pytest.raises(WikidataError, match=r"MMOE_CONTACT is missing: Wikimedia refuses .*; set"):
        user_agent("")


@pytest.mark.parametrize(
    "contact",
    ["secretname", "ada@secretname.example\r\nX: y", "(ada@secretname)", "a @secretname"],
)
def test_a_contact_that_reaches_nobody_is_refused_and_not_repeated(contact: str) -> None:
    with pytest.raises(WikidataError, match="MMOE_CONTACT is neither") as caught:
        user_agent(contact)
    assert "cretname" not in str(caught.value)


def test_the_environment_gives_contact_and_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MMOE_CONTACT", " ada@contact.example ")
    monkeypatch.setenv("MMOE_CACHE", str(tmp_path / "kept"))
    settings = ApiSettings()
    assert settings.contact == "ada@contact.example"
    assert settings.cache_folder == tmp_path / "kept"
    assert settings.host == "www.wikidata.org"
    assert "ada@" not in repr(settings)
    monkeypatch.delenv("MMOE_CACHE")
    monkeypatch.delenv("MMOE_CONTACT")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert ApiSettings().contact == ""
    assert ApiSettings().cache_folder.name == "mmoe"
