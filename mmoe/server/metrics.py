"""What Prometheus is told."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from mmoe.server.limits import App, Message, Receive, Send

LATENCIES = (0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 1, 2.5, 5, 10, 30)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Measured:
    """ASGI middleware that counts requests and measures how long they take."""

    def __init__(self, app: App, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            # As it is declared: no label for each qid.
            path = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(path, status).inc()
            self._metrics.seconds.labels(path).observe(time.perf_counter() - started)


class Metrics:
    """Counters of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "mmoe_requests", "Requests", ("path", "status"), registry=self._registry
        )
        self.seconds = Histogram(
            "mmoe_request_seconds", "Time", ("path",), buckets=LATENCIES, registry=self._registry
        )
        self.batches = Histogram(
            "mmoe_batch_mentions",
            "Mentions linked together",
            buckets=BATCHES,
            registry=self._registry,
        )
        self.waiting = Gauge("mmoe_waiting_mentions", "Mentions that wait", registry=self._registry)
        self.entities = Gauge("mmoe_entities", "Of the knowledge base", registry=self._registry)

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._registry)
