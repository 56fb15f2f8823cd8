-- Purpose: the materialised snapshots, and the one mechanism that tells which changes each of them contains.
-- Locks: reads activities once for each snapshot. Data safety: new objects only.
--
-- Each materialised view's own query records the database snapshot it was computed with (record_snapshot). A change
-- belongs to the live part exactly when its transaction is not visible in that snapshot. So live = materialised view
-- + changes_since_snapshot holds whoever refreshes, one view at a time, at any isolation level, and after a crash.
-- What else is derived from the log records its snapshot in the same way.
-- Why this and not something simpler: docs/decisions/0001-snapshot-plus-changes.md.

create table if not exists stats.snapshot_positions (
    relation_name text        primary key,
    snapshot      pg_snapshot not null,
    own_xid       xid8        not null,
    own_change_id bigint,
    refreshed_at  timestamptz not null
);
comment on table stats.snapshot_positions is 'For each relation that is derived from the activities the database snapshot that it was computed with.';
comment on column stats.snapshot_positions.own_xid is
    'The refreshing transaction: its own changes up to own_change_id are contained as well, and a refresh that does not see it is too old.';
alter table stats.snapshot_positions enable row level security;   -- deny-all: no policy

-- The snapshot is an argument: inside this volatile function READ COMMITTED would take a newer one than the query's.
create or replace function stats.record_snapshot(p_relation_name text, p_snapshot pg_snapshot) returns boolean
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_own_xid xid8 := pg_current_xact_id();
    v_own_id  bigint;
begin
    -- Whatever a statement sees committed lies before the end of its own snapshot. What does not comes from another
    -- cluster: a dump restored into a younger one. Its changes are in the restored rows already, and its transaction
    -- numbers mean nothing here.
    delete from stats.activity_changes c
    where c.xid >= pg_snapshot_xmax(pg_current_snapshot()) and c.xid <> v_own_xid;
    delete from stats.snapshot_positions p
    where (p.own_xid >= pg_snapshot_xmax(pg_current_snapshot())
           or pg_snapshot_xmax(p.snapshot) > pg_snapshot_xmax(pg_current_snapshot()))
      and p.own_xid <> v_own_xid;

    -- A refresh that waited for another keeps the snapshot it began with, and would undo what that one contains.
    if exists (select from stats.snapshot_positions p
               where p.relation_name = p_relation_name and p.own_xid <> v_own_xid
                 and not pg_visible_in_snapshot(p.own_xid, p_snapshot)) then
        raise exception 'the refresh of % would go back in time', p_relation_name
            using errcode = 'serialization_failure', hint = 'Retry in a new transaction.';
    end if;

    select max(c.id) into v_own_id from stats.activity_changes c where c.xid = v_own_xid;
    insert into stats.snapshot_positions as p (relation_name, snapshot, own_xid, own_change_id, refreshed_at)
    values (p_relation_name, p_snapshot, v_own_xid, v_own_id, clock_timestamp())
    on conflict (relation_name) do update
        set snapshot = excluded.snapshot, own_xid = excluded.own_xid,
            own_change_id = excluded.own_change_id, refreshed_at = excluded.refreshed_at;
    return true;
end $$;
comment on function stats.record_snapshot(text, pg_snapshot) is
    'Called by each materialised view''s query: records the snapshot it is computed with. Always true; 40001 if older than the last.';

create or replace view stats.changes_since_snapshot as
    select p.relation_name, c.*
    from stats.snapshot_positions p
    cross join stats.activity_changes c
    where case when c.xid = p.own_xid then (c.id > p.own_change_id) is not false   -- a snapshot says nothing about its own transaction
               else not pg_visible_in_snapshot(c.xid, p.snapshot) end;
comment on view stats.changes_since_snapshot is 'For each materialised view, and the hierarchy''s cache, exactly the changes that it does not contain.';

-- Minutes are stored, hours are shown: stats.hours is applied by the views, to the rows that are read.
--
-- `null::boolean as _`: REFRESH ... CONCURRENTLY looks for duplicates among the rows whose columns are all non-null,
-- by sorting whole records; a column that is always null leaves it none to sort. GROUP BY rules duplicates out, and the
-- unique index still guards. It makes a refresh 3 to 4 times cheaper.

create materialized view if not exists stats.mv_peer_mentor_stats as
    select a.organization_id, a.chapter_id, a.peer_mentor_id,
           count(*)                         as activity_count,
           sum(a.duration_minutes)::bigint  as total_minutes,
           sum(a.participant_count)::bigint as participant_count,
           null::boolean                    as _
    from stats.countable_activities a
    where (select stats.record_snapshot('mv_peer_mentor_stats', pg_current_snapshot()))
    group by 1, 2, 3;
create unique index if not exists mv_peer_mentor_stats_peer_mentor_id_chapter_id_idx on stats.mv_peer_mentor_stats (peer_mentor_id, chapter_id);
create index if not exists mv_peer_mentor_stats_chapter_id_idx on stats.mv_peer_mentor_stats (chapter_id);
comment on materialized view stats.mv_peer_mentor_stats is
    'Per peer mentor and chapter, as of its last refresh (at most an hour ago); peer_mentor_stats is the same, exact now.';

-- Grouped twice, which counts peer mentors several times faster than count(distinct).
create materialized view if not exists stats.mv_chapter_stats as
    select m.organization_id, m.chapter_id,
           sum(m.activity_count)::bigint    as activity_count,
           sum(m.total_minutes)::bigint     as total_minutes,
           sum(m.participant_count)::bigint as participant_count,
           count(*)                         as active_peer_mentors,
           null::boolean                    as _
    from (
        select a.organization_id, a.chapter_id, a.peer_mentor_id,
               count(*) as activity_count, sum(a.duration_minutes) as total_minutes, sum(a.participant_count) as participant_count
        from stats.countable_activities a
        where (select stats.record_snapshot('mv_chapter_stats', pg_current_snapshot()))
        group by 1, 2, 3
    ) m
    group by 1, 2;
create unique index if not exists mv_chapter_stats_chapter_id_idx on stats.mv_chapter_stats (chapter_id);
create index if not exists mv_chapter_stats_organization_id_idx on stats.mv_chapter_stats (organization_id);
comment on materialized view stats.mv_chapter_stats is
    'Per chapter, as of its last refresh (at most an hour ago); chapter_stats is the same, exact now.';

create materialized view if not exists stats.mv_activity_time_series as
    select a.organization_id, a.chapter_id, a.bucket_date,
           count(*)                         as activity_count,
           sum(a.duration_minutes)::bigint  as total_minutes,
           sum(a.participant_count)::bigint as participant_count,
           null::boolean                    as _
    from stats.countable_activities a
    where (select stats.record_snapshot('mv_activity_time_series', pg_current_snapshot()))
    group by 1, 2, 3;
create unique index if not exists mv_activity_time_series_chapter_id_bucket_date_idx on stats.mv_activity_time_series (chapter_id, bucket_date);
create index if not exists mv_activity_time_series_bucket_date_organization_id_idx on stats.mv_activity_time_series (bucket_date, organization_id);
comment on materialized view stats.mv_activity_time_series is
    'Per chapter and UTC day, as of its last refresh (at most an hour ago); activity_time_series is the same, exact now.';

revoke all on stats.snapshot_positions, stats.changes_since_snapshot,
    stats.mv_peer_mentor_stats, stats.mv_chapter_stats, stats.mv_activity_time_series
    from public, anon, authenticated, service_role;
revoke execute on function stats.record_snapshot(text, pg_snapshot) from public, anon, authenticated, service_role;
