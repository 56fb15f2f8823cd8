-- Purpose: what PostgREST asks before each request: is it one we answer, and is it the caller's
-- turn?
-- Locks: none. Data safety: new objects only; install_platform_parts tells PostgREST.
--
-- A read must not write, so the caller's places are advisory locks: they go with the transaction,
-- however it ends, and cost no more than a look at shared memory. One person cannot take all of
-- PostgREST's connections, nor one organisation.

create or replace function app.take_place(p_whose text, p_places integer) returns boolean
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    for v_place in 1..p_places loop
        if pg_try_advisory_xact_lock(hashtext('fersk.place'), hashtext(p_whose || v_place)) then
            return true;
        end if;
    end loop;
    return false;
end $$;
comment on function app.take_place(text, integer) is
    'Takes one of so many places until the transaction ends; false when all are taken.';

create or replace function app.wait_for_place(p_whose text, p_places integer) returns boolean
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_timeout text := current_setting('lock_timeout');
begin
    if app.take_place(p_whose, p_places) then
        return true;
    end if;
    begin
        perform set_config('lock_timeout', '2s', true);
        perform pg_advisory_xact_lock(hashtext('fersk.place'),
                                      hashtext(p_whose || (1 + pg_backend_pid() % p_places)));
        perform set_config('lock_timeout', v_timeout, true);
    exception when lock_not_available then
        return false;   -- with the former timeout
    end;
    return true;
end $$;
comment on function app.wait_for_place(text, integer) is
    'As take_place, but waits for one when all are taken; false when that takes over two seconds.';

create or replace function app.check_request() returns void
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_headers json := nullif(current_setting('request.headers', true), '')::json;
    v_prefer  text := v_headers ->> 'prefer';
    v_claims  json;
    v_person  text;
    v_org_id  text;
begin
    if v_prefer ~* '\mtx\s*=' then
        perform app.refuse(400, 'bad_request',
                           'Prefer: tx is not accepted, because what was done is done.');
    end if;
    if current_user = 'service_role' then
        return;
    end if;
    -- the planner knows how much there is, whoever may see it
    if v_prefer ~* '\mcount\s*=\s*(?!exact\M)' then
        perform app.refuse(400, 'bad_request', 'Of the counts, Prefer: count=exact is accepted.');
    end if;
    if lpad(v_headers ->> 'content-length', 20, '0') > lpad('5242880', 20, '0') then
        perform app.refuse(413, 'payload_too_large', 'The body is larger than 5 MiB.');
    end if;
    v_claims := nullif(current_setting('request.jwt.claims', true), '')::json;
    v_person := coalesce(v_claims ->> 'sub', 'anonymous');
    v_org_id := v_claims -> 'app_metadata' ->> 'org_id';
    if not app.take_place('person ' || v_person, 10)
        or v_org_id is not null and not app.take_place('organization ' || v_org_id, 15)
        -- of those, two at a time run, and the others wait for them
        or not app.wait_for_place('running ' || v_person, 2) then
        perform app.refuse(429, 'rate_limited', 'Too many requests at once; try again shortly.',
                           interval '1 second');
    end if;
end $$;
comment on function app.check_request() is
    'Asked by PostgREST before each request (db_pre_request): refuses what undoes side effects, '
    'what shows the planner''s knowledge, bodies that are too large, and too much at once.';

revoke execute on function app.take_place(text, integer), app.wait_for_place(text, integer),
    app.check_request()
    from public, anon, authenticated, service_role;
-- before each request, whoever calls
grant usage on schema app to anon;
grant execute on function app.check_request(), app.refuse(integer, text, text, interval),
    app.take_place(text, integer), app.wait_for_place(text, integer)
    to anon, authenticated, service_role;
