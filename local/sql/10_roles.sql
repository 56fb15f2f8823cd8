-- Purpose: Supabase's roles. Idempotent. Passwords are set by local/cluster.py, so that none stands in a file.

create function pg_temp.create_role(p_name text, p_attributes text) returns void language plpgsql as $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = p_name) then
        execute format('create role %I', p_name);
    end if;
    execute format('alter role %I %s', p_name, p_attributes);
end $$;

-- `postgres` owns the application and is no superuser, as on the hosted platform: what it may not do fails here too.
select pg_temp.create_role('postgres', 'login nosuperuser createdb createrole replication bypassrls');
select pg_temp.create_role('anon', 'nologin noinherit');
select pg_temp.create_role('authenticated', 'nologin noinherit');
select pg_temp.create_role('service_role', 'nologin noinherit bypassrls');
select pg_temp.create_role('authenticator', 'login noinherit');
select pg_temp.create_role('supabase_auth_admin', 'login noinherit');

grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role to postgres with admin option;
grant authenticator to postgres with admin option;   -- a dump of roles sets its time limits
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;
grant set on parameter session_replication_role to postgres;   -- to restore data without our triggers
-- on Supabase its extension supautils lets postgres set these
grant set on parameter pgrst.db_pre_request, pgrst.db_tx_end, pgrst.db_plan_enabled,
    log_min_messages to postgres;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
-- What sign-up and sign-in got wrong is told to the caller. An error's message may quote what was sent.
alter role supabase_auth_admin set log_min_messages = 'log';
