"""Writes questions for a language model and reads its replies; sends nothing and knows no key."""

from mmoe.descriptions.prompting.estimate import Estimate, cost, estimate, estimated_tokens
from mmoe.descriptions.prompting.prompts import load_prompt, prompt_names, prompt_version
from mmoe.descriptions.prompting.question import Question, QuestionWriter, questions_for
from mmoe.descriptions.prompting.reply import Choice, read_reply
from mmoe.descriptions.prompting.settings import PromptSettings
from mmoe.descriptions.prompting.texts import one_line, shortened

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
