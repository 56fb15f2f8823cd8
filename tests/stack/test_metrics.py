"""The figures for Prometheus: who gets them, and that dashboard, alerts and page name what there is."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import promql_parser
import psycopg
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from local.requirements import ROOT
from tests.contract.test_functions_docs import rows
from tests.support.people import sign_in
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.samples import Sample

    from local.stack import Stack

OPS = ROOT / "ops"
RULES = yaml.safe_load((OPS / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
PANELS = json.loads((OPS / "dashboard.json").read_text(encoding="utf-8"))["panels"]
PAGE = (ROOT / "docs" / "howto" / "monitor.md").read_text(encoding="utf-8")
RUNBOOK = (ROOT / "docs" / "howto" / "runbook.md").read_text(encoding="utf-8")
EXPRESSIONS = [
    *(rule["expr"] for rule in RULES),
    *(target["expr"] for panel in PANELS for target in panel["targets"]),
]
MADE_BY_PROMETHEUS = {"up": {"job"}}


def scrape(stack: Stack, **headers: str) -> httpx.Response:
    return httpx.get(f"{stack.functions_url}/metrics", headers=headers, timeout=20, trust_env=False)


@pytest.fixture(scope="module")
def samples(stack: Stack) -> list[Sample]:
    """All that there is, once each kind of figure has a value."""
    httpx.get(f"{stack.functions_url}/health", timeout=20, trust_env=False)
    with ran(stack, "fersk-nightly-audit", "succeeded"):
        return read(stack)


@contextmanager
def ran(stack: Stack, schedule: str, status: str) -> Iterator[None]:
    """Let a schedule have run."""
    query = (
        "insert into cron.job_run_details (jobid, runid, command, status, start_time) select jobid, "
        "(select coalesce(max(runid), 0) + 1000000 from cron.job_run_details), command, %s, now() "
        "from cron.job where jobname = %s returning runid"
    )
    with psycopg.connect(stack.instance.database_url("supabase_admin"), autocommit=True) as admin:
        runid = admin.execute(query, [status, schedule]).fetchone()
        try:
            yield
        finally:
            admin.execute("delete from cron.job_run_details where runid = %s", runid)


def read(stack: Stack) -> list[Sample]:
    answer = scrape(stack, authorization=f"Bearer {stack.secret_key}")
    assert answer.status_code == 200, answer.text
    return [each for family in text_string_to_metric_families(answer.text) for each in family.samples]


def value(stack: Stack, name: str, **labels: str) -> float | None:
    found = [
        each.value for each in read(stack) if each.name == name and labels.items() <= each.labels.items()
    ]
    return found[0] if found else None


def anchors() -> set[str]:
    titles = re.findall(r"^#+ (.*)$", RUNBOOK, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


# --- who gets them ----------------------------------------------------------------------------------------


def test_the_secret_key_gets_them_and_nobody_else(stack: Stack) -> None:
    ola = sign_in(stack, "astrid@nhf.example").headers
    for headers, status in (
        ({}, 401),
        ({"apikey": stack.publishable_key}, 401),
        ({"authorization": "Bearer sb_secret_somebody_elses_0123456789"}, 401),
        (ola, 403),
        ({"apikey": stack.secret_key}, 200),
        ({"authorization": f"Bearer {stack.secret_key}"}, 200),
    ):
        answer = scrape(stack, **headers)
        assert answer.status_code == status, headers
        if status != 200:
            assert "fersk_" not in answer.text
            code = {401: "unauthorized", 403: "forbidden"}[status]
            assert answer.json()["error"]["code"] == code


def test_the_sql_function_is_the_service_roles(stack: Stack) -> None:
    astrid = sign_in(stack, "astrid@nhf.example").headers
    for headers, status in (
        ({"apikey": stack.publishable_key}, 401),
        (astrid, 403),
        ({"apikey": stack.secret_key}, 200),
    ):
        answer = httpx.post(f"{stack.rest_url}/rpc/get_metrics", headers=headers, json={}, trust_env=False)
        assert answer.status_code == status, answer.text
        if status != 200:
            assert answer.json()["code"] == "42501"


# --- that they are true -----------------------------------------------------------------------------------


def test_an_answer_is_counted_and_timed(stack: Stack) -> None:
    where = {"function": "hierarchy_stats", "status": "401"}
    before = value(stack, "fersk_answers_total", **where) or 0
    timed = value(stack, "fersk_answer_seconds_count", function="hierarchy_stats") or 0
    for _ in range(3):
        answer = httpx.get(f"{stack.functions_url}/hierarchy-stats", trust_env=False)
        assert answer.status_code == 401
    assert value(stack, "fersk_answers_total", **where) == before + 3
    assert value(stack, "fersk_answer_seconds_count", function="hierarchy_stats") == timed + 3


def test_who_asks_is_at_work(stack: Stack) -> None:
    assert value(stack, "fersk_calls_at_work", caller="service") == 1
    assert value(stack, "fersk_requests_under_way") == 0  # the database has answered by the time it is told


def test_a_schedule_that_is_off_is_not_alive_and_a_reason(stack: Stack) -> None:
    job = "select cron.alter_job(jobid, active := %s) from cron.job where jobname = 'fersk-hourly-refresh'"
    with psycopg.connect(stack.db_url, autocommit=True) as owner:
        assert value(stack, "fersk_schedule_alive", schedule="fersk-hourly-refresh") == 1
        owner.execute(job, [False])
        try:
            assert value(stack, "fersk_schedule_alive", schedule="fersk-hourly-refresh") == 0
            eventually(lambda: value(stack, "fersk_health_reason", code="schedule_off"))
        finally:
            owner.execute(job, [True])
        assert value(stack, "fersk_schedule_alive", schedule="fersk-hourly-refresh") == 1
        assert value(stack, "fersk_health_reason", code="schedule_off") is None


def test_a_schedule_is_alive_while_its_newest_run_did_not_fail(stack: Stack) -> None:
    name = "fersk-nightly-precompute"
    for status, alive in (("succeeded", 1), ("failed", 0), ("running", 1)):
        with ran(stack, name, status):
            assert value(stack, "fersk_schedule_alive", schedule=name) == alive


def test_nothing_in_them_names_a_person_or_an_organisation(stack: Stack, samples: list[Sample]) -> None:
    labels = {text for each in samples for text in each.labels.values()}
    with psycopg.connect(stack.db_url) as owner:
        names = owner.execute(
            "select id::text from public.organizations union select slug from public.organizations "
            "union select name from public.organizations union select id::text from public.profiles"
        )
        assert labels & {name for (name,) in names} == set()
    assert not any(re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", text) for text in labels)


# --- that what is drawn and watched is there --------------------------------------------------------------


def selectors(node: Any) -> Iterator[Any]:
    """Give what a query selects."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("lhs", "rhs", "expr", "args", "vector_selector", "param"):
        inside = getattr(node, name, None)
        for each in inside if isinstance(inside, list) else [inside]:
            if each is not None and not isinstance(each, str):
                yield from selectors(each)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_query_asks_for_what_there_is(expression: str, samples: list[Sample]) -> None:
    labels: dict[str, set[str]] = {**MADE_BY_PROMETHEUS}
    for each in samples:
        labels.setdefault(each.name, set()).update(each.labels)
    labels["fersk_health_reason"] = {"code"}  # all may be well
    found = list(selectors(promql_parser.parse(expression)))
    assert len(found) == len(re.findall(r"\bfersk_\w+|\bup\b", expression)) > 0
    for selector in found:
        assert selector.name in labels, selector.name
        asked = {matcher.name for matcher in selector.matchers.matchers}
        assert asked <= labels[selector.name], selector.name


def test_a_figure_that_is_not_there_would_be_noticed() -> None:
    (found,) = selectors(promql_parser.parse('sum(rate(fersk_made_up_total{code="x"}[5m]))'))
    assert found.name == "fersk_made_up_total"


def test_the_page_has_every_figure_with_its_labels(samples: list[Sample]) -> None:
    told: dict[str, set[str]] = {"fersk_health_reason": {"code"}}
    for each in samples:
        name = re.sub(r"(fersk_answer_seconds)_(bucket|count|sum)", r"\1", each.name)
        told.setdefault(name, set()).update(set(each.labels) - {"le"})
    listed = {
        name.strip("`"): set(re.findall(r"`(\w+)`", labels))
        for name, labels, _ in rows(PAGE, "figure", "labels", "says")
    }
    assert listed == told


def test_every_alert_says_what_to_do_and_where_it_stands() -> None:
    for rule in RULES:
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert page == "docs/howto/runbook.md"
        assert anchor in anchors(), anchor
        assert len(rule["annotations"]["description"]) > 40
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["labels"]["severity"] in {"warning", "critical"}
    assert "made-up" not in anchors()


def test_every_reason_of_health_is_watched_by_one_alert() -> None:
    codes = {
        code.strip("`") for code, _, _ in rows(RUNBOOK, "code in `reasons`", "what is not well", "what to do")
    }
    watching = dict.fromkeys(codes, 0)
    for rule in RULES:
        for _, pattern in re.findall(r'fersk_health_reason\{code(=~|=)"([^"]*)"', rule["expr"]):
            for code in pattern.split("|"):
                watching[code] += 1  # a KeyError is a code that nobody knows
    assert watching == dict.fromkeys(codes, 1)
    assert len(codes) > 5
