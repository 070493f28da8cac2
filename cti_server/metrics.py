"""The metrics of the live side for /metrics, read from its parts at each request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from prometheus_client import Histogram
from prometheus_client.core import REGISTRY, CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from .asterisk.fastagi import FastAgiServer
from .attachment import Attachment
from .floor.signals import LinkState
from .listener.gate import Gate
from .push.hub import Hub

Readings = Mapping[str, tuple[str, Callable[[Attachment], float]]]


class LiveCollector(Collector):
    """Collects from attachments, hub and FastAGI server. Call `looked_up` after each lookup of the dialplan."""

    def __init__(
        self, attachments: Sequence[Attachment], hub: Hub, registry: CollectorRegistry = REGISTRY
    ) -> None:
        self._attachments = attachments
        self._hub = hub
        self._registry = registry
        self.fastagi: FastAgiServer | None = None
        self.gate: Gate | None = None
        self.refused: Mapping[str, int] = {}
        self._lookups = Histogram(
            "cti_identify_seconds",
            "From the dialplan's question to its answer, by how it ended",
            ["status"],
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0),
            registry=None,
        )
        registry.register(self)

    def close(self) -> None:
        self._registry.unregister(self)

    def looked_up(self, status: str, seconds: float) -> None:
        """Count a lookup that ended with this CTI_STATUS after so many seconds."""
        self._lookups.labels(status).observe(seconds)

    def collect(self) -> Iterable[Metric]:
        yield from self._lookups.collect()
        yield from self._of_pbxs()
        yield GaugeMetricFamily("cti_desktops", "Websockets of desktops that are open", len(self._hub))
        overruns = CounterMetricFamily("cti_desktop_overruns", "Desktops closed because they could not keep up")
        overruns.add_metric([], self._hub.overruns)
        yield overruns
        with suppress(RuntimeError):  # read from elsewhere than the event loop
            tasks = len(asyncio.all_tasks())
            yield GaugeMetricFamily("cti_tasks", "Tasks of the event loop; they come and go with sessions", tasks)
        if self.fastagi is not None:
            closed = CounterMetricFamily(
                "cti_fastagi_closed", "FastAGI connections closed early", labels=["cause"]
            )
            for cause, count in self.fastagi.warnings.items():
                closed.add_metric([cause[:80]], count)
            yield closed

        refused = CounterMetricFamily(
            "cti_identify_refused", "Questions of a dialplan that its PBX does not bear out", labels=["rule"]
        )
        for rule, count in self.refused.items():
            refused.add_metric([rule], count)
        yield refused
        if self.gate is not None:
            yield from _of_gate(self.gate)

    def _of_pbxs(self) -> Iterable[Metric]:
        gauges: Readings = {
            "cti_owner": ("1 while this process has the PBX, 0 while it waits", lambda a: a.owner),
            "cti_link_live": ("1 while the manager link is live", lambda a: a.link.state is LinkState.LIVE),
            "cti_calls": ("Live calls", lambda a: len(a.pipeline.floor.calls)),
            "cti_inbox_signals": ("Signals waiting to be applied", lambda a: a.pipeline.waiting),
            "cti_journal_lag_seconds": ("How long a batch waits for the database", lambda a: a.pipeline.lag_s),
            "cti_spooled_events": ("Events told ahead of the record", lambda a: a.pipeline.spool.events),
        }
        counters: Readings = {
            "cti_ami_events": ("AMI events received", lambda a: a.link.events),
            "cti_signals": ("Signals applied", lambda a: a.pipeline.counts.signals),
            "cti_queue_joins": ("Callers who began to wait in a queue", lambda a: a.pipeline.counts.queue_joins),
            "cti_events": ("Events journalled", lambda a: a.pipeline.counts.events),
            "cti_signals_refused": (
                "Signals and calls that could not be used",
                lambda a: a.pipeline.counts.refused,
            ),
            "cti_write_retries": ("Batches written again", lambda a: a.pipeline.counts.retries),
            "cti_lookup_failures": ("Lookups that failed", lambda a: a.pipeline.callers.failures),
            "cti_unknown_legs": ("Signals about unknown legs", lambda a: a.pipeline.books.unknown_legs),
        }
        for name, (text, read) in gauges.items():
            gauge = GaugeMetricFamily(name, text, labels=["pbx"])
            for attachment in self._attachments:
                gauge.add_metric([attachment.pbx.name], read(attachment))
            yield gauge
        for name, (text, read) in counters.items():
            counter = CounterMetricFamily(name, text, labels=["pbx"])
            for attachment in self._attachments:
                counter.add_metric([attachment.pbx.name], read(attachment))
            yield counter
        warnings = CounterMetricFamily("cti_ami_warnings", "AMI messages not used", labels=["pbx", "cause"])
        for attachment in self._attachments:
            for cause, count in attachment.link.warnings.items():
                warnings.add_metric([attachment.pbx.name, cause[:80]], count)
        yield warnings


def _of_gate(gate: Gate) -> Iterable[Metric]:
    yield GaugeMetricFamily("cti_http_connections", "HTTP connections and websockets that are open", len(gate))
    yield GaugeMetricFamily(
        "cti_http_connections_limit",
        "How many there may be: CTI_HTTP_CONNECTIONS, or fewer",
        gate.limits.connections,
    )
    closed = CounterMetricFamily(
        "cti_http_closed", "HTTP connections refused or ended for what their peer did", labels=["cause"]
    )
    for cause, count in gate.closed.items():
        closed.add_metric([cause], count)
    yield closed
