"""From mentions and their candidates to questions that can be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from mmoe.descriptions.llm_client import Request, server_url
from mmoe.descriptions.prompting.image import NO_IMAGE, image_url
from mmoe.descriptions.prompting.output import answer_text, label, output_arguments
from mmoe.descriptions.prompting.prompts import Prompt, load_prompt
from mmoe.descriptions.prompting.settings import PromptSettings
from mmoe.descriptions.prompting.texts import cut, one_line, shortened
from mmoe.files import content_key
from mmoe.records import Candidate, Mention

# Characters; what is longer is no name or description.
_WORD = 200
_DESCRIPTION = 400


@dataclass(frozen=True)
class Question:
    """What is asked about one mention.

    Attributes:
        order: position, in the mention's list of candidates, of each candidate in the order shown.
        context: as much of the mention's context as is shown.
        image: what became of the mention's image, as `image` says; "no image" if none is wanted.
        request: equal for mentions whose questions are the same.
    """

    mention_id: str
    order: tuple[int, ...]
    context: str = field(repr=False)
    image: str
    request: Request = field(repr=False)

    @property
    def num_options(self) -> int:
        """Candidates shown."""
        return len(self.order)

    def position(self, option: int) -> int | None:
        """The position of the candidate that is option 1, 2, … of the question; None for option 0."""
        assert 0 <= option <= len(self.order)
        return self.order[option - 1] if option else None


def questions_for(
    mentions: Sequence[Mention],
    candidates_by_mention: Mapping[str, Sequence[Candidate]],
    settings: PromptSettings,
) -> list[Question]:
    """One question for each mention that has at least two candidates, in the mentions' order.

    Args:
        candidates_by_mention: by mention_id, in retrieval's order; absent means no candidate.
    Raises:
        RankingError: if the prompt or the address is wrong.
    """
    writer = QuestionWriter(settings)
    groups = [candidates_by_mention.get(mention.mention_id, ()) for mention in mentions]
    return [
        writer.question(mention, group)
        for mention, group in zip(mentions, groups, strict=True)
        if len(group) > 1
    ]


class QuestionWriter:
    """Writes questions with one prompt for one server.

    Raises:
        RankingError: if the prompt or the address is wrong.
    """

    def __init__(self, settings: PromptSettings) -> None:
        self.settings = settings
        self.prompt: Prompt = load_prompt(settings.prompt)
        self._url = server_url(settings.base_url)
        # The mentions of a sentence share its image.
        self._image = cache(self._read_image)

    def question(self, mention: Mention, candidates: Sequence[Candidate]) -> Question:
        """The question about a mention.

        Args:
            candidates: at least two, in retrieval's order.
        """
        context = shortened(
            one_line(mention.context), one_line(mention.surface_form), self.settings.max_context
        )
        return self._question(mention, candidates, self._order(mention, candidates), context)

    def shorter(
        self, question: Question, mention: Mention, candidates: Sequence[Candidate]
    ) -> Question | None:
        """The same question with half of the context, for a server that found it too long.

        Below the length of the mention no context is left; after that half of the candidates go, the last
        ones of retrieval. None if two candidates without context were too long.
        """
        word, order = one_line(mention.surface_form), question.order
        half = len(question.context) // 2
        if question.context:
            context = shortened(question.context, word, half) if half > len(word) else ""
            return self._question(mention, candidates, order, context)
        if len(order) == 2:
            return None
        kept = sorted(order)[: max(2, len(order) // 2)]
        fewer = tuple(position for position in order if position in kept)
        return self._question(mention, candidates, fewer, "")

    def _order(self, mention: Mention, candidates: Sequence[Candidate]) -> tuple[int, ...]:
        """By what the question holds, never by when or beside what it is asked."""
        positions = range(min(len(candidates), self.settings.max_candidates))
        if self.settings.order == "retrieval":
            return tuple(positions)
        content = (self.settings.seed, one_line(mention.surface_form), one_line(mention.context))

        def drawn(position: int) -> tuple[str, int]:
            return content_key(*content, one_line(candidates[position].qid)), position

        return tuple(sorted(positions, key=drawn))

    def _question(
        self,
        mention: Mention,
        candidates: Sequence[Candidate],
        order: tuple[int, ...],
        context: str,
    ) -> Question:
        url, image = self._image(mention.image)
        body = self._body(mention, [candidates[position] for position in order], context, url)
        request = Request(content_key(body, self._url), body)
        return Question(mention.mention_id, order, context, image, request)

    def _body(
        self, mention: Mention, shown: Sequence[Candidate], context: str, image: str | None
    ) -> dict[str, Any]:
        settings = self.settings
        messages: list[dict[str, Any]] = [
            dict(message)
            for message in self.prompt.messages(
                _values(mention, shown, context, settings.output, has_image=image is not None)
            )
        ]
        if image is not None:
            messages[-1]["content"] = _with_image(messages[-1]["content"], image, settings)
        body: dict[str, Any] = {"model": settings.model, "messages": messages}
        if settings.temperature is not None:
            body["temperature"] = settings.temperature
        return body | {"seed": settings.seed} | output_arguments(len(shown), settings)

    def _read_image(self, name: str | None) -> tuple[str | None, str]:
        settings = self.settings
        if settings.image_folder is None or name is None:
            return None, NO_IMAGE
        return image_url(settings.image_folder, name, settings.image_side, settings.max_image_bytes)


def _values(
    mention: Mention, shown: Sequence[Candidate], context: str, output: str, *, has_image: bool
) -> dict[str, Any]:
    """What a prompt can use; each text is one line of data."""
    return {
        "surface_form": cut(one_line(mention.surface_form), _WORD),
        "text": context,
        "candidates": [
            {
                "label": cut(one_line(candidate.label), _WORD),
                "description": cut(one_line(candidate.description), _DESCRIPTION),
            }
            for candidate in shown
        ],
        "label": lambda option: label(option, len(shown), output),
        "answer": lambda option: answer_text(option, len(shown), output),
        "by_label": output == "logprobs",
        "has_image": has_image,
    }


def _with_image(text: str, url: str, settings: PromptSettings) -> list[dict[str, Any]]:
    image = {"url": url}
    if settings.server == "openai":
        image["detail"] = (
            "low"  # one fixed price an image, see IMAGE_TOKENS; others have no such knob
        )
    return [{"type": "text", "text": text}, {"type": "image_url", "image_url": image}]
