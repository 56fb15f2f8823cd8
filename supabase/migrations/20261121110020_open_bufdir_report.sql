-- Purpose: who may ask for a report, and the report that the API gives them.
-- Locks: none. Data safety: new objects only.

-- p_refusal: what a peer mentor is told; null where they may ask, too.
create or replace function app.require_report_access(
    p_org_id uuid, p_period_start date, p_period_end date, p_refusal text)
    returns void
    language plpgsql stable security invoker set search_path = '' as $$
begin
    if app.member_org_id() is null or p_org_id <> app.member_org_id() then
        raise exception 'not your organisation' using errcode = 'insufficient_privilege';
    end if;
    if p_org_id is null or p_period_start is null or p_period_end is null then
        raise exception 'organisation, period_start and period_end are needed'
            using errcode = 'invalid_parameter_value';
    end if;
    if p_period_end < p_period_start then
        raise exception 'period_end is before period_start'
            using errcode = 'invalid_parameter_value';
    end if;
    if app.statistics_org_id() is null then
        raise exception 'the statistics of this organisation are switched off'
            using errcode = 'PT423';
    end if;
    if p_refusal is not null and app.profile_role() not in ('coordinator', 'org_admin') then
        raise exception '%', p_refusal using errcode = 'insufficient_privilege';
    end if;
    -- A report of a day would tell what a single person did.
    if p_period_start < '2000-01-01' or p_period_end > '2100-01-01'
       or extract(day from p_period_start) <> 1 or extract(day from p_period_end) <> 1 then
        raise exception 'a period is whole months of this century: %',
            'it starts and ends on the first day of one'
            using errcode = 'invalid_parameter_value';
    end if;
end $$;
comment on function app.require_report_access(uuid, date, date, text) is
    'Refuses whoever may not ask for the reports of this organisation, or of this period.';

create or replace function app.require_report(
    p_org_id uuid, p_period_start date, p_period_end date, p_refusal text)
    returns void
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    perform app.require_report_access(p_org_id, p_period_start, p_period_end, p_refusal);
    perform app.take_turn('report');
end $$;
comment on function app.require_report(uuid, date, date, text) is
    'As require_report_access, for reports that are computed: those take a turn (take_turns).';

-- What a report says is said by one mapping: that of its years.
create or replace function stats.require_mapping_version(
    p_organization_id uuid, p_period_start date, p_period_end date)
    returns integer
    language plpgsql stable security invoker set search_path = '' as $$
declare
    v_version integer := stats.mapping_version(p_organization_id, p_period_start, p_period_end);
begin
    if v_version is null then
        raise exception 'the years of this period are reported by different mapping versions'
            using errcode = 'invalid_parameter_value', hint = 'Ask for each year by itself.';
    end if;
    return v_version;
end $$;

create or replace function app.generate_bufdir_report(
    p_org_id uuid, p_period_start date, p_period_end date, p_mapping_version integer)
    returns jsonb
    -- DEFINER: sums over all chapters, after its check
    language plpgsql volatile security definer set search_path = '' as $$
begin
    perform app.require_report(p_org_id, p_period_start, p_period_end,
                               'only coordinators and org admins see reports');
    if p_mapping_version <> 0 and not exists (   -- 0: without a mapping
        select from public.bufdir_category_mappings m
        join public.activity_types t on t.id = m.activity_type_id
        where m.mapping_version = p_mapping_version and t.organization_id = p_org_id) then
        raise exception 'there is no mapping of this version'
            using errcode = 'invalid_parameter_value';
    end if;
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    return app.shown_report(stats.bufdir_report(
        p_org_id, p_period_start, p_period_end,
        coalesce(p_mapping_version,
                 stats.require_mapping_version(p_org_id, p_period_start, p_period_end))));
end $$;

create or replace function public.generate_bufdir_report(
    p_org_id uuid, p_period_start date default null, p_period_end date default null,
    p_mapping_version integer default null, p_year integer default null)
    returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.generate_bufdir_report(
        p_org_id, app.first_day(p_period_start, p_year), app.first_day(p_period_end, p_year + 1),
        p_mapping_version);
comment on function public.generate_bufdir_report(uuid, date, date, integer, integer) is
    'The Bufdir report of the caller''s organisation for a year, or for whole months; start '
    'included, end excluded; by the mapping that is valid for its years unless one is named. '
    'Coordinators and org admins; only the latter see groups of fewer than five people.';

revoke execute on function
    app.require_report_access(uuid, date, date, text), app.require_report(uuid, date, date, text),
    stats.require_mapping_version(uuid, date, date),
    app.generate_bufdir_report(uuid, date, date, integer),
    public.generate_bufdir_report(uuid, date, date, integer, integer)
    from public, anon, authenticated, service_role;
grant execute on function
    app.generate_bufdir_report(uuid, date, date, integer),
    public.generate_bufdir_report(uuid, date, date, integer, integer)
    to authenticated;
