-- Purpose: the snapshot that summaries of the tree stand on: per chapter, peer mentor, activity type and year.
-- Locks: SHARE on activities while the index is built. Data safety: new objects only.

create materialized view if not exists stats.mv_yearly_stats as
    select a.organization_id, a.chapter_id, date_part('year', a.bucket_date)::integer as period_year, a.peer_mentor_id, a.activity_type_id,
           count(*)                         as activity_count,
           sum(a.duration_minutes)::bigint  as total_minutes,
           sum(a.participant_count)::bigint as participant_count,
           sum(a.approved_expenses_nok)     as approved_nok,
           null::boolean                    as _   -- as in create_snapshots
    from stats.countable_activities a
    where (select stats.record_snapshot('mv_yearly_stats', pg_current_snapshot()))
    group by 1, 2, 3, 4, 5;
create unique index if not exists mv_yearly_stats_key_idx on stats.mv_yearly_stats (chapter_id, period_year, peer_mentor_id, activity_type_id);
create index if not exists mv_yearly_stats_organization_id_period_year_idx on stats.mv_yearly_stats (organization_id, period_year);
comment on materialized view stats.mv_yearly_stats is 'Per chapter, year (UTC), peer mentor and activity type, as of its last refresh.';

create or replace view stats.live_yearly_rows as
    select s.organization_id, s.chapter_id, s.period_year, s.peer_mentor_id, s.activity_type_id,
           s.activity_count, s.total_minutes, s.participant_count, s.approved_nok
    from stats.mv_yearly_stats s
    union all
    select c.organization_id, c.chapter_id, date_part('year', c.bucket_date)::integer, c.peer_mentor_id, c.activity_type_id,
           c.activity_count, c.total_minutes, c.participant_count, c.approved_nok
    from stats.changes_since_snapshot c where c.relation_name = 'mv_yearly_stats';
comment on view stats.live_yearly_rows is 'Rows to be summed once: the snapshot''s and the changes it does not contain.';

-- Distinct contacts are counted from the activities themselves: a contact is personal data and stands in no snapshot.
create index if not exists activities_unit_id_occurred_at_contact_id_idx on public.activities (unit_id, occurred_at) include (contact_id)
    where is_counted and contact_id is not null;

revoke all on stats.mv_yearly_stats, stats.live_yearly_rows from public, anon, authenticated, service_role;
