"""What a service counts, as Prometheus reads it. No label holds a name, an address or a number of a twin.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from .. import __version__

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The counters of one service (`custodian`, `gateway`). A service adds its own: they go into `registry`, under
    names that begin with `prefix`."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        self.prefix = f"dtledger_{service}"
        self._requests = Counter(
            f"{self.prefix}_requests",
            "Requests answered, by endpoint and HTTP status.",
            ["endpoint", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            f"{self.prefix}_request_seconds",
            "Seconds from a request's head to the end of its answer.",
            ["endpoint"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.open = Gauge(f"{self.prefix}_requests_open", "Requests being answered.", registry=self.registry)
        self.memory = Gauge(f"{self.prefix}_body_bytes", "Bytes of their bodies.", registry=self.registry)
        build = Gauge(f"{self.prefix}_build", "The version, always 1.", ["version"], registry=self.registry)
        build.labels(__version__).set(1)

    def counter(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
        """A counter of the service's own."""
        return Counter(f"{self.prefix}_{name}", text, labels, registry=self.registry)

    def gauge(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        """A gauge of the service's own; `gauge.set_function(f)` asks `f` whenever the metrics are read."""
        return Gauge(f"{self.prefix}_{name}", text, labels, registry=self.registry)

    def certificate_ends(self, at: int) -> None:
        """When the certificate ends that TLS was started with (unix seconds): without TLS there is no such metric."""
        text = "When the certificate that was read at the start ends, in unix seconds."
        self.gauge("certificate_ends_timestamp_seconds", text).set(at)

    def count(self, endpoint: str, status: int, seconds: float) -> None:
        self._requests.labels(endpoint, str(status)).inc()
        self._seconds.labels(endpoint).observe(seconds)

    def text(self) -> bytes:
        """All of them, as `GET /metrics` answers."""
        return generate_latest(self.registry)
