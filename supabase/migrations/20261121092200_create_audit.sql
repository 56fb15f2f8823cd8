-- Purpose: the audit compares totals + log with the activities; the rebuild repairs what differs.
-- Locks: ACCESS SHARE on activities and expense_claims. Data safety: the totals of the named
-- chapters are computed anew from the activities.
--
-- What computes from activities heals by computing again; totals do not, so this is said aloud. It
-- finds and repairs what was written while triggers were off (session_replication_role, a restore
-- of data alone) and a total edited by hand. LOCK comes first, in a statement of its own: a
-- snapshot that is older than the lock would, after an ALTER TABLE that rewrites the table, see an
-- empty one.

create table if not exists stats.differences (
    id            bigint      generated always as identity primary key,
    found_at      timestamptz not null default clock_timestamp(),
    relation_name text        not null,
    chapter_id    uuid        not null
);
comment on table stats.differences is
    'Append-only: where an audit found totals + log, is_counted, expenses or a fresh summary to '
    'differ from what they rest on. The sweep keeps the newest thousand.';
alter table stats.differences enable row level security;   -- deny-all: no policy

-- For each key: the totals, and the log, less what the activities say. Nothing is left where they
-- agree.
create or replace function stats.comparison() returns text
    language sql stable security invoker set search_path = '' as $$
    select string_agg(format(
        'select %1$L as relation_name, d.chapter_id from ('
        'select %2$s, %3$s from stats.%1$s where $1 is null or chapter_id = any ($1) union all '
        'select %4$s, %3$s from stats.activity_changes where $1 is null or chapter_id = any ($1) '
        'union all '
        'select %4$s, %5$s from stats.contributions where $1 is null or chapter_id = any ($1)) d '
        'group by %2$s having %6$s',
        t.name, t.keys, stats.measure_list('%I'), t.key_values, stats.measure_list('-%I'),
        stats.measure_list('sum(d.%I) <> 0', ' or ')), ' union ' order by t.name)
    from stats.totals t
$$;

create or replace function stats.audit(p_chapter_ids uuid[] default null)
    returns setof stats.differences
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    lock table public.activities in access share mode;
    lock table public.expense_claims in access share mode;
    return query execute format(
        'with found as (%s union '
        'select ''activities'', a.unit_id from public.activities a '
        'where a.is_counted <> stats.counts_in_statistics(a.status) '
        'and ($1 is null or a.unit_id = any ($1)) '
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
    -- is_counted is computed anew, the difference is logged
    update public.activities a set status = a.status
    where a.is_counted <> stats.counts_in_statistics(a.status)
      and (p_chapter_ids is null or a.unit_id = any (p_chapter_ids));
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
            'taken as materialized (select * from stats.contributions a where $1 is null or '
            'a.chapter_id = any ($1)), '
            || stats.totals_upserts() || ' select from zeros'
        using p_chapter_ids;
    -- every summary of these units and of those above them, in every year; mv_* lack the repair
    insert into stats.tree_changes (organization_id, unit_id)
    select u.organization_id, u.id from public.organization_units u
    where p_chapter_ids is null or u.id = any (p_chapter_ids);
    insert into stats.unrefreshed_changes as n (organization_id, change_count, oldest_at)
    select u.organization_id, count(*), clock_timestamp() from public.organization_units u
    where p_chapter_ids is null or u.id = any (p_chapter_ids)
    group by 1 order by 1
    on conflict (organization_id)
        do update set change_count = n.change_count + excluded.change_count;
end $$;
comment on function stats.rebuild(uuid[]) is
    'Computes the totals of the named or all chapters anew from the activities, and outdates '
    'their summaries; docs/runbook.md.';

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

-- After stats.counts_in_statistics was replaced. The lock waits for writers that still count by the
-- old rule, and keeps others off until the new one is committed; taken first, it cannot deadlock
-- with them.
create or replace function stats.apply_counting_rule() returns bigint
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_changed bigint;
begin
    lock table public.activities in share row exclusive mode;
    update public.activities a set status = a.status
        where a.is_counted <> stats.counts_in_statistics(a.status);
    get diagnostics v_changed = row_count;
    return v_changed;
end $$;
comment on function stats.apply_counting_rule() is
    'Evaluates a changed counting rule for every activity; the number of those that count '
    'differently. docs/data-layer.md.';

revoke all on stats.differences from public, anon, authenticated, service_role;
revoke all on sequence stats.differences_id_seq from public, anon, authenticated, service_role;
revoke execute on function stats.comparison(), stats.audit(uuid[]), stats.rebuild(uuid[]),
    stats.heal(uuid[]),
    stats.apply_counting_rule() from public, anon, authenticated, service_role;
