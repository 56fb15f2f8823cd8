-- Purpose: Supabase's default privileges for what `postgres` creates in `public`. Run once, when
-- the cluster is new: a migration may change them, and that must last.

-- The image grants everything to the API's roles: all there was until 2026.
alter default privileges for role postgres in schema public
    grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public
    grant all on sequences to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public
    grant all on functions to postgres, anon, authenticated, service_role;

-- Since then the Data API's privileges are taken away again: for new projects since 30 May 2026,
-- for all since 30 October. The others stay: TRUNCATE, REFERENCES and TRIGGER of tables, UPDATE of
-- sequences, and what PUBLIC may execute.
alter default privileges for role postgres in schema public
    revoke select, insert, update, delete on tables from anon, authenticated, service_role;
alter default privileges for role postgres in schema public
    revoke usage, select on sequences from anon, authenticated, service_role;
alter default privileges for role postgres in schema public
    revoke execute on functions from anon, authenticated, service_role;
