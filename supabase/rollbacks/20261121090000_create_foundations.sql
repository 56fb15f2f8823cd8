-- Purpose: undo create_foundations: schemas, extensions and default privileges as Supabase has them.
-- Locks: none. Data safety: fails, and changes nothing, if a schema still holds something.

do $$
begin
    -- a schedule of somebody else's is not ours to drop
    if to_regclass('cron.job') is not null then
        if not exists (select from cron.job) then
            drop extension pg_cron;
        end if;
    end if;
    -- Supabase's own database webhooks live in schema supabase_functions and stand on pg_net
    if to_regnamespace('supabase_functions') is null then
        drop extension if exists pg_net;
    end if;
end $$;
-- pgcrypto stays: every Supabase project has it in schema extensions before any migration.

drop schema if exists stats;
drop schema if exists private;
drop schema if exists app;

alter default privileges grant execute on functions to public;
alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
