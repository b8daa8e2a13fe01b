"""Whom to ask, how fast, for how much money, and where answers are kept."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from mmoe.errors import RankingError

CACHE = "MMOE_CACHE"  # folder of answers in place of the user's cache folder
OPENAI = "https://api.openai.com/v1"


def default_cache_folder() -> Path:
    """Where answers are kept: MMOE_CACHE, or else the user's cache folder."""
    return Path(os.environ.get(CACHE) or platformdirs.user_cache_dir("mmoe"))


def server_url(base_url: str | None) -> str:
    """The address that is asked, without a slash at its end; OPENAI_BASE_URL is not looked at.

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
class Prices:
    """US dollars for a million tokens."""

    prompt: float
    completion: float


@dataclass(frozen=True)
class AskSettings:
    """How a server is asked; its key comes from the environment alone.

    Attributes:
        base_url: of an OpenAI-compatible server; None for OpenAI itself.
        concurrency: requests under way at the same time, at first.
        max_concurrency: that it may grow to.
        requests_per_minute: at most, evenly spread; None to go by what the server says.
        timeout: seconds for a whole answer.
        max_calls: requests that may be sent, those that failed included; None for any number.
        max_cost_usd: that the run may cost; None for any sum.
        prices: needed where max_cost_usd is set.
        cache_folder: where answers are kept.
        offline: whether only kept answers are used.
    Raises:
        RankingError: if the address is wrong, or the cost is limited without prices.
    """

    base_url: str | None = None
    concurrency: int = 8
    max_concurrency: int = 64
    requests_per_minute: float | None = None
    timeout: float = 60.0
    max_calls: int | None = None
    max_cost_usd: float | None = None
    prices: Prices | None = None
    cache_folder: Path = field(default_factory=default_cache_folder)
    offline: bool = False

    def __post_init__(self) -> None:
        assert 1 <= self.concurrency <= self.max_concurrency
        assert self.timeout > 0
        assert self.requests_per_minute is None or self.requests_per_minute > 0
        server_url(self.base_url)
        if self.max_cost_usd is not None and self.prices is None:
            raise RankingError(
                "rank.max_cost_usd: can't be held without prices; set those of the model in params.yaml"
            )

    @property
    def url(self) -> str:
        """The address that is asked."""
        return server_url(self.base_url)

    @property
    def host(self) -> str:
        """The server's name, for messages."""
        return urlsplit(self.url).netloc
