-- Purpose: what a writer's commit asks for: a fold in a second, a refresh of mv_* when it is time.
-- Locks: brief, SHARE ROW EXCLUSIVE on both logs for their triggers. Data safety: new objects only.
--
-- The first writer to come after the last acknowledgement sends the next wake-up, whatever its
-- isolation level and however many organisations it touches. A writer asks a sequence, which is
-- outside of transactions: it waits for nobody, and no serializable transaction fails because of
-- it.

-- At every commit, so it must find at once that there is nothing to do, as nearly always: one
-- expression tells, because PL/pgSQL prepares each anew in every transaction.
create or replace function stats.request_upkeep() returns trigger
    -- DEFINER: writers hold no rights on stats, private and net
    language plpgsql security definer set search_path = '' as $$
declare
    v_asked_at bigint;
    v_is_mine  boolean;
    v_is_more  boolean;
    v_records  jsonb;
begin
    if (case
        -- SET CONSTRAINTS ... IMMEDIATE fires this inside of the statement: too early, and others
        -- would rely on it.
        when pg_trigger_depth() > 1 then true
        -- Shared, so writers never wait for each other; held to the commit, and taken before the
        -- look. So a drain can tell whether a writer that relied on its wake-up has yet to commit
        -- (writers_in_flight).
        when pg_try_advisory_xact_lock_shared(hashtext('fersk'), hashtext('stats.writers')) then
            date_part('epoch', clock_timestamp()) * 1000000   -- as stats.note_time
                - pg_sequence_last_value('stats.fold_asked_at') between 0 and 2000000
    end) then
        return new;   -- and not null, which would be one more expression
    end if;
    -- not had at once: for the moment a drain tries it
    perform pg_advisory_xact_lock_shared(hashtext('fersk'), hashtext('stats.writers'));
    -- The first since the last acknowledgement sends; the others rely on it, unless it is two
    -- seconds old and so counts as lost. A time in the future, before the clock was set back,
    -- counts as none. A number that is no time: another writer is just about to send.
    v_asked_at := pg_sequence_last_value('stats.fold_asked_at');
    v_is_mine := case when v_asked_at is null then nextval('stats.fold_asked_at') = 0
                      else v_asked_at > 1000 and not stats.is_recent(
                          stats.noted_time('stats.fold_asked_at'), interval '2 seconds') end;
    if not v_is_mine then
        return new;
    end if;
    perform stats.note_time('stats.fold_asked_at');
    v_is_more := currval(pg_get_serial_sequence(format('stats.%I', tg_table_name), 'id')) > new.id;
    v_records := stats.named_record(to_jsonb(new));
    perform stats.ask('invalidate-hierarchy-cache', 'units_changed', new.organization_id,
                      v_records, v_is_more);
    -- Whether anything is pending is not asked here: a serializable transaction would read what
    -- others write.
    if (select not stats.is_recent(p.last_requested_at, p.refresh_interval)
               and not stats.is_recent(p.last_started_at, p.refresh_interval)
        from stats.refresh_pace p) then
        if tg_table_name = 'tree_changes' then   -- whatever else has changed comes later
            v_records := '[]';
            v_is_more := true;
        end if;
        perform stats.ask('refresh-stats-views', 'activities_changed', new.organization_id,
                          v_records, v_is_more);
    end if;
    return new;
end $$;

create or replace function stats.named_record(p_row jsonb) returns jsonb
    language sql immutable security invoker set search_path = ''
    return jsonb_build_array(jsonb_build_object(
        'id', p_row -> 'id',
        'unit_id', coalesce(p_row -> 'chapter_id', p_row -> 'unit_id'),
        'date', p_row -> 'bucket_date'));

-- Constraint triggers run once a row, at the commit; so only a statement's first row has one.
drop trigger if exists activity_changes_request_upkeep on stats.activity_changes;
create constraint trigger activity_changes_request_upkeep
    after insert on stats.activity_changes
    deferrable initially deferred
    for each row when (new.is_first) execute function stats.request_upkeep();
drop trigger if exists tree_changes_request_upkeep on stats.tree_changes;
create constraint trigger tree_changes_request_upkeep
    after insert on stats.tree_changes
    deferrable initially deferred
    for each row execute function stats.request_upkeep();

revoke execute on function stats.request_upkeep(), stats.named_record(jsonb)
    from public, anon, authenticated, service_role;
