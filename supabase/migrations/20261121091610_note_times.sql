-- Purpose: when something was last asked for or done, known to all sessions at once.
-- Locks: none. Data safety: new objects only.
--
-- In microseconds since 1970, each in a sequence. A sequence is outside of transactions: all see it
-- at once, at every isolation level, nobody waits for it, and no serializable transaction depends
-- on it.

-- Also tells whose turn it is: acknowledging a wake-up sets it to 0, not called, and the first
-- writer to take that number asks next.
create sequence if not exists stats.fold_asked_at minvalue 0 start 0;
create sequence if not exists stats.refresh_asked_at minvalue 0 start 0;
create sequence if not exists stats.swept_at minvalue 0 start 0;
create sequence if not exists stats.folded_at minvalue 0 start 0;
create sequence if not exists stats.fold_took minvalue 0 start 0;

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

revoke all on sequence stats.fold_asked_at, stats.refresh_asked_at, stats.swept_at,
    stats.folded_at, stats.fold_took
    from public, anon, authenticated, service_role;
revoke execute on function
    stats.noted_time(regclass), stats.note_time(regclass), stats.is_recent(timestamptz, interval)
    from public, anon, authenticated, service_role;
