-- Purpose: the first step of the sign-off: saved figures that are fresh and true become a version.
-- Locks: none. Data safety: new objects only.

create or replace function app.prepare_report(p_period_start date, p_period_end date)
    returns jsonb
    -- DEFINER: nobody else writes versions
    language plpgsql volatile security definer set search_path = '' as $$
declare
    v_org_id   uuid := app.current_org_id();
    v_passed   record;
    v_snapshot public.bufdir_metric_snapshots;
    v_mark     stats.report_marks;
    v_version  public.bufdir_report_versions;
begin
    perform app.require_report(v_org_id, p_period_start, p_period_end,
                               'only coordinators and org admins prepare reports');
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    -- Nobody saves it anew meanwhile. So a change that commits after the mark, and that the figures
    -- show, makes them stale for the gate; and what they do not show has no effect to explain.
    perform from public.bufdir_metric_snapshots b
    where (b.organization_id, b.period_start, b.period_end)
          = (v_org_id, p_period_start, p_period_end) for update;
    v_mark := stats.new_mark(v_org_id, p_period_start, p_period_end);
    v_passed := stats.pass_gate(v_org_id, p_period_start, p_period_end);
    v_snapshot := jsonb_populate_record(v_snapshot, v_passed.snapshot);
    insert into public.bufdir_report_versions
        (organization_id, period_start, period_end, snapshot_json, complete_hash, record_count,
         source_fingerprint, mapping_version, mapping, counting_rule, prepared_by)
    values (v_org_id, p_period_start, p_period_end, app.hide_small_groups(v_passed.report),
            stats.text_hash(v_passed.report::text), v_snapshot.record_count_at_generation,
            v_snapshot.source_fingerprint, v_snapshot.mapping_version,
            stats.report_mapping(v_org_id, v_snapshot.mapping_version),
            stats.report_counting_rule(v_org_id), app.profile_id())
    returning * into v_version;
    insert into stats.complete_versions (version_id, report)
    values (v_version.id, v_passed.report);
    insert into stats.report_marks (version_id, seen_inserts, seen_changes, total_minutes)
    values (v_version.id, v_mark.seen_inserts, v_mark.seen_changes, v_mark.total_minutes);
    return stats.shown_version(v_version);
end $$;
create or replace function public.prepare_report(
    p_period_start date default null, p_period_end date default null,
    p_year integer default null)
    returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.prepare_report(
        app.first_day(p_period_start, p_year), app.first_day(p_period_end, p_year + 1));
comment on function public.prepare_report(date, date, integer) is
    'Makes the saved figures of a period the next version of its report; refuses missing (404), '
    'stale or false ones (409). Coordinators and org admins.';

revoke execute on function
    app.prepare_report(date, date), public.prepare_report(date, date, integer)
    from public, anon, authenticated, service_role;
grant execute on function app.prepare_report(date, date), public.prepare_report(date, date, integer)
    to authenticated;
