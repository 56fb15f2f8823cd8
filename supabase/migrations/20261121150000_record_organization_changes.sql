-- Purpose: who changed what about an organisation: units, people, assignments, rules, settings.
-- Locks: brief, SHARE ROW EXCLUSIVE on those tables. Data safety: new objects only.

create table if not exists public.organization_changes (
    id              bigint      generated always as identity primary key,
    organization_id uuid        not null,
    table_name      text        not null,
    operation       text        not null check (operation in ('insert', 'update', 'delete')),
    changed_at      timestamptz not null default now(),
    changed_by      uuid        not null,
    before          jsonb,
    after           jsonb
);
comment on table public.organization_changes is
    'Append-only: what org admins changed about their organisation, and who. Never a name of a '
    'person: the profile''s id says whom it was about.';
create index if not exists organization_changes_organization_id_idx
    on public.organization_changes (organization_id, id);
alter table public.organization_changes enable row level security;
create or replace trigger organization_changes_refuse_change
    before update or delete or truncate on public.organization_changes
    for each statement execute function private.refuse_change();

-- What people are called, and what is written by the way, is left out.
create or replace function private.facts_of_change(p_row jsonb) returns jsonb
    language sql immutable security invoker set search_path = ''
    return p_row - array['display_name', 'user_id', 'assigned_at', 'organization_id'];

create or replace function private.record_organization_change() returns trigger
    -- DEFINER: nobody else writes the record
    language plpgsql security definer set search_path = '' as $$
declare
    v_old jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
    v_new jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
begin
    if private.facts_of_change(v_old) is distinct from private.facts_of_change(v_new) then
        insert into public.organization_changes
            (organization_id, table_name, operation, changed_by, before, after)
        values (
            coalesce((coalesce(v_new, v_old) ->> 'organization_id')::uuid, app.member_org_id()),
            tg_table_name, lower(tg_op), auth.uid(),
            private.facts_of_change(v_old), private.facts_of_change(v_new));
    end if;
    return null;
end $$;
revoke execute on function
    private.facts_of_change(jsonb), private.record_organization_change()
    from public, anon, authenticated, service_role;

do $$
declare
    v_table text;
begin
    foreach v_table in array array[
        'organization_settings', 'organization_units', 'profiles', 'chapter_assignments',
        'activity_types', 'bufdir_category_mappings', 'bufdir_mapping_versions',
        'bufdir_thresholds', 'counting_rules'] loop
        execute format(
            'create or replace trigger %I after insert or update or delete on public.%I '
            'for each row when (auth.uid() is not null) '
            'execute function private.record_organization_change()',
            v_table || '_record_change', v_table);
    end loop;
end $$;

drop policy if exists "org admins read what was changed in their organisation"
    on public.organization_changes;
create policy "org admins read what was changed in their organisation"
    on public.organization_changes
    for select to authenticated using (
        organization_id = (select app.member_org_id())
        and (select app.profile_role()) = 'org_admin');

revoke all on public.organization_changes from public, anon, authenticated, service_role;
revoke all on sequence public.organization_changes_id_seq
    from public, anon, authenticated, service_role;
grant select on public.organization_changes to authenticated, service_role;
