-- Run by pgextwlist, as superuser, after `create extension pg_cron`: what hosted Supabase lets `postgres` do with it.
grant usage on schema cron to postgres with grant option;
grant select on cron.job to postgres with grant option;
grant select, delete on cron.job_run_details to postgres with grant option;
grant execute on all functions in schema cron to postgres with grant option;
