-- Purpose: the record of erasures, who may erase, and other names for contacts.
-- Locks: none. Data safety: new objects only.

create table if not exists public.erasures (
    id              bigint      generated always as identity primary key,
    organization_id uuid        not null references public.organizations (id),
    kind            text        not null
        check (kind in ('person', 'contact', 'texts', 'contacts')),
    erased_at       timestamptz not null default now(),
    erased_by       uuid        references public.profiles (id),
    erased_count    bigint      check (erased_count > 0),
    -- What a night erases by its age is counted. Whom a single erasure was about is not told.
    constraint erasures_by_age_are_counted
        check ((kind in ('texts', 'contacts')) = (erased_count is not null))
);
comment on table public.erasures is
    'Append-only: that something was erased, when and by whom; nothing that tells what it was.';
comment on column public.erasures.erased_by is
    'The org admin; null for the service role and for the retention of the organisation.';
comment on column public.erasures.erased_count is
    'Texts that were emptied, or contacts that got another id, because of their age.';
create index if not exists erasures_organization_id_erased_at_idx
    on public.erasures (organization_id, erased_at);
create index if not exists erasures_erased_by_idx on public.erasures (erased_by);
alter table public.erasures enable row level security;

drop policy if exists "org admins read their organisation's erasures" on public.erasures;
create policy "org admins read their organisation's erasures" on public.erasures
    for select to authenticated using (
        organization_id = (select app.member_org_id())
        and (select app.profile_role()) = 'org_admin');

create or replace trigger erasures_refuse_change before update or delete or truncate
    on public.erasures
    for each statement execute function private.refuse_change();

create or replace function private.record_erasure(p_organization_id uuid, p_kind text,
    p_count bigint default null) returns void
    language sql volatile security invoker set search_path = ''
begin atomic
    insert into public.erasures (organization_id, kind, erased_by, erased_count)
    values (p_organization_id, p_kind,
            (select p.id from public.profiles p where p.id = auth.uid()), p_count);
end;

-- The setting says who the API has become. Outside of a request it is 'none' or 'postgres': the
-- owner, in psql or the SQL editor.
create or replace function app.administers(p_organization_id uuid) returns boolean
    language sql stable security definer set search_path = ''   -- DEFINER: as member_org_id
    -- never null: whoever is no member has no role
    return p_organization_id is not null
        and (current_setting('role') in ('service_role', 'postgres', 'none')
             or coalesce(app.profile_role() = 'org_admin'
                         and app.member_org_id() = p_organization_id, false));
comment on function app.administers(uuid) is
    'Whether the caller is an org admin of the organisation, the service role or the owner.';

-- An erased contact still counts once: each gets one random id, the same in all of its activities.
-- Nothing says which id it was.
create table if not exists private.contact_pseudonyms (contact_id uuid primary key);
comment on table private.contact_pseudonyms is
    'The ids that erased contacts got, so that a night''s retention passes them over.';
alter table private.contact_pseudonyms enable row level security;   -- deny-all: no policy

create or replace function private.pseudonymize_contacts(p_organization_id uuid,
    p_contact_ids uuid[], p_with_texts boolean default false) returns bigint
    language sql volatile security invoker set search_path = ''
begin atomic
    with renamed as materialized (
        select c.contact_id, gen_random_uuid() as pseudonym
        from (select distinct unnest(p_contact_ids) as contact_id) c
        where not exists (select from private.contact_pseudonyms p
                          where p.contact_id = c.contact_id)
    ), changed as (
        -- one statement: no activity gets another contact and keeps a text that should go
        update public.activities a
        set contact_id = r.pseudonym, summary = case when not p_with_texts then a.summary end
        from renamed r
        where a.organization_id = p_organization_id and a.contact_id = r.contact_id
        returning a.contact_id
    ), noted as (
        insert into private.contact_pseudonyms (contact_id)
        select distinct c.contact_id from changed c
    )
    select count(*) from changed;
end;
comment on function private.pseudonymize_contacts(uuid, uuid[], boolean) is
    'Gives contacts another, random id in all activities of an organisation, and takes the texts '
    'of these away; the number of activities.';

-- One at a time in each organisation: two that wait for each other's rows would deadlock, and two
-- admins that erase each other would leave none.
create or replace function private.lock_erasures(p_organization_id uuid) returns void
    language sql volatile security invoker set search_path = ''
begin atomic
    select pg_advisory_xact_lock(hashtext('fersk.erasures'), hashtext(p_organization_id::text));
end;

revoke all on public.erasures, private.contact_pseudonyms
    from public, anon, authenticated, service_role;
revoke all on sequence public.erasures_id_seq from public, anon, authenticated, service_role;
grant select on public.erasures to authenticated, service_role;
revoke execute on function private.record_erasure(uuid, text, bigint), app.administers(uuid),
    private.pseudonymize_contacts(uuid, uuid[], boolean), private.lock_erasures(uuid)
    from public, anon, authenticated, service_role;
