-- Purpose: undo create_foundations: schemas, extensions and default privileges as they were before.
-- Locks: none. Data safety: fails, and changes nothing, if a schema still holds something, or if
-- something else stands on an extension that came with it.

do $$
declare
    v_revoked record;
    v_name    text;
begin
    if to_regclass('private.revoked_default_privileges') is null then
        return;   -- undone already
    end if;
    for v_revoked in select * from private.revoked_default_privileges loop
        execute format('alter default privileges %s grant %s on %s to %s',
                       case when v_revoked.in_public then 'in schema public' else '' end,
                       v_revoked.privilege, v_revoked.object_type, v_revoked.grantee);
    end loop;
    for v_name in select name from private.created_extensions loop
        if v_name = 'pg_cron' and to_regclass('cron.job') is not null then
            continue when exists (select from cron.job);   -- somebody else's schedules are not ours
        elsif v_name = 'pg_net' then
            -- Supabase's own webhooks stand on it
            continue when to_regnamespace('supabase_functions') is not null;
        end if;
        execute format('drop extension if exists %I', v_name);
    end loop;
end $$;

drop table if exists private.created_extensions;
drop table if exists private.revoked_default_privileges;
drop schema if exists stats;
drop schema if exists private;
drop schema if exists app;
