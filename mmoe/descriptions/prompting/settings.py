"""How questions are put: which prompt, which candidates in which order, and in what form the answer comes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mmoe.errors import RankingError

SERVERS = ("openai", "vllm", "llama.cpp", "ollama")
ORDERS = ("retrieval", "shuffled")
OUTPUTS = ("schema", "json_object", "plain", "logprobs")
TOKEN_PARAMETERS = ("max_completion_tokens", "max_tokens")

# A strict schema may list 1000 numbers, one of which means none of the candidates.
MOST_CANDIDATES = 999
# Servers tell the 20 likeliest tokens.
MOST_LABELLED = 20


@dataclass(frozen=True)
class PromptSettings:
    """How a question is put.

    Attributes:
        model: by its name on the server.
        prompt: name of a prompt that comes along, or path of a file of your own (`prompts.load_prompt`).
        base_url: of the server; None for OpenAI itself. Equal questions to other servers are other questions.
        server: openai, vllm, llama.cpp or ollama: in which words the server is told the form of the answer.
        output: schema (only the number of a candidate, held by the server), json_object (any JSON, held by
            the server), plain (the prompt alone asks for JSON) or logprobs (one token, with a confidence).
        order: retrieval, or shuffled by `seed` and what the question holds.
        seed: of the order; also sent to the server.
        max_candidates: [2, 999] shown, the first of retrieval; at most 20 with logprobs.
        max_context: characters of the context shown, around the mention.
        temperature: None to send none.
        max_tokens: of the answer, hidden reasoning included; one with logprobs, whatever stands here.
        token_parameter: max_completion_tokens or max_tokens; None for the one that the server knows.
        image_folder: the data set's raw folder, to attach the mention's image; None to attach none.
        image_side: pixels; larger images are scaled down to it.
        max_image_bytes: larger images, after scaling down, are left out and counted.
    Raises:
        RankingError: if a value is not legal.
    """

    model: str
    prompt: str = "zero_shot"
    base_url: str | None = None
    server: str = "openai"
    output: str = "schema"
    order: str = "shuffled"
    seed: int = 43
    max_candidates: int = 20
    max_context: int = 2000
    temperature: float | None = 0.0
    max_tokens: int = 32
    token_parameter: str | None = None
    image_folder: Path | None = None
    image_side: int = 512
    max_image_bytes: int = 500_000

    def __post_init__(self) -> None:
        _check_word("server", self.server, SERVERS)
        _check_word("output", self.output, OUTPUTS)
        _check_word("order", self.order, ORDERS)
        if self.token_parameter is not None:
            _check_word("token_parameter", self.token_parameter, TOKEN_PARAMETERS)
        most = MOST_LABELLED if self.output == "logprobs" else MOST_CANDIDATES
        if not 2 <= self.max_candidates <= most:
            raise RankingError(
                f"rank.max_candidates: {self.max_candidates} is not in [2, {most}], as output "
                f"{self.output} needs it"
            )
        for name in ("max_context", "max_tokens", "image_side", "max_image_bytes"):
            if getattr(self, name) < 1:
                raise RankingError(f"rank.{name}: {getattr(self, name)} is below 1")

    @property
    def tokens_name(self) -> str:
        """The parameter that limits an answer's tokens; llama.cpp and Ollama may ignore the newer one."""
        old = self.server in ("llama.cpp", "ollama")
        return self.token_parameter or ("max_tokens" if old else "max_completion_tokens")


def _check_word(name: str, value: str, legal: tuple[str, ...]) -> None:
    if value not in legal:
        raise RankingError(f"rank.{name}: no {value!r}; use one of {', '.join(legal)}")
