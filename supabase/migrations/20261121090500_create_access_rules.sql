-- Purpose: who is calling and what they may see: the questions that every policy and view asks.
-- Locks: none. Data safety: reads only.
--
-- Each answers about the caller alone. Policies call them as (select f()) or any(array(select
-- f())), so once a statement, not once a row.

create or replace function app.current_org_id() returns uuid
    language plpgsql stable security invoker set search_path = '' as $$
declare
    v_claim   text := auth.jwt() -> 'app_metadata' ->> 'org_id';
    -- what is no id names no organisation: a refusal, not an error
    v_claimed uuid := case when v_claim ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                           then v_claim::uuid end;
    v_setting uuid := nullif(current_setting('app.current_org_id', true), '')::uuid;
begin
    if v_claimed <> v_setting then
        raise exception 'the token and the session name different organisations'
            using errcode = 'insufficient_privilege';
    end if;
    return coalesce(v_claimed, v_setting);
end $$;
comment on function app.current_org_id() is
    'The organisation of the verified JWT (app_metadata.org_id); for trusted direct connections '
    'that of the setting app.current_org_id.';

create or replace function app.member_org_id() returns uuid
    -- DEFINER: this and all below answer from tables that the caller may read only in part
    language sql stable security definer set search_path = ''
    return (
        select p.organization_id from public.profiles p
        where p.id = auth.uid() and p.is_active and p.organization_id = app.current_org_id()
          and app.require_shallow_query());   -- every policy asks here
comment on function app.member_org_id() is
    'The current organisation, if the caller is an active member of it; else null.';

create or replace function app.profile_id() returns uuid
    language sql stable security definer set search_path = ''   -- DEFINER: as above
    return (select auth.uid() where app.member_org_id() is not null);
comment on function app.profile_id() is
    'The caller''s profile, if it is active and of the current organisation; else null.';

create or replace function app.profile_role() returns public.profile_role
    language sql stable security definer set search_path = ''   -- DEFINER: as above
    return (select p.role from public.profiles p where p.id = app.profile_id());
comment on function app.profile_role() is
    'The caller''s role now (not when the token was issued), if active; else null.';

create or replace function app.assigned_chapter_ids() returns setof uuid
    language sql stable security definer set search_path = ''   -- DEFINER: as above
begin atomic
    select a.unit_id from public.chapter_assignments a where a.profile_id = app.profile_id();
end;
comment on function app.assigned_chapter_ids() is
    'The chapters the caller works in, whatever their role.';

create or replace function app.visible_chapter_ids() returns setof uuid
    -- DEFINER: as above
    language plpgsql stable security definer set search_path = '' rows 10 as $$
begin
    case app.profile_role()
        when 'org_admin' then
            return query
                -- whatever its kind, so that nothing which counts is left out
                select u.id from public.organization_units u
                where u.organization_id = app.member_org_id();
        when 'coordinator' then
            return query
                select a.unit_id from public.chapter_assignments a
                where a.profile_id = auth.uid();
        else
            return;   -- a peer mentor sees their own rows, not a chapter
    end case;
end $$;
comment on function app.visible_chapter_ids() is
    'The chapters the caller follows up: a coordinator''s own, all units of an org admin''s '
    'organisation.';

create or replace function app.statistics_org_id() returns uuid
    language plpgsql stable security definer set search_path = '' as $$   -- DEFINER: as above
declare
    v_org_id uuid := app.member_org_id();
begin
    if (select s.statistics_enabled from public.organization_settings s
        where s.organization_id = v_org_id) then
        return v_org_id;
    end if;
    if v_org_id is not null then
        -- on record in the server's log: a read-only request cannot write a row
        raise log 'feature_disabled: statistics of organization % asked for by profile %',
            v_org_id, auth.uid();
    end if;
    return null;
end $$;
comment on function app.statistics_org_id() is
    'As member_org_id, but null while the organisation''s kill switch is set; each such attempt is '
    'logged.';

create or replace function app.statistics_chapter_ids() returns setof uuid
    -- DEFINER: as above
    language plpgsql stable security definer set search_path = '' rows 10 as $$
begin
    if app.statistics_org_id() is not null then
        return query select app.visible_chapter_ids();
    end if;
end $$;
comment on function app.statistics_chapter_ids() is
    'As visible_chapter_ids, but empty while the organisation''s kill switch is set.';

revoke execute on function
    app.current_org_id(), app.member_org_id(), app.profile_id(), app.profile_role(),
    app.assigned_chapter_ids(), app.visible_chapter_ids(), app.statistics_org_id(),
    app.statistics_chapter_ids()
    from public, anon, authenticated, service_role;
grant execute on function
    app.current_org_id(), app.member_org_id(), app.profile_id(), app.profile_role(),
    app.assigned_chapter_ids(), app.visible_chapter_ids(), app.statistics_org_id(),
    app.statistics_chapter_ids()
    to authenticated;
