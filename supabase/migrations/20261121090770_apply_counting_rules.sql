-- Purpose: a rule or a time zone that changes is applied to every activity, in the same commit.
-- Locks: brief, SHARE ROW EXCLUSIVE on counting_rules; ACCESS EXCLUSIVE on organization_settings.
-- Data safety: new objects only.
--
-- The lock comes first: it waits for writers that still judge by the old rules, and keeps others
-- off until the new ones are committed. The statements that follow see all rows of the former. They
-- update only what is judged otherwise, through the same triggers as any other change.

create or replace view stats.misjudged_activities as
    select a.id, a.organization_id, a.unit_id as chapter_id, a.activity_type_id
    from public.activities a
    join stats.judgements j on j.id = a.id
    where (a.activity_date, a.not_counted_because)
          is distinct from (j.activity_date, j.not_counted_because);
comment on view stats.misjudged_activities is
    'Activities whose day or reason is not what the rules say; none, unless triggers were off.';
revoke all on stats.misjudged_activities from public, anon, authenticated, service_role;

create or replace function stats.lock_out_writers() returns void
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    if current_setting('transaction_isolation') not like 'read%' then
        raise exception 'what counts is changed at READ COMMITTED only'
            using errcode = 'active_sql_transaction',
                  hint = 'An older database snapshot would miss what others have just written.';
    end if;
    lock table public.activities in share row exclusive mode;
end $$;

-- Of all types, where none are named.
create or replace function stats.apply_counting_rules(p_activity_type_ids uuid[] default null)
    returns bigint
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_changed bigint;
begin
    perform stats.lock_out_writers();
    perform stats.join_rules(p_activity_type_ids);
    update public.activities a set not_counted_because = null   -- which has it judged
    from stats.misjudged_activities m
    where m.id = a.id
      and (p_activity_type_ids is null or m.activity_type_id = any (p_activity_type_ids));
    get diagnostics v_changed = row_count;
    return v_changed;
end $$;
comment on function stats.apply_counting_rules(uuid[]) is
    'Judges every activity by the rules of now; the number of those that are counted otherwise. '
    'docs/howto/change-the-counting-rule.md.';

create or replace function stats.apply_changed_rules() returns trigger
    -- DEFINER: who writes a rule holds no rights on stats
    language plpgsql security definer set search_path = '' as $$
begin
    if exists (select from changed_rows) then
        perform stats.apply_counting_rules(array(select c.activity_type_id from changed_rows c));
    end if;
    return null;
end $$;
create or replace trigger counting_rules_apply_inserts after insert on public.counting_rules
    referencing new table as changed_rows
    for each statement execute function stats.apply_changed_rules();
create or replace trigger counting_rules_apply_updates after update on public.counting_rules
    referencing new table as changed_rows
    for each statement execute function stats.apply_changed_rules();
create or replace trigger counting_rules_apply_moved after update on public.counting_rules
    referencing old table as changed_rows
    for each statement execute function stats.apply_changed_rules();
create or replace trigger counting_rules_apply_deletes after delete on public.counting_rules
    referencing old table as changed_rows
    for each statement execute function stats.apply_changed_rules();

create or replace function stats.apply_time_zone() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: as above
begin
    if tg_when = 'BEFORE' then
        perform stats.lock_out_writers();   -- before the row, which a writer may wait for
        return null;
    end if;
    perform stats.apply_counting_rules(array(
        select t.id from public.activity_types t where t.organization_id = new.organization_id));
    return null;
end $$;
create or replace trigger organization_settings_lock
    before update of time_zone on public.organization_settings
    for each statement execute function stats.apply_time_zone();
create or replace trigger organization_settings_apply_time_zone
    after update on public.organization_settings
    for each row when (old.time_zone <> new.time_zone) execute function stats.apply_time_zone();

revoke execute on function stats.lock_out_writers(), stats.apply_counting_rules(uuid[]),
    stats.apply_changed_rules(), stats.apply_time_zone()
    from public, anon, authenticated, service_role;
