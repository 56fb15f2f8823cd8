-- Purpose: the SQL side of the stand-in for pg_net 0.20, for databases where the extension does not exist.
--          Same names, argument lists, results and tables as the extension; `python -m local.pg_net` is its worker.
-- Run as : supabase_admin (superuser), as often as you like; refuses where the real extension can be had.
-- Differs: the extension leaves schema, tables and functions to PUBLIC. Here postgres and service_role alone may use
--          them: triggers call net.http_post from security definer functions owned by postgres.
--          Left out: net.worker_restart (restart the process), net._await_response, the deprecated
--          net.http_collect_response. Time-outs tell the total only, not how it divides into DNS, handshake and HTTP.

do $$
begin
    if exists (select from pg_catalog.pg_available_extensions where name = 'pg_net') then
        raise exception 'extension pg_net is available: use it instead of the stand-in'
            using hint = 'create extension pg_net with schema extensions';
    end if;
end $$;

create schema if not exists net;

do $$
begin
    if to_regtype('net.http_method') is null then
        create domain net.http_method as text
            constraint http_method_check check (upper(value) in ('GET', 'POST', 'DELETE'));
    end if;
    if to_regtype('net.request_status') is null then
        create type net.request_status as enum ('PENDING', 'SUCCESS', 'ERROR');
    end if;
    if to_regtype('net.http_response') is null then
        create type net.http_response as (status_code integer, headers jsonb, body text);
    end if;
    if to_regtype('net.http_response_result') is null then
        create type net.http_response_result as (status net.request_status, message text, response net.http_response);
    end if;
end $$;

-- Unlogged as in the extension: a crash of the server empties both, and request ids start at 1 again.
create unlogged table if not exists net.http_request_queue (
    id                   bigserial,
    method               net.http_method not null,
    url                  text            not null,
    headers              jsonb,
    body                 bytea,
    timeout_milliseconds integer         not null
);
comment on table net.http_request_queue is 'Requests committed and not yet taken by the worker.';

create unlogged table if not exists net._http_response (
    id           bigint,
    status_code  integer,
    content_type text,
    headers      jsonb,
    content      text,
    timed_out    boolean,
    error_msg    text,
    created      timestamptz not null default now()
);
create index if not exists _http_response_created_idx on net._http_response (created);
comment on table net._http_response is 'What became of each request; pruned by the worker after FERSK_PG_NET_TTL.';

-- ---------------------------------------------------------------- the worker

-- The worker is the session that holds this advisory lock ('pg_n', 'et' in ASCII); Postgres frees it when the session ends.
create or replace function net._become_worker() returns boolean
    language sql volatile set search_path = ''
    return pg_catalog.pg_try_advisory_lock(1885822830, 25972);
comment on function net._become_worker() is 'True if this session is now the one worker of this database.';

create or replace function net._worker_is_up() returns boolean
    language sql volatile set search_path = ''
begin atomic
    select exists (
        select from pg_catalog.pg_locks l
        join pg_catalog.pg_database d on d.oid = l.database
        where d.datname = pg_catalog.current_database()
          and l.locktype = 'advisory' and l.granted
          and l.classid = 1885822830 and l.objid = 25972 and l.objsubid = 2
    );
end;

create or replace function net.check_worker_is_up() returns void
    language plpgsql security definer set search_path = '' as $$
begin
    if not net._worker_is_up() then
        raise exception 'the pg_net background worker is not up'
            using detail = 'no session of the stand-in worker is connected to this database',
                  hint = 'start it with: python -m local.pg_net';
    end if;
end $$;
comment on function net.check_worker_is_up() is 'Raises an exception unless the worker is connected.';

create or replace function net.wait_until_running() returns void
    language plpgsql security definer set search_path = '' as $$
begin
    while not net._worker_is_up() loop
        perform pg_catalog.pg_sleep(0.05);
    end loop;
end $$;
comment on function net.wait_until_running() is 'Returns as soon as the worker is connected; waits without limit.';

-- Postgres folds equal notifications of one transaction into one and delivers it at commit: any number of requests
-- wakes the worker once, and a rollback (also to a savepoint) not at all.
create or replace function net.wake() returns void
    language sql volatile security definer set search_path = ''
begin atomic
    select pg_catalog.pg_notify('pg_net', '');
end;
comment on function net.wake() is 'Wakes the worker when the transaction commits.';

-- ---------------------------------------------------------------- URLs

-- RFC 3986: everything but the unreserved characters becomes %XX, octet by octet of its UTF-8 form.
create or replace function net._urlencode_string(string varchar) returns text
    language sql immutable strict set search_path = ''
begin atomic
    select coalesce(string_agg(
        case
            when chr collate "C" ~ '^[A-Za-z0-9._~-]$' then chr
            else regexp_replace(upper(encode(convert_to(chr, 'UTF8'), 'hex')), '(..)', '%\1', 'g')
        end, '' order by place), '')
    from regexp_split_to_table(string, '') with ordinality as characters (chr, place);
end;

create or replace function net._encode_url_with_params_array(url text, params_array text[]) returns text
    language plpgsql immutable strict set search_path = '' as $$
declare
    v_parts constant text[] := regexp_match(url, '^(https?)(://[^/?#]+)([^?#]*)(?:\?([^#]*))?(#.*)?$', 'i');
    v_added constant text := array_to_string(params_array, '&');
    v_query text;
begin
    if v_parts is null or url ~ '[[:space:][:cntrl:]]' then
        raise exception 'invalid URL "%": %', url,
            case when url ~* '^[a-z][a-z0-9+.-]*:' and url !~* '^https?:' then 'Unsupported URL scheme'
                 else 'Malformed input to a URL function' end
            using errcode = 'internal_error';
    end if;
    v_query := coalesce(v_parts[4], '');
    if v_added <> '' then
        v_query := v_query || case when v_query ~ '(^|&)$' then '' else '&' end || v_added;
    end if;
    return lower(v_parts[1]) || v_parts[2]
        || case v_parts[3] when '' then '/' else v_parts[3] end
        || case v_query when '' then '' else '?' || v_query end
        || coalesce(v_parts[5], '');
end $$;

-- ---------------------------------------------------------------- requests

-- The one place that writes to the queue. Runs as its callers' owner: it is granted to nobody.
create or replace function net._enqueue(
    p_method text, p_url text, p_params jsonb, p_headers jsonb, p_body jsonb, p_timeout_milliseconds integer
) returns bigint
    language plpgsql set search_path = '' as $$
declare
    v_params text[];
    v_id     bigint;
begin
    if jsonb_typeof(p_headers) <> 'object' then  -- one such row would stop the worker at every batch
        raise exception 'headers must be a JSON object' using errcode = 'invalid_parameter_value';
    end if;

    select coalesce(array_agg(net._urlencode_string(key) || '=' || net._urlencode_string(value)), '{}')
    into v_params
    from jsonb_each_text(p_params);

    insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
    values (p_method, net._encode_url_with_params_array(p_url, v_params), p_headers,
            convert_to(p_body::text, 'UTF8'), p_timeout_milliseconds)
    returning id into v_id;

    perform net.wake();
    return v_id;
end $$;

create or replace function net.http_get(
    url text, params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds integer default 5000
) returns bigint
    language sql volatile security definer set search_path = ''
begin atomic
    select net._enqueue('GET', url, params, headers, null, timeout_milliseconds);
end;
comment on function net.http_get(text, jsonb, jsonb, integer) is 'Queues a GET; returns the id of its row in net._http_response.';

create or replace function net.http_post(
    url text, body jsonb default '{}', params jsonb default '{}',
    headers jsonb default '{"Content-Type": "application/json"}', timeout_milliseconds integer default 5000
) returns bigint
    language plpgsql security definer set search_path = '' as $$
declare
    v_content_type constant text := (
        select value from jsonb_each_text(headers) where lower(key) = 'content-type' and value is not null limit 1);
begin
    if v_content_type is null then
        headers := coalesce(headers, '{}') || '{"Content-Type": "application/json"}';
    elsif v_content_type <> 'application/json' then
        raise exception 'Content-Type header must be "application/json"';
    end if;
    return net._enqueue('POST', url, params, headers, body, timeout_milliseconds);
end $$;
comment on function net.http_post(text, jsonb, jsonb, jsonb, integer) is 'Queues a POST of JSON; returns the id of its row in net._http_response.';

create or replace function net.http_delete(
    url text, params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds integer default 5000,
    body jsonb default null
) returns bigint
    language sql volatile security definer set search_path = ''
begin atomic
    select net._enqueue('DELETE', url, params, headers, body, timeout_milliseconds);
end;
comment on function net.http_delete(text, jsonb, jsonb, integer, jsonb) is 'Queues a DELETE; returns the id of its row in net._http_response.';

-- A request still on its way cannot be told from one that never was, just as in the extension.
create or replace function net._http_collect_response(request_id bigint, async boolean default true)
    returns net.http_response_result
    language plpgsql security definer set search_path = '' as $$
declare
    v_response net._http_response;
begin
    loop
        select * into v_response from net._http_response r where r.id = request_id;
        exit when async or found;
        perform pg_catalog.pg_sleep(0.05);
    end loop;
    if v_response.id is null then
        return row('ERROR', 'request matching request_id not found', null)::net.http_response_result;
    elsif v_response.error_msg is not null then
        return row('ERROR', v_response.error_msg, null)::net.http_response_result;
    end if;
    return row('SUCCESS', 'ok', row(v_response.status_code, v_response.headers, v_response.content)::net.http_response)
        ::net.http_response_result;
end $$;
comment on function net._http_collect_response(bigint, boolean) is 'The response to a request; with async false, waits for it without limit.';

-- ---------------------------------------------------------------- grants

revoke all on schema net from public;
revoke all on all tables in schema net from public;
revoke all on all functions in schema net from public;

grant usage on schema net to postgres, service_role;
grant select, delete on net.http_request_queue, net._http_response to postgres;  -- to look, and to drop a backlog
grant execute on function
    net.http_get(text, jsonb, jsonb, integer),
    net.http_post(text, jsonb, jsonb, jsonb, integer),
    net.http_delete(text, jsonb, jsonb, integer, jsonb),
    net._http_collect_response(bigint, boolean),
    net.wake(),
    net.check_worker_is_up(),
    net.wait_until_running()
to postgres, service_role;
