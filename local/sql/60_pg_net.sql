-- Purpose: net.http_post as in pg_net 0.20, for databases where the extension does not exist. Idempotent; skipped where
--          the extension can be had. `python -m local.pg_net` is the worker that sends what is queued.
-- Differs: only what the migrations use. The extension opens schema, tables and functions to PUBLIC; here postgres and
--          service_role alone may use them: triggers call net.http_post from security definer functions of postgres.

create schema if not exists net;

do $$
begin
    if to_regtype('net.http_method') is null then
        create domain net.http_method as text
            constraint http_method_check check (upper(value) in ('GET', 'POST', 'DELETE'));
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
comment on table net._http_response is 'What became of each request; the worker removes rows after six hours.';

create or replace function net.http_post(
    url text, body jsonb default '{}', params jsonb default '{}',
    headers jsonb default '{"Content-Type": "application/json"}', timeout_milliseconds integer default 5000
) returns bigint
    language plpgsql security definer set search_path = '' as $$
declare
    v_content_type constant text := (
        select value from jsonb_each_text(headers) where lower(key) = 'content-type' and value is not null limit 1);
    v_id bigint;
begin
    if params <> '{}' then
        raise exception 'params are not in the stand-in for pg_net' using errcode = 'feature_not_supported';
    end if;
    if url !~* '^https?://[^/?#[:space:]]+[^[:space:][:cntrl:]]*$' then
        raise exception 'invalid URL "%": %', url,
            case when url ~* '^[a-z][a-z0-9+.-]*:' and url !~* '^https?:' then 'Unsupported URL scheme'
                 else 'Malformed input to a URL function' end
            using errcode = 'internal_error';
    end if;
    if v_content_type is null then
        headers := coalesce(headers, '{}') || '{"Content-Type": "application/json"}';
    elsif v_content_type <> 'application/json' then
        raise exception 'Content-Type header must be "application/json"';
    end if;

    insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
    values ('POST', url, headers, convert_to(body::text, 'UTF8'), timeout_milliseconds)
    returning id into v_id;
    -- Postgres folds equal notifications of a transaction into one and delivers it at commit: any number of requests
    -- wakes the worker once, and a rollback (also to a savepoint) not at all.
    perform pg_notify('pg_net', '');
    return v_id;
end $$;
comment on function net.http_post(text, jsonb, jsonb, jsonb, integer) is
    'Queues a POST of JSON; returns the id of its row in net._http_response.';

revoke all on schema net from public;
revoke all on all tables in schema net from public;
revoke all on all functions in schema net from public;

grant usage on schema net to postgres, service_role;
grant select, delete on net.http_request_queue, net._http_response to postgres;  -- to look, and to drop a backlog
grant execute on function net.http_post(text, jsonb, jsonb, jsonb, integer) to postgres, service_role;
