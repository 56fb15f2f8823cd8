-- Purpose: the settings of the upkeep, and the record of what it did and what went wrong.
-- Locks: none. Data safety: new objects only.

create table if not exists stats.settings (
    only_row     boolean  primary key default true check (only_row),
    refresh_mode text     not null default 'async' check (refresh_mode in ('async', 'inline')),
    debounce     interval not null default '10 seconds' check (debounce >= interval '0')
);
comment on table stats.settings is
    'One row. async: webhooks wake the functions; inline: the writer''s commit folds and '
    'refreshes, where there are none.';
insert into stats.settings default values on conflict do nothing;
alter table stats.settings enable row level security;   -- deny-all: no policy

create table if not exists stats.stats_refresh_log (
    only_row          boolean     primary key default true check (only_row),
    last_requested_at timestamptz,
    last_started_at   timestamptz,
    last_finished_at  timestamptz,
    last_duration_ms  bigint,
    last_applied      bigint
);
comment on table stats.stats_refresh_log is
    'One row: when a refresh of mv_* was last asked for, started, finished (with success). '
    'Whoever refreshes holds it locked.';
insert into stats.stats_refresh_log default values on conflict do nothing;
alter table stats.stats_refresh_log enable row level security;   -- deny-all: no policy

-- A table of its own and not a row that all share: a writer whose wake-up fails waits for nobody.
create table if not exists stats.errors (
    id          bigint      generated always as identity primary key,
    happened_at timestamptz not null default clock_timestamp(),
    message     text        not null
);
comment on table stats.errors is
    'Append-only: what went wrong in the upkeep and failed nobody. The sweep keeps the newest '
    'thousand.';
alter table stats.errors enable row level security;   -- deny-all: no policy

create or replace function stats.record_error(p_message text) returns void
    language sql volatile security invoker set search_path = ''
begin atomic
    insert into stats.errors (message) values (p_message);
end;

revoke all on stats.settings, stats.stats_refresh_log, stats.errors
    from public, anon, authenticated, service_role;
revoke all on sequence stats.errors_id_seq from public, anon, authenticated, service_role;
revoke execute on function stats.record_error(text)
    from public, anon, authenticated, service_role;
