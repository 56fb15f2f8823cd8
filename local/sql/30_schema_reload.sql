-- Purpose: PostgREST reloads its schema cache by itself after DDL, as on the hosted platform. Idempotent.
-- Temporary objects are left out: `refresh materialized view concurrently` makes some each time.

create or replace function extensions.pgrst_ddl_watch() returns event_trigger
    language plpgsql set search_path = '' as $$
begin
    if exists (
        select from pg_catalog.pg_event_trigger_ddl_commands()
        where schema_name is distinct from 'pg_temp'
          and command_tag not in ('REFRESH MATERIALIZED VIEW', 'CREATE INDEX', 'ALTER INDEX')
    ) then
        notify pgrst, 'reload schema';
    end if;
end $$;

create or replace function extensions.pgrst_drop_watch() returns event_trigger
    language plpgsql set search_path = '' as $$
begin
    if exists (
        select from pg_catalog.pg_event_trigger_dropped_objects()
        where not is_temporary
          and object_type in ('schema', 'table', 'foreign table', 'view', 'materialized view', 'function', 'type', 'rule')
    ) then
        notify pgrst, 'reload schema';
    end if;
end $$;

drop event trigger if exists pgrst_ddl_watch;
create event trigger pgrst_ddl_watch on ddl_command_end execute function extensions.pgrst_ddl_watch();
drop event trigger if exists pgrst_drop_watch;
create event trigger pgrst_drop_watch on sql_drop execute function extensions.pgrst_drop_watch();
