"""Whom to ask, how fast, for how much money, and where replies are kept."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from mmoe.config.llm import LlmParams
from mmoe.descriptions.llm_client.budget import Budget
from mmoe.descriptions.llm_client.fallbacks import Fallbacks
from mmoe.errors import RankingError

CACHE = "MMOE_CACHE"  # folder of replies in place of the user's cache folder
OPENAI = "https://api.openai.com/v1"


def default_cache_folder() -> Path:
    """Where replies are kept: MMOE_CACHE, or else the user's cache folder."""
    return Path(os.environ.get(CACHE) or platformdirs.user_cache_dir("mmoe"))


def server_url(base_url: str | None) -> str:
    """The server's address without a slash at its end; OPENAI_BASE_URL is not looked at.

    Raises:
        RankingError: if it is no web address, or holds what may be secret.
    """
    url = (base_url or OPENAI).rstrip("/")
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_address = False
    if not is_address:
        raise RankingError(
            "rank.base_url: not an address of a server; write it like http://localhost:8000/v1"
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise RankingError(
            f"rank.base_url: the address at {parts.hostname} holds a login or a query, which would be kept "
            "in files; leave it out and put the key into OPENAI_API_KEY"
        )
    return url


@dataclass(frozen=True)
class Clock:
    """Time as the client sees it; tests put another in its place.

    Attributes:
        now: seconds that only ever grow.
        wall: seconds since 1970.
    """

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass
class Endpoint:
    """One server, and what lasts over all rounds of a run: limits of calls and money hold for their sum.

    Attributes:
        base_url: of an OpenAI-compatible server; None for OpenAI itself. Its key comes from the environment.
        params: pace, prices and limits.
        cache_folder: where replies are kept.
        timeout: seconds for a whole answer.
        concurrency: requests that may be in flight at the same time.
        budget: what was spent so far.
        fallbacks: what the server was found to refuse.
    Raises:
        RankingError: if the address is wrong.
    """

    base_url: str | None = None
    params: LlmParams = field(default_factory=LlmParams)
    cache_folder: Path = field(default_factory=default_cache_folder)
    timeout: float = 60.0
    concurrency: int = 64
    clock: Clock = field(default_factory=Clock, repr=False)
    budget: Budget = field(init=False, repr=False)
    fallbacks: Fallbacks = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.url = server_url(self.base_url)
        self.budget, self.fallbacks = Budget(self.params), Fallbacks()

    @property
    def host(self) -> str:
        """The server's name, for messages."""
        return urlsplit(self.url).netloc
