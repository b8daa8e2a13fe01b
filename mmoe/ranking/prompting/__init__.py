"""Writes questions for a language model and reads its replies; sends nothing and knows no key."""

from mmoe.ranking.prompting.estimate import Estimate, cost, estimate, estimated_tokens
from mmoe.ranking.prompting.prompts import load_prompt, prompt_names, prompt_version
from mmoe.ranking.prompting.question import Question, QuestionWriter, questions_for
from mmoe.ranking.prompting.reply import Choice, read_reply
from mmoe.ranking.prompting.settings import PromptSettings
from mmoe.ranking.prompting.texts import one_line, shortened

__all__ = [
    "Choice",
    "Estimate",
    "PromptSettings",
    "Question",
    "QuestionWriter",
    "cost",
    "estimate",
    "estimated_tokens",
    "load_prompt",
    "one_line",
    "prompt_names",
    "prompt_version",
    "questions_for",
    "read_reply",
    "shortened",
]
