"""Backend openai: a language model behind an OpenAI-compatible server chooses, or says none.

Source: MMoE section 3.2, steps 2 and 3. Differs from the paper: the model may answer that no candidate fits,
and an answer that can't be read chooses none.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mmoe.config.backends import LANGUAGE_MODEL
from mmoe.config.llm import LlmParams
from mmoe.config.rank import RankParams
from mmoe.descriptions.choice import Groups, Mentions, describe
from mmoe.descriptions.llm_client.budget import IMAGE_TOKENS, estimate
from mmoe.descriptions.llm_client.client import LlmClient, say
from mmoe.descriptions.llm_client.types import Outcome, Reply
from mmoe.descriptions.position import PositionBias, position_bias
from mmoe.descriptions.prompting.answer import read_reply
from mmoe.descriptions.prompting.question import TEMPERATURE, Question, QuestionWriter
from mmoe.files import atomic_write, content_key
from mmoe.records import Candidate, Description, Mention


@dataclass
class LanguageModel:
    """Asks about every mention with at least two candidates; one candidate needs no question.

    Attributes:
        image_folder: the data set's raw folder, where images are sent; None to send none.
        client: what it sends with, to whose rounds together the limits of calls and money apply.
        answers: mentions by how their choice came about, after `rank`.
        left_out: mentions by what the server refused: the call that was answered went without it.
        images: mentions by what became of their image, where images are sent.
    """

    params: RankParams
    llm: LlmParams = field(default_factory=LlmParams)
    image_folder: Path | None = None
    client: LlmClient = field(init=False)
    answers: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    images: Counter[str] = field(default_factory=Counter)
    _failed: Counter[str] = field(default_factory=Counter, repr=False)  # of what is in `answers`
    _rounds: list[dict[str, Any]] = field(default_factory=list, repr=False)
    _questions: dict[str, Question] = field(default_factory=dict, repr=False)  # all that were sent
    _replies: dict[str, Reply] = field(default_factory=dict, repr=False)
    _options: dict[str, int | None] = field(default_factory=dict, repr=False)  # that were read

    def __post_init__(self) -> None:
        self.client = LlmClient(self.params.base_url, self.llm)
        self._writer = QuestionWriter(self.params, self.image_folder)

    def rank(self, mentions: Mentions, candidates_by_mention: Groups) -> list[Description]:
        """One record a mention; the score is the model's confidence where `output` is logprobs.

        The score is None where nothing was asked, and where the server told no log-probabilities.

        Raises:
            RankingError: if the run ended early; all replies are kept for the next one.
        """
        questions = new = self._write(mentions, candidates_by_mention)
        while new:
            self._questions |= {question.request.key: question for question in new.values()}
            found = self.client.complete(question.request for question in new.values())
            self._rounds.append(found.log())
            found.raise_if_stopped()
            self._replies |= found.replies
            # What the server found too long is asked again with less.
            new = {
                mention_id: shorter
                for mention_id, question in new.items()
                if self._replies[question.request.key].outcome == Outcome.TOO_LONG
                and (shorter := self._writer.shorter(question)) is not None
            }
            questions = questions | new
        groups = [candidates_by_mention.get(mention.mention_id, ()) for mention in mentions]
        return [
            self._describe(mention, group, questions.get(mention.mention_id))
            for mention, group in zip(mentions, groups, strict=True)
        ]

    def estimated(self, mentions: Mentions, candidates_by_mention: Groups) -> str:
        """What the first attempts of a run would send and cost, in words; nothing is sent."""
        questions = self._write(mentions, candidates_by_mention).values()
        distinct = {question.request.key: question.request.body for question in questions}
        found = estimate(distinct.values(), self.llm)
        has_prices = self.llm.has_prices
        money = f"about {found.usd:.2f} USD" if has_prices else "no prices in params.yaml"
        images = f", {IMAGE_TOKENS:,} an image" if self.image_folder else ""
        return (
            f"{found.calls:,} questions to {self.client.host}, first attempts: about {found.prompt_tokens:,} "
            f"tokens of prompts, counted high (a token for 3 ASCII characters, a digit or a byte of other "
            f"letters{images}), and at most {found.completion_tokens:,} of answers: {money}, retries come "
            "on top; nothing was sent"
        )

    def write_ledger(self, path: Path) -> None:
        """One JSON line a question, sorted by key, without times or anything secret; whole or not at all."""
        with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
            for key, question in sorted(self._questions.items()):
                reply, body = self._replies[key], question.request.body
                line = {
                    "key": key,
                    "prompt": content_key(body["messages"]),
                    "model": reply.model or body["model"],
                    "fingerprint": reply.fingerprint,
                    "left_out": reply.left_out,
                    "outcome": reply.outcome,
                    "answer": reply.text,
                    "choice": self._options.get(key),
                    "prompt_tokens": reply.prompt_tokens,
                    "completion_tokens": reply.completion_tokens,
                }
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")

    @property
    def settings(self) -> dict[str, Any]:
        """What was asked for, for rank.json and the log; nothing secret."""
        params, prompt = self.params, self._writer.prompt
        return {
            "model": params.model,
            "server": params.server,
            "host": self.client.host,
            "prompt": f"{prompt.name} {prompt.version}",
            "output": params.output,
            "temperature": TEMPERATURE,
            "seed": params.seed,
        }

    def counts(self) -> dict[str, Any]:
        """What came of it, for rank.json: the same for a run that asks and one whose replies are kept."""
        found: dict[str, Any] = {
            "left_out": dict(sorted(self.left_out.items())),
            "answers": dict(sorted(self.answers.items())),
        }
        if self.image_folder is not None:
            found["images"] = dict(sorted(self.images.items()))
        # In retrieval's order the best known candidate is early, so that positions say nothing of the model.
        if self.params.order == "shuffled":
            found["position"] = asdict(self.position_bias)
        return found

    def failures(self) -> str:
        """How many answers named neither a candidate nor none of them, in words."""
        why = ", ".join(f"{n:,} {reason}" for reason, n in sorted(self._failed.items()) if n)
        asked = sum(self.answers[reason] for reason in self._failed)
        failed = f"{self._failed.total():,} of {asked:,} answers of the model failed"
        return f"{failed} ({why})" if why else failed

    def log(self) -> dict[str, Any]:
        """What all rounds have cost, an interrupted one included, and what came of each that ended."""
        budget = self.client.budget
        return {"calls": budget.calls, "spent_usd": budget.spent_usd, "rounds": self._rounds}

    @property
    def position_bias(self) -> PositionBias:
        """Where the chosen candidates stood in their questions, after `rank`; equal questions count once."""
        return position_bias(
            (option, self._questions[key].num_options)
            for key, option in self._options.items()
            if option
        )

    def _write(self, mentions: Mentions, candidates_by_mention: Groups) -> dict[str, Question]:
        """The questions by mention_id; counts their images."""
        questions = self._writer.questions(mentions, candidates_by_mention)
        if self.image_folder is not None:
            self.images = Counter(question.image for question in questions.values())
            counts = ", ".join(f"{name}: {n:,}" for name, n in sorted(self.images.items()))
            say(f"images of the mentions to ask about ({counts or 'no mention'})")
        return questions

    def _describe(
        self, mention: Mention, group: Sequence[Candidate], question: Question | None
    ) -> Description:
        if question is None:
            self.answers["one candidate, no question" if group else "no candidate"] += 1
            return describe(mention, group, group[0] if group else None, LANGUAGE_MODEL)
        reply = self._replies[question.request.key]
        choice = read_reply(reply, question.num_options, self.params.output)
        self._options[reply.key] = choice.option
        self.answers[choice.reason] += 1
        self._failed[choice.reason] += choice.option is None
        self.left_out.update(reply.left_out)
        chosen = group[question.order[choice.option - 1]] if choice.option else None
        return describe(mention, group, chosen, LANGUAGE_MODEL, choice.confidence)
