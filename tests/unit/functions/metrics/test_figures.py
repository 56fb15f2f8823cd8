"""What Prometheus reads is what was counted."""

from __future__ import annotations

from inspect import unwrap
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from _shared.callers import Service
from _shared.database.statistics import DatabaseMetrics
from _shared.http.request import Call
from _shared.inputs import Input
from _shared.result import Err, ErrorCode, Ok
from _shared.tally import Tally
from metrics import metrics
from metrics.figures import write_figures
from tests.support.examples import NOW, metrics_json
from tests.support.fake_database import FakeDatabase

if TYPE_CHECKING:
    from prometheus_client.samples import Sample

Labels = dict[str, str]


def read(text: bytes) -> list[Sample]:
    return [each for family in text_string_to_metric_families(text.decode()) for each in family.samples]


def told(tally: Tally | None = None, **answer: object) -> list[Sample]:
    found = DatabaseMetrics.model_validate(metrics_json(**answer))
    return read(write_figures(found, tally or Tally(process="p")))


def value(samples: list[Sample], name: str, **labels: str) -> float | None:
    found = [each.value for each in samples if each.name == name and each.labels == labels]
    assert len(found) < 2, (name, labels)
    return found[0] if found else None


def test_the_backlog_and_the_upkeep() -> None:
    samples = told()
    assert value(samples, "fersk_backlog_changes", work="fold") == 3
    assert value(samples, "fersk_backlog_changes", work="refresh") == 7
    assert value(samples, "fersk_backlog_oldest_seconds", work="refresh") == 12
    assert value(samples, "fersk_last_run_seconds", work="fold") == 0.0123
    assert value(samples, "fersk_last_run_seconds", work="refresh") == 0.041
    assert value(samples, "fersk_last_run_timestamp_seconds", work="fold") == NOW.timestamp()
    assert value(samples, "fersk_schedule_alive", schedule="fersk-sweep") == 0
    assert value(samples, "fersk_schedule_alive", schedule="fersk-nightly-audit") == 1
    assert value(samples, "fersk_recent_wake_ups", outcome="delivered") == 20
    assert value(samples, "fersk_wake_ups_sent_total") == 4711


def test_what_was_never_done_has_no_figure() -> None:
    assert value(told(), "fersk_last_run_timestamp_seconds", work="audit") is None
    audited = told(last_audited_at=NOW.isoformat())
    assert value(audited, "fersk_last_run_timestamp_seconds", work="audit") == NOW.timestamp()


def test_a_reason_is_one_while_it_lasts() -> None:
    reason = {"code": "sweep_stopped", "since": None, "remedy": "Look at the schedules."}
    assert value(told(), "fersk_health_reason", code="sweep_stopped") is None
    assert value(told(reasons=[reason]), "fersk_health_reason", code="sweep_stopped") == 1


def test_answers_are_counted_by_status_and_by_time() -> None:
    tally = Tally(process="p", started=5.0, connections=2)
    tally.answers.update({("health", 200): 3, ("health", 503): 1})
    tally.took.update({("health", 0): 2, ("health", 4): 1, ("health", 11): 1})
    tally.seconds["health"] = 12.5
    tally.at_work["user"] = 4
    tally.refused["webhook"] = 9
    samples = told(tally)
    assert value(samples, "fersk_answers_total", process="p", function="health", status="200") == 3
    assert value(samples, "fersk_answers_total", process="p", function="health", status="503") == 1
    at = {
        each.labels["le"]: each.value
        for each in samples
        if each.name == "fersk_answer_seconds_bucket" and each.labels["function"] == "health"
    }
    assert (at["0.005"], at["0.05"], at["0.1"], at["10.0"], at["+Inf"]) == (2, 2, 3, 3, 4)
    assert value(samples, "fersk_answer_seconds_count", process="p", function="health") == 4
    assert value(samples, "fersk_answer_seconds_sum", process="p", function="health") == 12.5
    assert value(samples, "fersk_calls_at_work", process="p", caller="user") == 4
    assert value(samples, "fersk_calls_without_place_total", process="p", caller="webhook") == 9
    assert value(samples, "fersk_requests_under_way", process="p") == 2
    assert value(samples, "fersk_process_start_time_seconds", process="p") == 5


async def test_the_function_gives_them_as_a_file() -> None:
    result = await unwrap(metrics)(Call("GET", Service(), Input(), FakeDatabase()))
    assert isinstance(result, Ok)
    assert result.value.media_type == "text/plain; version=0.0.4; charset=utf-8"
    assert value(read(result.value.content), "fersk_organizations") == 4


async def test_a_database_that_is_away_is_an_error() -> None:
    away = Err(ErrorCode.UPSTREAM_UNAVAILABLE)
    assert await unwrap(metrics)(Call("GET", Service(), Input(), FakeDatabase(failure=away))) == away
