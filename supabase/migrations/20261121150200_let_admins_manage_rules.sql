-- Purpose: org admins keep their types, categories, thresholds, counting rules and settings.
-- Locks: brief, ACCESS EXCLUSIVE on these tables. Data safety: new objects only.

alter table public.activity_types alter column organization_id set default app.current_org_id();
alter table public.bufdir_mapping_versions
    alter column organization_id set default app.current_org_id();
alter table public.bufdir_thresholds
    alter column organization_id set default app.current_org_id();
alter table public.counting_rules alter column organization_id set default app.current_org_id();

grant insert (id, organization_id, code, label), update (label)
    on public.activity_types to authenticated;
grant insert (mapping_version, activity_type_id, bufdir_category_code), delete
    on public.bufdir_category_mappings to authenticated;
grant insert (organization_id, mapping_version, valid_from_year)
    on public.bufdir_mapping_versions to authenticated;
grant insert (organization_id, valid_from_year, bufdir_category_code, minimum_activity_count,
              at_risk_ratio),
      update (minimum_activity_count, at_risk_ratio)
    on public.bufdir_thresholds to authenticated;
grant insert (organization_id, activity_type_id, valid_from, counts, min_duration_minutes,
              min_participants, source),
      delete
    on public.counting_rules to authenticated;
grant update (max_chapter_assignments, warm_up_enabled, snapshot_max_age, statistics_enabled,
              time_zone, two_person_sign_off)
    on public.organization_settings to authenticated;
-- a check is evaluated as whoever writes
grant execute on function app.is_time_zone(text) to authenticated;

-- Of a type of the caller's organisation, in a version that nothing was reported by yet.
create or replace function app.may_map(p_activity_type_id uuid, p_mapping_version integer)
    returns boolean
    language sql stable security invoker set search_path = ''
    return exists (
        select from public.activity_types t
        where t.id = p_activity_type_id
          and t.organization_id = (select app.administered_org_id())
          and not exists (
              select from public.bufdir_mapping_versions v
              where v.organization_id = t.organization_id
                and v.mapping_version = p_mapping_version));
comment on function app.may_map(uuid, integer) is
    'Whether the caller may write this type''s category: an org admin''s type, and a version that '
    'is not published.';
revoke execute on function app.may_map(uuid, integer)
    from public, anon, authenticated, service_role;
grant execute on function app.may_map(uuid, integer) to authenticated;

drop policy if exists "org admins make activity types" on public.activity_types;
create policy "org admins make activity types" on public.activity_types
    for insert to authenticated
    with check (organization_id = (select app.administered_org_id()));
drop policy if exists "org admins rename activity types" on public.activity_types;
create policy "org admins rename activity types" on public.activity_types
    for update to authenticated
    using (organization_id = (select app.administered_org_id()));

drop policy if exists "org admins write unpublished categories"
    on public.bufdir_category_mappings;
create policy "org admins write unpublished categories" on public.bufdir_category_mappings
    for insert to authenticated with check (app.may_map(activity_type_id, mapping_version));
drop policy if exists "org admins remove unpublished categories"
    on public.bufdir_category_mappings;
create policy "org admins remove unpublished categories" on public.bufdir_category_mappings
    for delete to authenticated using (app.may_map(activity_type_id, mapping_version));

-- What was reported long ago keeps its version.
drop policy if exists "org admins publish mapping versions" on public.bufdir_mapping_versions;
create policy "org admins publish mapping versions" on public.bufdir_mapping_versions
    for insert to authenticated with check (
        organization_id = (select app.administered_org_id())
        and valid_from_year >= extract(year from now()) - 1);

drop policy if exists "org admins set thresholds" on public.bufdir_thresholds;
create policy "org admins set thresholds" on public.bufdir_thresholds
    for insert to authenticated
    with check (organization_id = (select app.administered_org_id()));
drop policy if exists "org admins change thresholds" on public.bufdir_thresholds;
create policy "org admins change thresholds" on public.bufdir_thresholds
    for update to authenticated
    using (organization_id = (select app.administered_org_id()));

drop policy if exists "org admins make counting rules" on public.counting_rules;
create policy "org admins make counting rules" on public.counting_rules
    for insert to authenticated
    with check (organization_id = (select app.administered_org_id()));
drop policy if exists "org admins take counting rules back" on public.counting_rules;
create policy "org admins take counting rules back" on public.counting_rules
    for delete to authenticated
    using (organization_id = (select app.administered_org_id()));

drop policy if exists "org admins change settings" on public.organization_settings;
create policy "org admins change settings" on public.organization_settings
    for update to authenticated
    using (organization_id = (select app.administered_org_id()));
