-- Purpose: a write to a view is refused as one to a table is, for want of the right (42501), and
-- not as an error of ours (55000, which PostgREST answers with 500).
-- Locks: brief, ACCESS EXCLUSIVE on the views of public. Data safety: new objects only.

create or replace function private.refuse_view_write() returns trigger
    language plpgsql security invoker set search_path = '' as $$
begin
    raise exception 'permission denied for view %', tg_table_name
        using errcode = 'insufficient_privilege';
end $$;

-- Whether somebody may write is asked only where it is known what a write would do.
create or replace function private.close_views() returns void
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_view name;
begin
    for v_view in select c.relname from pg_catalog.pg_class c
                  where c.relnamespace = 'public'::regnamespace and c.relkind = 'v'
                    and c.relowner = current_user::regrole
                    and pg_relation_is_updatable(c.oid, false) = 0
                  order by 1 loop
        execute format('create or replace trigger refuse_write '
                       'instead of insert or update or delete on public.%I '
                       'for each row execute function private.refuse_view_write()', v_view);
    end loop;
end $$;
comment on function private.close_views() is
    'Has writes to the views of public refused; called again by whoever makes a view.';
select private.close_views();

revoke execute on function private.refuse_view_write(), private.close_views()
    from public, anon, authenticated, service_role;
