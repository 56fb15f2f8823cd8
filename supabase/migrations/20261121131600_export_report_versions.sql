-- Purpose: the gate for versions: what is approved and true, or was sent, leaves, and is on record.
-- Locks: brief, ACCESS EXCLUSIVE on bufdir_export_audit_log. Data safety: new objects only.

alter table public.bufdir_export_audit_log
    add column if not exists version_id uuid
        constraint bufdir_export_audit_log_version_id_fkey
        references public.bufdir_report_versions (id),
    add column if not exists version integer,
    add column if not exists version_hash text,
    add column if not exists format text;
comment on column public.bufdir_export_audit_log.version_hash is
    'The hash of the exported version: it tells, too, when that is exchanged.';
create index if not exists bufdir_export_audit_log_version_id_idx
    on public.bufdir_export_audit_log (version_id);
alter table public.bufdir_export_audit_log
    drop constraint if exists bufdir_export_audit_log_of_something,
    add constraint bufdir_export_audit_log_of_something check (
        (snapshot_id is null) = (version_id is not null)
        and num_nulls(version_id, version, version_hash, format) in (0, 4));

create or replace function app.export_report_version(p_version_id uuid, p_format text)
    returns jsonb
    -- DEFINER: the audit log is granted to nobody
    language plpgsql volatile security definer set search_path = '' as $$
declare
    v_version public.bufdir_report_versions := stats.find_report_version(p_version_id);
    v_id      bigint;
begin
    perform app.require_report(v_version.organization_id, v_version.period_start,
                               v_version.period_end, 'only coordinators and org admins export');
    if p_format is null or p_format not in ('csv', 'xlsx', 'pdf', 'json', 'audit') then
        raise exception 'there is no such format' using errcode = 'invalid_parameter_value';
    end if;
    if p_format = 'audit' and not app.reads_whole_organization() then
        raise exception 'only who sees the whole organisation exports for auditors'
            using errcode = 'insufficient_privilege';
    end if;
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    select * into strict v_version from public.bufdir_report_versions v
    where v.id = p_version_id for share;   -- no signature comes in between
    if v_version.approved_at is null then
        perform app.refuse(409, 'not_approved', 'this version is not approved yet');
    end if;
    perform stats.require_true_version(v_version);
    insert into public.bufdir_export_audit_log
        (organization_id, exported_by, version_id, version, version_hash, format, period_start,
         period_end, verdict, source_fingerprint, figures)
    values (v_version.organization_id, app.profile_id(), v_version.id, v_version.version,
            v_version.hash, p_format, v_version.period_start, v_version.period_end,
            jsonb_build_object('verdict', case when v_version.sent_at is null
                                               then 'fresh' else 'sent' end),
            v_version.source_fingerprint, v_version.snapshot_json)
    returning id into v_id;
    return jsonb_build_object(
        'export_id', v_id, 'version', stats.shown_version(v_version),
        'audit', case when p_format = 'audit' then stats.audit_basis(v_version) end);
end $$;

create or replace function public.export_report_version(version uuid, format text)
    returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.export_report_version(version, format);
comment on function public.export_report_version(uuid, text) is
    'Records and returns an export of a version: what is approved and still true, or was sent '
    '(else 409). Coordinators and org admins; for auditors, org admins.';

revoke execute on function
    app.export_report_version(uuid, text), public.export_report_version(uuid, text)
    from public, anon, authenticated, service_role;
grant execute on function
    app.export_report_version(uuid, text), public.export_report_version(uuid, text)
    to authenticated;
