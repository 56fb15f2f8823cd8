-- Purpose: the rebuild repairs what an audit finds.
-- Locks: ACCESS SHARE on activities and expense_claims. Data safety: the totals of the named
-- chapters are computed anew from the activities.

-- Writers and readers wait for nothing: the rows of the log that are in the snapshot of the
-- activities go with it, and others stay. Only a fold has to wait.
create or replace function stats.rebuild(p_chapter_ids uuid[] default null) returns void
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_name text;
begin
    lock table public.activities in access share mode;   -- first: while it waits, folds go on
    lock table public.expense_claims in access share mode;
    perform pg_advisory_xact_lock(hashtext('fersk'), hashtext('stats.fold'));
    -- day and reason are judged anew, the difference is logged
    perform stats.join_rules();
    update public.activities a set not_counted_because = null
    from stats.misjudged_activities m
    where m.id = a.id and (p_chapter_ids is null or m.chapter_id = any (p_chapter_ids));
    -- what is missing is added, so that it is right beside writers
    execute stats.sum_and_add_minutes(
                'select m.* from stats.missing_minutes m where m.peer_mentor_id in '
                '(select c.profile_id from stats.people_of_chapters($1) c)')
        using p_chapter_ids;
    -- as are the expenses
    update public.activities a set approved_expenses_nok = w.approved_nok
    from stats.wrong_expenses w
    where w.activity_id = a.id and (p_chapter_ids is null or w.chapter_id = any (p_chapter_ids));
    for v_name in select t.name from stats.totals t loop
        execute format('delete from stats.%I t where $1 is null or t.chapter_id = any ($1)', v_name)
            using p_chapter_ids;
    end loop;
    execute 'with gone as ('
            'delete from stats.activity_changes c where $1 is null or c.chapter_id = any ($1)), '
            'taken as materialized ('
            'select * from stats.contributions a where $1 is null or a.chapter_id = any ($1)), '
            || stats.totals_upserts() || ' select from zeros'
        using p_chapter_ids;
    -- every summary of these units and of those above them, in every year; mv_* lack the repair
    insert into stats.tree_changes (organization_id, unit_id)
    select u.organization_id, u.id
    from public.organization_units u
    where p_chapter_ids is null or u.id = any (p_chapter_ids);
    insert into stats.unrefreshed_changes as n (organization_id, change_count, oldest_at)
    select u.organization_id, count(*), clock_timestamp()
    from public.organization_units u
    where p_chapter_ids is null or u.id = any (p_chapter_ids)
    group by 1
    order by 1
    on conflict (organization_id) do update
        set change_count = n.change_count + excluded.change_count;
end $$;
comment on function stats.rebuild(uuid[]) is
    'Computes the totals of the named or all chapters anew from the activities, and outdates their '
    'summaries; docs/howto/runbook.md.';

create or replace function stats.heal(p_chapter_ids uuid[] default null) returns integer
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_chapter_ids uuid[] := array(select distinct a.chapter_id from stats.audit(p_chapter_ids) a);
begin
    if v_chapter_ids <> '{}' then
        perform stats.rebuild(v_chapter_ids);
    end if;
    return cardinality(v_chapter_ids);
end $$;
comment on function stats.heal(uuid[]) is
    'Audits, and rebuilds the chapters that differ; the number of them.';

revoke execute on function stats.rebuild(uuid[]), stats.heal(uuid[])
    from public, anon, authenticated, service_role;
