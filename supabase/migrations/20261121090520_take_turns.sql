-- Purpose: whoever asks for expensive work takes a turn, or is told when to come again.
-- Locks: none. Data safety: new objects only.

-- The organisation's row stays locked to the commit, so that it computes one thing at a time. Who
-- comes second waits for a moment, which keeps a connection, and is then asked to come again.
create or replace function app.take_turn(p_work text) returns void
    language plpgsql volatile security definer set search_path = '' as $$   -- DEFINER: private
declare
    v_limit   private.work_limits;
    v_wait    interval;
    v_timeout text := current_setting('lock_timeout');
begin
    select * into strict v_limit from private.work_limits l where l.work = p_work;
    begin
        perform set_config('lock_timeout', '1s', true);
        v_wait := coalesce(
            private.use_limit(p_work, app.current_org_id(), v_limit.organization_burst,
                              v_limit.organization_interval),
            private.use_limit(p_work, auth.uid(), v_limit.person_burst, v_limit.person_interval));
        perform set_config('lock_timeout', v_timeout, true);
    exception when lock_not_available then
        perform app.refuse(429, 'rate_limited',
                           'Your organisation is computing; try again shortly.',
                           interval '1 second');
    end;
    if v_wait is not null then
        perform app.refuse(429, 'rate_limited', 'Too many requests; try again later.', v_wait);
    end if;
end $$;
comment on function app.take_turn(text) is
    'Lets the caller do expensive work, or refuses with 429: what it counts is part of the work''s '
    'own transaction. A read-only request cannot take a turn.';

-- For work that is done with the secret key on a person's behalf.
create or replace function app.take_refresh_turn() returns void
    language plpgsql volatile security definer set search_path = '' as $$   -- DEFINER: take_turn is
begin
    if app.profile_role() is distinct from 'coordinator'
        and app.profile_role() is distinct from 'org_admin' then
        raise exception 'only coordinators and org admins refresh'
            using errcode = 'insufficient_privilege';
    end if;
    perform app.take_turn('refresh');
end $$;
create or replace function public.take_refresh_turn() returns void
    language sql volatile security invoker set search_path = ''
    return app.take_refresh_turn();
comment on function public.take_refresh_turn() is
    'Counts a refresh that the caller asks for; 429 when they ask too often. Coordinators and org '
    'admins.';

revoke execute on function app.take_turn(text), app.take_refresh_turn(), public.take_refresh_turn()
    from public, anon, authenticated, service_role;
grant execute on function app.take_refresh_turn(), public.take_refresh_turn() to authenticated;
