-- Purpose: a measure that comes later: how many activities of a chapter were registered by proxy.
-- Locks: brief, ACCESS EXCLUSIVE on the log and the totals. Data safety: the totals are computed anew from the activities.

do $$ begin   -- before all else: a fold and writers would otherwise go on with what they have begun
    perform pg_advisory_xact_lock(hashtext('fersk'), hashtext('stats.fold'));
    lock table public.activities in share row exclusive mode;
    -- From readers it takes all or nothing, in their order. It gives way before one of them would be ended.
    set local lock_timeout = '500ms';
    loop
        begin
            alter view public.chapter_stats set (security_invoker = on);
            alter view stats.visible_chapter_stats set (security_barrier);
            alter view stats.live_chapter_stats reset (security_barrier);
            lock table stats.measures in access exclusive mode;
            exit;
        exception when lock_not_available then
            perform pg_sleep(0.2);
        end;
    end loop;
    set local lock_timeout = 0;
end $$;

alter table stats.measures add column proxy_count bigint not null default 0;

create or replace view stats.contributions as
    select a.organization_id, a.chapter_id, a.peer_mentor_id, a.activity_type_id, a.bucket_date, a.contact_id,
           1                              as activity_count,
           a.duration_minutes             as total_minutes,
           a.participant_count            as participant_count,
           a.approved_expenses_nok        as approved_nok,
           a.is_proxy_registered::integer as proxy_count
    from stats.countable_activities a;
select stats.define_change_triggers();
select stats.rebuild();

create or replace view stats.live_chapter_stats as
    select m.organization_id, m.chapter_id, sum(m.activity_count)::bigint as activity_count,
           sum(m.total_minutes)::bigint as total_minutes, count(*) as active_peer_mentors,
           sum(m.proxy_count)::bigint as proxy_count
    from (
        select r.organization_id, r.chapter_id, r.peer_mentor_id, sum(r.activity_count) as activity_count,
               sum(r.total_minutes) as total_minutes, sum(r.proxy_count) as proxy_count
        from (
            select t.organization_id, t.chapter_id, t.peer_mentor_id, t.activity_count, t.total_minutes, t.proxy_count
            from stats.peer_mentor_totals t
            union all
            select c.organization_id, c.chapter_id, c.peer_mentor_id, c.activity_count, c.total_minutes, c.proxy_count
            from stats.activity_changes c
        ) r
        group by 1, 2, 3
        having sum(r.activity_count) <> 0
    ) m
    group by 1, 2;
create or replace view stats.visible_chapter_stats with (security_barrier) as
    select l.chapter_id, l.activity_count, stats.hours(l.total_minutes) as total_hours, l.active_peer_mentors,
           l.proxy_count
    from stats.live_chapter_stats l
    where l.chapter_id = any (array(select app.statistics_chapter_ids()));
create or replace view public.chapter_stats with (security_invoker = on) as
    select * from stats.visible_chapter_stats order by chapter_id;
