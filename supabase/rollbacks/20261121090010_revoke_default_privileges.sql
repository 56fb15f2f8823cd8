-- Purpose: undo revoke_default_privileges: they are as they were before.
-- Locks: none. Data safety: nothing is lost.

do $$
declare
    v_revoked record;
begin
    if to_regclass('private.revoked_default_privileges') is null then
        return;   -- undone already
    end if;
    for v_revoked in select * from private.revoked_default_privileges loop
        execute format('alter default privileges %s grant %s on %s to %s',
                       case when v_revoked.in_public then 'in schema public' else '' end,
                       v_revoked.privilege, v_revoked.object_type, v_revoked.grantee);
    end loop;
end $$;

drop table if exists private.revoked_default_privileges;
