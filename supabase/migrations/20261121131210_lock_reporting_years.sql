-- Purpose: locking and unlocking a year.
-- Locks: none. Data safety: new objects only.

-- Whoever writes in a year shares this lock until they commit; who locks the year waits for them.
create or replace function stats.year_key(p_organization_id uuid, p_year integer) returns integer
    language plpgsql immutable security invoker set search_path = '' as $$
begin
    return hashtext(p_organization_id || '/' || p_year);
end $$;

create or replace function stats.close_year(p_organization_id uuid, p_year integer) returns void
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_timeout text := current_setting('lock_timeout');
begin
    perform set_config('lock_timeout', '2s', true);   -- meanwhile nobody begins to write in it
    perform pg_advisory_xact_lock(hashtext('fersk.year'),
                                  stats.year_key(p_organization_id, p_year));
    perform set_config('lock_timeout', v_timeout, true);
exception when lock_not_available then
    perform app.refuse(409, 'being_written', 'somebody is writing in this year; try again');
end $$;

create or replace function app.set_year_lock(p_year integer, p_is_locked boolean, p_reason text)
    returns jsonb
    -- DEFINER: nobody else writes the years
    language plpgsql volatile security definer set search_path = '' as $$
declare
    v_org_id uuid := app.member_org_id();
    v_now    timestamptz := case when p_is_locked then now() end;
    v_by     uuid := case when p_is_locked then app.profile_id() end;
begin
    if coalesce(app.profile_role() <> 'org_admin', true) then
        raise exception 'only org admins lock and unlock years'
            using errcode = 'insufficient_privilege';
    end if;
    if p_year is null or p_year not between 2000 and 2099 then
        raise exception 'the year must be between 2000 and 2099'
            using errcode = 'invalid_parameter_value';
    end if;
    if not p_is_locked and (p_reason is null or p_reason !~ '\S' or length(p_reason) > 500) then
        raise exception 'unlocking needs a reason of at most 500 characters'
            using errcode = 'invalid_parameter_value';
    end if;
    perform stats.close_year(v_org_id, p_year);
    insert into public.reporting_years as y (organization_id, year, locked_at, locked_by)
    select v_org_id, p_year, v_now, v_by
    where p_is_locked or exists (select from public.reporting_years e
                                 where e.organization_id = v_org_id and e.year = p_year)
    on conflict (organization_id, year) do update
        set locked_at = excluded.locked_at, locked_by = excluded.locked_by
        where (y.locked_at is not null) <> p_is_locked;
    if not found then
        if p_is_locked then
            perform app.refuse(409, 'conflict', 'the year is locked');
        end if;
        perform app.refuse(409, 'not_locked', 'the year is not locked');
    end if;
    insert into public.reporting_year_log (organization_id, year, is_locked, changed_by, reason)
    values (v_org_id, p_year, p_is_locked, app.profile_id(), p_reason);
    return jsonb_build_object('year', p_year, 'locked_at', v_now, 'locked_by', v_by);
end $$;

create or replace function public.lock_reporting_year(year integer) returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.set_year_lock(year, true, null);
comment on function public.lock_reporting_year(integer) is
    'Locks a year: app users change nothing that took place in it. Org admins.';
create or replace function public.unlock_reporting_year(year integer, reason text) returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.set_year_lock(year, false, reason);
comment on function public.unlock_reporting_year(integer, text) is
    'Opens a locked year, and notes why. Org admins.';

revoke execute on function stats.year_key(uuid, integer), stats.close_year(uuid, integer),
    app.set_year_lock(integer, boolean, text), public.lock_reporting_year(integer),
    public.unlock_reporting_year(integer, text) from public, anon, authenticated, service_role;
grant execute on function app.set_year_lock(integer, boolean, text),
    public.lock_reporting_year(integer), public.unlock_reporting_year(integer, text)
    to authenticated;
