"""Asks an OpenAI-compatible server many questions: each one once, at a pace that suits it, for a known price.

`ask_all` asks one by one, `ask_batch` in files that are answered within a day.
"""

from mmoe.descriptions.llm_client.ask import ask_all
from mmoe.descriptions.llm_client.asked import Asked
from mmoe.descriptions.llm_client.batch import ask_batch
from mmoe.descriptions.llm_client.ledger import write_ledger
from mmoe.descriptions.llm_client.log import logged
from mmoe.descriptions.llm_client.settings import AskSettings, Prices, server_url
from mmoe.descriptions.llm_client.types import Reply, Request

__all__ = [
    "AskSettings",
    "Asked",
    "Prices",
    "Reply",
    "Request",
    "ask_all",
    "ask_batch",
    "logged",
    "server_url",
    "write_ledger",
]
