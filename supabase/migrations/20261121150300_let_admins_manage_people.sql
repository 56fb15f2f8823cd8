-- Purpose: org admins give sign-ins a profile, change roles, and assign people to chapters.
-- Locks: brief, ACCESS EXCLUSIVE on chapter_assignments. Data safety: new objects only.
--
-- A sign-in is made by the Auth server: whoever invites names the organisation in app_metadata.
-- Whom it is given to, in which role and chapters, is decided here.

create or replace view private.sign_ins as
    select u.id, u.email::text as email, u.last_sign_in_at,
           coalesce(p.organization_id::text, u.raw_app_meta_data ->> 'org_id') as organization_id
    from auth.users u
    left join public.profiles p on p.id = u.id;
comment on view private.sign_ins is
    'Sign-ins, with the organisation of the person, or else the one that they were invited to.';
revoke all on private.sign_ins from public, anon, authenticated, service_role;

create or replace function app.get_sign_ins()
    returns table (id uuid, email text, last_sign_in_at timestamptz)
    -- DEFINER: reads auth
    language sql stable security definer set search_path = ''
begin atomic
    select s.id, s.email, s.last_sign_in_at
    from private.sign_ins s
    where s.organization_id
          = (select app.administered_org_id()::text)   -- once, not for everybody in the project
    order by s.email, s.id;
end;
create or replace function public.get_sign_ins()
    returns table (id uuid, email text, last_sign_in_at timestamptz)
    language sql stable security invoker set search_path = ''
begin atomic
    select s.id, s.email, s.last_sign_in_at from app.get_sign_ins() s;
end;
comment on function public.get_sign_ins() is
    'The addresses of the organisation''s people, and of who was invited and has no profile yet. '
    'Org admins.';

create or replace function app.save_person(
    p_id uuid, p_display_name text, p_role public.profile_role, p_is_active boolean)
    returns void
    -- DEFINER: nobody writes roles but through here
    language plpgsql volatile security definer set search_path = '' as $$
declare
    v_org_id uuid := app.administered_org_id();
begin
    if v_org_id is null then
        raise exception 'only org admins manage people' using errcode = 'insufficient_privilege';
    end if;
    if not exists (select from private.sign_ins s
                   where s.id = p_id and s.organization_id = v_org_id::text) then
        raise exception 'no such person or invited sign-in in the organisation'
            using errcode = 'PT404';
    end if;
    perform private.lock_erasures(v_org_id);   -- one at a time, so that one org admin is left
    insert into public.profiles as p (id, organization_id, display_name, role, is_active)
    values (p_id, v_org_id, p_display_name, p_role, p_is_active)
    on conflict (id) do update
        set display_name = excluded.display_name, role = excluded.role,
            is_active = excluded.is_active
        where p.organization_id = v_org_id and p.erased_at is null
          and (p.display_name, p.role, p.is_active) is distinct from
              (excluded.display_name, excluded.role, excluded.is_active);
    if not exists (select from public.profiles p
                   where p.organization_id = v_org_id and p.role = 'org_admin'
                     and p.is_active) then
        raise exception 'the organisation would have no org admin' using errcode = 'PT409';
    end if;
end $$;
create or replace function public.save_person(
    id uuid, display_name text, role public.profile_role, is_active boolean default true)
    returns void
    language sql volatile security invoker set search_path = ''
    return app.save_person(id, display_name, role, is_active);
comment on function public.save_person(uuid, text, public.profile_role, boolean) is
    'Gives an invited sign-in its profile, or changes name, role and state of a person. Org '
    'admins; one of them always stays.';

create or replace function app.administered_unit_ids() returns setof uuid
    language sql stable security invoker set search_path = ''
begin atomic
    select u.id from public.organization_units u
    where u.organization_id = app.administered_org_id();
end;
comment on function app.administered_unit_ids() is
    'All units of the organisation that the caller is an org admin of; else none.';

grant insert (profile_id, unit_id, organization_id, is_primary), update (is_primary), delete
    on public.chapter_assignments to authenticated;
alter table public.chapter_assignments
    alter column organization_id set default app.current_org_id();
drop policy if exists "org admins assign people" on public.chapter_assignments;
create policy "org admins assign people" on public.chapter_assignments
    for insert to authenticated
    with check (unit_id = any (array(select app.administered_unit_ids())));
drop policy if exists "org admins name the primary chapter" on public.chapter_assignments;
create policy "org admins name the primary chapter" on public.chapter_assignments
    for update to authenticated
    using (unit_id = any (array(select app.administered_unit_ids())));
drop policy if exists "org admins take assignments back" on public.chapter_assignments;
create policy "org admins take assignments back" on public.chapter_assignments
    for delete to authenticated
    using (unit_id = any (array(select app.administered_unit_ids())));

revoke execute on function
    app.administered_unit_ids(), app.get_sign_ins(), public.get_sign_ins(),
    app.save_person(uuid, text, public.profile_role, boolean),
    public.save_person(uuid, text, public.profile_role, boolean)
    from public, anon, authenticated, service_role;
grant execute on function
    app.administered_unit_ids(), app.get_sign_ins(), public.get_sign_ins(),
    app.save_person(uuid, text, public.profile_role, boolean),
    public.save_person(uuid, text, public.profile_role, boolean)
    to authenticated;
