-- Purpose: the fold: it moves the log into the totals, marks the summaries that this outdates, and
-- tells the apps.
-- Locks: none that a writer or a reader asks for. Data safety: what leaves the log is in the
-- totals, in one statement.
--
-- One statement has one snapshot: what it deletes from the log is what it adds to the totals. So no
-- reader, at whatever isolation level and in whatever copy of the database, sees a change twice or
-- not at all. It costs what changed.

-- What adds the rows of "taken" to every totals table: for the fold and the rebuild. Rows that have
-- come down to nothing are named by their place, for stats.remove_zeros.
create or replace function stats.totals_upserts() returns text
    language sql stable security invoker set search_path = '' as $$
    select string_agg(format(
        'added_%1$s as (insert into stats.%1$s as t (%2$s, %3$s) '
        'select %4$s, %5$s from taken group by %6$s having %7$s order by %6$s '
        'on conflict (%8$s) do update set %9$s returning t.ctid, (%10$s) as is_zero)',
        t.name, t.keys, stats.measure_list('%I'), t.key_values, stats.measure_list('sum(%I)'),
        (select string_agg(n::text, ', ' order by n)
         from generate_series(1, cardinality(string_to_array(t.keys, ', '))) n),
        stats.measure_list('sum(%I) <> 0', ' or '), t.conflict,
        stats.measure_list('%I = t.%I + excluded.%I'), stats.measure_list('t.%I = 0', ' and ')),
            ', ' order by t.name)
        || ', zeros as (' || string_agg(format(
        'select %1$L as name, array_agg(a.ctid) as places from added_%1$s a where a.is_zero',
            t.name),
        ' union all ' order by t.name) || ')'
    from stats.totals t
$$;

create or replace function stats.remove_zeros(p_zeros jsonb) returns void
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_name text;
begin
    for v_name in select e.key from jsonb_each(p_zeros) e where e.value <> 'null' loop
        execute format('delete from stats.%I where ctid = any ($1)', v_name)
            using array(select jsonb_array_elements_text(p_zeros -> v_name))::tid[];
    end loop;
end $$;

create or replace function stats.fold() returns jsonb
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_result jsonb;
begin
    -- One at a time, and never waiting. A statement of its own, so that the next one's snapshot has
    -- what the last fold did.
    if not pg_try_advisory_xact_lock(hashtext('fersk'), hashtext('stats.fold')) then
        return jsonb_build_object('outcome', 'already_running', 'units', 0, 'invalidated', 0,
            'organizations', '[]'::jsonb);
    end if;
    if not exists (select from stats.unit_changes) then
        return jsonb_build_object('outcome', 'folded', 'units', 0, 'invalidated', 0,
            'organizations', '[]'::jsonb);
    end if;
    execute 'with recursive taken as (delete from stats.activity_changes where true returning *), '
        || stats.totals_upserts() || $fold$,
    moved as (
        delete from stats.tree_changes where true returning *
    ), touched as materialized (
        select organization_id, chapter_id as unit_id, date_part('year',
               bucket_date)::integer as period_year
        from taken group by 1, 2, 3
        union
        select organization_id, unit_id, 0 from moved
    ), walk (unit_id, organization_id, period_year, parent_id, level) as (
        select u.id, u.organization_id, t.period_year, u.parent_id, 1
        from touched t join public.organization_units u on u.id = t.unit_id
        union
        select p.id, p.organization_id, w.period_year, p.parent_id, w.level + 1
        from walk w join public.organization_units p on p.id = w.parent_id
        where w.level < 6   -- a damaged tree ends the walk too
    ), marked as (
        -- Every unit, cached or not: a computation that began before must find the mark.
        insert into stats.marks as m (unit_id, period_year)
        select w.unit_id, w.period_year from walk w group by 1, 2 order by 1, 2
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
        select w.organization_id, w.unit_ids, coalesce(d.dates, '[]') as dates
        from (select organization_id, jsonb_agg(distinct unit_id) as unit_ids from walk
            group by 1) w
        left join days d on d.organization_id = w.organization_id
    )
    select jsonb_build_object(
        'outcome', 'folded',
        'units', (select count(distinct t.unit_id) from touched t),
        'invalidated', (select count(*) from marked),
        'zeros', (select jsonb_object_agg(z.name, to_jsonb(z.places)) from zeros z),
        'organizations', (select coalesce(jsonb_agg(to_jsonb(t) order by t.organization_id), '[]')
            from told t))
    $fold$ into v_result;
    perform stats.remove_zeros(v_result -> 'zeros');
    perform stats.tell(v_result -> 'organizations');
    return v_result - 'zeros';
exception
    -- Above READ COMMITTED the snapshot may be older than the last fold. Then that one was the fold
    -- that was asked for.
    when serialization_failure then
        return jsonb_build_object('outcome', 'already_running', 'units', 0, 'invalidated', 0,
            'organizations', '[]'::jsonb);
end $$;
comment on function stats.fold() is
    'Moves the log into the totals, marks summaries, broadcasts; {outcome: folded | '
    'already_running, units, invalidated, organizations}.';

-- A broadcast that fails is on record and fails no fold: clients read again after a reconnect.
create or replace function stats.tell(p_organizations jsonb) returns void
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    perform private.broadcast_invalidation(
        (o ->> 'organization_id')::uuid,
        array(select jsonb_array_elements_text(o -> 'unit_ids'))::uuid[],
        array(select jsonb_array_elements_text(o -> 'dates'))::date[])
    from jsonb_array_elements(p_organizations) o;
exception when others then
    perform stats.record_error('broadcast: ' || sqlstate || ': ' || sqlerrm);
end $$;

revoke execute on function stats.totals_upserts(), stats.remove_zeros(jsonb), stats.fold(),
    stats.tell(jsonb)
    from public, anon, authenticated, service_role;
