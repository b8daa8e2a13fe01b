"""From mentions and their candidates to questions that can be sent."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from PIL import Image

from mmoe.config.rank import RankParams
from mmoe.descriptions.choice import Groups, Mentions
from mmoe.descriptions.llm_client.session import server_url
from mmoe.descriptions.llm_client.types import Request
from mmoe.descriptions.prompting.answer import answer_text, label, output_arguments
from mmoe.descriptions.prompting.prompts import Prompt, load_prompt
from mmoe.descriptions.prompting.texts import cut, one_line, shortened
from mmoe.files import content_key
from mmoe.images import DECODING_ERRORS, as_shown, read_image
from mmoe.records import Candidate, Mention

TEMPERATURE = 0.0
# Characters; what is longer is no name or description, and a context is cut around the mention.
_NAME, _DESCRIPTION, _CONTEXT = 200, 400, 2000
# What vision models take as it is.
_AS_IT_IS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_QUALITY = 85
_SIDE = 512  # pixels; larger images are scaled down to it
_MAX_BYTES = 500_000  # after scaling down


@dataclass(frozen=True)
class Question:
    """What is asked about one mention.

    Attributes:
        candidates: all of the mention's, in retrieval's order.
        order: position among them of each candidate in the order shown.
        context: as much of the mention's context as is shown.
        image: what became of the mention's image, as `image_url` says; "no image" if none is wanted.
        request: equal for mentions whose questions are the same.
    """

    mention: Mention
    candidates: Sequence[Candidate] = field(repr=False)
    order: tuple[int, ...]
    context: str = field(repr=False)
    image: str
    request: Request = field(repr=False)

    @property
    def num_options(self) -> int:
        """Candidates shown."""
        return len(self.order)


class QuestionWriter:
    """Writes questions with one prompt for one server.

    Args:
        image_folder: the data set's raw folder, to attach the mention's image; None to attach none.
    Raises:
        RankingError: if the prompt or the address is wrong.
    """

    def __init__(self, params: RankParams, image_folder: Path | None = None) -> None:
        self.params = params
        self.prompt: Prompt = load_prompt(params.prompt)
        self._url = server_url(params.base_url)
        # The mentions of a sentence share its image.
        self._image = cache(partial(image_url, image_folder))

    def questions(self, mentions: Mentions, groups: Groups) -> dict[str, Question]:
        """By mention_id, a question for each mention that has at least two candidates."""
        return {
            mention.mention_id: self.question(mention, groups[mention.mention_id])
            for mention in mentions
            if len(groups.get(mention.mention_id, ())) > 1
        }

    def question(self, mention: Mention, candidates: Sequence[Candidate]) -> Question:
        """The question about a mention that has at least two candidates, in retrieval's order."""
        context = shortened(one_line(mention.context), one_line(mention.surface_form), _CONTEXT)
        return self._question(mention, candidates, self._order(mention, candidates), context)

    def shorter(self, question: Question) -> Question | None:
        """The same question with half of the context, for a server that found it too long.

        Below the length of the mention no context is left; after that half of the candidates go, the last
        ones of retrieval. None if two candidates without context were too long.
        """
        word, order, context = one_line(question.mention.surface_form), question.order, ""
        if question.context:
            half = len(question.context) // 2
            context = shortened(question.context, word, half) if half > len(word) else ""
        elif len(order) > 2:
            kept = sorted(order)[: max(2, len(order) // 2)]
            order = tuple(position for position in order if position in kept)
        else:
            return None
        return self._question(question.mention, question.candidates, order, context)

    def _order(self, mention: Mention, candidates: Sequence[Candidate]) -> tuple[int, ...]:
        """By what the question holds, never by when or beside what it is asked."""
        positions = range(min(len(candidates), self.params.shown_candidates))
        if self.params.order == "retrieval":
            return tuple(positions)
        content = (self.params.seed, one_line(mention.surface_form), one_line(mention.context))
        drawn = ((content_key(*content, one_line(candidates[p].qid)), p) for p in positions)
        return tuple(position for _, position in sorted(drawn))

    def _question(
        self,
        mention: Mention,
        candidates: Sequence[Candidate],
        order: tuple[int, ...],
        context: str,
    ) -> Question:
        url, image = self._image(mention.image)
        params, shown = self.params, [candidates[position] for position in order]
        values = {
            "surface_form": cut(one_line(mention.surface_form), _NAME),
            "text": context,
            "candidates": [
                {
                    "label": cut(one_line(candidate.label), _NAME),
                    "description": cut(one_line(candidate.description), _DESCRIPTION),
                }
                for candidate in shown
            ],
            "label": partial(label, num_options=len(shown), output=params.output),
            "answer": partial(answer_text, num_options=len(shown), output=params.output),
            "by_label": params.output == "logprobs",
            "has_image": url is not None,
        }  # what a prompt can use; each text is one line of data
        messages: list[dict[str, Any]] = [*map(dict, self.prompt.messages(values))]
        if url is not None:
            # One fixed price an image, see IMAGE_TOKENS; others than OpenAI have no such knob.
            detail = {"detail": "low"} if params.server == "openai" else {}
            messages[-1]["content"] = [
                {"type": "text", "text": messages[-1]["content"]},
                {"type": "image_url", "image_url": {"url": url} | detail},
            ]
        body = {
            "model": params.model,
            "messages": messages,
            "temperature": TEMPERATURE,
            "seed": params.seed,
            **output_arguments(len(shown), params),
        }
        request = Request(content_key(body, self._url), body)
        return Question(mention, candidates, order, context, image, request)


def image_url(folder: Path | None, name: str | None) -> tuple[str | None, str]:
    """An image below the data set's raw folder as a data URL, or None, and what became of it, in words.

    A large one is scaled down and sent as JPEG.
    """
    if folder is None or name is None:
        return None, "no image"
    try:
        kind, content = _encoded(read_image(folder, name))
    except FileNotFoundError:
        return None, "file is missing"
    except DECODING_ERRORS:
        return None, "can't be read"
    if len(content) > _MAX_BYTES:
        return None, "too large"
    return f"data:{kind};base64,{base64.b64encode(content).decode()}", "attached"


def _encoded(content: bytes) -> tuple[str, bytes]:
    with Image.open(io.BytesIO(content)) as image:
        image.load()  # a broken image would make the server refuse the question
        if max(image.size) <= _SIDE and image.format in _AS_IT_IS:
            return _AS_IT_IS[image.format], content
        small = as_shown(image)
        small.thumbnail((_SIDE, _SIDE))
        stream = io.BytesIO()
        small.save(stream, "JPEG", quality=_QUALITY)
        return "image/jpeg", stream.getvalue()
