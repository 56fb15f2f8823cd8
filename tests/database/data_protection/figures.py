"""Every figure that anybody can read, for comparisons before and after."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg import sql

from tests.functions.bufdir.support import DAYS, YEAR

if TYPE_CHECKING:
    from uuid import UUID

    from tests.resilience.own_cluster import Connection

Figures = dict[str, list[Any]]

# What moves by itself, and what is about a person rather than a figure.
NO_FIGURES = {
    *("stats_freshness", "organizations", "organization_changes"),
    *("profiles", "chapter_assignments", "activities", "erasures"),
}
RELATIONS: LiteralString = """
    select c.relname from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')
      and has_table_privilege('authenticated', c.oid, 'select')
"""
CALLS: dict[str, LiteralString] = {
    "summary": """
        select u.id, y, public.get_hierarchy_stats(u.id, y)
        from public.organization_units u, unnest(%(years)s::integer[]) y
    """,
    "report": """
        select m, m + make_interval(months => n), public.generate_bufdir_report(
            app.current_org_id(), m::date, (m + make_interval(months => n))::date)
        from generate_series(%(start)s::timestamp, now(), '1 month') m, unnest('{1,3,12}'::integer[]) n
    """,
    "series": """
        select b, s.* from unnest('{day,week,month,year}'::text[]) b,
            public.get_activity_series(%(start)s, current_date, b) s
    """,
    "months of": """
        select p.id, s.* from public.profiles p, public.get_monthly_series(p.id, %(start)s, current_date) s
        where p.role <> 'peer_mentor'
    """,
    "alignment": "select y, public.get_bufdir_alignment(y) from unnest(%(years)s::integer[]) y",
    "verdict": "select public.get_snapshot_status(%(start)s, %(end)s)",
}


def figures(connection: Connection) -> Figures:
    """Read, as each organisation's admin, every relation that members read and every figure that is computed.

    The materialised views and the summaries are computed anew first, so that nothing is compared with itself.
    """
    connection.execute("select stats.refresh(p_force := true)")
    admins = connection.execute(
        "select o.slug, p.id, o.id from public.profiles p"
        " join public.organizations o on o.id = p.organization_id"
        " where p.role = 'org_admin' and p.is_active order by 1, 2"
    ).fetchall()
    found: Figures = {}
    for slug, admin, organization in admins:
        found |= {f"{slug}: {name}": rows for name, rows in _of(connection, admin, organization).items()}
    return found


def _of(connection: Connection, admin: UUID, organization: UUID) -> Figures:
    names = [name for (name,) in connection.execute(RELATIONS) if name not in NO_FIGURES]
    claims = {"sub": str(admin), "role": "authenticated", "app_metadata": {"org_id": str(organization)}}
    parameters = {"years": [YEAR, YEAR + 1], "start": DAYS.start, "end": DAYS.end}
    with connection.transaction():
        connection.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])
        connection.execute("set local role authenticated")
        rows = {
            name: connection.execute(
                sql.SQL("select * from public.{}").format(sql.Identifier(name))
            ).fetchall()
            for name in names
        }
        rows |= {name: connection.execute(call, parameters).fetchall() for name, call in CALLS.items()}
    return {name: sorted(map(repr, of)) for name, of in rows.items()}
