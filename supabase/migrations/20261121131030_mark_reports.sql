-- Purpose: what of all inserts and changes a version has seen, so that any later moment can be
-- compared with it.
-- Locks: none. Data safety: new objects only.
--
-- Numbers are given in another order than transactions commit, and times are, too: a change that
-- commits just after a version may have a lower number and an earlier time than one that it has
-- seen. So a mark holds the numbers that were there to be seen, as ranges: gaps are rollbacks,
-- deletions, and whatever was still under way. It holds for any copy of the database.

create table if not exists stats.report_marks (
    id            bigint         generated always as identity primary key,
    version_id    uuid           not null unique references public.bufdir_report_versions (id),
    seen_inserts  int8multirange not null,
    seen_changes  int8multirange not null,
    total_minutes bigint         not null
);
comment on table stats.report_marks is
    'What each version has seen: the numbers of the activities and of activity_history, of all '
    'organisations.';
comment on column stats.report_marks.total_minutes is
    'What the hours of the version were rounded from.';
alter table stats.report_marks enable row level security;   -- deny-all: no policy
create or replace trigger report_marks_refuse_change
    before update or delete or truncate on stats.report_marks
    for each statement execute function private.refuse_change();

-- What is not seen yet, also what is still to come.
create or replace function stats.unseen(p_seen int8multirange)
    returns table (first_number bigint, last_number bigint)
    language sql immutable security invoker set search_path = '' rows 10 as $$
    select lower(g), coalesce(upper(g) - 1, 9223372036854775807)
    from unnest('{[1,)}'::int8multirange - p_seen) g
$$;

create or replace function stats.joined_numbers(p_numbers bigint[]) returns int8multirange
    language sql immutable security invoker set search_path = '' as $$
    select coalesce(range_agg(int8range(i.first_number, i.last_number, '[]')), '{}')
    from (select min(n.number) as first_number, max(n.number) as last_number
          from (select u.number, u.number - row_number() over (order by u.number) as island
                from unnest(p_numbers) u (number)) n
          group by n.island) i
$$;

-- The mark before, whosever it is, and what has come since.
create or replace function stats.new_mark(
    p_organization_id uuid, p_period_start date, p_period_end date)
    returns stats.report_marks
    language sql stable security invoker set search_path = '' as $$
    with former as (
        select r.seen_inserts, r.seen_changes
        from (select m.seen_inserts, m.seen_changes from stats.report_marks m
              union all values ('{}'::int8multirange, '{}'::int8multirange)) r
        order by upper(r.seen_inserts) desc nulls last limit 1
    )
    select null::bigint, null::uuid,
           f.seen_inserts + stats.joined_numbers(array(
               select a.insert_number from stats.unseen(f.seen_inserts) u
               join public.activities a
                   on a.insert_number between u.first_number and u.last_number)),
           f.seen_changes + stats.joined_numbers(array(
               select h.id from stats.unseen(f.seen_changes) u
               join public.activity_history h on h.id between u.first_number and u.last_number)),
           (select coalesce(sum(r.total_minutes), 0)::bigint
            from stats.live_monthly_rows r
            where r.organization_id = p_organization_id
              and r.activity_month >= p_period_start and r.activity_month < p_period_end)
    from former f
$$;

revoke all on stats.report_marks from public, anon, authenticated, service_role;
revoke execute on function stats.unseen(int8multirange), stats.joined_numbers(bigint[]),
    stats.new_mark(uuid, date, date) from public, anon, authenticated, service_role;
