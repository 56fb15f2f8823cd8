-- Purpose: what `make doctor` asks of a project, with the secret key alone.
-- Locks: none. Data safety: new objects only.

-- What the API's roles are granted on what is exposed, as the requests that it opens; row-level
-- security and the functions' own checks come on top. docs/reference/privileges.md has the review.
create or replace view private.open_requests as
    select c.relname::text as name, r.role, v.verb
    from pg_catalog.pg_class c
    cross join unnest(array['anon', 'authenticated', 'service_role']) r (role)
    cross join (values ('GET', 'select'), ('POST', 'insert'), ('PATCH', 'update'),
                       ('DELETE', 'delete')) v (verb, privilege)
    where c.relnamespace = 'public'::regnamespace
      and c.relkind in ('r', 'p', 'v', 'm', 'f')
      and (has_table_privilege(r.role, c.oid, v.privilege)
           or v.privilege <> 'delete' and has_any_column_privilege(r.role, c.oid, v.privilege))
    union
    select 'rpc/' || p.proname, r.role, 'POST'
    from pg_catalog.pg_proc p
    cross join unnest(array['anon', 'authenticated', 'service_role']) r (role)
    where p.pronamespace = 'public'::regnamespace
      and p.prorettype <> 'trigger'::regtype
      -- one from a row is embedded, and cannot be called
      and not exists (select from pg_catalog.pg_class c where c.reltype = any (p.proargtypes))
      and not exists (select from pg_catalog.pg_depend d
                      where d.objid = p.oid and d.deptype = 'e')
      and has_function_privilege(r.role, p.oid, 'execute');

create or replace function public.diagnose() returns jsonb
    -- DEFINER: the service role holds no rights on private and cron
    language plpgsql stable security definer set search_path = '' as $$
begin
    return jsonb_build_object(
        'now', clock_timestamp(),
        'health', public.get_health(),
        'problems', (select coalesce(jsonb_agg(to_jsonb(p)), '[]')
                     from private.platform_problems() p),
        'open_requests', (select jsonb_agg(to_jsonb(o) order by o.name, o.role, o.verb)
                          from private.open_requests o),
        'audited_at', (select max(r.start_time)
                       from cron.job_run_details r
                       where r.command = 'select stats.heal()' and r.status = 'succeeded'));
end $$;
comment on function public.diagnose() is
    'Health, what the platform lacks, what is open to whom, and the time. Service role only.';

revoke all on private.open_requests from public, anon, authenticated, service_role;
revoke execute on function public.diagnose() from public, anon, authenticated, service_role;
grant execute on function public.diagnose() to service_role;
