"""What every way of asking has, whether questions go one by one or in batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from mmoe.descriptions.llm_client.budget import Budget
from mmoe.descriptions.llm_client.key import ApiKey
from mmoe.descriptions.llm_client.pace import Clock
from mmoe.descriptions.llm_client.parameters import Parameters
from mmoe.descriptions.llm_client.settings import AskSettings
from mmoe.descriptions.llm_client.types import Reply, Request
from mmoe.descriptions.llm_client.verdict import Stop


class Run(ABC):
    """One run over the questions whose replies are not kept.

    Attributes:
        name: of the way, for the line that says where the questions go.
        stop: why it ended early; None while all is well.
        retries: attempts that were made again, by kind.
        oddities: of what came back and could be used nevertheless, by kind.
    """

    name: ClassVar[str] = ""

    def __init__(
        self,
        settings: AskSettings,
        secret: ApiKey,
        on_reply: Callable[[Reply], None],
        on_other: Callable[[Reply], None],
        clock: Clock,
        refused: set[str] | None = None,
        budget: Budget | None = None,
    ) -> None:
        """Sends nothing yet.

        Args:
            on_other: called with replies to questions of earlier runs that this one does not ask.
            refused: what the server was found to refuse before; what is found now is added.
            budget: what was spent before and counts to the same limits; what is spent now is added.
        """
        self._settings, self._secret, self._clock = settings, secret, clock
        self._on_reply, self._on_other = on_reply, on_other
        self.budget = Budget(settings) if budget is None else budget
        self.parameters = Parameters(refused)
        self.stop: Stop | None = None
        self.retries: Counter[str] = Counter()
        self.oddities: Counter[str] = Counter()

    @abstractmethod
    def connection(self) -> AbstractAsyncContextManager[Any]:
        """What `ask` sends with; imports the client, which takes longer to load than all replies kept."""

    @abstractmethod
    async def ask(self, requests: Sequence[Request], connection: Any) -> None:
        """Returns when every question has its reply, or when the run ended and nothing is under way."""

    async def connect_and_ask(self, requests: Sequence[Request]) -> None:
        """As `ask`, on a connection of its own."""
        async with self.connection() as connection:
            await self.ask(requests, connection)
