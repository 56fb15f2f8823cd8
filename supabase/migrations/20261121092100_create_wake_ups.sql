-- Purpose: what a writer's commit asks for: a fold within a second, a refresh of mv_* when it is
-- time.
-- Locks: brief, SHARE ROW EXCLUSIVE on both logs for their triggers. Data safety: new objects only.
--
-- A wake-up only says "look now"; the sweep is the guarantee. One fold serves every organisation,
-- so one wake-up does: the first writer to come after the last acknowledgement sends the next,
-- whatever its isolation level and however many organisations it touches. A writer asks sequences,
-- which are outside of transactions: it waits for nobody, and no serializable transaction fails
-- because of it.

create or replace function stats.wake(p_slug text, p_type text, p_organization_id uuid,
    p_records jsonb, p_truncated boolean)
    returns bigint
    language sql volatile security invoker set search_path = ''
    return private.send_webhook(p_slug, jsonb_build_object(
        'type', p_type,
        'table', case p_slug when 'refresh-stats-views' then 'activity_changes'
                             else 'unit_changes' end,
        'organization_id', p_organization_id, 'records', p_records, 'truncated', p_truncated));
comment on function stats.wake(text, text, uuid, jsonb, boolean) is
    'Queues a wake-up: ids and dates only, of one organisation.';

-- Asked before it is done, so that what fails is not tried again by every writer.
create or replace function stats.ask(p_slug text, p_type text, p_organization_id uuid,
    p_records jsonb, p_truncated boolean)
    returns void
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    perform stats.note_time(case p_slug when 'refresh-stats-views' then 'stats.refresh_asked_at'
                                        else 'stats.fold_asked_at' end);
    if p_slug <> 'refresh-stats-views'
        or (select s.refresh_mode from stats.settings s) = 'async' then
        perform stats.wake(p_slug, p_type, p_organization_id, p_records, p_truncated);
    else
        perform stats.refresh(p_force := false);
    end if;
exception when others then
    -- Never the writer's problem: the changes are in the log, where readers see them, and the sweep
    -- asks again.
    perform stats.record_error(p_type || ': ' || sqlstate || ': ' || sqlerrm);
end $$;

-- At every commit, so nearly always it must find at once that there is nothing to do: three
-- sequences tell.
create or replace function stats.request_upkeep() returns trigger
    -- DEFINER: writers hold no rights on stats, private and net
    language plpgsql security definer set search_path = '' as $$
declare
    v_now     bigint  := extract(epoch from clock_timestamp()) * 1000000;   -- as stats.note_time
    v_is_more boolean;
begin
    -- SET CONSTRAINTS ... IMMEDIATE fires this inside of the statement: too early, and others would
    -- rely on it.
    if pg_trigger_depth() > 1 then
        return null;
    end if;
    -- Shared, so writers never wait for each other; held to the commit, and taken before the look
    -- at the turn. So a drain can tell whether a writer that relied on its wake-up has yet to
    -- commit (writers_in_flight).
    if not pg_try_advisory_xact_lock_shared(hashtext('fersk'), hashtext('stats.writers')) then
        -- for the moment a drain tries it
        perform pg_advisory_xact_lock_shared(hashtext('fersk'), hashtext('stats.writers'));
    end if;
    -- The first since the last acknowledgement sends; the others rely on it, unless it is two
    -- seconds old and so counts as lost. A time in the future, before the clock was set back,
    -- counts as none.
    if pg_sequence_last_value('stats.wake_up_turn') is null and nextval('stats.wake_up_turn') = 1
        or (v_now - coalesce(pg_sequence_last_value('stats.fold_asked_at'), 0)
            between 0 and 2000000) is not true then
        if (select s.refresh_mode from stats.settings s) = 'async' then
            v_is_more := currval(pg_get_serial_sequence(format('stats.%I', tg_table_name),
                'id')) > new.id;
            perform stats.ask('invalidate-hierarchy-cache', 'units_changed', new.organization_id,
                              stats.named_record(to_jsonb(new)), v_is_more);
        end if;
    end if;
    -- Once a second somebody looks whether it is time for a refresh.
    if tg_table_name = 'activity_changes'
        and (v_now - coalesce(pg_sequence_last_value('stats.refresh_looked_at'), 0)
            between 0 and 1000000) is not true then
        perform stats.note_time('stats.refresh_looked_at');
        if (select not stats.is_recent(p.last_requested_at, p.refresh_interval)
                   and not stats.is_recent(p.last_started_at, p.refresh_interval)
                       from stats.refresh_pace p) then
            v_is_more := currval('stats.activity_changes_id_seq') > new.id;
            perform stats.ask('refresh-stats-views', 'activities_changed', new.organization_id,
                              stats.named_record(to_jsonb(new)), v_is_more);
        end if;
    end if;
    return null;
end $$;

create or replace function stats.named_record(p_row jsonb) returns jsonb
    language sql immutable security invoker set search_path = ''
    return jsonb_build_array(jsonb_build_object(
        'id', p_row -> 'id', 'unit_id', coalesce(p_row -> 'chapter_id', p_row -> 'unit_id'), 'date',
            p_row -> 'bucket_date'));

-- Constraint triggers run once a row, at the commit; so only a statement's first row has one.
drop trigger if exists activity_changes_request_upkeep on stats.activity_changes;
create constraint trigger activity_changes_request_upkeep after insert on stats.activity_changes
    deferrable initially deferred
    for each row when (new.is_first) execute function stats.request_upkeep();
drop trigger if exists tree_changes_request_upkeep on stats.tree_changes;
create constraint trigger tree_changes_request_upkeep after insert on stats.tree_changes
    deferrable initially deferred
    for each row execute function stats.request_upkeep();

revoke execute on function stats.wake(text, text, uuid, jsonb, boolean),
    stats.ask(text, text, uuid, jsonb, boolean), stats.request_upkeep(), stats.named_record(jsonb)
    from public, anon, authenticated, service_role;
