-- Purpose: what each activity was before: every change of what is counted, by whom and when.
-- Locks: brief, SHARE ROW EXCLUSIVE on activities. Data safety: new objects only.
--
-- Append-only, and without texts and contacts. An insert writes nothing: the activity itself says
-- when it came (inserted_at), and what it is. What holds of order and time:
-- docs/explain/what-counts.md.

create or replace view stats.activity_facts as
    select a.id, a.organization_id, jsonb_build_object(
        'unit_id', a.unit_id, 'peer_mentor_id', a.peer_mentor_id,
        'coordinator_id', a.coordinator_id, 'activity_type_id', a.activity_type_id,
        'occurred_at', a.occurred_at, 'activity_date', a.activity_date,
        'duration_minutes', a.duration_minutes, 'participant_count', a.participant_count,
        'is_proxy_registered', a.is_proxy_registered, 'status', a.status,
        'duplicate_of', a.duplicate_of,
        'is_counted', a.is_counted, 'not_counted_because', a.not_counted_because,
        'approved_expenses_nok', a.approved_expenses_nok,
        'inserted_at', a.inserted_at, 'insert_number', a.insert_number) as facts
    from public.activities a;
comment on view stats.activity_facts is
    'What of each activity is counted: no text, no contact. activity_history keeps these.';

create table if not exists public.activity_history (
    -- no cache: of two changes of one activity, the later one has the higher id
    id              bigint      generated always as identity primary key,
    activity_id     uuid        not null,
    organization_id uuid        not null,
    operation       text        not null check (operation in ('update', 'delete')),
    changed_at      timestamptz not null default clock_timestamp(),
    changed_by      uuid,
    before          jsonb       not null,
    after           jsonb,
    constraint activity_history_deletions_have_no_after
        check ((operation = 'delete') = (after is null))
);
comment on table public.activity_history is
    'Append-only: what was counted of an activity before and after each change. Never a text or a '
    'contact. No foreign keys: what happened stays, whatever goes.';
comment on column public.activity_history.changed_by is
    'Null for the service, and for what the owner does.';
create index if not exists activity_history_activity_id_idx
    on public.activity_history (activity_id, id);
create index if not exists activity_history_organization_id_changed_at_idx
    on public.activity_history (organization_id, changed_at);
alter table public.activity_history enable row level security;

drop policy if exists "coordinators and org admins read the history of their chapters"
    on public.activity_history;
create policy "coordinators and org admins read the history of their chapters"
    on public.activity_history
    for select to authenticated using (
        organization_id = (select app.member_org_id())
        and ((select app.profile_role()) = 'org_admin'
             or (before ->> 'unit_id')::uuid = any (array(select app.visible_chapter_ids()))
             or (after ->> 'unit_id')::uuid = any (array(select app.visible_chapter_ids()))));

create or replace trigger activity_history_refuse_change
    before update or delete or truncate on public.activity_history
    for each statement execute function private.refuse_change();

-- Old and new rows are joined by hashing: a plan that was made for one row would join a hundred
-- thousand row by row.
create or replace function stats.define_history() returns void
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    -- DEFINER: the history is granted to nobody
    v_frame text :=
        'create or replace function stats.%I() returns trigger language plpgsql security definer '
        'set search_path = '''' set enable_nestloop = off as $body$ begin '
        'insert into public.activity_history '
        '(activity_id, organization_id, operation, changed_by, before, after) '
        'select o.id, o.organization_id, %s, '
        '(select p.id from public.profiles p where p.id = auth.uid()), o.facts, %s; '
        'return null; end $body$';
    v_old   text := stats.view_over('stats.activity_facts', 'public.activities', 'old_rows');
    v_new   text := stats.view_over('stats.activity_facts', 'public.activities', 'new_rows');
begin
    execute format(v_frame, 'record_updated_activities', '''update''', format(
        'n.facts from %s o join %s n on n.id = o.id where n.facts <> o.facts', v_old, v_new));
    execute format(v_frame, 'record_deleted_activities', '''delete''', format(
        'null from %s o', v_old));
end $$;
comment on function stats.define_history() is
    'Writes the trigger functions from stats.activity_facts; called again when that has changed.';
select stats.define_history();

create or replace trigger activities_record_updates after update on public.activities
    referencing old table as old_rows new table as new_rows
    for each statement execute function stats.record_updated_activities();
create or replace trigger activities_record_deletes after delete on public.activities
    referencing old table as old_rows
    for each statement execute function stats.record_deleted_activities();

revoke all on stats.activity_facts, public.activity_history
    from public, anon, authenticated, service_role;
revoke all on sequence public.activity_history_id_seq
    from public, anon, authenticated, service_role;
grant select on public.activity_history to authenticated, service_role;
revoke execute on function stats.define_history(), stats.record_updated_activities(),
    stats.record_deleted_activities()
    from public, anon, authenticated, service_role;
