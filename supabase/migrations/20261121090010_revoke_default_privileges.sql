-- Purpose: nothing is readable or callable by default; every later migration grants by name.
-- Locks: none. Data safety: what is taken away is kept for the rollback.

-- A project's age decides what is granted by default.
create table if not exists private.revoked_default_privileges (
    object_type text    not null check (object_type in ('tables', 'sequences', 'functions')),
    in_public   boolean not null,   -- else in every schema
    grantee     text    not null,
    privilege   text    not null,
    primary key (object_type, in_public, grantee, privilege)
);
comment on table private.revoked_default_privileges is
    'The default privileges that were taken away; for the rollback.';
alter table private.revoked_default_privileges enable row level security;   -- deny-all: no policy

insert into private.revoked_default_privileges (object_type, in_public, grantee, privilege)
select case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' else 'functions' end,
       true, a.grantee::regrole::text, a.privilege_type
from pg_catalog.pg_default_acl d
cross join aclexplode(d.defaclacl) a
where d.defaclrole = current_user::regrole
  and d.defaclnamespace = 'public'::regnamespace
  and d.defaclobjtype in ('r', 'S', 'f')
  and a.grantee in ('anon'::regrole, 'authenticated'::regrole, 'service_role'::regrole)
union all
-- without an entry of its own, PUBLIC may execute every new function
select 'functions', false, 'public', 'EXECUTE'
where not exists (
        select from pg_catalog.pg_default_acl d
        where d.defaclrole = current_user::regrole
          and d.defaclnamespace = 0
          and d.defaclobjtype = 'f')
   or exists (
        select from pg_catalog.pg_default_acl d
        cross join aclexplode(d.defaclacl) a
        where d.defaclrole = current_user::regrole
          and d.defaclnamespace = 0
          and d.defaclobjtype = 'f'
          and a.grantee = 0)
on conflict do nothing;

alter default privileges in schema public
    revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public
    revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public
    revoke execute on functions from anon, authenticated, service_role;
alter default privileges revoke execute on functions from public;

revoke all on private.revoked_default_privileges
    from public, anon, authenticated, service_role;
