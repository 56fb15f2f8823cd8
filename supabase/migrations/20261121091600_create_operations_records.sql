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

-- When something was last asked for, in microseconds since 1970. A sequence is outside of
-- transactions: all see it at once, at every isolation level, nobody waits for it, and no
-- serializable transaction depends on it.
-- stats.fold_asked_at also tells whose turn it is: acknowledging a wake-up sets it to 0, not called,
-- and the first writer to take that number asks next.
create sequence if not exists stats.fold_asked_at minvalue 0 start 0;
create sequence if not exists stats.refresh_asked_at minvalue 0 start 0;

create or replace function stats.noted_time(p_sequence regclass) returns timestamptz
    language sql volatile security invoker set search_path = ''
    return to_timestamp(nullif(pg_sequence_last_value(p_sequence), 0) / 1000000.0);
create or replace function stats.note_time(p_sequence regclass) returns void
    language sql volatile security invoker set search_path = ''
begin atomic
    select setval(p_sequence, (extract(epoch from clock_timestamp()) * 1000000)::bigint);
end;

-- A time in the future counts as none: the clock was set back.
create or replace function stats.is_recent(p_at timestamptz, p_interval interval) returns boolean
    language sql volatile security invoker set search_path = ''
    return coalesce(p_at > clock_timestamp() - p_interval and p_at <= clock_timestamp(), false);
comment on function stats.is_recent(timestamptz, interval) is
    'Whether it happened less than the interval ago.';

revoke all on stats.settings, stats.stats_refresh_log, stats.errors
    from public, anon, authenticated, service_role;
revoke all on sequence stats.errors_id_seq, stats.fold_asked_at, stats.refresh_asked_at
    from public, anon, authenticated, service_role;
revoke execute on function stats.record_error(text), stats.noted_time(regclass),
    stats.note_time(regclass),
    stats.is_recent(timestamptz, interval) from public, anon, authenticated, service_role;
