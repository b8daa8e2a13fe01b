"""Sends many requests to an OpenAI-compatible server: each one once, at its pace, within limits of money."""
