-- Purpose: the fold: it moves the log into the totals, marks the summaries that this outdates, and
-- tells the apps.
-- Locks: none that a writer or a reader asks for. Data safety: what leaves the log is in the
-- totals, in one statement.
--
-- One statement has one snapshot: what it deletes from the log is what it adds to the totals. So no
-- reader, at whatever isolation level and in whatever copy of the database, sees a change twice or
-- not at all. It costs what changed.

create or replace function stats.fold() returns jsonb
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_nothing constant jsonb :=
        jsonb_build_object('units', 0, 'invalidated', 0, 'organizations', '[]'::jsonb);
    v_started constant timestamptz := clock_timestamp();
    v_result  jsonb;
begin
    -- One at a time, and never waiting. A statement of its own, so that the next one's snapshot has
    -- what the last fold did.
    if not pg_try_advisory_xact_lock(hashtext('fersk'), hashtext('stats.fold')) then
        return v_nothing || '{"outcome": "already_running"}';
    end if;
    if not exists (select from stats.unit_changes) then
        return v_nothing || '{"outcome": "folded"}';
    end if;
    execute 'with taken as (delete from stats.activity_changes where true returning *), '
        || stats.totals_upserts() || $fold$,
    moved as (
        delete from stats.tree_changes where true returning *
    ), touched as materialized (
        select organization_id, chapter_id as unit_id,
               date_part('year', bucket_date)::integer as period_year
        from taken
        group by 1, 2, 3
        union
        select organization_id, unit_id, 0 from moved
    ), outdated as materialized (
        select u.organization_id, u.id as unit_id, y.period_year
        from (select period_year, array_agg(unit_id) as unit_ids from touched group by 1) y
        cross join lateral app.unit_ancestry(y.unit_ids) a
        join public.organization_units u on u.id = a.ancestor_id
        group by 1, 2, 3
    ), marked as (
        -- Every unit, cached or not: a computation that began before must find the mark.
        insert into stats.marks as m (unit_id, period_year)
        select o.unit_id, o.period_year from outdated o group by 1, 2 order by 1, 2
        on conflict (unit_id, period_year) do update
            set marks = m.marks + 1, invalidated_at = excluded.invalidated_at
        returning m.unit_id, m.period_year
    ), counted as (
        insert into stats.unrefreshed_changes as n (organization_id, change_count, oldest_at)
        select organization_id, count(*), min(changed_at) from taken group by 1 order by 1
        on conflict (organization_id) do update
            set change_count = n.change_count + excluded.change_count,
                oldest_at = least(n.oldest_at, excluded.oldest_at)
    ), days as (
        select organization_id, jsonb_agg(distinct bucket_date) as dates from taken group by 1
    ), told as (
        select o.organization_id, o.unit_ids, coalesce(d.dates, '[]') as dates
        from (
            select organization_id, jsonb_agg(distinct unit_id) as unit_ids
            from outdated
            group by 1
        ) o
        left join days d on d.organization_id = o.organization_id
    )
    select jsonb_build_object(
        'outcome', 'folded',
        'units', (select count(distinct t.unit_id) from touched t),
        'invalidated', (select count(*) from marked),
        'zeros', (select jsonb_object_agg(z.name, to_jsonb(z.places)) from zeros z),
        'organizations', (
            select coalesce(jsonb_agg(to_jsonb(t) order by t.organization_id), '[]') from told t))
    $fold$ into v_result;
    perform stats.remove_zeros(v_result -> 'zeros');
    perform stats.tell(v_result -> 'organizations');
    perform stats.note_time('stats.folded_at');
    perform setval('stats.fold_took', greatest(   -- a clock may be set back
        extract(epoch from clock_timestamp() - v_started) * 1000000, 0)::bigint);
    return v_result - 'zeros';
exception
    -- Above READ COMMITTED the snapshot may be older than the last fold. Then that one was the fold
    -- that was asked for.
    when serialization_failure then
        return v_nothing || '{"outcome": "already_running"}';
end $$;
comment on function stats.fold() is
    'Moves the log into the totals, marks summaries, broadcasts; {outcome: folded | '
    'already_running, units, invalidated, organizations}.';

revoke execute on function stats.fold() from public, anon, authenticated, service_role;
