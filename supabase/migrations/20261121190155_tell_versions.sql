-- Purpose: which versions are at work.
-- Locks: none. Data safety: new objects only.

create or replace function private.versions() returns jsonb
    language plpgsql stable security invoker set search_path = '' as $$
declare
    v_migration text;
begin
    -- the CLI's record of migrations; not there where they were applied otherwise
    if to_regclass('supabase_migrations.schema_migrations') is not null then
        select max(m.version) into v_migration from supabase_migrations.schema_migrations m;
    end if;
    return jsonb_build_object(
        'postgres', current_setting('server_version'),
        'migration', v_migration,
        'extensions', (select jsonb_object_agg(e.extname, e.extversion)
                       from pg_catalog.pg_extension e
                       where e.extname in ('pg_cron', 'pg_net', 'pgcrypto', 'supabase_vault')));
end $$;
comment on function private.versions() is 'Postgres, its extensions, and the newest migration.';

revoke execute on function private.versions() from public, anon, authenticated, service_role;
