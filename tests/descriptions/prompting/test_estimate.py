"""What a run will cost, from its questions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.descriptions.llm_client import AskSettings, Prices, Request
from mmoe.descriptions.llm_client.budget import IMAGE_TOKENS, Budget
from mmoe.descriptions.prompting import Estimate, cost, estimate, estimated_tokens, questions_for

from tests.descriptions.prompting.asked import settings
from tests.descriptions.rows import candidates, mention


def test_tokens_of_a_body() -> None:
    words = {"role": "user", "content": "x" * 9}
    assert estimated_tokens({"messages": [words]}) == 4 + 3
    assert estimated_tokens({"messages": [words, words]}) == 2 * (4 + 3)
    assert estimated_tokens({"messages": [{"role": "user", "content": "張" * 4}]}) == 4 + 12
    assert estimated_tokens({"messages": [words], "response_format": {"a": 1}}) == 4 + 3 + 4
    image = {"type": "image_url", "image_url": {"url": "data:" + "x" * 10**5}}
    parts = [{"type": "text", "text": "x" * 9}, image]
    assert estimated_tokens({"messages": [{"role": "user", "content": parts}]}) == 4 + 3 + 3000


def tokens_of(text: str) -> int:
    return estimated_tokens({"messages": [{"role": "user", "content": text}]}) - 4


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        # As cl100k_base counts, the vocabulary of gpt-3.5-turbo; bytes / 3 is less each time.
        ("張三住在北京市的一條小街上，他是一位畫家。", 26),
        ("محمد بن سلمان ولي العهد", 17),
        ("Nguyễn Phú Trọng đã phát biểu", 16),
        ("Łódź Żółć święto", 11),
        ("1783 2021-05-06 12345678901", 14),
        ("😀👍🏽🇩🇪", 14),
    ],
)
def test_other_scripts_and_digits_are_not_underestimated(text: str, tokens: int) -> None:
    assert tokens_of(text) >= tokens > len(text.encode()) / 3


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text("0123456789"))
def test_what_is_not_plain_counts_by_the_byte(text: str, digits: str) -> None:
    """No byte-level vocabulary makes more tokens of it; English stays at a third."""
    others = "".join(letter for letter in text if not letter.isascii())
    assert tokens_of(others + digits) == len((others + digits).encode())
    assert tokens_of(others + digits) <= tokens_of(text + digits) <= len((text + digits).encode())
    assert tokens_of("plain words") == 4


def test_the_limit_of_money_takes_a_image_for_as_much() -> None:
    """What --estimate promises is what rank.max_cost_usd reserves."""
    image = {"type": "image_url", "image_url": {"url": "data:"}}
    body = {"messages": [{"role": "user", "content": [image]}]}
    reserved = Budget(AskSettings()).estimate(body).prompt_tokens
    assert estimated_tokens(body) == 4 + IMAGE_TOKENS
    assert IMAGE_TOKENS <= reserved < IMAGE_TOKENS + 4


def test_a_tokenizer_counts_instead() -> None:
    body = {"messages": [{"role": "user", "content": "three little words"}]}
    assert estimated_tokens(body, lambda text: len(text.split())) == 4 + 3


def test_equal_questions_count_once() -> None:
    mentions = [mention("a", "same"), mention("b", "same"), mention("c", "other")]
    groups = {name: candidates(name, "x", "y") for name in "abc"}
    requests = [question.request for question in questions_for(mentions, groups, settings())]
    found = estimate(requests)
    assert (found.calls, found.completion_tokens) == (2, 2 * 32)
    distinct = {request.key: estimated_tokens(request.body) for request in requests}
    assert found.prompt_tokens == sum(distinct.values())
    assert "a token for 3 ASCII characters" in found.how
    counted = estimate(requests, lambda text: len(text[:1]))
    assert counted.prompt_tokens == 2 * (2 * (4 + 1) + 1)
    assert "as the tokenizer counts" in counted.how


def test_nothing_to_ask_costs_nothing() -> None:
    found = estimate([])
    assert (found.calls, found.prompt_tokens, found.completion_tokens) == (0, 0, 0)
    assert cost(found, Prices(1.0, 1.0)) == 0


def test_one_token_is_asked_for_with_logprobs() -> None:
    about, group = mention("m"), candidates("m", "x", "y")
    for server in ("openai", "ollama"):
        asking = settings(output="logprobs", server=server)
        (question,) = questions_for([about], {"m": group}, asking)
        assert estimate([question.request]).completion_tokens == 1


def test_money() -> None:
    found = Estimate(calls=3, prompt_tokens=2_000_000, completion_tokens=500_000, how="")
    assert cost(found, Prices(prompt=0.5, completion=1.5)) == pytest.approx(1.75)


def test_a_question_without_a_limit_counts_no_answer() -> None:
    assert estimate([Request("k", {"messages": []})]).completion_tokens == 0
