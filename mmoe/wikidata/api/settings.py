"""Whom the client asks, in whose name, and where answers are kept."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import requests

from mmoe.config.wikidata import WikidataParams
from mmoe.errors import WikidataError
from mmoe.sqlite_cache import default_cache_folder

WIKIDATA = "https://www.wikidata.org/w/api.php"
CONTACT = "MMOE_CONTACT"  # e-mail address or web page of who runs the client

_MAIL_OR_PAGE = re.compile(r"(https?://|mailto:)?[!-'*-~]+")  # visible ASCII without parentheses


@dataclass(frozen=True)
class ApiSettings:
    """How a Wikibase is asked.

    Attributes:
        url: of its Action API.
        languages: of labels, descriptions and aliases, best first; `mul` stands in.
        limits: how often, how patiently, and for how long an answer holds.
        max_hits: items with a surface form in their names up to which all are looked through; of more,
            the best hits count. Not above 10,000, which the API gives.
        max_concurrent: requests under way at the same time.
        offline: whether only kept answers are used.
        contact: e-mail address or web page that the User-Agent names: what MMOE_CONTACT says, empty if it
            says nothing.
        cache_folder: where answers are kept.
    """

    url: str = WIKIDATA
    languages: tuple[str, ...] = ("en",)
    limits: WikidataParams = field(default_factory=WikidataParams)
    max_hits: int = 10_000
    max_concurrent: int = 3
    offline: bool = False
    contact: str = field(default_factory=lambda: os.environ.get(CONTACT, "").strip(), repr=False)
    cache_folder: Path = field(default_factory=default_cache_folder)

    @property
    def host(self) -> str:
        """The server's name, for messages."""
        return urlsplit(self.url).netloc


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
