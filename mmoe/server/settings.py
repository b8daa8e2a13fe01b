"""What the server allows."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ServerSettings:
    """Limits, and the key that requests must bear.

    Attributes:
        api_key: None lets everybody in.
        hosts: names that requests may reach the server by; None: any. A server of this machine alone needs
            them: a page of another site may have its own name lead here, and then read the answers.
        max_body: bytes of a request.
        max_pixels: of an image.
        max_text: characters of a text or context.
        max_mentions: of a request to /batch, or found in a text.
        max_waiting: mentions that wait to be linked; more are turned away with 429.
        max_batch: mentions that are linked together.
        timeout: seconds that a request may take.
    """

    api_key: str | None = field(default=None, repr=False)
    hosts: tuple[str, ...] | None = None
    max_body: int = 10_000_000
    max_pixels: int = 25_000_000
    max_text: int = 20_000
    max_mentions: int = 256
    max_waiting: int = 512
    max_batch: int = 32
    timeout: float = 30.0
