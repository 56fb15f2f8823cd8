-- Purpose: undo let_admins_manage_rules: types, rules and settings are the operator's again.
-- Locks: brief, ACCESS EXCLUSIVE on these tables. Data safety: nothing is lost.

drop policy if exists "org admins change settings" on public.organization_settings;
drop policy if exists "org admins take counting rules back" on public.counting_rules;
drop policy if exists "org admins make counting rules" on public.counting_rules;
drop policy if exists "org admins change thresholds" on public.bufdir_thresholds;
drop policy if exists "org admins set thresholds" on public.bufdir_thresholds;
drop policy if exists "org admins publish mapping versions" on public.bufdir_mapping_versions;
drop policy if exists "org admins remove unpublished categories"
    on public.bufdir_category_mappings;
drop policy if exists "org admins write unpublished categories"
    on public.bufdir_category_mappings;
drop policy if exists "org admins rename activity types" on public.activity_types;
drop policy if exists "org admins make activity types" on public.activity_types;
drop function if exists app.may_map(uuid, integer);
revoke execute on function app.is_time_zone(text) from authenticated;
revoke update (max_chapter_assignments, warm_up_enabled, snapshot_max_age, statistics_enabled,
               time_zone, two_person_sign_off)
    on public.organization_settings from authenticated;
revoke insert (organization_id, activity_type_id, valid_from, counts, min_duration_minutes,
               min_participants, source),
       delete
    on public.counting_rules from authenticated;
revoke insert (organization_id, valid_from_year, bufdir_category_code, minimum_activity_count,
               at_risk_ratio),
       update (minimum_activity_count, at_risk_ratio)
    on public.bufdir_thresholds from authenticated;
revoke insert (organization_id, mapping_version, valid_from_year)
    on public.bufdir_mapping_versions from authenticated;
revoke insert (mapping_version, activity_type_id, bufdir_category_code), delete
    on public.bufdir_category_mappings from authenticated;
revoke insert (id, organization_id, code, label), update (label)
    on public.activity_types from authenticated;
alter table public.counting_rules alter column organization_id drop default;
alter table public.bufdir_thresholds alter column organization_id drop default;
alter table public.bufdir_mapping_versions alter column organization_id drop default;
alter table public.activity_types alter column organization_id drop default;
