"""The statistics against plain aggregates of public.activities, which share no code with them."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, LiteralString, NamedTuple

if TYPE_CHECKING:
    from uuid import UUID

    from tests.resilience.own_cluster import Connection


class Pair(NamedTuple):
    """What a view says, and what is true: two queries with the same columns."""

    said: LiteralString
    true: LiteralString


# The materialised views: as of their last refresh; no live figure stands on them.
MATERIALIZED_VIEWS = ["mv_activity_time_series", "mv_chapter_stats", "mv_peer_mentor_stats"]

# What counts, said once more on purpose: the tests must not ask the code under test.
_COUNTED: LiteralString = """(
    select a.*, (a.occurred_at at time zone 'UTC')::date as day,
           date_trunc('month', a.occurred_at at time zone 'UTC')::date as month,
           coalesce((select sum(e.amount_nok) from public.expense_claims e
                     where e.activity_id = a.id and e.status = 'approved'), 0) as approved
    from public.activities a where a.status = 'registered') a"""

# Everything, as the owner sees it.
LIVE = {
    "live_peer_mentor_stats": Pair(
        """select organization_id, chapter_id, peer_mentor_id, activity_count, total_minutes
           from stats.live_peer_mentor_stats""",
        f"""select organization_id, unit_id, peer_mentor_id, count(*), sum(duration_minutes)
            from {_COUNTED} group by 1, 2, 3""",
    ),
    "live_chapter_stats": Pair(
        """select organization_id, chapter_id, activity_count, total_minutes, active_peer_mentors
           from stats.live_chapter_stats""",
        f"""select organization_id, unit_id, count(*), sum(duration_minutes), count(distinct peer_mentor_id)
            from {_COUNTED} group by 1, 2""",
    ),
    "live_time_series": Pair(
        """select organization_id, chapter_id, bucket_date, activity_count, total_minutes, participant_count
           from stats.live_time_series""",
        f"""select organization_id, unit_id, day, count(*), sum(duration_minutes), sum(participant_count)
            from {_COUNTED} group by 1, 2, 3""",
    ),
    "live_yearly_rows": Pair(
        """select organization_id, chapter_id, period_year, peer_mentor_id, activity_type_id,
                  sum(activity_count), sum(total_minutes), sum(participant_count), sum(approved_nok)
           from stats.live_yearly_rows group by 1, 2, 3, 4, 5 having sum(activity_count) <> 0""",
        f"""select organization_id, unit_id, date_part('year', day)::integer, peer_mentor_id,
                   activity_type_id, count(*), sum(duration_minutes), sum(participant_count), sum(approved)
            from {_COUNTED} group by 1, 2, 3, 4, 5""",
    ),
    "live_monthly_rows": Pair(
        """select organization_id, chapter_id, activity_month,
                  sum(activity_count), sum(total_minutes), sum(participant_count)
           from stats.live_monthly_rows group by 1, 2, 3 having sum(activity_count) <> 0""",
        f"""select organization_id, unit_id, month, count(*), sum(duration_minutes), sum(participant_count)
            from {_COUNTED} group by 1, 2, 3""",
    ),
    "live_coordinator_rows": Pair(
        """select organization_id, coordinator_id, activity_month, activity_type_id,
                  sum(activity_count), sum(duration_minutes), sum(approved_nok)
           from stats.live_coordinator_rows group by 1, 2, 3, 4""",
        f"""select organization_id, coordinator_id, month, activity_type_id,
                   count(*), sum(duration_minutes), sum(approved)
            from {_COUNTED} where coordinator_id is not null group by 1, 2, 3, 4""",
    ),
}

# One organisation, as its org admin sees it through the API; the truth takes the organisation's id.
PUBLIC = {
    "peer_mentor_stats": Pair(
        """select peer_mentor_id, chapter_id, activity_count, total_hours, last_activity_date
           from public.peer_mentor_stats""",
        f"""select peer_mentor_id, unit_id, count(*), round(sum(duration_minutes) / 60.0, 2), max(day)
            from {_COUNTED} where organization_id = %s group by 1, 2""",
    ),
    "chapter_stats": Pair(
        "select chapter_id, activity_count, total_hours, active_peer_mentors from public.chapter_stats",
        f"""select unit_id, count(*), round(sum(duration_minutes) / 60.0, 2), count(distinct peer_mentor_id)
            from {_COUNTED} where organization_id = %s group by 1""",
    ),
    "activity_time_series": Pair(
        "select chapter_id, bucket_date, activity_count, total_hours from public.activity_time_series",
        f"""select unit_id, day, count(*), round(sum(duration_minutes) / 60.0, 2)
            from {_COUNTED} where organization_id = %s group by 1, 2""",
    ),
    "get_activity_series": Pair(
        "select * from public.get_activity_series('2025-12-31', '2026-04-01', 'month')",
        f"""select m::date, count(a.id), round(coalesce(sum(a.duration_minutes), 0) / 60.0, 2)
            from generate_series(timestamp '2025-12-01', '2026-04-01', interval '1 month') m
            left join {_COUNTED} on a.month = m::date and a.organization_id = %s
                and a.day between '2025-12-31' and '2026-04-01'
            group by 1""",
    ),
    "coordinator_monthly_stats": Pair(
        """select coordinator_id, activity_month, activity_type_id, activity_count, total_duration_minutes,
                  total_hours, approved_expenses_nok
           from public.coordinator_monthly_stats""",
        f"""select coordinator_id, month, activity_type_id, count(*), sum(duration_minutes),
                   round(sum(duration_minutes) / 60.0, 2), sum(approved)
            from {_COUNTED} where coordinator_id is not null and organization_id = %s group by 1, 2, 3""",
    ),
}


def _both_ways(name: LiteralString, pair: Pair) -> LiteralString:
    return (
        f"select '{name}', '+', d::text from ({pair.said} except all {pair.true}) d union all "
        f"select '{name}', '-', d::text from ({pair.true} except all {pair.said}) d"
    )


_LIVE_DIFFERENCES: LiteralString = " union all ".join(_both_ways(name, pair) for name, pair in LIVE.items())


def differences(connection: Connection) -> list[tuple[str, str, str]]:
    """Compare every live view, as its owner, with the truth: one statement, and so one snapshot.

    Returns (view, sign, row): `+` what the view says and is not so, `-` what it lacks; empty if it is exact.
    """
    return [(name, sign, row) for name, sign, row in connection.execute(_LIVE_DIFFERENCES)]


def public_differences(connection: Connection, organization: UUID, admin: UUID) -> list[tuple[str, str, str]]:
    """Compare what the API says to an org admin with the truth; in one snapshot, or with no other writer.

    Must run in a transaction, whose role it changes and gives back. Returns the same as `differences`.
    """
    truths = {
        name: Counter(connection.execute(pair.true, [organization]).fetchall())
        for name, pair in PUBLIC.items()
    }
    claims = {"sub": str(admin), "role": "authenticated", "app_metadata": {"org_id": str(organization)}}
    connection.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])
    connection.execute("set local role authenticated")
    answers = {name: Counter(connection.execute(pair.said).fetchall()) for name, pair in PUBLIC.items()}
    connection.execute("reset role")
    connection.execute("select set_config('request.jwt.claims', '', true)")
    return [
        (name, sign, str(row))
        for name in PUBLIC
        for sign, rows in (("+", answers[name] - truths[name]), ("-", truths[name] - answers[name]))
        for row in rows.elements()
    ]
