-- Purpose: who sees what: the questions every policy and view asks, and the policies of the organisation's own tables.
-- Locks: brief, ACCESS EXCLUSIVE on the tables that get policies. Data safety: reads only.
--
-- Every function here is DEFINER, because it answers from tables the caller may read only in part; each answers about
-- the caller alone. Policies call them as (select f()) or any(array(select f())), so once a statement, not once a row.

create or replace function app.current_org_id() returns uuid
    language plpgsql stable security invoker set search_path = '' as $$
declare
    v_claimed uuid := nullif(auth.jwt() -> 'app_metadata' ->> 'org_id', '')::uuid;
    v_setting uuid := nullif(current_setting('app.current_org_id', true), '')::uuid;
begin
    if v_claimed <> v_setting then
        raise exception 'the token and the session name different organisations' using errcode = 'insufficient_privilege';
    end if;
    return coalesce(v_claimed, v_setting);
end $$;
comment on function app.current_org_id() is
    'The organisation of the verified JWT (app_metadata.org_id); for trusted direct connections that of the setting app.current_org_id.';

-- PostgREST embeds by nested joins, each list as JSON under a name that ends with its depth. A list
-- in what is embedded repeats for every row: five deep, one request asks for all rows to the fifth.
create or replace function app.require_shallow_query() returns boolean
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_query text := current_query();
begin
    if position('JOIN LATERAL ( SELECT' in v_query) = 0 then
        return true;
    end if;
    if v_query ~ 'JOIN LATERAL \( SELECT json_agg\("[^"]*_([2-9]|\d\d+)"\)' then
        perform app.refuse(400, 'bad_request', 'A list may not be embedded in what is itself embedded; '
                                               'ask for it in a request of its own.');
    end if;
    if regexp_count(v_query, 'JOIN LATERAL \( SELECT') > 8 then
        perform app.refuse(400, 'bad_request', 'At most eight relations may be embedded.');
    end if;
    if position('JOIN LATERAL ( SELECT json_agg' in v_query) > 0   -- a list for each of many rows
        and not app.wait_for_place('lists ' || auth.uid(), 1) then
        perform app.refuse(429, 'rate_limited', 'Too many requests at once; try again shortly.',
                           interval '1 second');
    end if;
    return true;
end $$;
comment on function app.require_shallow_query() is
    'True, unless the API''s request embeds so much that its cost has no bound: then it is refused. '
    'Of those that embed lists, one of a person runs at a time.';

create or replace function app.member_org_id() returns uuid
    language sql stable security definer set search_path = ''
    return (select p.organization_id from public.profiles p
            where p.id = auth.uid() and p.is_active and p.organization_id = app.current_org_id()
              and app.require_shallow_query());   -- every policy asks here
comment on function app.member_org_id() is 'The current organisation, if the caller is an active member of it; else null.';

create or replace function app.profile_id() returns uuid
    language sql stable security definer set search_path = ''
    return (select auth.uid() where app.member_org_id() is not null);
comment on function app.profile_id() is 'The caller''s profile, if it is active and of the current organisation; else null.';

create or replace function app.profile_role() returns public.profile_role
    language sql stable security definer set search_path = ''
    return (select p.role from public.profiles p where p.id = app.profile_id());
comment on function app.profile_role() is 'The caller''s role now (not when the token was issued), if active; else null.';

create or replace function app.assigned_chapter_ids() returns setof uuid
    language sql stable security definer set search_path = ''
begin atomic
    select a.unit_id from public.chapter_assignments a where a.profile_id = app.profile_id();
end;
comment on function app.assigned_chapter_ids() is 'The chapters the caller works in, whatever their role.';

create or replace function app.visible_chapter_ids() returns setof uuid
    language plpgsql stable security definer set search_path = '' rows 10 as $$
begin
    case app.profile_role()
        when 'org_admin' then
            return query select u.id from public.organization_units u
                         where u.organization_id = app.member_org_id() and u.kind = 'local';
        when 'coordinator' then
            return query select a.unit_id from public.chapter_assignments a where a.profile_id = auth.uid();
        else
            return;   -- a peer mentor sees their own rows, not a chapter
    end case;
end $$;
comment on function app.visible_chapter_ids() is 'The chapters the caller follows up: a coordinator''s own, all of an org admin''s organisation.';

create or replace function app.statistics_org_id() returns uuid
    language plpgsql stable security definer set search_path = '' as $$
declare
    v_org_id uuid := app.member_org_id();
begin
    if (select s.statistics_enabled from public.organization_settings s where s.organization_id = v_org_id) then
        return v_org_id;
    end if;
    if v_org_id is not null then
        -- on record in the server's log: a read-only request cannot write a row
        raise log 'feature_disabled: statistics of organization % asked for by profile %', v_org_id, auth.uid();
    end if;
    return null;
end $$;
comment on function app.statistics_org_id() is 'As member_org_id, but null while the organisation''s kill switch is set; each such attempt is logged.';

create or replace function app.statistics_chapter_ids() returns setof uuid
    language plpgsql stable security definer set search_path = '' rows 10 as $$
begin
    if app.statistics_org_id() is not null then
        return query select app.visible_chapter_ids();
    end if;
end $$;
comment on function app.statistics_chapter_ids() is 'As visible_chapter_ids, but empty while the organisation''s kill switch is set.';

revoke execute on all functions in schema app from public, anon, authenticated, service_role;
grant execute on all functions in schema app to authenticated;

drop policy if exists "members read their organisation" on public.organizations;
create policy "members read their organisation" on public.organizations
    for select to authenticated using (id = (select app.member_org_id()));

drop policy if exists "members read their organisation's settings" on public.organization_settings;
create policy "members read their organisation's settings" on public.organization_settings
    for select to authenticated using (organization_id = (select app.member_org_id()));

drop policy if exists "members read their organisation's units" on public.organization_units;
create policy "members read their organisation's units" on public.organization_units
    for select to authenticated using (organization_id = (select app.member_org_id()));

drop policy if exists "people read themselves and those they follow up" on public.profiles;
create policy "people read themselves and those they follow up" on public.profiles
    for select to authenticated using (
        id = (select auth.uid())
        or (organization_id = (select app.member_org_id()) and (select app.profile_role()) = 'org_admin')
        or (organization_id = (select app.member_org_id()) and id = any (array(
            select a.profile_id from public.chapter_assignments a
            where a.unit_id = any (array(select app.visible_chapter_ids())))))
    );

drop policy if exists "members rename themselves" on public.profiles;
create policy "members rename themselves" on public.profiles
    for update to authenticated using (id = (select app.profile_id())) with check (id = (select app.profile_id()));

drop policy if exists "people read their own assignments and those of their chapters" on public.chapter_assignments;
create policy "people read their own assignments and those of their chapters" on public.chapter_assignments
    for select to authenticated using (
        profile_id = (select app.profile_id()) or unit_id = any (array(select app.visible_chapter_ids())));
