"""Writes questions for a language model and reads its replies; sends nothing and knows no key."""

from mmoe.descriptions.prompting.answer import Choice, read_reply
from mmoe.descriptions.prompting.prompts import load_prompt, prompt_names
from mmoe.descriptions.prompting.question import TEMPERATURE, Question, QuestionWriter

__all__ = [
    "TEMPERATURE",
    "Choice",
    "Question",
    "QuestionWriter",
    "load_prompt",
    "prompt_names",
    "read_reply",
]
