-- Purpose: schemas, extensions and default privileges that everything else stands on.
-- Locks: none. Data safety: new objects only.

-- Nothing is readable or callable by default: every later migration grants by name.
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke execute on functions from anon, authenticated, service_role;
alter default privileges revoke execute on functions from public;

-- app: who is calling and what they may see. private: secrets and internals. stats: snapshots, change log, refresh.
create schema if not exists app;
create schema if not exists private;
create schema if not exists stats;
revoke all on schema app, private, stats from public;
grant usage on schema app to authenticated, service_role;
comment on schema app is 'Who is calling and what they may see; used by policies and views.';
comment on schema private is 'Secrets and internals; reachable by the owner only.';
comment on schema stats is 'Materialised snapshots, the change log and their refresh; not exposed to the API.';

create extension if not exists pgcrypto with schema extensions;   -- signs webhooks
create extension if not exists pg_cron with schema pg_catalog;    -- the sweep

-- Where pg_net does not exist as an extension, the local stack provides schema net with the same functions.
do $$
begin
    if exists (select from pg_catalog.pg_available_extensions where name = 'pg_net') then
        create extension if not exists pg_net;
    end if;
end $$;
