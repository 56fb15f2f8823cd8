-- Purpose: the explanation as the API gives it.
-- Locks: none. Data safety: reads only.

create or replace function app.explain_report_difference(p_version_id uuid, p_against uuid)
    returns jsonb
    -- DEFINER: reads what every activity of the organisation was, after its check
    language plpgsql volatile security definer set search_path = '' as $$
declare
    v_version public.bufdir_report_versions := stats.find_report_version(p_version_id);
    v_against public.bufdir_report_versions;
begin
    perform app.require_report(v_version.organization_id, v_version.period_start,
        v_version.period_end, 'only org admins see what every activity was');
    if not app.reads_whole_organization() then
        raise exception 'only org admins see what every activity was'
            using errcode = 'insufficient_privilege';
    end if;
    if p_against is not null then
        v_against := stats.find_report_version(p_against);
        if (v_against.period_start, v_against.period_end)
           <> (v_version.period_start, v_version.period_end) then
            raise exception 'these versions are of different periods'
                using errcode = 'invalid_parameter_value';
        end if;
    end if;
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    return stats.explained_difference(v_version, p_against);
end $$;
create or replace function public.explain_report_difference(
    version uuid, against uuid default null)
    returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.explain_report_difference(version, against);
comment on function public.explain_report_difference(uuid, uuid) is
    'Why a version differs from another one of its period, or from now: what was added, removed, '
    'edited, recategorised, newly or no longer counted, with effects that add up. Org admins.';

revoke execute on function app.explain_report_difference(uuid, uuid),
    public.explain_report_difference(uuid, uuid) from public, anon, authenticated, service_role;
grant execute on function app.explain_report_difference(uuid, uuid),
    public.explain_report_difference(uuid, uuid) to authenticated;
