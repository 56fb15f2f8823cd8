-- Purpose: the extensions that we stand on.
-- Locks: none. Data safety: new objects only.

create table if not exists private.created_extensions (name text primary key);
comment on table private.created_extensions is
    'The extensions that were missing and have been created; for the rollback.';
alter table private.created_extensions enable row level security;   -- deny-all: no policy
revoke all on private.created_extensions from public, anon, authenticated, service_role;

insert into private.created_extensions (name)
select e.name from pg_catalog.pg_available_extensions e
where e.name in ('pgcrypto', 'pg_cron', 'pg_net', 'pg_trgm', 'unaccent')
  and e.installed_version is null;

create extension if not exists pgcrypto with schema extensions;   -- signs webhooks
create extension if not exists pg_cron with schema pg_catalog;    -- the sweep
create extension if not exists unaccent with schema extensions;   -- å and é are found as a and e
create extension if not exists pg_trgm with schema extensions;    -- misspelt names are found

-- Where pg_net does not exist as an extension, the local stack provides schema net with the same
-- functions.
do $$
begin
    if exists (select from pg_catalog.pg_available_extensions where name = 'pg_net') then
        -- what it makes is in schema net all the same
        create extension if not exists pg_net with schema extensions;
    end if;
end $$;
