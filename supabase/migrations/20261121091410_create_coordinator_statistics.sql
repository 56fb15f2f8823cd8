-- Purpose: what each coordinator follows up, by month and type of activity.
-- Locks: none. Data safety: new objects only.
--
-- In the same three layers as the other statistics (create_statistics_views).

-- Two branches rather than an OR, so that a coordinator reads their own chapters; the second one
-- runs for org admins only, who have no first one.
create or replace view stats.visible_coordinator_monthly_stats with (security_barrier) as
    select v.organization_id as org_id, v.coordinator_id, v.activity_month, v.activity_type_id,
           sum(v.activity_count)::bigint                as activity_count,
           sum(v.duration_minutes)::bigint              as total_duration_minutes,
           stats.hours(sum(v.duration_minutes)::bigint) as total_hours,
           sum(v.approved_nok)::numeric(14, 2)          as approved_expenses_nok
    from (
        select r.* from stats.followed_rows r
        where r.organization_id = (select app.statistics_org_id())
          and r.coordinator_id = (select app.profile_id())
          and r.chapter_id = any (array(select app.statistics_chapter_ids()))
        union all
        select r.* from stats.live_coordinator_rows r
        where r.organization_id = (select app.statistics_org_id())
          and (select app.profile_role()) = 'org_admin'
    ) v
    group by 1, 2, 3, 4;

create or replace view public.coordinator_monthly_stats with (security_invoker = on) as
    select * from stats.visible_coordinator_monthly_stats
    order by coordinator_id, activity_month, activity_type_id;
comment on view public.coordinator_monthly_stats is
    'Per coordinator, month and activity type, with approved expenses, exact now.';

revoke all on stats.visible_coordinator_monthly_stats, public.coordinator_monthly_stats
    from public, anon, authenticated, service_role;
grant select on stats.visible_coordinator_monthly_stats, public.coordinator_monthly_stats
    to authenticated;
