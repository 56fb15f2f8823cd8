-- Purpose: the triggers that write the change log.
-- Locks: brief, SHARE ROW EXCLUSIVE on activities. Data safety: new objects only.
--
-- The three functions are written by stats.define_change_triggers() from stats.measures,
-- stats.contributions, stats.countable_activities and stats.registered_minutes, so that what
-- counts, on which day, and what it adds is said once. Whoever changes one of them calls it again.

-- The view's own query, over other rows. The view by its name: a function that names one by its
-- regclass would have to go before the view can be made anew.
create or replace function stats.view_over(p_view text, p_relation text, p_rows text)
    returns text
    language sql stable security invoker set search_path = ''
    return format('(%s)', replace(
        rtrim(pg_get_viewdef(p_view::regclass), ';'), p_relation, p_rows));

-- The views' own queries, over the rows of a statement.
create or replace function stats.contributions_of(p_rows text) returns text
    language sql stable security invoker set search_path = ''
    return stats.view_over('stats.contributions', 'stats.countable_activities',
        stats.view_over('stats.countable_activities', 'public.activities', p_rows));

create or replace function stats.minutes_of(p_rows text) returns text
    language sql stable security invoker set search_path = ''
    return stats.view_over('stats.registered_minutes', 'public.activities', p_rows);

create or replace function stats.define_change_triggers() returns void
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_keys     text := 'organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date';
    v_measures text := stats.measure_list('%I');
    v_sums     text := stats.measure_list('sum(c.%I) as %I');
    -- DEFINER: writers hold no rights on stats
    v_frame    text := 'create or replace function stats.%I() returns trigger language plpgsql '
                       'security definer set search_path = '''' as $body$ '
                       'declare v_minutes integer; begin %s '
                       'if v_minutes > 1440 then '
                       'raise exception ''more than 24 hours of one person on one day'' '
                       'using errcode = ''check_violation'', '
                       'constraint = ''activities_day_has_24_hours''; end if; '
                       'return new; end $body$';
    v_insert   text := format(
        'insert into stats.activity_changes (%s, is_first, %s) ', v_keys, v_measures);
    v_grouped  text := v_insert || format(
        'select %s, row_number() over () = 1, %s from %%s c group by %s;', v_keys, v_sums, v_keys);
    v_new      text := stats.contributions_of('new_rows');
    v_old      text := stats.contributions_of('old_rows');
    v_added    text := format('select m.* from %s m', stats.minutes_of('new_rows'));
    v_taken    text := format('select m.peer_mentor_id, m.activity_date, -m.minutes as minutes '
                              'from %s m', stats.minutes_of('old_rows'));
begin
    -- One row nearly always: preparing to group would cost as much as writing.
    execute format(v_frame, 'log_inserted_activities', format(
        'if (select count(*) from new_rows) = 1 then %s d.minutes into v_minutes; %s '
        'else %s into v_minutes; %s end if;',
        stats.add_minutes(v_added),
        v_insert || format('select %s, true, %s from %s c;', v_keys, v_measures, v_new),
        format('with longer as (%s d.minutes) select max(l.minutes) from longer l',
               stats.add_minutes(format(
                   'select m.peer_mentor_id, m.activity_date, sum(m.minutes) from (%s) m '
                   'group by 1, 2 order by 1, 2', v_added))),
        format(v_grouped, v_new)));
    execute format(v_frame, 'log_deleted_activities',
        stats.sum_and_add_minutes(v_taken) || ' into v_minutes; '
        || replace(format(v_grouped, v_old), 'sum(', '-sum('));
    -- By contact first: one that changes alone leaves sums of zero, which tell the hierarchy, where
    -- distinct contacts are counted.
    execute format(v_frame, 'log_updated_activities',
        stats.sum_and_add_minutes(v_added || ' union all ' || v_taken) || ' into v_minutes; '
        || format(v_grouped, format(
            '(select %1$s, %2$s from (select %1$s, contact_id, %3$s from %4$s n union all '
            'select %1$s, contact_id, %5$s from %6$s o) c group by %1$s, contact_id having %7$s)',
            v_keys, v_sums, v_measures, v_new, stats.measure_list('-%I'), v_old,
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

revoke execute on function stats.view_over(text, text, text),
    stats.contributions_of(text), stats.minutes_of(text), stats.define_change_triggers(),
    stats.log_inserted_activities(), stats.log_deleted_activities(),
    stats.log_updated_activities(), stats.refuse_truncate()
    from public, anon, authenticated, service_role;
