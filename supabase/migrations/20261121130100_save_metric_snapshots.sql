-- Purpose: the only way into bufdir_metric_snapshots, computing and saving in one call, and the way
-- to read it.
-- Locks: none. Data safety: new objects only.

-- Only where it differs from what every member may see.
create table if not exists stats.complete_reports (
    snapshot_id uuid  primary key references public.bufdir_metric_snapshots (id) on delete cascade,
    report      jsonb not null check (app.is_aggregate_only(report))
);
comment on table stats.complete_reports is
    'The saved reports that have small groups, with their figures.';
alter table stats.complete_reports enable row level security;   -- deny-all: no policy
revoke all on stats.complete_reports from public, anon, authenticated, service_role;

create or replace function stats.saved_report(p_snapshot public.bufdir_metric_snapshots)
    returns jsonb
    language sql stable security invoker set search_path = ''
    return coalesce((select c.report from stats.complete_reports c
                     where c.snapshot_id = p_snapshot.id), p_snapshot.snapshot_json);
comment on function stats.saved_report(public.bufdir_metric_snapshots) is
    'What was saved, complete.';

create or replace function stats.save_metric_snapshot(p_organization_id uuid, p_period_start date,
    p_period_end date)
    returns void
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_new    public.bufdir_metric_snapshots;
    v_report jsonb;
begin
    v_new := jsonb_populate_record(null::public.bufdir_metric_snapshots,
        stats.computed_metric_snapshot(p_organization_id, p_period_start, p_period_end));
    v_report := v_new.snapshot_json;
    v_new.snapshot_json := app.hide_small_groups(v_report);
    insert into public.bufdir_metric_snapshots (organization_id, period_start, period_end,
        computed_at, record_count_at_generation, source_fingerprint, mapping_version, snapshot_json)
    values (v_new.organization_id, v_new.period_start, v_new.period_end, v_new.computed_at,
            v_new.record_count_at_generation, v_new.source_fingerprint, v_new.mapping_version,
            v_new.snapshot_json)
    on conflict (organization_id, period_start, period_end) do update
        set computed_at = excluded.computed_at,
            record_count_at_generation = excluded.record_count_at_generation,
            source_fingerprint = excluded.source_fingerprint,
            mapping_version = excluded.mapping_version, snapshot_json = excluded.snapshot_json
    returning id into v_new.id;
    delete from stats.complete_reports c where c.snapshot_id = v_new.id;
    insert into stats.complete_reports (snapshot_id, report)
    select v_new.id, v_report where v_report <> v_new.snapshot_json;
end $$;

-- One row found by its key, and nothing summed; null when there is none.
create or replace function stats.metric_snapshot(p_period_start date, p_period_end date)
    returns jsonb
    language sql stable security invoker set search_path = ''
    return (select case when app.reads_whole_organization()
                        then to_jsonb(b)
                             || jsonb_build_object('snapshot_json', stats.saved_report(b))
                        else to_jsonb(b) end
            from public.bufdir_metric_snapshots b
            where b.organization_id = app.current_org_id() and b.period_start = p_period_start
              and b.period_end = p_period_end);

create or replace function app.get_metric_snapshot(p_period_start date, p_period_end date)
    returns jsonb
    -- DEFINER: the complete reports are granted to nobody
    language plpgsql stable security definer set search_path = '' as $$
begin
    perform app.require_report_access(app.current_org_id(), p_period_start, p_period_end, null);
    return stats.metric_snapshot(p_period_start, p_period_end);
end $$;
create or replace function public.get_metric_snapshot(
    p_period_start date default null, p_period_end date default null,
    p_year integer default null)
    returns jsonb
    language sql stable security invoker set search_path = ''
    return app.get_metric_snapshot(
        app.first_day(p_period_start, p_year), app.first_day(p_period_end, p_year + 1));
comment on function public.get_metric_snapshot(date, date, integer) is
    'The saved snapshot of a period, or null; complete for org admins, without small groups for '
    'other members.';

create or replace function app.save_metric_snapshot(p_period_start date, p_period_end date)
    returns jsonb
    -- DEFINER: nobody else writes snapshots
    language plpgsql volatile security definer set search_path = '' as $$
begin
    perform app.require_report(app.current_org_id(), p_period_start, p_period_end,
                               'only coordinators and org admins save reports');
    perform stats.save_metric_snapshot(app.current_org_id(), p_period_start, p_period_end);
    return stats.metric_snapshot(p_period_start, p_period_end);
end $$;
create or replace function public.save_metric_snapshot(
    p_period_start date default null, p_period_end date default null,
    p_year integer default null)
    returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.save_metric_snapshot(
        app.first_day(p_period_start, p_year), app.first_day(p_period_end, p_year + 1));
comment on function public.save_metric_snapshot(date, date, integer) is
    'Computes the report of a period, saves it in place of the one saved before, and gives the '
    'row. Coordinators and org admins.';

revoke execute on function stats.saved_report(public.bufdir_metric_snapshots),
    stats.save_metric_snapshot(uuid, date, date), stats.metric_snapshot(date, date),
    app.get_metric_snapshot(date, date), public.get_metric_snapshot(date, date, integer),
    app.save_metric_snapshot(date, date), public.save_metric_snapshot(date, date, integer)
    from public, anon, authenticated, service_role;
grant execute on function app.get_metric_snapshot(date, date),
    public.get_metric_snapshot(date, date, integer), app.save_metric_snapshot(date, date),
    public.save_metric_snapshot(date, date, integer) to authenticated;
