"""Cached summaries against plain aggregates of public.activities, which share no code with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from tests.resilience.comparison import COUNTS, DAY

if TYPE_CHECKING:
    from uuid import UUID

    from tests.resilience.own_cluster import Connection

# One statement, so one snapshot: what is called fresh, what it says, and what is so.
_FRESH: LiteralString = f"""
    with recursive climb (unit_id, ancestor_id) as (
        select id, id from public.organization_units
        union all
        select c.unit_id, u.parent_id from climb c join public.organization_units u on u.id = c.ancestor_id
        where u.parent_id is not null
    ), counted as (
        select c.ancestor_id, extract(year from {DAY})::integer as year, a.*,
               coalesce(m.bufdir_category_code, 'uncategorised') as category,
               coalesce((select sum(e.amount_nok) from public.expense_claims e
                         where e.activity_id = a.id and e.status = 'approved'), 0) as approved_nok
        from public.activities a
        join climb c on c.unit_id = a.unit_id
        left join public.bufdir_category_mappings m
            on m.activity_type_id = a.activity_type_id and m.mapping_version = (
                select v.mapping_version from public.bufdir_mapping_versions v
                where v.organization_id = a.organization_id
                  and v.valid_from_year <= extract(year from {DAY})
                order by v.mapping_version desc limit 1)
        where {COUNTS}
    ), categories as (
        select ancestor_id, year, jsonb_object_agg(category, number) as categories
        from (select ancestor_id, year, category, count(*) as number from counted group by 1, 2, 3) n
        group by 1, 2
    ), truth as (
        select ancestor_id, year, jsonb_build_object(
            'activity_count', count(*), 'total_hours', round(sum(duration_minutes) / 60.0, 2),
            'participant_count', sum(participant_count), 'distinct_contacts', count(distinct contact_id),
            'active_peer_mentors', count(distinct peer_mentor_id),
            'chapters_reporting', count(distinct unit_id),
            'approved_expenses_nok', sum(approved_nok)) as figures
        from counted group by 1, 2
    )
    select e.unit_id, e.period_year, e.payload,
           coalesce(t.figures || jsonb_build_object('categories', c.categories), %s)
    from public.hierarchy_stats_cache e
    left join truth t on t.ancestor_id = e.unit_id and t.year = e.period_year
    left join categories c on c.ancestor_id = e.unit_id and c.year = e.period_year
    where not stats.is_outdated(e)
"""
_NOTHING: LiteralString = """
    '{"activity_count": 0, "total_hours": 0, "participant_count": 0, "distinct_contacts": 0,
      "active_peer_mentors": 0, "chapters_reporting": 0, "approved_expenses_nok": 0, "categories": {}}'::jsonb
"""
_QUERY: LiteralString = _FRESH.replace("%s", _NOTHING)


@dataclass(frozen=True)
class Entry:
    """A cached summary that is called fresh."""

    unit_id: UUID
    year: int
    said: dict[str, Any]
    true: dict[str, Any]


def fresh_entries(connection: Connection) -> list[Entry]:
    """Every entry that is called fresh in the snapshot of this one statement, with the truth beside it."""
    return [Entry(*row) for row in connection.execute(_QUERY)]


def wrong_entries(connection: Connection) -> list[Entry]:
    """Those that are called fresh and are not: always empty, whatever happened in whichever order."""
    return [entry for entry in fresh_entries(connection) if entry.said != entry.true]
