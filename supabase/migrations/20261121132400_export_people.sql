-- Purpose: one person's data, for the person who asks for them.
-- Locks: none. Data safety: new objects only.

-- Whole rows: what a later migration adds to a table is in here without further thought.
create or replace function app.export_person(p_profile_id uuid) returns jsonb
    -- DEFINER: reads what the person may not read row by row, after its check
    language plpgsql volatile security definer set search_path = '' as $$
declare
    v_person public.profiles;
begin
    select * into v_person from public.profiles p where p.id = p_profile_id;
    if not (coalesce(p_profile_id = app.profile_id(), false)
            or app.administers(v_person.organization_id)) then
        raise exception 'only the person and their org admin export a person''s data'
            using errcode = 'insufficient_privilege';
    end if;
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    return jsonb_build_object(
        'exported_at', now(),
        'profile', to_jsonb(v_person) - 'user_id',
        'sign_in', (
            select jsonb_build_object('email', u.email, 'phone', u.phone,
                       'user_metadata', u.raw_user_meta_data, 'created_at', u.created_at,
                       'last_sign_in_at', u.last_sign_in_at)
            from auth.users u where u.id = p_profile_id),
        'assignments', (
            select coalesce(jsonb_agg(to_jsonb(c) || jsonb_build_object('unit_name', u.name)
                                      order by u.name, u.id), '[]')
            from public.chapter_assignments c
            join public.organization_units u on u.id = c.unit_id
            where c.profile_id = p_profile_id),
        'activities', (
            select coalesce(jsonb_agg(to_jsonb(a) || jsonb_build_object('unit_name', u.name,
                       'activity_type_label', t.label) order by a.occurred_at, a.id), '[]')
            from public.activities a
            join public.organization_units u on u.id = a.unit_id
            join public.activity_types t on t.id = a.activity_type_id
            where a.peer_mentor_id = p_profile_id or a.registered_by = p_profile_id),
        'activity_changes', (
            select coalesce(jsonb_agg(to_jsonb(h) order by h.id), '[]')
            from public.activity_history h
            where h.organization_id = v_person.organization_id
              and p_profile_id::text in (
                  h.changed_by::text,
                  h.before ->> 'peer_mentor_id', h.after ->> 'peer_mentor_id')),
        'expenses', (
            select coalesce(jsonb_agg(to_jsonb(e) order by a.occurred_at, e.id), '[]')
            from public.expense_claims e
            join public.activities a on a.id = e.activity_id
            where a.peer_mentor_id = p_profile_id or e.decided_by = p_profile_id),
        'exports', (
            select coalesce(jsonb_agg(to_jsonb(x) order by x.id), '[]')
            from public.bufdir_export_audit_log x where x.exported_by = p_profile_id),
        'reports', (
            select coalesce(jsonb_agg(jsonb_build_object(
                       'id', v.id, 'period_start', v.period_start, 'period_end', v.period_end,
                       'version', v.version,
                       'prepared_at', case when v.prepared_by = p_profile_id then v.prepared_at end,
                       'approved_at', case when v.approved_by = p_profile_id then v.approved_at end,
                       'sent_at', case when v.sent_by = p_profile_id then v.sent_at end)
                       order by v.position), '[]')
            from public.bufdir_report_versions v
            where p_profile_id in (v.prepared_by, v.approved_by, v.sent_by)),
        'locked_years', (
            select coalesce(jsonb_agg(to_jsonb(y) order by y.id), '[]')
            from public.reporting_year_log y where y.changed_by = p_profile_id),
        'erasures', (
            select coalesce(jsonb_agg(to_jsonb(r) order by r.id), '[]')
            from public.erasures r where r.erased_by = p_profile_id));
end $$;
create or replace function public.export_person(p_profile_id uuid) returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.export_person(p_profile_id);
comment on function public.export_person(uuid) is
    'What is kept of a person: profile, sign_in, assignments, activities with their texts, '
    'activity_changes, expenses, exports, reports, locked_years, erasures. For themselves, their '
    'org admins and the service role.';

revoke execute on function app.export_person(uuid), public.export_person(uuid)
    from public, anon, authenticated, service_role;
grant execute on function app.export_person(uuid), public.export_person(uuid)
    to authenticated, service_role;
