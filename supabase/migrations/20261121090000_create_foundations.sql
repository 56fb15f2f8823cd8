-- Purpose: the schemas that everything else stands in, made where none of our names is taken.
-- Locks: none. Data safety: new objects only; where a name is taken, it stops and changes nothing.

-- In a project that is in use already, what is in the way is named first, before anything is made.
do $$
declare
    v_taken text;
begin
    if to_regclass('private.revoked_default_privileges') is not null then
        return;   -- these migrations are here already
    end if;
    select string_agg(distinct t.name, ', ' order by t.name) into v_taken
    from (
        select c.relnamespace as schema_id, c.relname as object, '%s.%s' as form
        from pg_catalog.pg_class c
        where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
        union all
        select p.pronamespace, p.proname, '%s.%s()' from pg_catalog.pg_proc p
        union all
        select y.typnamespace, y.typname, 'type %s.%s' from pg_catalog.pg_type y
        where y.typtype in ('e', 'd')
    ) o
    join pg_catalog.pg_namespace n on n.oid = o.schema_id
    cross join lateral (select format(o.form, n.nspname, o.object) as name) t
    where n.nspname in ('app', 'private', 'stats')
       or n.nspname = 'public' and o.object = any (array[
           'acknowledge_wake_ups', 'activities', 'activities_insert_number_seq',
           'activity_history', 'activity_history_id_seq', 'activity_status',
           'activity_time_series', 'activity_types', 'approve_report',
           'bufdir_category_mappings', 'bufdir_export_audit_log',
           'bufdir_export_audit_log_id_seq', 'bufdir_mapping_versions',
           'bufdir_metric_snapshots', 'bufdir_report_versions', 'bufdir_thresholds',
           'chapter_assignments', 'chapter_stats', 'chapters', 'children', 'claim_webhook',
           'compute_metric_snapshot', 'coordinator_monthly_stats', 'counting_rules', 'diagnose',
           'erase_contact', 'erase_person', 'erasures', 'erasures_id_seq', 'expense_claims',
           'expense_status', 'explain_report_difference', 'export_bufdir_snapshot',
           'export_person', 'export_report_version', 'generate_bufdir_report',
           'get_activity_series', 'get_ancestor_ids', 'get_bufdir_alignment', 'get_health',
           'get_hierarchy_stats', 'get_metric_snapshot', 'get_metrics', 'get_monthly_series',
           'get_report_remarks', 'get_report_versions', 'get_role', 'get_sign_ins',
           'get_snapshot_status', 'hierarchy_node_access', 'hierarchy_stats_cache',
           'lock_reporting_year', 'mv_activity_time_series', 'mv_chapter_stats',
           'mv_peer_mentor_stats', 'not_duplicates', 'organization_changes',
           'organization_changes_id_seq', 'organization_settings', 'organization_units',
           'organizations', 'parent', 'peer_mentor_stats', 'possible_duplicates',
           'precompute_hierarchy', 'prepare_report', 'preview_import', 'profile_role',
           'profiles', 'read_hierarchy_stats', 'record_node_reads', 'refresh_hierarchy_entry',
           'refresh_stats_views', 'renew_metric_snapshot', 'reporting_year_log',
           'reporting_year_log_id_seq', 'reporting_years', 'request_invalidation_again',
           'run_import', 'save_metric_snapshot', 'save_person', 'search_units', 'send_report',
           'stats_freshness', 'take_refresh_turn', 'take_unit_changes', 'unit_kind',
           'unlock_reporting_year', 'warm_hierarchy_cache']);
    if v_taken is not null then
        raise exception 'these names are taken in this project: %', v_taken
            using errcode = 'duplicate_object',
                  hint = 'Rename them, move them to another schema, or take another project.';
    end if;
    select string_agg(format('%s is in %s', e.extname, n.nspname), ', ' order by e.extname)
    into v_taken
    from pg_catalog.pg_extension e
    join pg_catalog.pg_namespace n on n.oid = e.extnamespace and n.nspname <> 'extensions'
    where e.extname in ('pgcrypto', 'pg_trgm', 'unaccent');
    if v_taken is not null then
        raise exception 'extensions are expected in schema extensions: %', v_taken
            using errcode = 'object_not_in_prerequisite_state',
                  hint = 'Move each with: alter extension … set schema extensions.';
    end if;
end $$;

create schema if not exists app;
create schema if not exists private;
create schema if not exists stats;
revoke all on schema app, private, stats from public;
grant usage on schema app to authenticated, service_role;
comment on schema app is
    'Who is calling, what they may see, and the ways through the tree; used by policies and views.';
comment on schema private is 'Secrets and internals; reachable by the owner only.';
comment on schema stats is
    'The change log, the totals and their upkeep; not exposed to the API.';
