-- Purpose: the triggers that write the change log.
-- Locks: brief, SHARE ROW EXCLUSIVE on activities. Data safety: new objects only.
--
-- The three functions are written by stats.define_change_triggers() from stats.measures,
-- stats.contributions and stats.countable_activities, so that what counts, on which day, and what
-- it adds is said once. Whoever changes one of them calls it again.

-- The views' own queries, over the rows of a statement.
create or replace function stats.contributions_of(p_rows text) returns text
    language sql stable security invoker set search_path = '' as $$
    select format('(%s)', replace(
        rtrim(pg_get_viewdef('stats.contributions'::regclass), ';'),
        'stats.countable_activities',
        format('(%s)', replace(
            rtrim(pg_get_viewdef('stats.countable_activities'::regclass), ';'),
            'public.activities', p_rows))))
$$;

create or replace function stats.define_change_triggers() returns void
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_keys     text := 'organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date';
    v_measures text := stats.measure_list('%I');
    v_sums     text := stats.measure_list('sum(c.%I) as %I');
    -- DEFINER: writers hold no rights on stats
    v_frame    text := 'create or replace function stats.%I() returns trigger language plpgsql '
                       'security definer set search_path = '''' '
                       'as $body$ begin %s return new; end $body$';
    v_insert   text := format(
        'insert into stats.activity_changes (%s, is_first, %s) ', v_keys, v_measures);
    v_grouped  text := v_insert || format(
        'select %s, row_number() over () = 1, %s from %%s c group by %s;', v_keys, v_sums, v_keys);
begin
    -- Not grouped: preparing to group costs a single row, as nearly all are, as much as writing it.
    execute format(v_frame, 'log_inserted_activities', v_insert || format(
        'select %s, row_number() over () = 1, %s from %s c;', v_keys, v_measures,
        stats.contributions_of('new_rows')));
    execute format(v_frame, 'log_deleted_activities', replace(
        format(v_grouped, stats.contributions_of('old_rows')), 'sum(', '-sum('));
    -- By contact first: one that changes alone leaves sums of zero, which tell the hierarchy, where
    -- distinct contacts are counted.
    execute format(v_frame, 'log_updated_activities', format(v_grouped, format(
        '(select %1$s, %2$s from (select %1$s, contact_id, %3$s from %4$s n union all '
        'select %1$s, contact_id, %5$s from %6$s o) c group by %1$s, contact_id having %7$s)',
        v_keys, v_sums, v_measures, stats.contributions_of('new_rows'),
        stats.measure_list('-%I'), stats.contributions_of('old_rows'),
        stats.measure_list('sum(c.%I) <> 0', ' or '))));
end $$;
comment on function stats.define_change_triggers() is
    'Writes the trigger functions of the change log from the measures; called again when there is '
    'a new one.';
select stats.define_change_triggers();

create or replace trigger activities_log_inserts after insert on public.activities
    referencing new table as new_rows
    for each statement execute function stats.log_inserted_activities();
create or replace trigger activities_log_deletes after delete on public.activities
    referencing old table as old_rows
    for each statement execute function stats.log_deleted_activities();
create or replace trigger activities_log_updates after update on public.activities
    referencing old table as old_rows new table as new_rows
    for each statement execute function stats.log_updated_activities();

-- TRUNCATE has no transition tables, so it could not be logged.
create or replace function stats.refuse_truncate() returns trigger
    language plpgsql security invoker set search_path = '' as $$
begin
    raise exception 'activities cannot be truncated: the statistics could not follow'
        using errcode = 'feature_not_supported', hint = 'Use DELETE FROM public.activities.';
end $$;
create or replace trigger activities_refuse_truncate before truncate on public.activities
    for each statement execute function stats.refuse_truncate();

revoke execute on function
    stats.contributions_of(text), stats.define_change_triggers(),
    stats.log_inserted_activities(), stats.log_deleted_activities(),
    stats.log_updated_activities(), stats.refuse_truncate()
    from public, anon, authenticated, service_role;
