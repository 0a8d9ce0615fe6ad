"""Spans for OpenTelemetry: one per request and one per stage. Nothing of it is loaded unless it is asked for."""

import time
from typing import Any

from encorec.errors import ConfigError, MissingExtra, unknown_name
from encorec.serving.http.exchange import Exchange

__all__ = ["FORMS", "Tracing", "tracing_of"]

FORMS = ("off", "console", "otlp")
"""Where spans may go: nowhere, to the output stream, to a collector (``OTEL_EXPORTER_OTLP_ENDPOINT``)."""


def tracing_of(form: str) -> "Tracing | None":
    """Tracing as the setting says; none = off.

    Args:
        form: one of ``FORMS``.

    Raises:
        ConfigError: none of these.
        MissingExtra: OpenTelemetry is not installed.

    Example:
        >>> tracing_of("off") is None
        True
    """
    if form == "off":
        return None
    if form not in FORMS:
        raise ConfigError(unknown_name("tracing", form, FORMS))
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise MissingExtra("opentelemetry-sdk", "otel") from error
    provider = TracerProvider(resource=Resource.create({"service.name": "encorec"}))
    provider.add_span_processor(BatchSpanProcessor(_exporter(form)))
    return Tracing(provider)


def _exporter(form: str) -> Any:
    if form == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # pyright: ignore[reportMissingImports]
            OTLPSpanExporter,  # pyright: ignore[reportUnknownVariableType]
        )
    except ImportError as error:
        raise MissingExtra("opentelemetry-exporter-otlp-proto-http", "otel") from error
    return OTLPSpanExporter()  # pyright: ignore[reportUnknownVariableType]


class Tracing:
    """Turns requests that have ended into spans.

    A request that comes with a ``traceparent`` header continues the trace of its client.

    Args:
        provider: a ``TracerProvider`` of OpenTelemetry.
    """

    def __init__(self, provider: Any) -> None:
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider, self._kind = provider, SpanKind
        self._tracer = provider.get_tracer("encorec.serving")
        self._read = TraceContextTextMapPropagator().extract

    def ended(self, exchange: Exchange, headers: dict[bytes, bytes]) -> None:
        """A request has been answered.

        Args:
            exchange: the request and its stages.
            headers: of the request, names in lower case.
        """
        from opentelemetry.trace import set_span_in_context

        now, clock = time.time_ns(), time.monotonic()

        def at(seconds: float) -> int:
            return now - int(1e9 * (clock - seconds))

        parent = self._read({name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()})
        span = self._tracer.start_span(
            f"{exchange.method} {exchange.route}",
            context=parent,
            kind=self._kind.SERVER,
            start_time=at(exchange.began),
            attributes=_attributes(exchange),
        )
        inside = set_span_in_context(span)
        for name, began, ended in exchange.stages:
            self._tracer.start_span(name, context=inside, start_time=at(began)).end(at(ended))
        span.end(now)

    def close(self) -> None:
        """Send what has not been sent."""
        self._provider.shutdown()


def _attributes(exchange: Exchange) -> dict[str, Any]:
    given = {
        "http.request.method": exchange.method,
        "http.route": exchange.route,
        "http.response.status_code": exchange.status,
        "encorec.request_id": exchange.request_id,
        "encorec.k": exchange.k,
        "encorec.snapshot": exchange.snapshot,
        "encorec.degraded": exchange.degraded or None,
    }
    return {name: value for name, value in given.items() if value is not None}
