"""Whom the client asks, how often, in whose name, and where answers are kept."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs
import requests

from mmoe.errors import WikidataError

CONTACT = "MMOE_CONTACT"  # e-mail address or web page of who runs the client
CACHE = "MMOE_CACHE"  # folder of answers in place of the user's cache folder

_MAIL_OR_PAGE = re.compile(r"(https?://|mailto:)?[!-'*-~]+")  # visible ASCII without parentheses


def default_cache_folder() -> Path:
    """Where answers are kept: MMOE_CACHE, or else the user's cache folder."""
    return Path(os.environ.get(CACHE) or platformdirs.user_cache_dir("mmoe"))


@dataclass(frozen=True)
class ApiSettings:
    """How a Wikibase is asked.

    Attributes:
        url: of its Action API.
        contact: e-mail address or web page that the User-Agent names; empty if none was given.
        languages: of labels, descriptions and aliases, best first; `mul` stands in.
        max_per_minute: requests; the pace is even, without bursts.
        max_concurrent: requests under way at the same time.
        maxlag: seconds that the servers may lag behind for a request to be answered.
        max_lag_wait: seconds that a run waits in all because they lag behind further.
        max_hits: items with a word in their names up to which all are looked through; words that are in
            more are answered by their best hits. Not above 10,000, which the API gives.
        timeout: seconds of silence after which a request counts as lost.
        offline: whether only kept answers are used.
        cache_folder: where answers are kept.
        cache_days: for how long they hold.
    """

    url: str
    contact: str = field(repr=False)
    languages: tuple[str, ...]
    max_per_minute: int = 180
    max_concurrent: int = 3
    maxlag: int = 5
    max_lag_wait: float = 600
    max_hits: int = 10_000
    timeout: float = 60
    offline: bool = False
    cache_folder: Path = field(default_factory=default_cache_folder)
    cache_days: float = 90

    def __post_init__(self) -> None:
        assert self.languages
        assert self.max_per_minute >= 1
        assert self.max_concurrent >= 1
        assert 0 <= self.max_hits <= 10_000
        assert self.cache_days > 0

    @property
    def host(self) -> str:
        """The server's name, for messages."""
        return urlsplit(self.url).netloc


def settings_from_environment(
    url: str,
    languages: tuple[str, ...],
    max_per_minute: int = 180,
    max_lag_wait: float = 600,
    max_hits: int = 10_000,
    cache_days: float = 90,
    offline: bool = False,
) -> ApiSettings:
    """Settings whose contact and cache folder come from MMOE_CONTACT and MMOE_CACHE."""
    return ApiSettings(
        url=url,
        contact=os.environ.get(CONTACT, "").strip(),
        languages=languages,
        max_per_minute=max_per_minute,
        max_lag_wait=max_lag_wait,
        max_hits=max_hits,
        cache_days=cache_days,
        offline=offline,
    )


def user_agent(contact: str) -> str:
    """The User-Agent by which Wikimedia's operators can tell and reach us.

    Raises:
        WikidataError: if the contact is missing or is neither an e-mail address nor a web page; the
            message does not repeat it.
    Source: Wikimedia Foundation User-Agent Policy.
    """
    why = (
        "Wikimedia refuses programs that don't say whom to reach "
        "(https://foundation.wikimedia.org/wiki/Policy:User-Agent_policy)"
    )
    if not contact:
        raise WikidataError(
            f"environment variable {CONTACT} is missing: {why}; set it to your e-mail address or web page"
        )
    if not _MAIL_OR_PAGE.fullmatch(contact) or not ("@" in contact or "://" in contact):
        raise WikidataError(
            f"environment variable {CONTACT} is neither an e-mail address nor a web page in plain ASCII "
            f"without blanks: {why}; correct it"
        )
    library = f"python-requests/{requests.__version__}"
    return f"mmoe/{version('mmoe')} ({contact}; bot) {library}"
