-- Purpose: the measures, and the log of what each statement changed in them.
-- Locks: none. Data safety: new objects only.
--
-- A measure (a count, a sum) stands in three places: a column of stats.measures, which the log and
-- all totals inherit; a column of stats.contributions, which says what one activity adds to it; a
-- column of each view that shows it.

create table if not exists stats.measures (
    activity_count    bigint  not null default 0,
    total_minutes     bigint  not null default 0,
    participant_count bigint  not null default 0,
    approved_nok      numeric not null default 0
        check (approved_nok > '-Infinity' and approved_nok < 'Infinity')   -- nor NaN
);
comment on table stats.measures is 'Never holds a row: what the log and the totals inherit.';
alter table stats.measures enable row level security;   -- deny-all: no policy

-- The one list of measures: 'sum(%I)' gives 'sum(activity_count), sum(total_minutes), …'.
create or replace function stats.measure_list(p_format text, p_separator text default ', ')
    returns text
    language sql stable security invoker set search_path = ''
    return (
        select string_agg(replace(p_format, '%I', quote_ident(a.attname)), p_separator
                          order by a.attnum)
        from pg_catalog.pg_attribute a
        where a.attrelid = 'stats.measures'::regclass and a.attnum > 0 and not a.attisdropped);
comment on function stats.measure_list(text, text) is
    'Each measure''s name put for %I, all in one line.';

-- contact_id is for the update trigger alone: the log names no contact.
create or replace view stats.contributions as
    select a.organization_id, a.chapter_id, a.peer_mentor_id, a.activity_type_id, a.bucket_date,
           a.contact_id,
           1                       as activity_count,
           a.duration_minutes      as total_minutes,
           a.participant_count     as participant_count,
           a.approved_expenses_nok as approved_nok
    from stats.countable_activities a;
comment on view stats.contributions is 'What each activity that counts adds to each measure.';

-- Append-only: writers insert rows of their own and wait for nobody; stats.fold() moves them into
-- the totals. No index: nothing looks a row up, all writers would meet on its last page, and it
-- holds what a few seconds brought. Vacuumed as soon as a second of changes has been folded,
-- because every live read scans it.
create table if not exists stats.activity_changes (
    -- many numbers at a time: all writers meet at the sequence
    id               bigint      generated always as identity (cache 50),
    changed_at       timestamptz not null default clock_timestamp(),
    organization_id  uuid        not null,
    chapter_id       uuid        not null,
    peer_mentor_id   uuid        not null,
    activity_type_id uuid        not null,
    bucket_date      date        not null,
    is_first         boolean     not null default false
) inherits (stats.measures) with (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000
);
comment on table stats.activity_changes is
    'Append-only: signed sums by chapter, peer mentor, type and day. Sums of zero: a '
    'contact changed.';
comment on column stats.activity_changes.is_first is
    'The first row of its statement: only this one has the deferred trigger that asks for a fold.';
alter table stats.activity_changes enable row level security;   -- deny-all: no policy

revoke all on stats.measures, stats.contributions, stats.activity_changes
    from public, anon, authenticated, service_role;
revoke all on sequence stats.activity_changes_id_seq
    from public, anon, authenticated, service_role;
revoke execute on function stats.measure_list(text, text)
    from public, anon, authenticated, service_role;
