-- Purpose: Supabase's default privileges: what `postgres` creates in `public` is open to the API roles unless a
-- migration says otherwise. Run once, when the cluster is new: a migration may change them, and that must last.

alter default privileges for role postgres in schema public
    grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public
    grant all on sequences to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public
    grant all on functions to postgres, anon, authenticated, service_role;
