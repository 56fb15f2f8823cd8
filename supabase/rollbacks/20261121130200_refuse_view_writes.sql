-- Purpose: undo refuse_view_writes.
-- Locks: brief, ACCESS EXCLUSIVE on the views of public. Data safety: nothing is lost.

do $$
declare
    v_view name;
begin
    for v_view in select c.relname from pg_catalog.pg_trigger t
                  join pg_catalog.pg_class c on c.oid = t.tgrelid
                  where t.tgname = 'refuse_write' and c.relnamespace = 'public'::regnamespace loop
        execute format('drop trigger if exists refuse_write on public.%I', v_view);
    end loop;
end $$;
drop function if exists private.close_views();
drop function if exists private.refuse_view_write();
