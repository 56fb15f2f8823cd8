-- Purpose: what Supabase Realtime keeps in the database: broadcast messages, and who may read and send them. Idempotent.
--
-- Same names, types, owner and grants as on Supabase, so that migrations that put policies on realtime.messages and
-- call realtime.send() run unchanged. Left out: postgres_changes and presence, which nothing here uses.
-- The server beside it (local/realtime) learns of a message by NOTIFY and then reads the row. NOTIFY speaks after the
-- commit and never after a rollback, and needs no replication slot that holds back WAL while nobody listens; what
-- arrives while the server is disconnected, it reads afterwards, since the rows stay for three days.

do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'supabase_realtime_admin') then
        create role supabase_realtime_admin nologin noinherit noreplication;
    end if;
end $$;
-- Membership lets migrations, run as postgres, create policies on the table.
grant supabase_realtime_admin to postgres;

create schema if not exists realtime authorization supabase_admin;
grant usage on schema realtime to postgres, anon, authenticated, service_role;
grant all on schema realtime to supabase_realtime_admin;

create table if not exists realtime.messages (
    topic       text      not null,
    extension   text      not null,
    payload     jsonb,
    event       text,
    private     boolean   default false,
    updated_at  timestamp not null default now(),
    inserted_at timestamp not null default now(),
    id          uuid      not null default gen_random_uuid(),
    primary key (id, inserted_at)
);
alter table realtime.messages owner to supabase_realtime_admin;
create index if not exists messages_inserted_at_idx on realtime.messages (inserted_at);
alter table realtime.messages enable row level security;
grant select, insert, update on realtime.messages to postgres, anon, authenticated, service_role;

create or replace function realtime.topic() returns text
    language sql stable as $$ select nullif(current_setting('realtime.topic', true), '') $$;
comment on function realtime.topic() is 'The channel that is joined or sent to, while the server asks a policy about it.';

create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
    language plpgsql set search_path = '' as $$
declare
    v_id uuid := gen_random_uuid();
begin
    perform set_config('realtime.topic', topic, true);   -- for policies on insert
    insert into realtime.messages (id, topic, extension, payload, event, private)
    values (v_id, topic, 'broadcast',
            case when payload ? 'id' then payload else jsonb_set(payload, '{id}', to_jsonb(v_id)) end, event, private);
exception when others then
    -- As on Supabase: a message that cannot be sent never fails the caller's own work.
    raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
end $$;
comment on function realtime.send(jsonb, text, text, boolean) is
    'Broadcasts to the clients on a topic once the transaction commits; adds the message''s id to the payload.';

-- What follows is this server's own.

create or replace function realtime.notify_message() returns trigger
    language plpgsql set search_path = '' as $$
begin
    perform pg_notify('realtime:messages', new.id::text);   -- not the payload: NOTIFY carries less than 8000 bytes
    return null;
end $$;
create or replace trigger messages_notify after insert on realtime.messages
    for each row when (new.extension = 'broadcast') execute function realtime.notify_message();

create or replace function realtime.prune_messages() returns bigint
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: on Supabase, too, only the server deletes
declare
    v_deleted bigint;
begin
    delete from realtime.messages where inserted_at < localtimestamp - interval '3 days';
    get diagnostics v_deleted = row_count;
    return v_deleted;
end $$;

alter function realtime.topic() owner to supabase_realtime_admin;
alter function realtime.send(jsonb, text, text, boolean) owner to supabase_realtime_admin;
alter function realtime.notify_message() owner to supabase_realtime_admin;
alter function realtime.prune_messages() owner to supabase_realtime_admin;
grant execute on function realtime.topic() to postgres, anon, authenticated, service_role;
grant execute on function realtime.send(jsonb, text, text, boolean) to postgres, anon, authenticated, service_role;
revoke execute on function realtime.notify_message(), realtime.prune_messages() from public;
grant execute on function realtime.prune_messages() to service_role;
