-- Purpose: undo create_extensions: those that came with it go.
-- Locks: none. Data safety: fails, and changes nothing, if something else stands on one of them.

do $$
declare
    v_name text;
begin
    if to_regclass('private.created_extensions') is null then
        return;   -- undone already
    end if;
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
