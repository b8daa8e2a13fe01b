"""What Prometheus is told."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

LATENCIES = (0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 1, 2.5, 5, 10, 30)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


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
