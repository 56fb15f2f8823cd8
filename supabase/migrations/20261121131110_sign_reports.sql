-- Purpose: the other steps of the sign-off: a version is approved by somebody else, then sent.
-- Locks: none. Data safety: new objects only.

-- Whether the activities of now say what a version says, by the mapping that is in force now.
create or replace function stats.is_current(p_version public.bufdir_report_versions)
    returns boolean
    language sql stable security invoker set search_path = ''
    return p_version.mapping_version is not distinct from stats.mapping_version(
               p_version.organization_id, p_version.period_start, p_version.period_end)
       and p_version.source_fingerprint = (
           select s.fingerprint
           from stats.report_source(p_version.organization_id, p_version.period_start,
                                    p_version.period_end, p_version.mapping_version) s);

create or replace function stats.find_report_version(p_version_id uuid)
    returns public.bufdir_report_versions
    language plpgsql stable security invoker set search_path = '' as $$
declare
    v_org_id  uuid := app.member_org_id();
    v_version public.bufdir_report_versions;
begin
    if v_org_id is null then
        raise exception 'not your organisation' using errcode = 'insufficient_privilege';
    end if;
    select * into v_version from public.bufdir_report_versions v
    where v.id = p_version_id and v.organization_id = v_org_id;
    if not found then
        raise exception 'there is no such version' using errcode = 'PT404';
    end if;
    return v_version;
end $$;

-- One at a time holds the row, and sees what the one before has done.
create or replace function stats.lock_report_version(p_version_id uuid)
    returns public.bufdir_report_versions
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_version public.bufdir_report_versions := stats.find_report_version(p_version_id);
begin
    perform app.require_report(v_version.organization_id, v_version.period_start,
        v_version.period_end, 'only coordinators and org admins sign reports');
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    select * into v_version from public.bufdir_report_versions v
    where v.id = p_version_id for update;
    if exists (select from public.bufdir_report_versions v
               where (v.organization_id, v.period_start, v.period_end)
                     = (v_version.organization_id, v_version.period_start, v_version.period_end)
                 and v.version > v_version.version) then
        perform app.refuse(409, 'superseded', 'there is a later version of this report');
    end if;
    perform stats.require_true_version(v_version);
    return v_version;
end $$;

-- What was sent is history. Everything else must still be what the activities say.
create or replace function stats.require_true_version(p_version public.bufdir_report_versions)
    returns void
    language plpgsql stable security invoker set search_path = '' as $$
begin
    if exists (select from stats.report_problems p where p.version_id = p_version.id) then
        perform app.refuse(409, 'falsified', 'this version is not as it was written');
    end if;
    if p_version.sent_at is null and not stats.is_current(p_version) then
        perform app.refuse(409, 'figures_changed',
                           'the activities have changed since this version was prepared');
    end if;
end $$;

create or replace function app.approve_report(p_version_id uuid) returns jsonb
    language plpgsql volatile security definer set search_path = '' as $$   -- DEFINER: as above
declare
    v_version public.bufdir_report_versions := stats.lock_report_version(p_version_id);
begin
    if v_version.approved_at is not null then
        perform app.refuse(409, 'already_approved', 'this version is approved already');
    end if;
    if v_version.prepared_by = app.profile_id() and (
        select s.two_person_sign_off from public.organization_settings s
        where s.organization_id = v_version.organization_id) then
        perform app.refuse(403, 'another_person', 'somebody else approves what one has prepared');
    end if;
    update public.bufdir_report_versions v
    set approved_by = app.profile_id(), approved_at = now()
    where v.id = v_version.id
    returning * into v_version;
    return stats.shown_version(v_version);
end $$;

create or replace function app.send_report(p_version_id uuid) returns jsonb
    language plpgsql volatile security definer set search_path = '' as $$   -- DEFINER: as above
declare
    v_version public.bufdir_report_versions := stats.lock_report_version(p_version_id);
begin
    if v_version.approved_at is null then
        perform app.refuse(409, 'not_approved', 'this version is not approved yet');
    end if;
    if v_version.sent_at is not null then
        perform app.refuse(409, 'already_sent', 'this version is sent already');
    end if;
    update public.bufdir_report_versions v
    set sent_by = app.profile_id(), sent_at = now()
    where v.id = v_version.id
    returning * into v_version;
    return stats.shown_version(v_version);
end $$;

revoke execute on function stats.is_current(public.bufdir_report_versions),
    stats.find_report_version(uuid), stats.lock_report_version(uuid),
    stats.require_true_version(public.bufdir_report_versions), app.approve_report(uuid),
    app.send_report(uuid) from public, anon, authenticated, service_role;
grant execute on function app.approve_report(uuid), app.send_report(uuid) to authenticated;
