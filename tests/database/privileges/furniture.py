"""Rows for the tables that the seed leaves empty: an empty table shows nothing to anybody."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import psycopg

from tests.database.privileges.requests import LAST_YEAR, LOCKED_YEAR, PERIOD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack
    from tests.database.privileges.cast import Caller

NATIONAL_UNITS = """
    select u.id::text from public.organization_units u
    join public.organizations o on o.id = u.organization_id where o.slug = any (%s) and u.parent_id is null
"""
# As the service does it; the contact is nobody's.
ERASED = """
    insert into public.erasures (organization_id, kind)
    select o.id, 'contact' from public.organizations o where o.slug = any (%s)
"""
CHANGED = """
    insert into public.organization_changes (organization_id, table_name, operation, changed_by)
    select p.organization_id, 'profiles', 'update', p.id
    from public.profiles p where p.id = any (%s)
"""
# Of each peer mentor in each chapter: two that differ, and one that was registered twice.
DISTINCT = """
    insert into public.not_duplicates (activity_id, other_id, organization_id)
    select a.ids[1], a.ids[2], a.organization_id from (
        select a.organization_id, array_agg(a.id order by a.id) as ids
        from public.activities a join public.organizations o on o.id = a.organization_id
        where o.slug = any (%s) and a.status = 'registered'
        group by a.organization_id, a.unit_id, a.peer_mentor_id
        having count(*) > 1) a
"""
TWICE = """
    insert into public.activities (organization_id, unit_id, peer_mentor_id, registered_by, activity_type_id,
                                   occurred_at, duration_minutes, participant_count, summary)
    select distinct on (a.unit_id, a.peer_mentor_id)
           a.organization_id, a.unit_id, a.peer_mentor_id, a.registered_by, a.activity_type_id, a.occurred_at,
           a.duration_minutes, a.participant_count, 'registered twice'
    from public.activities a join public.organizations o on o.id = a.organization_id
    where o.slug = any (%s) and a.is_counted and not a.is_proxy_registered
    order by a.unit_id, a.peer_mentor_id, a.id
"""
# Without triggers: exports, erasures and records are append-only.
REMOVED = """
    begin;
    set local session_replication_role = replica;
    delete from public.bufdir_export_audit_log where period_start = %(p_period_start)s;
    delete from public.bufdir_metric_snapshots where period_start = %(p_period_start)s;
    delete from stats.complete_exports where true;
    delete from stats.complete_versions where true;
    delete from stats.report_marks where true;
    delete from public.bufdir_report_versions where true;
    delete from stats.report_chains where true;
    delete from public.reporting_year_log where true;
    delete from public.reporting_years where true;
    delete from public.erasures where kind = 'contact' and erased_by is null;
    delete from public.organization_changes where before is null and after is null;
    delete from public.not_duplicates where decided_by is null;
    commit;
"""


@contextmanager
def furnished(stack: Stack, callers: list[Caller]) -> Iterator[None]:
    """Save, export and read as org admins do; undone at the end."""
    members = sorted(
        (c for c in callers if c.kind in ("coordinator", "org admin")), key=lambda c: c.kind, reverse=True
    )
    period = {name.removeprefix("p_"): value for name, value in PERIOD.items()}
    with (
        httpx.Client(timeout=30, trust_env=False) as http,
        psycopg.connect(stack.db_url, autocommit=True) as owner,
    ):
        units = [unit for (unit,) in owner.execute(NATIONAL_UNITS, ([m.organization for m in members],))]
        try:
            for statement in (ERASED, DISTINCT, TWICE):
                owner.execute(statement, ([m.organization for m in members if m.kind == "org admin"],))
            owner.execute(CHANGED, ([m.id for m in members if m.kind == "org admin"],))
            for person in members:
                headers = person.headers | {"apikey": stack.publishable_key}
                if person.kind == "org admin":
                    http.put(
                        f"{stack.functions_url}/metric-snapshots", params=period, headers=headers
                    ).raise_for_status()
                steps: list[tuple[str, dict[str, Any]]] = [("export_bufdir_snapshot", PERIOD)]
                if person.kind == "org admin":
                    steps += [("prepare_report", PERIOD), ("lock_reporting_year", {"year": LOCKED_YEAR})]
                else:
                    newest = (
                        "select v.id::text from public.bufdir_report_versions v join public.organizations o "
                        "on o.id = v.organization_id where o.slug = %s"
                    )
                    for (version,) in owner.execute(newest, (person.organization,)):
                        steps.append(("approve_report", {"version": version}))
                for name, body in steps:
                    call = f"{stack.rest_url}/rpc/{name}"
                    http.post(call, json=body, headers=headers).raise_for_status()
            calls: list[tuple[str, dict[str, Any]]] = [
                ("record_node_reads", {"p_reads": dict.fromkeys(units, 1)})
            ]
            calls += [("refresh_hierarchy_entry", {"p_unit_id": unit, "p_year": LAST_YEAR}) for unit in units]
            for name, body in calls:
                service = {"apikey": stack.secret_key}
                http.post(f"{stack.rest_url}/rpc/{name}", json=body, headers=service).raise_for_status()
            yield
        finally:
            with psycopg.ClientCursor(owner) as cursor:
                cursor.execute(REMOVED, PERIOD)
            owner.execute("delete from public.activities where summary = 'registered twice'")
