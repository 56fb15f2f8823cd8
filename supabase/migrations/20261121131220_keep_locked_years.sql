-- Purpose: app users change nothing that took place in a locked year, nor how it is reported.
-- Locks: brief, SHARE ROW EXCLUSIVE on activities and bufdir_mapping_versions.
-- Data safety: new objects only.

-- A look-up by key, and a lock in shared memory that everybody else who writes in the year has as
-- well. While somebody is locking the year it is not to be had, and nobody waits for it.
create or replace function stats.require_open_year(p_organization_id uuid, p_day date) returns void
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_year integer := extract(year from p_day);
begin
    if not pg_try_advisory_xact_lock_shared(hashtext('fersk.year'),
                                            stats.year_key(p_organization_id, v_year))
       or exists (select from public.reporting_years y
                  where y.organization_id = p_organization_id and y.year = v_year
                    and y.locked_at is not null) then
        perform app.refuse(409, 'conflict', 'the year is locked');
    end if;
end $$;

create or replace function private.keep_locked_years() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: stats is private
begin
    if tg_op <> 'INSERT' then
        perform stats.require_open_year(old.organization_id, old.activity_date);
    end if;
    if tg_op <> 'DELETE' then
        perform stats.require_open_year(new.organization_id, new.activity_date);
    end if;
    return null;
end $$;

-- The setting is what the API has become, also inside of functions with their owner's rights. Those
-- may erase contacts and texts, and sum expenses, in any year.
create or replace trigger activities_keep_locked_years
    after insert or delete on public.activities
    for each row when (current_setting('role') = 'authenticated')
    execute function private.keep_locked_years();
create or replace trigger activities_keep_locked_years_unchanged
    after update on public.activities
    for each row when (
        current_setting('role') = 'authenticated'
        and (current_user = 'authenticated'
             or (old.unit_id, old.peer_mentor_id, old.activity_type_id, old.activity_date,
                 old.duration_minutes, old.participant_count, old.is_counted)
                is distinct from
                (new.unit_id, new.peer_mentor_id, new.activity_type_id, new.activity_date,
                 new.duration_minutes, new.participant_count, new.is_counted)))
    execute function private.keep_locked_years();

-- A version of the mapping holds from its year on.
create or replace function private.keep_mapping_of_locked_years() returns trigger
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: stats is private
begin
    perform stats.require_open_year(new.organization_id, make_date(y, 1, 1))
    from generate_series(new.valid_from_year, 2099) y;
    return null;
end $$;
create or replace trigger bufdir_mapping_versions_keep_locked_years
    after insert on public.bufdir_mapping_versions
    for each row when (current_setting('role') = 'authenticated')
    execute function private.keep_mapping_of_locked_years();

revoke execute on function stats.require_open_year(uuid, date), private.keep_locked_years(),
    private.keep_mapping_of_locked_years()
    from public, anon, authenticated, service_role;
