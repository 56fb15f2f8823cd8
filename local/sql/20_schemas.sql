-- Purpose: Supabase's database, schemas and preinstalled extensions. Idempotent.

alter database postgres owner to postgres;
alter database postgres set search_path = "$user", public, extensions;

alter schema public owner to postgres;
revoke create on schema public from public;
grant usage on schema public to anon, authenticated, service_role;

-- Owned by the superuser: the CLI's `db reset` drops every schema that is not.
create schema if not exists extensions authorization supabase_admin;
grant usage on schema extensions to anon, authenticated, service_role;
grant all on schema extensions to postgres with grant option;
create extension if not exists pgcrypto with schema extensions;
create extension if not exists "uuid-ossp" with schema extensions;
create extension if not exists pg_stat_statements with schema extensions;

do $$
begin
    if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
        create publication supabase_realtime;
        alter publication supabase_realtime owner to postgres;
    end if;
end $$;
