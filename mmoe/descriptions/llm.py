"""Backend openai: a language model behind an OpenAI-compatible server chooses, or says none.

Source: MMoE section 3.2, steps 2 and 3. Where it differs: the model may answer that no candidate fits, and an
answer that can't be read chooses none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmoe.descriptions.choice import describe
from mmoe.descriptions.llm_client import (
    AskSettings,
    Prices,
    Reply,
    Request,
    ask_all,
    ask_batch,
    write_ledger,
)
from mmoe.descriptions.llm_client.budget import Budget
from mmoe.descriptions.llm_client.progress import say
from mmoe.descriptions.llm_client.types import TOO_LONG
from mmoe.descriptions.position import Places, places_of
from mmoe.descriptions.prompting import (
    Choice,
    PromptSettings,
    Question,
    QuestionWriter,
    cost,
    estimate,
    prompt_version,
    read_reply,
)
from mmoe.records import Candidate, Description, Mention

BACKEND = "openai"
NO_CANDIDATE, ONE_CANDIDATE = "no candidate", "one candidate, no question"
NOT_RECORDED = "not recorded"

Groups = Mapping[str, Sequence[Candidate]]


@dataclass
class LanguageModel:
    """Asks about every mention with at least two candidates; one candidate needs no question.

    Attributes:
        in_batches: whether OpenAI's Batch API is used.
        readings: mentions by how their choice came about, after `rank`.
        left_out: mentions asked about by what the server refused to be asked for: the call that was answered
            went without it.
        images: mentions asked about by what became of their image, where images are sent.
        runs: calls, retries, money and time of each time that questions were asked: of all, then of those
            that the server found too long, with less.
        budget: what all of them have spent, to which the limits of calls and money apply together.
    """

    prompting: PromptSettings
    asking: AskSettings
    in_batches: bool = False
    readings: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    images: Counter[str] = field(default_factory=Counter)
    runs: list[dict[str, Any]] = field(default_factory=list)
    budget: Budget = field(init=False)
    _requests: dict[str, Request] = field(default_factory=dict, repr=False)
    _replies: dict[str, Reply] = field(default_factory=dict, repr=False)
    _options: dict[str, int | None] = field(default_factory=dict, repr=False)
    _places: dict[str, tuple[int, int]] = field(default_factory=dict, repr=False)
    _refused: set[str] = field(default_factory=set, repr=False)

    def __post_init__(self) -> None:
        self.budget = Budget(self.asking)

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
        """One record a mention; the score is the model's confidence where `output` is logprobs.

        The score is null where nothing was asked, and where the server told no log-probabilities.

        Raises:
            RankingError: if the run ended early; all replies are kept for the next one.
        """
        writer = QuestionWriter(self.prompting)
        several = _several(mentions, candidates_by_mention)
        questions = {
            mention.mention_id: writer.question(mention, candidates_by_mention[mention.mention_id])
            for mention in several
        }
        self._count_images(questions.values())
        self._ask(questions.values())
        while too_long := [mention for mention in several if self._is_too_long(mention, questions)]:
            shorter = {
                mention.mention_id: writer.shorter(
                    questions[mention.mention_id],
                    mention,
                    candidates_by_mention[mention.mention_id],
                )
                for mention in too_long
            }
            changed = {key: question for key, question in shorter.items() if question is not None}
            if not changed:
                break
            questions |= changed
            self._ask(changed.values())
        return [
            self._describe(
                mention,
                candidates_by_mention.get(mention.mention_id, ()),
                questions.get(mention.mention_id),
            )
            for mention in mentions
        ]

    def estimated(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> str:
        """What the first attempts of a run would send and cost, in words; nothing is sent."""
        writer = QuestionWriter(self.prompting)
        questions = [
            writer.question(mention, candidates_by_mention[mention.mention_id])
            for mention in _several(mentions, candidates_by_mention)
        ]
        self._count_images(questions)
        found = estimate(question.request for question in questions)
        prices: Prices | None = self.asking.prices
        money = "no prices in params.yaml"
        if prices is not None:
            money = f"about {cost(found, prices):.2f} USD"
        return (
            f"{found.calls:,} questions to {self.asking.host}, first attempts: about {found.prompt_tokens:,} "
            f"tokens of prompts, counted high, and at most {found.completion_tokens:,} of answers: {money}, "
            f"retries come on top ({found.how}); nothing was sent"
        )

    def write_ledger(self, path: Path) -> None:
        """One line a question: what was asked and answered, without times or anything secret."""
        write_ledger(path, self._requests.values(), self._replies, self._options)

    def log(self) -> dict[str, Any]:
        """What all rounds have cost, an interrupted one included, and what came of each that ended."""
        return {
            "calls": self.budget.calls,
            "spent_usd": self.budget.spent_usd,
            "rounds": self.runs,
        }

    @property
    def prompt_version(self) -> str:
        """Name and content hash of the prompt."""
        return f"{self.prompting.prompt} {prompt_version(self.prompting.prompt)}"

    @property
    def places(self) -> Places:
        """Where the chosen candidates stood in their questions, after `rank`; equal questions count once."""
        return places_of(self._places.values())

    def _count_images(self, questions: Iterable[Question]) -> None:
        if self.prompting.image_folder is not None:
            self.images = Counter(question.image for question in questions)
            counts = ", ".join(f"{name}: {n:,}" for name, n in sorted(self.images.items()))
            say(f"images of the mentions to ask about ({counts or 'no mention'})")

    def _ask(self, questions: Iterable[Question]) -> None:
        requests = [question.request for question in questions]
        self._requests |= {request.key: request for request in requests}
        ask = ask_batch if self.in_batches else ask_all
        asked = ask(requests, self.asking, refused=self._refused, budget=self.budget)
        self.runs.append(asked.log())
        asked.raise_if_stopped()
        self._replies |= asked.replies

    def _is_too_long(self, mention: Mention, questions: Mapping[str, Question]) -> bool:
        return self._replies[questions[mention.mention_id].request.key].outcome == TOO_LONG

    def _describe(
        self, mention: Mention, group: Sequence[Candidate], question: Question | None
    ) -> Description:
        if question is None:
            self.readings[ONE_CANDIDATE if group else NO_CANDIDATE] += 1
            return describe(mention, group, group[0] if group else None, BACKEND)
        choice = self._choice(question)
        self.readings[choice.reason] += 1
        left_out = self._replies[question.request.key].left_out
        self.left_out.update((NOT_RECORDED,) if left_out is None else left_out)
        position = None if choice.option is None else question.position(choice.option)
        chosen = None if position is None else group[position]
        return describe(mention, group, chosen, BACKEND, choice.confidence)

    def _choice(self, question: Question) -> Choice:
        key = question.request.key
        choice = read_reply(self._replies[key], question.num_options, self.prompting.output)
        self._options[key] = choice.option
        if choice.option:
            self._places[key] = choice.option, question.num_options
        return choice


def _several(mentions: Sequence[Mention], groups: Groups) -> list[Mention]:
    return [mention for mention in mentions if len(groups.get(mention.mention_id, ())) > 1]
