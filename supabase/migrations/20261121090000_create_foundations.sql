-- Purpose: schemas, extensions and default privileges that everything else stands on.
-- Locks: none. Data safety: new objects only; where a name is taken, it stops and changes nothing.

-- In a project that is in use already, what is in the way is named first, before anything is made.
do $$
declare
    v_taken text;
begin
    if to_regclass('private.revoked_default_privileges') is not null then
        return;   -- these migrations are here already
    end if;
    select string_agg(distinct t.name, ', ' order by t.name) into v_taken
    from (
        select c.relnamespace as schema_id, c.relname as object, '%s.%s' as form
        from pg_catalog.pg_class c
        where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
        union all
        select p.pronamespace, p.proname, '%s.%s()' from pg_catalog.pg_proc p
        union all
        select y.typnamespace, y.typname, 'type %s.%s' from pg_catalog.pg_type y
        where y.typtype in ('e', 'd')
    ) o
    join pg_catalog.pg_namespace n on n.oid = o.schema_id
    cross join lateral (select format(o.form, n.nspname, o.object) as name) t
    where n.nspname in ('app', 'private', 'stats')
       or n.nspname = 'public' and o.object = any (array[
           'acknowledge_wake_ups', 'activities', 'activity_status', 'activity_time_series',
           'activity_types', 'bufdir_category_mappings', 'bufdir_export_audit_log',
           'bufdir_export_audit_log_id_seq', 'bufdir_metric_snapshots', 'bufdir_thresholds',
           'chapter_assignments', 'chapter_stats', 'chapters', 'claim_webhook',
           'compute_metric_snapshot', 'coordinator_monthly_stats', 'erase_contact',
           'erase_person', 'erasures', 'erasures_id_seq', 'expense_claims', 'expense_status',
           'export_bufdir_snapshot', 'export_person', 'generate_bufdir_report',
           'get_activity_series', 'get_ancestor_ids', 'get_bufdir_alignment', 'get_health',
           'get_hierarchy_stats', 'get_monthly_series', 'get_snapshot_status',
           'hierarchy_node_access', 'hierarchy_stats_cache', 'mv_activity_time_series',
           'mv_chapter_stats', 'mv_peer_mentor_stats', 'organization_settings',
           'organization_units', 'organizations', 'peer_mentor_stats', 'precompute_hierarchy',
           'profile_role', 'profiles', 'read_hierarchy_stats', 'record_node_reads',
           'refresh_hierarchy_entry', 'refresh_stats_views', 'request_invalidation_again',
           'search_units', 'stats_freshness', 'take_unit_changes', 'unit_kind',
           'warm_hierarchy_cache']);
    if v_taken is not null then
        raise exception 'these names are taken in this project: %', v_taken
            using errcode = 'duplicate_object',
                  hint = 'Rename them, move them to another schema, or take another project.';
    end if;
    select string_agg(format('%s is in %s', e.extname, n.nspname), ', ' order by e.extname)
    into v_taken
    from pg_catalog.pg_extension e
    join pg_catalog.pg_namespace n on n.oid = e.extnamespace and n.nspname <> 'extensions'
    where e.extname in ('pgcrypto', 'pg_trgm', 'unaccent');
    if v_taken is not null then
        raise exception 'extensions are expected in schema extensions: %', v_taken
            using errcode = 'object_not_in_prerequisite_state',
                  hint = 'Move each with: alter extension … set schema extensions.';
    end if;
end $$;

-- app: who is calling and what they may see. private: secrets and internals. stats: snapshots,
-- change log, refresh.
create schema if not exists app;
create schema if not exists private;
create schema if not exists stats;
revoke all on schema app, private, stats from public;
grant usage on schema app to authenticated, service_role;
comment on schema app is 'Who is calling and what they may see; used by policies and views.';
comment on schema private is 'Secrets and internals; reachable by the owner only.';
comment on schema stats is
    'Materialised snapshots, the change log and their refresh; not exposed to the API.';

-- What the rollback has to give back. A project's age decides what is granted by default.
create table if not exists private.revoked_default_privileges (
    object_type text not null check (object_type in ('tables', 'sequences', 'functions')),
    in_public   boolean not null,   -- else in every schema
    grantee     text not null,
    privilege   text not null,
    primary key (object_type, in_public, grantee, privilege)
);
comment on table private.revoked_default_privileges is
    'The default privileges that the first migration took away; for its rollback.';
create table if not exists private.created_extensions (name text primary key);
comment on table private.created_extensions is
    'The extensions that the first migration found missing; for its rollback.';
alter table private.revoked_default_privileges enable row level security;   -- deny-all: no policy
alter table private.created_extensions enable row level security;   -- deny-all: no policy

insert into private.revoked_default_privileges (object_type, in_public, grantee, privilege)
select case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' else 'functions' end,
       true, a.grantee::regrole::text, a.privilege_type
from pg_catalog.pg_default_acl d
cross join aclexplode(d.defaclacl) a
where d.defaclrole = current_user::regrole and d.defaclnamespace = 'public'::regnamespace
  and d.defaclobjtype in ('r', 'S', 'f')
  and a.grantee in ('anon'::regrole, 'authenticated'::regrole, 'service_role'::regrole)
union all
-- without an entry of its own, PUBLIC may execute every new function
select 'functions', false, 'public', 'EXECUTE'
where not exists (select from pg_catalog.pg_default_acl d
                  where d.defaclrole = current_user::regrole and d.defaclnamespace = 0
                    and d.defaclobjtype = 'f')
   or exists (select from pg_catalog.pg_default_acl d cross join aclexplode(d.defaclacl) a
              where d.defaclrole = current_user::regrole and d.defaclnamespace = 0
                and d.defaclobjtype = 'f' and a.grantee = 0)
on conflict do nothing;

-- Nothing is readable or callable by default: every later migration grants by name.
alter default privileges in schema public
    revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public
    revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public
    revoke execute on functions from anon, authenticated, service_role;
alter default privileges revoke execute on functions from public;
revoke all on private.revoked_default_privileges, private.created_extensions
    from public, anon, authenticated, service_role;

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
