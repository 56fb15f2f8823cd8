-- Purpose: undo the measure that came later.
-- Locks: brief, ACCESS EXCLUSIVE on the log and the totals. Data safety: the measure is lost; it can be computed anew.

do $$ begin   -- before all else: a fold and writers would otherwise go on with what they have begun
    perform pg_advisory_xact_lock(hashtext('fersk'), hashtext('stats.fold'));
    lock table public.activities in share row exclusive mode;
end $$;

-- What takes the column away from a view also takes away what stands on it; both are made as they were.
drop function if exists public.chapters(public.chapter_stats);
drop view if exists public.chapter_stats, stats.visible_chapter_stats, stats.live_chapter_stats, stats.contributions;
create view stats.contributions as
    select a.organization_id, a.chapter_id, a.peer_mentor_id, a.activity_type_id, a.bucket_date, a.contact_id,
           1                       as activity_count,
           a.duration_minutes      as total_minutes,
           a.participant_count     as participant_count,
           a.approved_expenses_nok as approved_nok
    from stats.countable_activities a;
comment on view stats.contributions is 'What each activity that counts adds to each measure.';
alter table stats.measures drop column if exists proxy_count;
select stats.define_change_triggers();

create view stats.live_chapter_stats as
    select m.organization_id, m.chapter_id, sum(m.activity_count)::bigint as activity_count,
           sum(m.total_minutes)::bigint as total_minutes, count(*) as active_peer_mentors
    from stats.live_peer_mentor_stats m
    group by 1, 2;
comment on view stats.live_chapter_stats is 'Exact at every commit: per chapter.';
create view stats.visible_chapter_stats with (security_barrier) as
    select l.chapter_id, l.activity_count, stats.hours(l.total_minutes) as total_hours, l.active_peer_mentors
    from stats.live_chapter_stats l
    where l.chapter_id = any (array(select app.statistics_chapter_ids()));
create view public.chapter_stats with (security_invoker = on) as
    select * from stats.visible_chapter_stats order by chapter_id;
comment on view public.chapter_stats is 'Per chapter, exact now.';
revoke all on stats.contributions, stats.live_chapter_stats, stats.visible_chapter_stats, public.chapter_stats
    from public, anon, authenticated, service_role;
grant select on stats.visible_chapter_stats, public.chapter_stats to authenticated;
create function public.chapters(public.chapter_stats) returns setof public.chapters
    language sql stable rows 1 security invoker set search_path = ''
begin atomic select c.* from public.chapters c where c.id = $1.chapter_id; end;
revoke execute on function public.chapters(public.chapter_stats) from public, anon, authenticated, service_role;
grant execute on function public.chapters(public.chapter_stats) to authenticated;
select private.close_views();   -- writes to the view are refused as to the others
