"""What the figures are called, and what they say of themselves; docs/howto/monitor.md has them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector, CollectorRegistry

from _shared.tally import BOUNDS, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client import Metric
    from pydantic import AwareDatetime

    from _shared.database.statistics import DatabaseMetrics

CALLERS = ("user", "webhook", "service", "anonymous")


class Figures(Collector):
    """Of the database, and of this process."""

    def __init__(self, database: DatabaseMetrics, tally: Tally) -> None:
        self._database, self._tally = database, tally

    def collect(self) -> Iterator[Metric]:
        """Give each figure once."""
        yield from _upkeep(self._database)
        yield from _deliveries(self._database)
        yield from _answers(self._tally)
        yield from _work(self._tally)


def write_figures(database: DatabaseMetrics, tally: Tally) -> bytes:
    """Give them as text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures(database, tally))
    return generate_latest(registry)


def _gauge(name: str, text: str, label: str, values: Mapping[str, float | None]) -> Metric:
    """Make a gauge with a value for each value of a label; what is not known is left out."""
    family = GaugeMetricFamily(f"fersk_{name}", text, labels=[label])
    for key, value in values.items():
        if value is not None:
            family.add_metric([key], value)
    return family


def _at(moment: AwareDatetime | None) -> float | None:
    return moment.timestamp() if moment else None


def _upkeep(found: DatabaseMetrics) -> Iterator[Metric]:
    """Whether the statistics keep up: the same, whichever process is asked."""
    versions = {"postgres": found.versions.postgres, "migration": found.versions.migration or ""}
    yield InfoMetricFamily("fersk_database", "Versions at work.", value=versions)
    yield GaugeMetricFamily("fersk_organizations", "Organisations.", value=found.organizations)
    changes = {"fold": found.pending_unit_changes, "refresh": found.pending_changes}
    yield _gauge("backlog_changes", "Changes that wait to be folded, or that mv_* lack.", "work", changes)
    ages = {"fold": found.oldest_unit_change_seconds, "refresh": found.oldest_pending_seconds}
    yield _gauge("backlog_oldest_seconds", "Age of the oldest of them.", "work", ages)
    last = {
        "sweep": _at(found.last_sweep_at),
        "fold": _at(found.last_folded_at),
        "refresh": _at(found.last_refreshed_at),
        "audit": _at(found.last_audited_at),
    }
    yield _gauge("last_run_timestamp_seconds", "When it was last done.", "work", last)
    refresh_ms = found.last_refresh_ms
    took = {"fold": found.last_fold_seconds, "refresh": None if refresh_ms is None else refresh_ms / 1000}
    yield _gauge("last_run_seconds", "How long that took.", "work", took)
    text = "What audits of the last day found to differ from the activities."
    yield GaugeMetricFamily("fersk_audit_differences", text, value=found.differences)
    reasons = {reason.code: 1.0 for reason in found.reasons}
    yield _gauge("health_reason", "1 for each reason why not all is well.", "code", reasons)
    yield GaugeMetricFamily(
        "fersk_database_connections", "Connections to the database.", value=found.connections
    )
    yield GaugeMetricFamily(
        "fersk_database_connections_limit", "Connections that it accepts.", value=found.max_connections
    )


def _deliveries(found: DatabaseMetrics) -> Iterator[Metric]:
    """Whether wake-ups arrive, and what asks for them on time."""
    yield CounterMetricFamily("fersk_wake_ups_sent", "Wake-ups sent.", value=found.wake_ups_sent)
    text = "What became of the wake-ups of the last ten minutes."
    yield _gauge("recent_wake_ups", text, "outcome", dict(found.recent_wake_ups.items()))
    text = "1 where a schedule is on and its newest run did not fail."
    yield _gauge("schedule_alive", text, "schedule", {each.name: each.is_alive for each in found.schedules})
    succeeded = {each.name: _at(each.succeeded_at) for each in found.schedules}
    text = "When a schedule last succeeded."
    yield _gauge("schedule_last_success_timestamp_seconds", text, "schedule", succeeded)


def _answers(tally: Tally) -> Iterator[Metric]:
    """Tell what this process has answered, and how fast."""
    answers = CounterMetricFamily("fersk_answers", "Answers.", labels=["process", "function", "status"])
    for (function, status), number in sorted(tally.answers.items()):
        answers.add_metric([tally.process, function, str(status)], number)
    yield answers
    took = HistogramMetricFamily("fersk_answer_seconds", "Time to answer.", labels=["process", "function"])
    for function, seconds in sorted(tally.seconds.items()):
        buckets, number = [], 0
        for place, bound in enumerate([*map(str, BOUNDS), "+Inf"]):
            number += tally.took[function, place]
            buckets.append((bound, float(number)))
        took.add_metric([tally.process, function], buckets, seconds)
    yield took


def _work(tally: Tally) -> Iterator[Metric]:
    """Tell what this process is doing."""
    started = GaugeMetricFamily("fersk_process_start_time_seconds", "When it started.", labels=["process"])
    started.add_metric([tally.process], tally.started)
    yield started
    at_work = GaugeMetricFamily("fersk_calls_at_work", "Calls with a place.", labels=["process", "caller"])
    refused = CounterMetricFamily(
        "fersk_calls_without_place", "Calls for which there was none in time.", labels=["process", "caller"]
    )
    for caller in CALLERS:
        at_work.add_metric([tally.process, caller], tally.at_work[caller])
        refused.add_metric([tally.process, caller], tally.refused[caller])
    yield at_work
    yield refused
    under_way = GaugeMetricFamily(
        "fersk_requests_under_way", "Requests to the database under way or waiting.", labels=["process"]
    )
    under_way.add_metric([tally.process], tally.connections)
    yield under_way
