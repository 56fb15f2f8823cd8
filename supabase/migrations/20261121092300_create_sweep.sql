-- Purpose: the sweep, which guarantees what wake-ups make prompt.
-- Locks: none. Data safety: keeps the newest thousand errors and differences.

-- One part that fails fails no other.
create or replace function stats.attempt(p_statement text) returns void
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    execute p_statement;
exception when others then
    perform stats.record_error(p_statement || ': ' || sqlstate || ': ' || sqlerrm);
end $$;

-- A few chapters each time, at random; the night audits all. A migration that has the activities
-- locked keeps the sweep for a second only.
create or replace function stats.audit_sample(p_chapters integer default 5) returns integer
    language plpgsql volatile security invoker set search_path = '' set lock_timeout = '1s' as $$
begin
    return stats.heal(array(
        select u.id from public.organization_units u
        where u.kind = 'local'
        order by random()
        limit p_chapters));
exception when lock_not_available then
    return 0;
end $$;

create or replace function stats.prune_records() returns void
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    delete from stats.errors e
    where e.id <= (select max(m.id) - 1000 from stats.errors m);
    delete from stats.differences d
    where d.id <= (select max(m.id) - 1000 from stats.differences m);
    delete from stats.marks m
    where not exists (select from public.organization_units u where u.id = m.unit_id);
end $$;

create or replace function stats.sweep() returns boolean
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_is_pending      boolean := exists (select from stats.unit_changes);
    v_organization_id uuid;
begin
    perform stats.note_time('stats.swept_at');
    perform stats.attempt('select stats.prune_records()');
    perform stats.attempt('select private.collect_answers()');
    perform stats.attempt('select stats.audit_sample()');
    perform setval('stats.fold_asked_at', 0, false);   -- done, by whomever it was asked for
    perform stats.attempt('select stats.fold()');
    -- A dump of the schema, and one of the data, restore the materialised views without their rows.
    if exists (
        select from pg_catalog.pg_matviews m
        where m.schemaname = 'stats' and not m.ispopulated) then
        perform stats.attempt('select stats.refresh(p_force := true)');
        return true;
    end if;
    select p.organization_id into v_organization_id
    from stats.pending_changes p, stats.settings s, stats.refresh_pace r
    where not stats.is_recent(p.oldest_at, s.debounce)
      and not stats.is_recent(r.last_started_at, r.refresh_interval)
    order by p.oldest_at
    limit 1;
    if not found then
        return v_is_pending;
    end if;
    perform stats.ask('refresh-stats-views', 'sweep', v_organization_id, '[]', true);
    return true;
end $$;
comment on function stats.sweep() is
    'Audits a sample, folds, and asks for a refresh of mv_* if it is time; true if there was '
    'anything to do. Scheduled.';

revoke execute on function
    stats.attempt(text), stats.audit_sample(integer), stats.prune_records(), stats.sweep()
    from public, anon, authenticated, service_role;
