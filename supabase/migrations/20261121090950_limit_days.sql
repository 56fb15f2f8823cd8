-- Purpose: at most 24 hours a person and day.
-- Locks: none. Data safety: new objects only.
--
-- A row for each person and day, which every writer of an activity of theirs adds to, in the
-- triggers of the change log. So those who write the same day queue, all others wait for nobody,
-- and it holds at every isolation level. Counted is what is registered, whatever the counting rule
-- says of it: so no change of a rule can come to exceed the limit.

create or replace view stats.registered_minutes as
    select a.peer_mentor_id, a.activity_date, a.duration_minutes as minutes
    from public.activities a
    where a.status = 'registered' and a.duplicate_of is null;

create table if not exists stats.daily_minutes (
    peer_mentor_id uuid    not null,
    activity_date  date    not null,
    minutes        integer not null,
    primary key (peer_mentor_id, activity_date)
);
comment on table stats.daily_minutes is
    'How many minutes each person has registered on each day. No foreign key: the activities have '
    'theirs.';
alter table stats.daily_minutes enable row level security;   -- deny-all: no policy

-- What adds rows of (peer_mentor_id, activity_date, minutes), each of another key.
create or replace function stats.add_minutes(p_changes text) returns text
    language sql immutable security invoker set search_path = ''
    return 'insert into stats.daily_minutes as d (peer_mentor_id, activity_date, minutes) '
        || p_changes
        || ' on conflict (peer_mentor_id, activity_date) do update '
           'set minutes = d.minutes + excluded.minutes returning ';

-- The same for any rows; gives the minutes of the longest day among those that have become longer.
-- In the order of the keys, so that two statements do not wait for each other. Grouped, not joined:
-- a plan that was made for one row would join ten thousand row by row.
create or replace function stats.sum_and_add_minutes(p_changes text) returns text
    language sql immutable security invoker set search_path = ''
    return format(
        'with changed as ('
        'select c.peer_mentor_id, c.activity_date, sum(c.minutes) as minutes from (%s) c '
        'group by 1, 2 having sum(c.minutes) <> 0), added as (%s d.*) '
        'select max(d.minutes) from (select sum(b.minutes) as minutes from ('
        'select a.*, 0 as more from added a union all '
        'select c.peer_mentor_id, c.activity_date, 0, c.minutes from changed c) b '
        'group by b.peer_mentor_id, b.activity_date having sum(b.more) > 0) d',
        p_changes, stats.add_minutes('select c.* from changed c order by 1, 2'));

-- What there is too little, compared with the activities; nothing, unless triggers were off.
create or replace view stats.missing_minutes as
    select m.peer_mentor_id, m.activity_date, sum(m.minutes)::integer as minutes
    from (
        select r.peer_mentor_id, r.activity_date, r.minutes from stats.registered_minutes r
        union all
        select d.peer_mentor_id, d.activity_date, -d.minutes from stats.daily_minutes d
    ) m
    group by 1, 2
    having sum(m.minutes) <> 0;

revoke all on stats.registered_minutes, stats.daily_minutes, stats.missing_minutes
    from public, anon, authenticated, service_role;
revoke execute on function stats.add_minutes(text), stats.sum_and_add_minutes(text)
    from public, anon, authenticated, service_role;
