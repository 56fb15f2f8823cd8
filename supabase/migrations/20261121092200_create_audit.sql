-- Purpose: the audit compares totals + log with the activities.
-- Locks: ACCESS SHARE on activities and expense_claims. Data safety: new objects only.
--
-- What computes from activities heals by computing again; totals do not, so this is said aloud. It
-- finds what was written while triggers were off (session_replication_role, a restore of data
-- alone) and a total edited by hand. LOCK comes first, in a statement of its own: a snapshot that
-- is older than the lock would, after an ALTER TABLE that rewrites the table, see an empty one.

create table if not exists stats.differences (
    id            bigint      generated always as identity primary key,
    found_at      timestamptz not null default clock_timestamp(),
    relation_name text        not null,
    chapter_id    uuid        not null
);
comment on table stats.differences is
    'Append-only: where an audit found totals + log, the day or the reason of an activity, the '
    'minutes of a day, expenses or a fresh summary to differ from what they rest on. The sweep '
    'keeps the newest thousand.';
alter table stats.differences enable row level security;   -- deny-all: no policy

-- For each key: the totals, and the log, less what the activities say. Nothing is left where they
-- agree.
create or replace function stats.comparison() returns text
    language sql stable security invoker set search_path = '' as $$
    select string_agg(format(
        'select %1$L as relation_name, d.chapter_id from ('
        'select %2$s, %3$s from stats.%1$s where $1 is null or chapter_id = any ($1) '
        'union all '
        'select %4$s, %3$s from stats.activity_changes where $1 is null or chapter_id = any ($1) '
        'union all '
        'select %4$s, %5$s from stats.contributions where $1 is null or chapter_id = any ($1)) d '
        'group by %2$s having %6$s',
        t.name, t.keys, stats.measure_list('%I'), t.key_values, stats.measure_list('-%I'),
        stats.measure_list('sum(d.%I) <> 0', ' or ')), ' union ' order by t.name)
    from stats.totals t
$$;

-- What a person has registered on a day belongs to the chapters of that day; where there is nothing
-- left of it, it is told of all that they are assigned to.
create or replace function stats.people_of_chapters(p_chapter_ids uuid[])
    returns table (chapter_id uuid, profile_id uuid, activity_date date)
    language sql stable security invoker set search_path = ''
begin atomic
    select a.unit_id, a.peer_mentor_id, a.activity_date
    from public.activities a
    where p_chapter_ids is null or a.unit_id = any (p_chapter_ids)
    union
    select c.unit_id, c.profile_id, null
    from public.chapter_assignments c
    where p_chapter_ids is null or c.unit_id = any (p_chapter_ids);
end;

create or replace function stats.audit(p_chapter_ids uuid[] default null)
    returns setof stats.differences
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    lock table public.activities in access share mode;
    lock table public.expense_claims in access share mode;
    return query execute format(
        'with found as ('
        '%s '
        'union select ''activities'', m.chapter_id from stats.misjudged_activities m '
        'where $1 is null or m.chapter_id = any ($1) '
        'union select ''joined_rules'', a.unit_id from ('
        'select * from stats.effective_rules except select * from stats.joined_rules) r '
        'join public.activities a on a.activity_type_id = r.activity_type_id '
        'where $1 is null or a.unit_id = any ($1) '
        'union select ''daily_minutes'', c.chapter_id from stats.missing_minutes m '
        'join stats.people_of_chapters($1) c on c.profile_id = m.peer_mentor_id '
        'and (c.activity_date = m.activity_date or c.activity_date is null and not exists ('
        'select from public.activities a where a.peer_mentor_id = m.peer_mentor_id '
        'and a.activity_date = m.activity_date)) '
        'union select ''expense_claims'', e.chapter_id from stats.wrong_expenses e '
        'where $1 is null or e.chapter_id = any ($1) '
        'union select ''hierarchy_stats_cache'', w from stats.wrong_summaries($1) w) '
        'insert into stats.differences (relation_name, chapter_id) '
        'select f.relation_name, f.chapter_id from found f order by 1, 2 returning *',
        stats.comparison()) using p_chapter_ids;
end $$;
comment on function stats.audit(uuid[]) is
    'Compares the statistics of the named or all chapters with the activities, in one snapshot; '
    'records and returns what differs. A summary may be of any unit.';

revoke all on stats.differences from public, anon, authenticated, service_role;
revoke all on sequence stats.differences_id_seq from public, anon, authenticated, service_role;
revoke execute on function stats.comparison(), stats.people_of_chapters(uuid[]),
    stats.audit(uuid[])
    from public, anon, authenticated, service_role;
