"""Sends many requests to an OpenAI-compatible server: each one once, at its pace, within limits of money."""

from mmoe.descriptions.llm_client.budget import IMAGE_TOKENS, estimate
from mmoe.descriptions.llm_client.client import LlmClient, say
from mmoe.descriptions.llm_client.session import server_url
from mmoe.descriptions.llm_client.types import Reply, Request, Round

__all__ = [
    "IMAGE_TOKENS",
    "LlmClient",
    "Reply",
    "Request",
    "Round",
    "estimate",
    "say",
    "server_url",
]
