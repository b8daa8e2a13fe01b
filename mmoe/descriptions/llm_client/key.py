"""The key of the server: from the environment to the request, and nowhere else."""

from __future__ import annotations

import json
import os
import re

from mmoe.errors import RankingError

VARIABLE = "OPENAI_API_KEY"
NO_KEY = "none"  # what servers without keys are sent; the client insists on one
HIDDEN = "[key]"

# Shorter ones are words that local servers are given, and that an answer may hold by chance.
_LONG = 8
_LINE = 300
_MASKED = re.compile(r"\bsk-[\w*.…-]{4,}")  # as OpenAI quotes a part of a wrong key
_PLAIN = re.compile(r"[!-~]+")


class ApiKey:
    """A secret that does not show itself: that of OPENAI_API_KEY, or none.

    Raises:
        RankingError: if the value can't be one; the message does not repeat it.
    """

    __slots__ = ("_value", "is_set")

    def __init__(self) -> None:
        self._value = os.environ.get(VARIABLE, "").strip() or NO_KEY
        self.is_set = self._value != NO_KEY
        if not _PLAIN.fullmatch(self._value):
            raise RankingError(
                f"environment variable {VARIABLE}: holds blanks or characters that no key has; copy it again"
            )

    def reveal(self) -> str:
        """The secret itself, for the client."""
        return self._value

    def out_of(self, text: str) -> str:
        """An answer's text without the key, should the server repeat it; also without half characters."""
        whole = text.encode("utf-8", "replace").decode()
        if len(self._value) < _LONG:
            return whole
        in_json = json.dumps(self._value)[1:-1]
        return whole.replace(in_json, HIDDEN).replace(self._value, HIDDEN)

    def line(self, text: str) -> str:
        """A server's words for messages: one short line of printable characters, without any key."""
        plain = "".join(c if c.isprintable() else " " for c in self.out_of(text))
        if self.is_set:
            plain = plain.replace(self._value, HIDDEN)
        plain = " ".join(_MASKED.sub(HIDDEN, plain).split())
        return plain if len(plain) <= _LINE else f"{plain[: _LINE - 1]}…"

    def __repr__(self) -> str:
        return f"ApiKey({HIDDEN})"
