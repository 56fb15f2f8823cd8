-- Purpose: what a request may embed, so that its cost has a bound.
-- Locks: none. Data safety: reads only.
--
-- PostgREST embeds by nested joins, each list as JSON under a name that ends with its depth. A list
-- in what is embedded repeats for every row: five deep, one request asks for all rows to the fifth.

create or replace function app.require_shallow_query() returns boolean
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_query text := current_query();
begin
    if position('JOIN LATERAL ( SELECT' in v_query) = 0 then
        return true;
    end if;
    if v_query ~ 'JOIN LATERAL \( SELECT json_agg\("[^"]*_([2-9]|\d\d+)"\)' then
        perform app.refuse(400, 'bad_request',
                           'A list may not be embedded in what is itself embedded; '
                           'ask for it in a request of its own.');
    end if;
    if regexp_count(v_query, 'JOIN LATERAL \( SELECT') > 8 then
        perform app.refuse(400, 'bad_request', 'At most eight relations may be embedded.');
    end if;
    if position('JOIN LATERAL ( SELECT json_agg' in v_query) > 0   -- a list for each of many rows
        and not app.wait_for_place('lists ' || auth.uid(), 1) then
        perform app.refuse(429, 'rate_limited', 'Too many requests at once; try again shortly.',
                           interval '1 second');
    end if;
    return true;
end $$;
comment on function app.require_shallow_query() is
    'True, unless the API''s request embeds so much that its cost has no bound: then it is '
    'refused. Of those that embed lists, one of a person runs at a time.';

revoke execute on function app.require_shallow_query()
    from public, anon, authenticated, service_role;
