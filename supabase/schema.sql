-- What the migrations make, as PostgreSQL 15 writes it. Generated: make schema

CREATE SCHEMA app;

COMMENT ON SCHEMA app IS 'Who is calling, what they may see, and the ways through the tree; used by policies and views.';

CREATE SCHEMA private;

COMMENT ON SCHEMA private IS 'Secrets and internals; reachable by the owner only.';

CREATE SCHEMA public;

COMMENT ON SCHEMA public IS 'standard public schema';

CREATE SCHEMA stats;

COMMENT ON SCHEMA stats IS 'The change log, the totals and their upkeep; not exposed to the API.';

CREATE TYPE public.activity_status AS ENUM (
    'draft',
    'registered',
    'rejected'
);

CREATE TYPE public.expense_status AS ENUM (
    'pending',
    'approved',
    'rejected'
);

CREATE TYPE public.profile_role AS ENUM (
    'peer_mentor',
    'coordinator',
    'org_admin'
);

CREATE TYPE public.unit_kind AS ENUM (
    'national',
    'region',
    'district',
    'local'
);

CREATE FUNCTION app.current_org_id() RETURNS uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
declare
    v_claim   text := auth.jwt() -> 'app_metadata' ->> 'org_id';
    -- what is no id names no organisation: a refusal, not an error
    v_claimed uuid := case when v_claim ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                           then v_claim::uuid end;
    v_setting uuid := nullif(current_setting('app.current_org_id', true), '')::uuid;
begin
    if v_claimed <> v_setting then
        raise exception 'the token and the session name different organisations'
            using errcode = 'insufficient_privilege';
    end if;
    return coalesce(v_claimed, v_setting);
end $_$;

COMMENT ON FUNCTION app.current_org_id() IS 'The organisation of the verified JWT (app_metadata.org_id); for trusted direct connections that of the setting app.current_org_id.';

CREATE FUNCTION app.require_shallow_query() RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_query text := current_query();
begin
    if position('JOIN LATERAL ( SELECT' in v_query) = 0 then
        return true;
    end if;
    if v_query ~ 'JOIN LATERAL \( SELECT json_agg\("[^"]*_([2-9]|\d\d+)"\)' then
        perform app.refuse(400, 'bad_request',
                           'A list may not be embedded in what is itself embedded; '
                           'ask for it in a request of its own.');
    end if;
    if regexp_count(v_query, 'JOIN LATERAL \( SELECT') > 8 then
        perform app.refuse(400, 'bad_request', 'At most eight relations may be embedded.');
    end if;
    if position('JOIN LATERAL ( SELECT json_agg' in v_query) > 0   -- a list for each of many rows
        and not app.wait_for_place('lists ' || auth.uid(), 1) then
        perform app.refuse(429, 'rate_limited', 'Too many requests at once; try again shortly.',
                           interval '1 second');
    end if;
    return true;
end $$;

COMMENT ON FUNCTION app.require_shallow_query() IS 'True, unless the API''s request embeds so much that its cost has no bound: then it is refused. Of those that embed lists, one of a person runs at a time.';

CREATE TABLE public.profiles (
    id uuid NOT NULL,
    user_id uuid,
    organization_id uuid NOT NULL,
    role public.profile_role NOT NULL,
    display_name text NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    assigned_at timestamp with time zone,
    erased_at timestamp with time zone,
    CONSTRAINT profiles_display_name_check CHECK (((display_name ~ '\S'::text) AND (length(display_name) <= 200))),
    CONSTRAINT profiles_erased_are_inactive CHECK (((erased_at IS NULL) OR (NOT is_active))),
    CONSTRAINT profiles_erased_have_no_sign_in CHECK (((user_id IS NULL) = (erased_at IS NOT NULL))),
    CONSTRAINT profiles_sign_in_as_themselves CHECK ((user_id = id))
);

COMMENT ON TABLE public.profiles IS 'Peer mentors, coordinators and administrators; one organisation each.';

CREATE FUNCTION app.member_org_id() RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    RETURN (SELECT p.organization_id FROM public.profiles p WHERE ((p.id = auth.uid()) AND p.is_active AND (p.organization_id = app.current_org_id()) AND app.require_shallow_query()));

COMMENT ON FUNCTION app.member_org_id() IS 'The current organisation, if the caller is an active member of it; else null.';

CREATE FUNCTION app.profile_id() RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    RETURN (SELECT auth.uid() AS uid WHERE (app.member_org_id() IS NOT NULL));

COMMENT ON FUNCTION app.profile_id() IS 'The caller''s profile, if it is active and of the current organisation; else null.';

CREATE FUNCTION app.profile_role() RETURNS public.profile_role
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    RETURN (SELECT p.role FROM public.profiles p WHERE (p.id = app.profile_id()));

COMMENT ON FUNCTION app.profile_role() IS 'The caller''s role now (not when the token was issued), if active; else null.';

CREATE FUNCTION app.administered_org_id() RETURNS uuid
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN (SELECT app.member_org_id() AS member_org_id WHERE (app.profile_role() = 'org_admin'::public.profile_role));

COMMENT ON FUNCTION app.administered_org_id() IS 'The current organisation, if the caller is an active org admin of it; else null.';

CREATE TABLE public.organization_units (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid DEFAULT app.current_org_id() NOT NULL,
    parent_id uuid,
    kind public.unit_kind NOT NULL,
    name text NOT NULL,
    closed_on date,
    CONSTRAINT organization_units_closed_on_check CHECK (((closed_on >= '1900-01-01'::date) AND (closed_on < '2100-01-01'::date))),
    CONSTRAINT organization_units_name_check CHECK (((name ~ '\S'::text) AND (length(name) <= 200))),
    CONSTRAINT organization_units_region_has_no_number CHECK (((kind <> 'region'::public.unit_kind) OR (name !~ '\d{6}'::text))),
    CONSTRAINT organization_units_root_is_national CHECK (((parent_id IS NULL) = (kind = 'national'::public.unit_kind)))
);

COMMENT ON TABLE public.organization_units IS 'One tree per organisation, at most five levels: national, region, district, local.';

COMMENT ON COLUMN public.organization_units.closed_on IS 'From this day on nothing takes place there; what took place before goes on counting.';

CREATE FUNCTION app.administered_unit_ids() RETURNS SETOF uuid
    LANGUAGE sql STABLE
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT u.id
    FROM public.organization_units u
   WHERE (u.organization_id = app.administered_org_id());
END;

COMMENT ON FUNCTION app.administered_unit_ids() IS 'All units of the organisation that the caller is an org admin of; else none.';

CREATE FUNCTION app.administers(p_organization_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    RETURN ((p_organization_id IS NOT NULL) AND ((current_setting('role'::text) = ANY (ARRAY['service_role'::text, 'postgres'::text, 'none'::text])) OR COALESCE(((app.profile_role() = 'org_admin'::public.profile_role) AND (app.member_org_id() = p_organization_id)), false)));

COMMENT ON FUNCTION app.administers(p_organization_id uuid) IS 'Whether the caller is an org admin of the organisation, the service role or the owner.';

CREATE FUNCTION app.approve_report(p_version_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$   -- DEFINER: as above
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

CREATE FUNCTION app.assign_chapters(p_profile_id uuid, p_chapter_ids uuid[]) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_before jsonb := (select jsonb_object_agg(a.unit_id, a.is_primary)
                       from public.chapter_assignments a where a.profile_id = p_profile_id);
begin
    if v_before is not distinct from app.assignments_of(p_chapter_ids) then
        return false;
    end if;
    if v_before is not null then
        delete from public.chapter_assignments a
        where a.profile_id = p_profile_id and a.unit_id <> all (p_chapter_ids);
        update public.chapter_assignments a set is_primary = false
        where a.profile_id = p_profile_id and a.is_primary
          and a.unit_id is distinct from p_chapter_ids[1];
    end if;
    insert into public.chapter_assignments (profile_id, unit_id, is_primary)
    select p_profile_id, c, c = p_chapter_ids[1] from unnest(p_chapter_ids) c
    where not coalesce(v_before, '{}') ? c::text;
    if v_before ? p_chapter_ids[1]::text then
        update public.chapter_assignments a set is_primary = true
        where a.profile_id = p_profile_id and a.unit_id = p_chapter_ids[1] and not a.is_primary;
    end if;
    return true;
end $$;

CREATE TABLE public.chapter_assignments (
    profile_id uuid NOT NULL,
    unit_id uuid NOT NULL,
    organization_id uuid DEFAULT app.current_org_id() NOT NULL,
    is_primary boolean DEFAULT false NOT NULL
);

COMMENT ON TABLE public.chapter_assignments IS 'Which chapters a profile works in; at most organization_settings.max_chapter_assignments, one of them primary.';

CREATE FUNCTION app.assigned_chapter_ids() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT a.unit_id
    FROM public.chapter_assignments a
   WHERE (a.profile_id = app.profile_id());
END;

COMMENT ON FUNCTION app.assigned_chapter_ids() IS 'The chapters the caller works in, whatever their role.';

CREATE FUNCTION app.assignments_of(p_chapter_ids uuid[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    RETURN (SELECT jsonb_object_agg(c.c, (c.c = (assignments_of.p_chapter_ids)[1])) AS jsonb_object_agg FROM unnest(assignments_of.p_chapter_ids) c(c));

CREATE FUNCTION app.check_request() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_headers json := nullif(current_setting('request.headers', true), '')::json;
    v_prefer  text := v_headers ->> 'prefer';
    v_claims  json;
    v_person  text;
    v_org_id  text;
begin
    if v_prefer ~* '\mtx\s*=' then
        perform app.refuse(400, 'bad_request',
                           'Prefer: tx is not accepted, because what was done is done.');
    end if;
    if current_user = 'service_role' then
        return;
    end if;
    -- the planner knows how much there is, whoever may see it
    if v_prefer ~* '\mcount\s*=\s*(?!exact\M)' then
        perform app.refuse(400, 'bad_request', 'Of the counts, Prefer: count=exact is accepted.');
    end if;
    if lpad(v_headers ->> 'content-length', 20, '0') > lpad('5242880', 20, '0') then
        perform app.refuse(413, 'payload_too_large', 'The body is larger than 5 MiB.');
    end if;
    v_claims := nullif(current_setting('request.jwt.claims', true), '')::json;
    v_person := coalesce(v_claims ->> 'sub', 'anonymous');
    v_org_id := v_claims -> 'app_metadata' ->> 'org_id';
    if not app.take_place('person ' || v_person, 10)
        or v_org_id is not null and not app.take_place('organization ' || v_org_id, 15)
        -- of those, two at a time run, and the others wait for them
        or not app.wait_for_place('running ' || v_person, 2) then
        perform app.refuse(429, 'rate_limited', 'Too many requests at once; try again shortly.',
                           interval '1 second');
    end if;
end $$;

COMMENT ON FUNCTION app.check_request() IS 'Asked by PostgREST before each request (db_pre_request): refuses what undoes side effects, what shows the planner''s knowledge, bodies that are too large, and too much at once.';

CREATE FUNCTION app.compute_metric_snapshot(p_period_start date, p_period_end date) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_computed jsonb;
begin
    perform app.require_report(app.current_org_id(), p_period_start, p_period_end,
                               'only coordinators and org admins see reports');
    v_computed := stats.computed_metric_snapshot(
        app.current_org_id(), p_period_start, p_period_end);
    return v_computed || jsonb_build_object(
        'snapshot_json', app.shown_report(v_computed -> 'snapshot_json'));
end $$;

CREATE FUNCTION app.erase_contact(p_contact_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    -- an org admin's own; the service role's are all
    v_org_ids    uuid[] := array(select o.id from public.organizations o
                                 where app.administers(o.id) order by o.id);
    v_org_id     uuid;
    v_activities bigint;
    v_erased     bigint := 0;
begin
    if p_contact_id is null then
        raise exception 'a contact is needed' using errcode = 'invalid_parameter_value';
    end if;
    if v_org_ids = '{}' then
        raise exception 'only an org admin erases a contact'
            using errcode = 'insufficient_privilege';
    end if;
    -- before the snapshot, so that a migration beside it hides no row: see create_audit
    lock table public.activities in row exclusive mode;
    foreach v_org_id in array v_org_ids loop
        perform private.lock_erasures(v_org_id);
        v_activities := private.pseudonymize_contacts(v_org_id, array[p_contact_id],
                                                      p_with_texts := true);
        if v_activities > 0 then
            perform private.record_erasure(v_org_id, 'contact');
            v_erased := v_erased + v_activities;
        end if;
    end loop;
    return jsonb_build_object('activities', v_erased);
end $$;

CREATE FUNCTION app.erase_person(p_profile_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_person public.profiles;
begin
    select * into v_person from public.profiles p where p.id = p_profile_id;
    if not app.administers(v_person.organization_id) then
        raise exception 'only an org admin of their organisation erases a person'
            using errcode = 'insufficient_privilege';
    end if;
    perform private.lock_erasures(v_person.organization_id);
    if v_person.role = 'org_admin' and v_person.is_active and not exists (
        select from public.profiles p
        where p.organization_id = v_person.organization_id and p.role = 'org_admin'
          and p.is_active and p.id <> p_profile_id) then
        raise exception 'the last org admin cannot be erased'
            using errcode = 'PT409', hint = 'Make somebody else org admin first.';
    end if;
    -- waits for those who are just registering something that refers to the profile
    update public.profiles p set user_id = null
    where p.id = p_profile_id and p.user_id is not null;
    if not found then
        perform private.erase_traces(p_profile_id);   -- what has come since
    end if;
    return jsonb_build_object(
        'profile_id', p_profile_id,
        'erased_at', (select p.erased_at from public.profiles p where p.id = p_profile_id),
        'sign_in_deleted', private.delete_sign_in(p_profile_id));
end $$;

CREATE FUNCTION app.explain_report_difference(p_version_id uuid, p_against uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION app.export_bufdir_snapshot(p_period_start date, p_period_end date) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_passed   record;
    v_snapshot public.bufdir_metric_snapshots;
    v_id       bigint;
    v_figures  jsonb;
begin
    perform app.require_report(app.current_org_id(), p_period_start, p_period_end,
                               'only coordinators and org admins export');
    v_passed := stats.pass_gate(app.current_org_id(), p_period_start, p_period_end);
    v_snapshot := jsonb_populate_record(v_snapshot, v_passed.snapshot);
    v_figures := app.hide_small_groups(v_passed.report);
    insert into public.bufdir_export_audit_log
        (organization_id, exported_by, snapshot_id, period_start, period_end, verdict,
         source_fingerprint, figures)
    values (app.current_org_id(), app.profile_id(), v_snapshot.id, p_period_start,
            p_period_end, v_passed.status, v_snapshot.source_fingerprint, v_figures)
    returning id into v_id;
    insert into stats.complete_exports (export_id, report)
    select v_id, v_passed.report
    where app.shown_report(v_passed.report) <> v_figures;
    return jsonb_build_object(
        'export_id', v_id,
        'snapshot', app.shown_report(v_passed.report),
        'computed_at', v_snapshot.computed_at);
end $$;

CREATE FUNCTION app.export_person(p_profile_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION app.export_report_version(p_version_id uuid, p_format text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION app.first_day(p_day date, p_year integer) RETURNS date
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO ''
    AS $$
begin
    if p_year is null then
        return p_day;
    elsif p_day is not null then
        raise exception 'name a period or a year, not both'
            using errcode = 'invalid_parameter_value';
    elsif p_year not between 2000 and 2100 then
        raise exception 'the year must be between 2000 and 2099'
            using errcode = 'invalid_parameter_value';
    end if;
    return make_date(p_year, 1, 1);
end $$;

COMMENT ON FUNCTION app.first_day(p_day date, p_year integer) IS 'An edge of a period: the day, or the first one of the year where that is named instead.';

CREATE FUNCTION app.generate_bufdir_report(p_org_id uuid, p_period_start date, p_period_end date, p_mapping_version integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION app.get_activity_series(p_from date, p_to date, p_bucket text, p_chapter_ids uuid[]) RETURNS TABLE(bucket_date date, activity_count bigint, total_hours numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    SET plan_cache_mode TO 'force_custom_plan'
    SET max_parallel_workers_per_gather TO '0'
    AS $$
#variable_conflict use_column
declare
    v_organization_id uuid := app.statistics_org_id();
    v_chapter_ids     uuid[];
    v_months_from     date := date_trunc('month', p_from + interval '1 month' - interval '1 day');
    v_months_to       date := date_trunc('month', p_to);   -- excluded, as p_to is
begin
    if p_from is null or p_to is null or p_to < p_from or p_to - p_from > 3660
       or p_bucket is null or p_bucket not in ('day', 'week', 'month', 'year') then
        raise exception using errcode = 'invalid_parameter_value', message =
            'a period of at most ten years, and a bucket of day, week, month or year are needed';
    end if;
    if p_bucket in ('day', 'week') or v_months_to < v_months_from then
        v_months_to := v_months_from;   -- no month lies whole in a bucket
    end if;
    -- Null stands for the whole organisation: comparing each row with 1,400 chapters would cost
    -- more than the sum.
    if p_chapter_ids is not null or app.profile_role() is distinct from 'org_admin' then
        v_chapter_ids := array(
            select c from app.statistics_chapter_ids() c
            where p_chapter_ids is null or c = any (p_chapter_ids));
    end if;
    return query
        with days as (   -- by day first: a sum by bucket would truncate the date of every row
            select t.activity_month      as day,
                   sum(t.activity_count) as activity_count,
                   sum(t.total_minutes)  as total_minutes
            from stats.monthly_totals t
            where t.organization_id = v_organization_id
              and t.activity_month >= v_months_from and t.activity_month < v_months_to
              and (v_chapter_ids is null or t.chapter_id = any (v_chapter_ids))
            group by 1
            union all
            select t.bucket_date, sum(t.activity_count), sum(t.total_minutes)
            from stats.daily_totals t
            where t.organization_id = v_organization_id
              and t.bucket_date >= p_from and t.bucket_date < p_to
              and t.bucket_date < v_months_from
              and (v_chapter_ids is null or t.chapter_id = any (v_chapter_ids))
            group by 1
            union all
            select t.bucket_date, sum(t.activity_count), sum(t.total_minutes)
            from stats.daily_totals t
            where t.organization_id = v_organization_id
              and t.bucket_date >= v_months_from and t.bucket_date >= v_months_to
              and t.bucket_date < p_to
              and (v_chapter_ids is null or t.chapter_id = any (v_chapter_ids))
            group by 1
            union all
            select c.bucket_date, sum(c.activity_count), sum(c.total_minutes)
            from stats.activity_changes c
            where c.organization_id = v_organization_id
              and c.bucket_date >= p_from and c.bucket_date < p_to
              and (v_chapter_ids is null or c.chapter_id = any (v_chapter_ids))
            group by 1
        ), buckets as (
            select date_trunc(p_bucket, d.day::timestamp) as bucket,
                   sum(d.activity_count) as activity_count,
                   sum(d.total_minutes)  as total_minutes
            from days d
            group by 1
        )
        select b.bucket::date,
               coalesce(s.activity_count, 0)::bigint,
               stats.hours(coalesce(s.total_minutes, 0)::bigint)
        from generate_series(date_trunc(p_bucket, p_from::timestamp),
                             p_to::timestamp - interval '1 day',
                             ('1 ' || p_bucket)::interval) b (bucket)
        left join buckets s on s.bucket = b.bucket
        where p_from < p_to
        order by 1;
end $$;

CREATE FUNCTION app.get_bufdir_alignment(p_year integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_figures jsonb;
    v_report  jsonb;
begin
    if p_year is null or p_year not between 2000 and 2099 then
        raise exception 'the year must be between 2000 and 2099'
            using errcode = 'invalid_parameter_value';
    end if;
    perform app.require_report(
        app.current_org_id(), make_date(p_year, 1, 1), make_date(p_year + 1, 1, 1),
        'only coordinators and org admins check the alignment');
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    v_figures := stats.alignment_figures(app.current_org_id(), p_year);
    if app.reads_whole_organization() then
        return v_figures;
    end if;
    -- The summary of the national unit is refused here as anywhere, and what the report hides is
    -- not told beside it.
    v_report := app.shown_report(v_figures -> 'report');
    return v_figures || jsonb_build_object('report', v_report, 'dashboard', jsonb_build_object(
        'activity_time_series', case when v_report #> '{totals,activity_count}' <> 'null'
                                     then v_figures #> '{dashboard,activity_time_series}' end,
        'hierarchy', null));
end $$;

CREATE FUNCTION app.get_hierarchy_stats(p_unit_id uuid, p_year integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform app.require_readable_unit(p_unit_id, p_year);
    perform app.take_turn('summary');   -- see take_turns
    lock table public.activities in access share mode;
    return stats.hierarchy_summary(p_unit_id, p_year);
end $$;

CREATE FUNCTION app.get_metric_snapshot(p_period_start date, p_period_end date) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform app.require_report_access(app.current_org_id(), p_period_start, p_period_end, null);
    return stats.metric_snapshot(p_period_start, p_period_end);
end $$;

CREATE FUNCTION app.get_report_remarks(p_period_start date, p_period_end date) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform app.require_report(app.current_org_id(), p_period_start, p_period_end,
                               'only coordinators and org admins see remarks');
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    return (
        select coalesce(jsonb_agg(to_jsonb(r) || jsonb_build_object(
                   'chapter_name', u.name, 'peer_mentor_name', p.display_name)
                   order by r.kind, r.number desc, r.day, r.activity_id), '[]')
        from (
            select m.*, count(*) over (partition by m.kind) as in_all,
                   row_number() over (partition by m.kind order by m.number desc, m.hours desc,
                       m.day, m.peer_mentor_id, m.chapter_id, m.activity_id) as place
            from stats.remarks(app.current_org_id(), p_period_start, p_period_end,
                               array(select app.visible_chapter_ids()), now()::date) m) r
        left join public.organization_units u on u.id = r.chapter_id
        left join public.profiles p on p.id = r.peer_mentor_id
        where r.place <= 20);
end $$;

CREATE FUNCTION app.get_report_versions(p_period_start date, p_period_end date) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform app.require_report_access(app.current_org_id(), p_period_start, p_period_end,
                                      'only coordinators and org admins see reports');
    return coalesce((
        select jsonb_agg(stats.shown_version(v) order by v.version desc)
        from public.bufdir_report_versions v
        where v.organization_id = app.current_org_id()
          and v.period_start = p_period_start and v.period_end = p_period_end), '[]');
end $$;

CREATE VIEW private.sign_ins AS
 SELECT u.id,
    (u.email)::text AS email,
    u.last_sign_in_at,
    COALESCE((p.organization_id)::text, (u.raw_app_meta_data ->> 'org_id'::text)) AS organization_id
   FROM (auth.users u
     LEFT JOIN public.profiles p ON ((p.id = u.id)));

COMMENT ON VIEW private.sign_ins IS 'Sign-ins, with the organisation of the person, or else the one that they were invited to.';

CREATE FUNCTION app.get_sign_ins() RETURNS TABLE(id uuid, email text, last_sign_in_at timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT s.id,
     s.email,
     s.last_sign_in_at
    FROM private.sign_ins s
   WHERE (s.organization_id = ( SELECT (app.administered_org_id())::text AS administered_org_id))
   ORDER BY s.email, s.id;
END;

CREATE FUNCTION app.get_snapshot_status(p_period_start date, p_period_end date) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform app.require_report(app.current_org_id(), p_period_start, p_period_end, null);
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    return stats.snapshot_status(app.current_org_id(), p_period_start, p_period_end, now());
end $$;

CREATE FUNCTION app.hide_small_groups(p_report jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
    with groups as (
        select l.name as list, e.ordinality as place, e.value as figures,
               case l.name when 'uncategorised' then 'categories' else l.name end as division,
               (e.value ->> 'activity_count')::numeric        as activities,
               (e.value ->> 'distinct_participants')::numeric as contacts,
               (e.value ->> 'participant_count')::numeric     as present
        from (values ('categories'), ('uncategorised'), ('regions'), ('totals')) l (name)
        cross join lateral jsonb_array_elements(
            case l.name when 'totals' then jsonb_build_array(p_report -> 'totals')
                        else p_report -> l.name end) with ordinality e
    ), counted as (
        -- how many people at least: some activity had as many present as they have on average
        select g.*, case when g.contacts = 0 then g.present
                         else greatest(g.contacts, ceil(g.present / g.activities)) end as people
        from groups g
    ), judged as (
        select c.*, c.people between 1 and 4 or coalesce(sum(c.people) over (
                   partition by c.division order by c.people, c.list, c.place
                   rows between unbounded preceding and 1 preceding), 0) between 1 and 4
                   as is_hidden
        from counted c
    ), shown as (
        select j.list, j.place,
               j.figures || case when j.is_hidden
                   then jsonb_build_object('activity_count', null, 'total_hours', null,
                                           'distinct_participants', null, 'participant_count', null)
                   else '{}' end as figures
        from judged j
    )
    select p_report || jsonb_build_object(
        'categories', coalesce((select jsonb_agg(s.figures order by s.place)
                                from shown s where s.list = 'categories'), '[]'),
        'uncategorised', coalesce((select jsonb_agg(s.figures order by s.place)
                                   from shown s where s.list = 'uncategorised'), '[]'),
        'regions', coalesce((select jsonb_agg(s.figures order by s.place)
                             from shown s where s.list = 'regions'), '[]'),
        'totals', (select s.figures from shown s where s.list = 'totals'))
$$;

COMMENT ON FUNCTION app.hide_small_groups(p_report jsonb) IS 'A report with null for the figures of groups of one to four people, and of as many of the smallest others as keep those from being worked out.';

CREATE FUNCTION app.import_activities(p_rows jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_plan jsonb := (select coalesce(jsonb_agg(to_jsonb(p) order by p.line), '[]')
                     from app.plan_activities(p_rows) p);
begin
    if not exists (select from jsonb_array_elements(v_plan) p
                   where p ->> 'problem' is not null) then
        insert into public.activities
            (id, unit_id, peer_mentor_id, activity_type_id, occurred_at, activity_date,
             duration_minutes, participant_count, contact_id, is_proxy_registered, registered_by,
             status)
        select p.id, p.unit_id, p.peer_mentor_id, p.activity_type_id, p.occurred_at,
               p.activity_date, p.duration_minutes, p.participant_count, p.contact_id,
               p.peer_mentor_id <> auth.uid(), auth.uid(), p.status::public.activity_status
        from jsonb_to_recordset(v_plan)
             p (id uuid, unit_id uuid, peer_mentor_id uuid, activity_type_id uuid,
                occurred_at timestamptz, activity_date date, duration_minutes integer,
                participant_count integer, contact_id uuid, status text, outcome text)
        where p.outcome = 'insert';
    end if;
    return (select coalesce(jsonb_agg(app.import_line(p.line, p.name, p.outcome, p.problem)
                                      order by p.line), '[]')
            from jsonb_to_recordset(v_plan)
                 p (line integer, name text, outcome text, problem text[]));
end $$;

CREATE FUNCTION app.import_sentence(p_problem text[]) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    RETURN CASE (p_problem)[1] WHEN 'unit_unnamed'::text THEN 'the unit has no name'::text WHEN 'unit_twice'::text THEN 'the list names this unit more than once'::text WHEN 'unit_ambiguous'::text THEN 'several units have this name'::text WHEN 'kind_unknown'::text THEN 'the kind must be national, region, district or local'::text WHEN 'parent_of_national'::text THEN 'the national unit alone has no parent'::text WHEN 'parent_missing'::text THEN 'the national unit alone has no parent'::text WHEN 'parent_unknown'::text THEN 'there is no unit of the parent''s name'::text WHEN 'parent_ambiguous'::text THEN 'several units have the parent''s name'::text WHEN 'parent_not_above'::text THEN 'the parent is not above a unit of this kind'::text WHEN 'closing_day'::text THEN 'closed_on must be a day such as 2026-12-31'::text WHEN 'not_invited'::text THEN 'nobody was invited with this address'::text WHEN 'role_unknown'::text THEN 'the role must be peer_mentor, coordinator or org_admin'::text WHEN 'active_unclear'::text THEN 'active must be yes or no'::text WHEN 'person_unnamed'::text THEN 'the person has no name'::text WHEN 'name_too_long'::text THEN 'the name is longer than 200 characters'::text WHEN 'region_numbered'::text THEN 'the name of a region has six digits in a row, which reports do not show'::text WHEN 'chapter_unknown'::text THEN format('there is no chapter "%s"'::text, (p_problem)[2]) WHEN 'chapter_ambiguous'::text THEN format('several chapters are called "%s"'::text, (p_problem)[2]) WHEN 'reference_missing'::text THEN 'the activity has no reference'::text WHEN 'reference_twice'::text THEN 'the list names this reference more than once'::text WHEN 'date_unclear'::text THEN 'date must be a day such as 2026-12-31'::text WHEN 'time_unclear'::text THEN 'time must be a time such as 18:30'::text WHEN 'type_unknown'::text THEN 'there is no type of this code'::text WHEN 'chapter_unclear'::text THEN 'there is no chapter, or several, of this name'::text WHEN 'mentor_unknown'::text THEN 'nobody has the peer mentor''s address'::text WHEN 'minutes_outside'::text THEN 'minutes must be a number from 1 to 1440'::text WHEN 'participants_outside'::text THEN 'participants must be a number from 0 to 10000'::text WHEN 'status_unknown'::text THEN 'the status must be draft, registered or rejected'::text WHEN 'otherwise_there'::text THEN 'it is there and says something else: correct the activity itself'::text WHEN 'chapter_closed'::text THEN 'the chapter was closed by then'::text WHEN 'yet_to_come'::text THEN 'what has not taken place yet can only be a draft'::text WHEN 'year_locked'::text THEN 'the year is locked'::text WHEN 'mentor_not_active'::text THEN 'the peer mentor is not active in the chapter'::text WHEN 'day_full'::text THEN 'more than 24 hours of one person on one day'::text ELSE (p_problem)[2] END;

CREATE FUNCTION app.import_line(p_line integer, p_name text, p_outcome text, p_problem text[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    RETURN jsonb_build_object('line', p_line, 'name', p_name, 'outcome', p_outcome, 'problem', app.import_sentence(p_problem), 'code', (p_problem)[1], 'values', to_jsonb((p_problem)[2:]));

COMMENT ON FUNCTION app.import_line(p_line integer, p_name text, p_outcome text, p_problem text[]) IS 'What a preview or an import says of a line.';

CREATE FUNCTION app.import_people(p_rows jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_row     record;
    v_outcome text;
    v_problem text[];
    v_lines   jsonb[] := array[]::jsonb[];
begin
    for v_row in select p.* from app.plan_people(p_rows) p order by p.line loop
        v_outcome := 'unchanged';
        v_problem := v_row.problem;
        if v_problem is null and not v_row.is_same then
            begin
                v_outcome := app.import_person(v_row.id, v_row.name,
                    v_row.role::public.profile_role, v_row.is_active, v_row.chapter_ids);
            exception
                when data_exception or integrity_constraint_violation or no_data_found
                     or sqlstate 'PT404' or sqlstate 'PT409' then
                    v_problem := array[sqlstate, sqlerrm];
            end;
        end if;
        v_lines := v_lines || app.import_line(
            v_row.line, v_row.email, v_outcome, v_problem);
    end loop;
    return to_jsonb(v_lines);
end $$;

CREATE FUNCTION app.import_person(p_id uuid, p_name text, p_role public.profile_role, p_is_active boolean, p_chapter_ids uuid[]) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_old      public.profiles;
    v_assigned boolean;
begin
    select p.id, p.display_name, p.role, p.is_active
    into v_old.id, v_old.display_name, v_old.role, v_old.is_active
    from public.profiles p where p.id = p_id;
    perform app.save_person(p_id, p_name, p_role, p_is_active);
    v_assigned := app.assign_chapters(p_id, p_chapter_ids);
    return case when v_old.id is null then 'insert'
                when v_assigned or (v_old.display_name, v_old.role, v_old.is_active)
                     is distinct from (p_name, p_role, p_is_active)
                then 'update' else 'unchanged' end;
end $$;

CREATE FUNCTION app.import_rows(p_kind text, p_rows jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    if app.administered_org_id() is null then
        raise exception 'only org admins import' using errcode = 'insufficient_privilege';
    end if;
    if jsonb_typeof(p_rows) is distinct from 'array' or jsonb_array_length(p_rows) > 5000 then
        raise exception 'the rows must be an array of at most 5000'
            using errcode = 'invalid_parameter_value';
    end if;
    case p_kind
        when 'units' then return app.import_units(p_rows);
        when 'people' then return app.import_people(p_rows);
        when 'activities' then return app.import_activities(p_rows);
        else raise exception 'the kind of list must be units, people or activities'
                 using errcode = 'invalid_parameter_value';
    end case;
end $$;

CREATE FUNCTION app.import_units(p_rows jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_plan jsonb := (select coalesce(jsonb_agg(to_jsonb(p) order by p.line), '[]')
                     from app.plan_units(p_rows) p);
begin
    if not exists (select from jsonb_array_elements(v_plan) p
                   where p ->> 'problem' is not null) then
        -- each in one statement: the tree is checked after it
        insert into public.organization_units (id, parent_id, kind, name, closed_on)
        select p.id, p.parent_id, p.kind::public.unit_kind, p.name, p.closed_on::date
        from jsonb_to_recordset(v_plan)
             p (id uuid, parent_id uuid, kind text, name text, closed_on text, outcome text)
        where p.outcome = 'insert';
        update public.organization_units u
        set parent_id = p.parent_id, kind = p.kind::public.unit_kind,
            closed_on = p.closed_on::date
        from jsonb_to_recordset(v_plan)
             p (id uuid, parent_id uuid, kind text, closed_on text, outcome text)
        where p.outcome = 'update' and u.id = p.id;
    end if;
    return (select coalesce(jsonb_agg(app.import_line(p.line, p.name, p.outcome, p.problem)
                                      order by p.line), '[]')
            from jsonb_to_recordset(v_plan)
                 p (line integer, name text, outcome text, problem text[]));
end $$;

CREATE FUNCTION app.is_aggregate_only(p_value jsonb, p_key text DEFAULT NULL::text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO ''
    AS $_$
declare
    v_text text := p_value #>> '{}';
begin
    case jsonb_typeof(p_value)
        when 'object' then
            return coalesce(
                    p_key in ('categories', 'uncategorised', 'regions', 'totals'), true)
                and (
                    select coalesce(bool_and(
                        e.key in (
                            'organization_id', 'period_start', 'period_end', 'mapping_version',
                            'categories', 'uncategorised', 'regions', 'totals',
                            'bufdir_category_code', 'activity_type_id', 'activity_type_code',
                            'region_unit_id', 'region_name',
                            'activity_count', 'total_hours', 'distinct_participants',
                            'participant_count')
                        and app.is_aggregate_only(e.value, e.key)), true)
                    from jsonb_each(p_value) e);
        when 'array' then
            return coalesce(p_key in ('categories', 'uncategorised', 'regions'), false)
                and (
                    select coalesce(bool_and(
                        jsonb_typeof(i.value) = 'object'
                        and app.is_aggregate_only(i.value, p_key)), true)
                    from jsonb_array_elements(p_value) i);
        when 'number' then
            return coalesce(p_key in (
                'mapping_version', 'activity_count', 'total_hours', 'distinct_participants',
                'participant_count'), false);
        when 'string' then
            return coalesce(case
                when p_key in ('organization_id', 'activity_type_id', 'region_unit_id')
                    then v_text ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                when p_key in ('period_start', 'period_end')
                    then v_text ~ '^\d{4,}-\d\d-\d\d$'
                when p_key = 'bufdir_category_code'
                    then v_text ~ '^[A-Z0-9][A-Z0-9_.-]{0,31}$'
                when p_key = 'activity_type_code'
                    then v_text ~ '^[a-z][a-z0-9_]{0,62}$'
                when p_key = 'region_name'   -- no number of a person's
                    then v_text !~ '\d{6}' and length(v_text) <= 200
            end, false);
        when 'null' then
            return coalesce(p_key in (
                'region_unit_id', 'region_name',   -- no region; the figures of a small group
                'activity_count', 'total_hours', 'distinct_participants',
                'participant_count'), false);
        else
            return false;
    end case;
end $_$;

COMMENT ON FUNCTION app.is_aggregate_only(p_value jsonb, p_key text) IS 'Whether a snapshot holds nothing but the listed aggregate fields, each of its type.';

CREATE FUNCTION app.is_time_zone(p_name text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN ((p_name = 'UTC'::text) OR (EXISTS (SELECT FROM pg_timezone_names z WHERE (z.name = is_time_zone.p_name))));

COMMENT ON FUNCTION app.is_time_zone(p_name text) IS 'Whether it is the full name of a time zone, such as Europe/Oslo.';

CREATE TABLE public.activity_types (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid DEFAULT app.current_org_id() NOT NULL,
    code text NOT NULL,
    label text NOT NULL,
    CONSTRAINT activity_types_code_check CHECK ((code ~ '^[a-z][a-z0-9_]{0,62}$'::text)),
    CONSTRAINT activity_types_label_check CHECK (((label ~ '\S'::text) AND (length(label) <= 200)))
);

COMMENT ON TABLE public.activity_types IS 'The kinds of activity of an organisation.';

CREATE TABLE public.bufdir_mapping_versions (
    organization_id uuid DEFAULT app.current_org_id() NOT NULL,
    mapping_version integer NOT NULL,
    valid_from_year integer NOT NULL,
    published_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT bufdir_mapping_versions_mapping_version_check CHECK ((mapping_version > 0)),
    CONSTRAINT bufdir_mapping_versions_valid_from_year_check CHECK (((valid_from_year >= 2000) AND (valid_from_year <= 2099)))
);

COMMENT ON TABLE public.bufdir_mapping_versions IS 'The published versions of the mapping. A year is reported by the newest version that is valid for it, so a version for later years never touches an earlier one.';

CREATE FUNCTION app.may_map(p_activity_type_id uuid, p_mapping_version integer) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN (EXISTS (SELECT FROM public.activity_types t WHERE ((t.id = may_map.p_activity_type_id) AND (t.organization_id = (SELECT app.administered_org_id() AS administered_org_id)) AND (NOT (EXISTS (SELECT FROM public.bufdir_mapping_versions v WHERE ((v.organization_id = t.organization_id) AND (v.mapping_version = may_map.p_mapping_version))))))));

COMMENT ON FUNCTION app.may_map(p_activity_type_id uuid, p_mapping_version integer) IS 'Whether the caller may write this type''s category: an org admin''s type, and a version that is not published.';

CREATE FUNCTION app.statistics_chapter_ids() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10
    SET search_path TO ''
    AS $$
begin
    if app.statistics_org_id() is not null then
        return query select app.visible_chapter_ids();
    end if;
end $$;

COMMENT ON FUNCTION app.statistics_chapter_ids() IS 'As visible_chapter_ids, but empty while the organisation''s kill switch is set.';

CREATE FUNCTION app.statistics_org_id() RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$   -- DEFINER: as above
declare
    v_org_id uuid := app.member_org_id();
begin
    if (select s.statistics_enabled from public.organization_settings s
        where s.organization_id = v_org_id) then
        return v_org_id;
    end if;
    if v_org_id is not null then
        -- on record in the server's log: a read-only request cannot write a row
        raise log 'feature_disabled: statistics of organization % asked for by profile %',
            v_org_id, auth.uid();
    end if;
    return null;
end $$;

COMMENT ON FUNCTION app.statistics_org_id() IS 'As member_org_id, but null while the organisation''s kill switch is set; each such attempt is logged.';

CREATE FUNCTION stats.hours(p_minutes bigint) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
begin
    return round(p_minutes / 60.0, 2);
end $$;

COMMENT ON FUNCTION stats.hours(p_minutes bigint) IS 'Minutes as hours, two decimals. Apply it to sums, never sum its results.';

CREATE TABLE public.activities (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid DEFAULT app.current_org_id() NOT NULL,
    unit_id uuid NOT NULL,
    peer_mentor_id uuid DEFAULT auth.uid() NOT NULL,
    coordinator_id uuid,
    activity_type_id uuid NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    activity_date date NOT NULL,
    is_date_given boolean,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL,
    inserted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    insert_number bigint NOT NULL,
    duration_minutes integer NOT NULL,
    participant_count integer DEFAULT 1 NOT NULL,
    contact_id uuid,
    is_proxy_registered boolean DEFAULT false NOT NULL,
    registered_by uuid DEFAULT auth.uid() NOT NULL,
    status public.activity_status DEFAULT 'registered'::public.activity_status NOT NULL,
    duplicate_of uuid,
    summary text,
    approved_expenses_nok numeric(14,2) DEFAULT 0 NOT NULL,
    not_counted_because text,
    is_counted boolean GENERATED ALWAYS AS ((not_counted_because IS NULL)) STORED NOT NULL,
    CONSTRAINT activities_activity_date_check CHECK (((activity_date >= '2000-01-01'::date) AND (activity_date < '2100-01-01'::date))),
    CONSTRAINT activities_approved_expenses_nok_check CHECK (((approved_expenses_nok >= (0)::numeric) AND (approved_expenses_nok <> 'NaN'::numeric))),
    CONSTRAINT activities_check CHECK ((duplicate_of <> id)),
    CONSTRAINT activities_date_fits_moment CHECK (((activity_date >= (((occurred_at AT TIME ZONE 'UTC'::text))::date - 1)) AND (activity_date <= (((occurred_at AT TIME ZONE 'UTC'::text))::date + 1)))),
    CONSTRAINT activities_duration_minutes_check CHECK (((duration_minutes >= 1) AND (duration_minutes <= 1440))),
    CONSTRAINT activities_participant_count_check CHECK (((participant_count >= 0) AND (participant_count <= 10000))),
    CONSTRAINT activities_proxy_is_named CHECK ((is_proxy_registered = (registered_by <> peer_mentor_id))),
    CONSTRAINT activities_summary_check CHECK ((length(summary) <= 4000))
);

COMMENT ON TABLE public.activities IS 'What peer mentors register. summary and contact_id are personal data: never in a payload, snapshot, log or statistic.';

COMMENT ON COLUMN public.activities.coordinator_id IS 'Who followed it up when it was written; statistics ask who does now.';

COMMENT ON COLUMN public.activities.occurred_at IS 'When it took place.';

COMMENT ON COLUMN public.activities.activity_date IS 'The day on which it took place: what every statistic, report, month and year uses.';

COMMENT ON COLUMN public.activities.is_date_given IS 'Whether the app gave activity_date; else it is derived in the organisation''s time zone.';

COMMENT ON COLUMN public.activities.recorded_at IS 'When it was registered.';

COMMENT ON COLUMN public.activities.inserted_at IS 'When the row was written, by the server''s clock: from here on activity_history tells all.';

COMMENT ON COLUMN public.activities.insert_number IS 'Which of all inserts this was: what tells a report which it has seen (mark_reports).';

COMMENT ON COLUMN public.activities.duplicate_of IS 'The activity that counts in its place: the same one, registered once more.';

COMMENT ON COLUMN public.activities.approved_expenses_nok IS 'The sum of its approved expense_claims, kept by their trigger; so an approval is a change of the activity.';

COMMENT ON COLUMN public.activities.not_counted_because IS 'Null for an activity that counts, else the reason: draft, rejected, type_does_not_count, too_short, too_few_participants, duplicate. Written by the counting rule alone.';

COMMENT ON COLUMN public.activities.is_counted IS 'Whether it counts, in every statistic and report.';

CREATE VIEW stats.chapter_coordinators AS
 SELECT a.organization_id,
    a.unit_id AS chapter_id,
    p.id AS coordinator_id,
    a.is_primary
   FROM (public.chapter_assignments a
     JOIN public.profiles p ON ((p.id = a.profile_id)))
  WHERE ((p.role = 'coordinator'::public.profile_role) AND p.is_active);

COMMENT ON VIEW stats.chapter_coordinators IS 'The active coordinators of each chapter, now.';

CREATE VIEW stats.countable_activities AS
 SELECT a.id,
    a.organization_id,
    a.unit_id AS chapter_id,
    a.peer_mentor_id,
    a.coordinator_id,
    a.activity_type_id,
    a.occurred_at,
    a.activity_date AS bucket_date,
    (date_trunc('month'::text, (a.activity_date)::timestamp without time zone))::date AS activity_month,
    a.duration_minutes,
    a.participant_count,
    a.contact_id,
    a.is_proxy_registered,
    a.approved_expenses_nok,
    a.recorded_at
   FROM public.activities a
  WHERE a.is_counted;

COMMENT ON VIEW stats.countable_activities IS 'The activities that count, each on its day; what every statistic and report reads.';

CREATE VIEW stats.default_coordinators AS
 SELECT DISTINCT ON (c.chapter_id) c.organization_id,
    c.chapter_id,
    c.coordinator_id
   FROM stats.chapter_coordinators c
  ORDER BY c.chapter_id, c.is_primary DESC, c.coordinator_id;

COMMENT ON VIEW stats.default_coordinators IS 'Who follows up what nobody else does: of a chapter''s coordinators, one whose primary chapter it is, else any, but always the same.';

CREATE VIEW stats.followed_rows AS
 SELECT a.organization_id,
    a.chapter_id,
    c.coordinator_id,
    a.activity_month,
    a.activity_type_id,
    1 AS activity_count,
    a.duration_minutes,
    a.approved_expenses_nok AS approved_nok
   FROM (stats.chapter_coordinators c
     JOIN stats.countable_activities a ON ((a.chapter_id = c.chapter_id)))
  WHERE ((a.coordinator_id = c.coordinator_id) OR ((NOT ((a.chapter_id, COALESCE(a.coordinator_id, '00000000-0000-0000-0000-000000000000'::uuid)) IN ( SELECT k.chapter_id,
            k.coordinator_id
           FROM stats.chapter_coordinators k))) AND ((c.chapter_id, c.coordinator_id) IN ( SELECT d.chapter_id,
            d.coordinator_id
           FROM stats.default_coordinators d))));

COMMENT ON VIEW stats.followed_rows IS 'Exact at every commit: activities by who follows them up now.';

CREATE VIEW stats.live_coordinator_rows AS
 SELECT r.organization_id,
    r.chapter_id,
    r.coordinator_id,
    r.activity_month,
    r.activity_type_id,
    r.activity_count,
    r.duration_minutes,
    r.approved_nok
   FROM stats.followed_rows r
UNION ALL
 SELECT a.organization_id,
    a.chapter_id,
    a.coordinator_id,
    a.activity_month,
    a.activity_type_id,
    1 AS activity_count,
    a.duration_minutes,
    a.approved_expenses_nok AS approved_nok
   FROM stats.countable_activities a
  WHERE ((a.coordinator_id IS NOT NULL) AND (NOT (a.chapter_id IN ( SELECT c.chapter_id
           FROM stats.chapter_coordinators c))));

COMMENT ON VIEW stats.live_coordinator_rows IS 'The same; and in a chapter without a coordinator, by who followed them up last.';

CREATE VIEW stats.visible_coordinator_monthly_stats WITH (security_barrier='true') AS
 SELECT v.organization_id AS org_id,
    v.coordinator_id,
    v.activity_month,
    v.activity_type_id,
    sum(v.activity_count) AS activity_count,
    sum(v.duration_minutes) AS total_duration_minutes,
    stats.hours(sum(v.duration_minutes)) AS total_hours,
    (sum(v.approved_nok))::numeric(14,2) AS approved_expenses_nok
   FROM ( SELECT r.organization_id,
            r.chapter_id,
            r.coordinator_id,
            r.activity_month,
            r.activity_type_id,
            r.activity_count,
            r.duration_minutes,
            r.approved_nok
           FROM stats.followed_rows r
          WHERE ((r.organization_id = ( SELECT app.statistics_org_id() AS statistics_org_id)) AND (r.coordinator_id = ( SELECT app.profile_id() AS profile_id)) AND (r.chapter_id = ANY (ARRAY( SELECT app.statistics_chapter_ids() AS statistics_chapter_ids))))
        UNION ALL
         SELECT r.organization_id,
            r.chapter_id,
            r.coordinator_id,
            r.activity_month,
            r.activity_type_id,
            r.activity_count,
            r.duration_minutes,
            r.approved_nok
           FROM stats.live_coordinator_rows r
          WHERE ((r.organization_id = ( SELECT app.statistics_org_id() AS statistics_org_id)) AND (( SELECT app.profile_role() AS profile_role) = 'org_admin'::public.profile_role))) v
  GROUP BY v.organization_id, v.coordinator_id, v.activity_month, v.activity_type_id;

CREATE VIEW public.coordinator_monthly_stats WITH (security_invoker='on') AS
 SELECT visible_coordinator_monthly_stats.org_id,
    visible_coordinator_monthly_stats.coordinator_id,
    visible_coordinator_monthly_stats.activity_month,
    visible_coordinator_monthly_stats.activity_type_id,
    visible_coordinator_monthly_stats.activity_count,
    visible_coordinator_monthly_stats.total_duration_minutes,
    visible_coordinator_monthly_stats.total_hours,
    visible_coordinator_monthly_stats.approved_expenses_nok
   FROM stats.visible_coordinator_monthly_stats
  ORDER BY visible_coordinator_monthly_stats.coordinator_id, visible_coordinator_monthly_stats.activity_month, visible_coordinator_monthly_stats.activity_type_id;

COMMENT ON VIEW public.coordinator_monthly_stats IS 'Per coordinator, month and activity type, with approved expenses, exact now.';

CREATE FUNCTION app.monthly_series(p_coordinator_id uuid, p_from date, p_to date) RETURNS TABLE(activity_month date, activity_count bigint, total_duration_minutes bigint, total_hours numeric, approved_expenses_nok numeric)
    LANGUAGE sql STABLE
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT (m.month)::date AS month,
     (COALESCE(sum(s.activity_count), (0)::numeric))::bigint AS "coalesce",
     (COALESCE(sum(s.total_duration_minutes), (0)::numeric))::bigint AS "coalesce",
     stats.hours((COALESCE(sum(s.total_duration_minutes), (0)::numeric))::bigint) AS hours,
     COALESCE(sum(s.approved_expenses_nok), (0)::numeric) AS "coalesce"
    FROM (generate_series(date_trunc('month'::text, (monthly_series.p_from)::timestamp without time zone), ((monthly_series.p_to)::timestamp without time zone - '1 day'::interval), '1 mon'::interval) m(month)
      LEFT JOIN public.coordinator_monthly_stats s ON (((s.activity_month = (m.month)::date) AND (s.coordinator_id = monthly_series.p_coordinator_id))))
   WHERE (monthly_series.p_from < monthly_series.p_to)
   GROUP BY ((m.month)::date)
   ORDER BY ((m.month)::date);
END;

CREATE FUNCTION app.period_warnings(p_end date) RETURNS text[]
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    RETURN array_remove(ARRAY[CASE WHEN ((EXTRACT(month FROM (p_end + 1)) = (1)::numeric) AND (EXTRACT(day FROM (p_end + 1)) = (1)::numeric)) THEN 'last_day_of_year_left_out'::text WHEN (EXTRACT(day FROM (p_end + 1)) = (1)::numeric) THEN 'last_day_of_month_left_out'::text WHEN ((EXTRACT(month FROM p_end) = (12)::numeric) AND (EXTRACT(day FROM p_end) = (1)::numeric)) THEN 'last_month_of_year_left_out'::text ELSE NULL::text END], NULL::text);

COMMENT ON FUNCTION app.period_warnings(p_end date) IS 'Whether the day that a period ends before looks like one that was meant to be in it.';

CREATE FUNCTION app.stable_id(VARIADIC p_words text[]) RETURNS uuid
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    RETURN (SELECT (encode(set_byte(set_byte(s.h, 6, ((get_byte(s.h, 6) & 15) | 80)), 8, ((get_byte(s.h, 8) & 63) | 128)), 'hex'::text))::uuid AS encode FROM (SELECT substr(extensions.digest((decode('0d2c9a0e6f1b5d0e9a573f7f6c1d8b42'::text, 'hex'::text) || convert_to(array_to_string(stable_id.p_words, chr(31)), 'UTF8'::name)), 'sha1'::text), 1, 16) AS substr) s(h));

COMMENT ON FUNCTION app.stable_id(VARIADIC p_words text[]) IS 'The id that these words always have.';

CREATE FUNCTION app.to_day(p_text text) RETURNS date
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    RETURN CASE WHEN (p_text ~ '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$'::text) THEN (SELECT CASE WHEN (to_char((s.d)::timestamp with time zone, 'YYYY-MM-DD'::text) = to_day.p_text) THEN s.d ELSE NULL::date END AS "case" FROM (SELECT ((make_date(("left"(to_day.p_text, 4))::integer, (substr(to_day.p_text, 6, 2))::integer, 1) + ("right"(to_day.p_text, 2))::integer) - 1) AS "?column?") s(d)) ELSE NULL::date END;

CREATE TABLE public.activity_history (
    id bigint NOT NULL,
    activity_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    operation text NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    changed_by uuid,
    before jsonb NOT NULL,
    after jsonb,
    CONSTRAINT activity_history_deletions_have_no_after CHECK (((operation = 'delete'::text) = (after IS NULL))),
    CONSTRAINT activity_history_operation_check CHECK ((operation = ANY (ARRAY['update'::text, 'delete'::text])))
);

COMMENT ON TABLE public.activity_history IS 'Append-only: what was counted of an activity before and after each change. Never a text or a contact. No foreign keys: what happened stays, whatever goes.';

COMMENT ON COLUMN public.activity_history.changed_by IS 'Null for the service, and for what the owner does.';

CREATE TABLE public.organization_settings (
    organization_id uuid NOT NULL,
    max_chapter_assignments integer DEFAULT 100 NOT NULL,
    warm_up_enabled boolean DEFAULT true NOT NULL,
    warm_up_limit integer DEFAULT 10 NOT NULL,
    snapshot_max_age interval DEFAULT '24:00:00'::interval NOT NULL,
    statistics_enabled boolean DEFAULT true NOT NULL,
    time_zone text DEFAULT 'UTC'::text NOT NULL,
    two_person_sign_off boolean DEFAULT true NOT NULL,
    text_retention interval,
    contact_retention interval,
    CONSTRAINT organization_settings_contact_retention_check CHECK (((contact_retention >= '1 day'::interval) AND (contact_retention <= '100 years'::interval))),
    CONSTRAINT organization_settings_max_chapter_assignments_check CHECK (((max_chapter_assignments >= 1) AND (max_chapter_assignments <= 10000))),
    CONSTRAINT organization_settings_snapshot_max_age_check CHECK (((snapshot_max_age > '00:00:00'::interval) AND (snapshot_max_age <= '10 years'::interval))),
    CONSTRAINT organization_settings_text_retention_check CHECK (((text_retention >= '1 day'::interval) AND (text_retention <= '100 years'::interval))),
    CONSTRAINT organization_settings_time_zone_is_known CHECK (app.is_time_zone(time_zone)),
    CONSTRAINT organization_settings_warm_up_limit_check CHECK (((warm_up_limit >= 0) AND (warm_up_limit <= 1000)))
);

COMMENT ON TABLE public.organization_settings IS 'One row per organisation, created with it.';

COMMENT ON COLUMN public.organization_settings.max_chapter_assignments IS 'How many chapters one profile may be assigned to (NHF: 5).';

COMMENT ON COLUMN public.organization_settings.statistics_enabled IS 'The kill switch: false hides every statistic of the organisation.';

COMMENT ON COLUMN public.organization_settings.time_zone IS 'Where an activity''s day begins, unless the app gives the day; docs/explain/what-counts.md.';

COMMENT ON COLUMN public.organization_settings.two_person_sign_off IS 'Whether a report is approved by somebody else than who prepared it.';

COMMENT ON COLUMN public.organization_settings.text_retention IS 'How long a summary is kept after the activity took place; null: as long as the activity.';

COMMENT ON COLUMN public.organization_settings.contact_retention IS 'How long a contact is kept after the last activity with them; null: as long as that.';

CREATE TABLE public.organizations (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    units_changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT organizations_name_check CHECK (((name ~ '\S'::text) AND (length(name) <= 200))),
    CONSTRAINT organizations_slug_check CHECK ((slug ~ '^[a-z][a-z0-9-]{1,62}$'::text))
);

COMMENT ON TABLE public.organizations IS 'The organisations that run peer-mentor programmes.';

CREATE TABLE public.reporting_years (
    organization_id uuid NOT NULL,
    year integer NOT NULL,
    locked_at timestamp with time zone,
    locked_by uuid,
    CONSTRAINT reporting_years_locked_by_somebody CHECK (((locked_at IS NULL) = (locked_by IS NULL))),
    CONSTRAINT reporting_years_year_check CHECK (((year >= 2000) AND (year <= 2099)))
);

COMMENT ON TABLE public.reporting_years IS 'Years that are or were locked: app users change nothing that took place in a locked one.';

CREATE FUNCTION app.plan_activities(p_rows jsonb) RETURNS TABLE(line integer, name text, id uuid, unit_id uuid, peer_mentor_id uuid, activity_type_id uuid, occurred_at timestamp with time zone, activity_date date, duration_minutes integer, participant_count integer, contact_id uuid, status text, outcome text, problem text[])
    LANGUAGE sql STABLE
    SET search_path TO ''
    BEGIN ATOMIC
 WITH own AS (
          SELECT o.id,
             o.slug,
             s_1.time_zone
            FROM (public.organizations o
              JOIN public.organization_settings s_1 ON ((s_1.organization_id = o.id)))
           WHERE (o.id = app.administered_org_id())
         ), given AS (
          SELECT ((r.n)::integer + 1) AS line,
             r.v AS given,
             TRIM(BOTH FROM (r.v ->> 'reference'::text)) AS reference,
             app.to_day(TRIM(BOTH FROM (r.v ->> 'date'::text))) AS day,
             COALESCE(NULLIF(TRIM(BOTH FROM (r.v ->> 'time'::text)), ''::text), '00:00'::text) AS "time",
             TRIM(BOTH FROM (r.v ->> 'type'::text)) AS type,
             TRIM(BOTH FROM (r.v ->> 'chapter'::text)) AS chapter,
             lower(TRIM(BOTH FROM (r.v ->> 'peer_mentor'::text))) AS peer_mentor,
                 CASE
                     WHEN (TRIM(BOTH FROM (r.v ->> 'minutes'::text)) ~ '^\d{1,4}$'::text) THEN ((r.v ->> 'minutes'::text))::integer
                     ELSE NULL::integer
                 END AS minutes,
                 CASE
                     WHEN (COALESCE(TRIM(BOTH FROM (r.v ->> 'participants'::text)), ''::text) = ''::text) THEN 1
                     WHEN (TRIM(BOTH FROM (r.v ->> 'participants'::text)) ~ '^\d{1,5}$'::text) THEN ((r.v ->> 'participants'::text))::integer
                     ELSE NULL::integer
                 END AS participants,
             NULLIF(TRIM(BOTH FROM (r.v ->> 'contact'::text)), ''::text) AS contact,
             COALESCE(NULLIF(lower(TRIM(BOTH FROM (r.v ->> 'status'::text))), ''::text), 'registered'::text) AS status,
             count(*) OVER (PARTITION BY (TRIM(BOTH FROM (r.v ->> 'reference'::text)))) AS times
            FROM jsonb_array_elements(plan_activities.p_rows) WITH ORDINALITY r(v, n)
         ), chapters AS (
          SELECT u.name,
             (min((u.id)::text))::uuid AS id,
             count(*) AS units,
             min(u.closed_on) AS closed_on
            FROM public.organization_units u
           WHERE ((u.organization_id = app.administered_org_id()) AND (u.kind = 'local'::public.unit_kind))
           GROUP BY u.name
         ), placed AS (
          SELECT g.line,
             g.given,
             g.reference,
             g.day,
             g."time",
             g.type,
             g.chapter,
             g.peer_mentor,
             g.minutes,
             g.participants,
             g.contact,
             g.status,
             g.times,
             c.id AS unit_id,
             COALESCE(c.units, (0)::bigint) AS units,
             c.closed_on,
             t.id AS type_id,
             s_1.id AS mentor_id,
             o.time_zone,
                 CASE
                     WHEN (g.reference ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text) THEN (g.reference)::uuid
                     ELSE app.stable_id(VARIADIC ARRAY[o.slug, g.reference])
                 END AS id,
                 CASE
                     WHEN (g."time" ~ '^([01]\d|2[0-3]):[0-5]\d$'::text) THEN ((g.day + (g."time")::time without time zone) AT TIME ZONE o.time_zone)
                     ELSE NULL::timestamp with time zone
                 END AS moment,
                 CASE
                     WHEN (g.contact IS NOT NULL) THEN app.stable_id(VARIADIC ARRAY[(o.id)::text, 'contact'::text, g.contact])
                     ELSE NULL::uuid
                 END AS contact_id
            FROM ((((given g
              CROSS JOIN own o)
              LEFT JOIN chapters c ON ((c.name = g.chapter)))
              LEFT JOIN public.activity_types t ON (((t.code = g.type) AND (t.organization_id = o.id))))
              LEFT JOIN app.get_sign_ins() s_1(id, email, last_sign_in_at) ON ((lower(s_1.email) = g.peer_mentor)))
         ), days AS (
          SELECT a.peer_mentor_id,
             a.activity_date,
             sum(a.duration_minutes) AS minutes
            FROM public.activities a
           WHERE (((a.peer_mentor_id, a.activity_date) IN ( SELECT p.mentor_id,
                     p.day
                    FROM placed p)) AND (a.status = 'registered'::public.activity_status) AND (a.duplicate_of IS NULL))
           GROUP BY a.peer_mentor_id, a.activity_date
         ), summed AS (
          SELECT p.line,
             p.given,
             p.reference,
             p.day,
             p."time",
             p.type,
             p.chapter,
             p.peer_mentor,
             p.minutes,
             p.participants,
             p.contact,
             p.status,
             p.times,
             p.unit_id,
             p.units,
             p.closed_on,
             p.type_id,
             p.mentor_id,
             p.time_zone,
             p.id,
             p.moment,
             p.contact_id,
             (a.id IS NOT NULL) AS is_there,
             ((NOT ((((((((a.unit_id IS DISTINCT FROM p.unit_id) OR (a.peer_mentor_id IS DISTINCT FROM p.mentor_id)) OR (a.activity_type_id IS DISTINCT FROM p.type_id)) OR (a.occurred_at IS DISTINCT FROM p.moment)) OR (a.activity_date IS DISTINCT FROM p.day)) OR (a.duration_minutes IS DISTINCT FROM p.minutes)) OR (a.participant_count IS DISTINCT FROM p.participants)) OR ((a.status)::text IS DISTINCT FROM p.status))) OR (EXISTS ( SELECT
                    FROM public.activity_history h
                   WHERE ((h.activity_id = p.id) AND (h.changed_by IS NOT NULL))))) AS is_settled,
             (COALESCE(d.minutes, (0)::bigint) + sum(p.minutes) FILTER (WHERE ((p.status = 'registered'::text) AND (a.id IS NULL))) OVER (PARTITION BY p.mentor_id, p.day ORDER BY p.line)) AS of_the_day
            FROM ((placed p
              LEFT JOIN public.activities a ON ((a.id = p.id)))
              LEFT JOIN days d ON (((d.peer_mentor_id = p.mentor_id) AND (d.activity_date = p.day))))
         )
  SELECT s.line,
     s.reference,
     s.id,
     s.unit_id,
     s.mentor_id,
     s.type_id,
     s.moment,
     s.day,
     s.minutes,
     s.participants,
     s.contact_id,
     s.status,
         CASE
             WHEN (s.is_there OR s.is_settled) THEN 'unchanged'::text
             ELSE 'insert'::text
         END AS "case",
         CASE
             WHEN (COALESCE(s.reference, ''::text) = ''::text) THEN ARRAY['reference_missing'::text]
             WHEN (s.times > 1) THEN ARRAY['reference_twice'::text, s.reference]
             WHEN ((s.day IS NULL) OR ((s.day < '2000-01-01'::date) OR (s.day > '2099-12-31'::date))) THEN ARRAY['date_unclear'::text, (s.given ->> 'date'::text)]
             WHEN (s.moment IS NULL) THEN ARRAY['time_unclear'::text, s."time"]
             WHEN (s.type_id IS NULL) THEN ARRAY['type_unknown'::text, s.type]
             WHEN (s.units <> 1) THEN ARRAY['chapter_unclear'::text, s.chapter]
             WHEN (s.mentor_id IS NULL) THEN ARRAY['mentor_unknown'::text, s.peer_mentor]
             WHEN ((COALESCE(s.minutes, 0) < 1) OR (COALESCE(s.minutes, 0) > 1440)) THEN ARRAY['minutes_outside'::text, (s.given ->> 'minutes'::text)]
             WHEN ((COALESCE(s.participants, '-1'::integer) < 0) OR (COALESCE(s.participants, '-1'::integer) > 10000)) THEN ARRAY['participants_outside'::text, (s.given ->> 'participants'::text)]
             WHEN (s.status <> ALL (ARRAY['draft'::text, 'registered'::text, 'rejected'::text])) THEN ARRAY['status_unknown'::text, s.status]
             WHEN (s.is_there AND (NOT s.is_settled)) THEN ARRAY['otherwise_there'::text]
             WHEN (s.is_there OR s.is_settled) THEN NULL::text[]
             WHEN (s.day >= s.closed_on) THEN ARRAY['chapter_closed'::text, (s.closed_on)::text]
             WHEN ((s.status <> 'draft'::text) AND (s.moment > now())) THEN ARRAY['yet_to_come'::text]
             WHEN (EXISTS ( SELECT
                FROM public.reporting_years y
               WHERE ((y.organization_id = app.administered_org_id()) AND ((y.year)::numeric = EXTRACT(year FROM s.day)) AND (y.locked_at IS NOT NULL)))) THEN ARRAY['year_locked'::text, (EXTRACT(year FROM s.day))::text]
             WHEN ((s.mentor_id <> auth.uid()) AND (NOT (EXISTS ( SELECT
                FROM (public.chapter_assignments a
                  JOIN public.profiles p ON (((p.id = a.profile_id) AND p.is_active)))
               WHERE ((a.unit_id = s.unit_id) AND (a.profile_id = s.mentor_id)))))) THEN ARRAY['mentor_not_active'::text, s.peer_mentor, s.chapter]
             WHEN ((s.status = 'registered'::text) AND (s.of_the_day > 1440)) THEN ARRAY['day_full'::text, s.peer_mentor, (s.day)::text]
             ELSE NULL::text[]
         END AS "case"
    FROM summed s;
END;

CREATE FUNCTION app.plan_people(p_rows jsonb) RETURNS TABLE(line integer, email text, id uuid, name text, role text, is_active boolean, chapter_ids uuid[], is_same boolean, problem text[])
    LANGUAGE sql STABLE
    SET search_path TO ''
    BEGIN ATOMIC
 WITH given AS (
          SELECT ((r.n)::integer + 1) AS line,
             (r.v ->> 'email'::text) AS email,
             TRIM(BOTH FROM (r.v ->> 'name'::text)) AS name,
             COALESCE(lower(TRIM(BOTH FROM (r.v ->> 'role'::text))), ''::text) AS role,
             COALESCE(NULLIF(lower(TRIM(BOTH FROM (r.v ->> 'active'::text))), ''::text), 'yes'::text) AS active,
             string_to_array((r.v ->> 'chapters'::text), ';'::text) AS chapters,
             count(*) OVER (PARTITION BY (lower(TRIM(BOTH FROM (r.v ->> 'email'::text))))) AS times
            FROM jsonb_array_elements(plan_people.p_rows) WITH ORDINALITY r(v, n)
         ), chapters AS (
          SELECT u.name,
             (min((u.id)::text))::uuid AS id,
             count(*) AS units
            FROM public.organization_units u
           WHERE ((u.organization_id = app.administered_org_id()) AND (u.kind = 'local'::public.unit_kind))
           GROUP BY u.name
         ), placed AS (
          SELECT g_1.line,
             array_agg(c.id ORDER BY n.n) AS chapter_ids,
             array_agg(TRIM(BOTH FROM n.name) ORDER BY n.n) FILTER (WHERE (c.id IS NULL)) AS unknown,
             array_agg(TRIM(BOTH FROM n.name) ORDER BY n.n) FILTER (WHERE (c.units > 1)) AS ambiguous
            FROM ((given g_1
              CROSS JOIN LATERAL unnest(g_1.chapters) WITH ORDINALITY n(name, n))
              LEFT JOIN chapters c ON ((c.name = TRIM(BOTH FROM n.name))))
           WHERE (TRIM(BOTH FROM n.name) <> ''::text)
           GROUP BY g_1.line
         ), assigned AS (
          SELECT a_1.profile_id,
             jsonb_object_agg(a_1.unit_id, a_1.is_primary) AS chapters
            FROM public.chapter_assignments a_1
           GROUP BY a_1.profile_id
         )
  SELECT g.line,
     g.email,
     s.id,
     g.name,
     g.role,
     (g.active = 'yes'::text),
     COALESCE(p.chapter_ids, '{}'::uuid[]) AS "coalesce",
     ((g.times = 1) AND (NOT ((((o.display_name IS DISTINCT FROM g.name) OR ((o.role)::text IS DISTINCT FROM g.role)) OR (o.is_active IS DISTINCT FROM (g.active = 'yes'::text))) OR (a.chapters IS DISTINCT FROM app.assignments_of(p.chapter_ids))))),
         CASE
             WHEN (s.id IS NULL) THEN ARRAY['not_invited'::text, g.email]
             WHEN (g.role <> ALL (ARRAY['peer_mentor'::text, 'coordinator'::text, 'org_admin'::text])) THEN ARRAY['role_unknown'::text, g.role]
             WHEN (g.active <> ALL (ARRAY['yes'::text, 'no'::text])) THEN ARRAY['active_unclear'::text, g.active]
             WHEN (COALESCE(g.name, ''::text) = ''::text) THEN ARRAY['person_unnamed'::text]
             WHEN (length(g.name) > 200) THEN ARRAY['name_too_long'::text]
             WHEN (p.unknown IS NOT NULL) THEN ARRAY['chapter_unknown'::text, p.unknown[1]]
             WHEN (p.ambiguous IS NOT NULL) THEN ARRAY['chapter_ambiguous'::text, p.ambiguous[1]]
             ELSE NULL::text[]
         END AS "case"
    FROM ((((given g
      LEFT JOIN placed p ON ((p.line = g.line)))
      LEFT JOIN app.get_sign_ins() s(id, email, last_sign_in_at) ON ((lower(s.email) = lower(TRIM(BOTH FROM g.email)))))
      LEFT JOIN public.profiles o ON ((o.id = s.id)))
      LEFT JOIN assigned a ON ((a.profile_id = s.id)));
END;

COMMENT ON FUNCTION app.plan_people(p_rows jsonb) IS 'Whom the lines of a list name, as what, in which chapters, whether that is so already, and what is wrong with them.';

CREATE FUNCTION app.plan_units(p_rows jsonb) RETURNS TABLE(line integer, id uuid, name text, kind text, parent_id uuid, closed_on text, outcome text, problem text[])
    LANGUAGE sql STABLE
    SET search_path TO ''
    BEGIN ATOMIC
 WITH given AS (
          SELECT ((r_1.n)::integer + 1) AS line,
             TRIM(BOTH FROM (r_1.v ->> 'unit'::text)) AS name,
             lower(TRIM(BOTH FROM (r_1.v ->> 'kind'::text))) AS kind,
             NULLIF(TRIM(BOTH FROM (r_1.v ->> 'parent'::text)), ''::text) AS parent,
             NULLIF(TRIM(BOTH FROM (r_1.v ->> 'closed_on'::text)), ''::text) AS closed_on,
             count(*) OVER (PARTITION BY (TRIM(BOTH FROM (r_1.v ->> 'unit'::text)))) AS times
            FROM jsonb_array_elements(plan_units.p_rows) WITH ORDINALITY r_1(v, n)
         ), known AS (
          SELECT (min((u.id)::text))::uuid AS id,
             u.name,
             count(*) AS units
            FROM public.organization_units u
           WHERE (u.organization_id = app.administered_org_id())
           GROUP BY u.name
         ), placed AS (
          SELECT g.line,
             g.name,
             g.kind,
             g.parent,
             g.closed_on,
             g.times,
             k.units,
             COALESCE(k.id, (md5((app.administered_org_id() || g.name)))::uuid) AS id,
             (u.kind)::text AS old_kind,
             u.parent_id AS old_parent_id,
             u.closed_on AS old_closed_on,
             (u.id IS NULL) AS is_new
            FROM ((given g
              LEFT JOIN known k ON ((k.name = g.name)))
              LEFT JOIN public.organization_units u ON ((u.id = k.id)))
         ), joined AS (
          SELECT p.line,
             p.name,
             p.kind,
             p.parent,
             p.closed_on,
             p.times,
             p.units,
             p.id,
             p.old_kind,
             p.old_parent_id,
             p.old_closed_on,
             p.is_new,
             COALESCE(f.id, k.id) AS parent_id,
             COALESCE(f.kind, (ku.kind)::text) AS above,
             COALESCE(k.units, (0)::bigint) AS parents
            FROM (((placed p
              LEFT JOIN LATERAL ( SELECT f_1.id,
                     f_1.kind
                    FROM placed f_1
                   WHERE (f_1.name = p.parent)
                   ORDER BY f_1.line
                  LIMIT 1) f ON (true))
              LEFT JOIN known k ON ((k.name = p.parent)))
              LEFT JOIN public.organization_units ku ON ((ku.id = k.id)))
         ), ranks AS (
          SELECT (pg_enum.enumlabel)::text AS kind,
             pg_enum.enumsortorder AS rank
            FROM pg_enum
           WHERE (pg_enum.enumtypid = ('public.unit_kind'::regtype)::oid)
         )
  SELECT j.line,
     j.id,
     j.name,
     j.kind,
     j.parent_id,
     j.closed_on,
         CASE
             WHEN j.is_new THEN 'insert'::text
             WHEN (NOT (((j.kind IS DISTINCT FROM j.old_kind) OR (j.parent_id IS DISTINCT FROM j.old_parent_id)) OR (j.closed_on IS DISTINCT FROM (j.old_closed_on)::text))) THEN 'unchanged'::text
             ELSE 'update'::text
         END AS "case",
         CASE
             WHEN (COALESCE(j.name, ''::text) = ''::text) THEN ARRAY['unit_unnamed'::text]
             WHEN (length(j.name) > 200) THEN ARRAY['name_too_long'::text]
             WHEN ((j.kind = 'region'::text) AND (j.name ~ '\d{6}'::text)) THEN ARRAY['region_numbered'::text, j.name]
             WHEN (j.times > 1) THEN ARRAY['unit_twice'::text, j.name]
             WHEN (j.units > 1) THEN ARRAY['unit_ambiguous'::text, j.name]
             WHEN (r.rank IS NULL) THEN ARRAY['kind_unknown'::text, j.kind]
             WHEN ((j.parent IS NOT NULL) AND (j.kind = 'national'::text)) THEN ARRAY['parent_of_national'::text, j.parent]
             WHEN ((j.parent IS NULL) AND (j.kind <> 'national'::text)) THEN ARRAY['parent_missing'::text]
             WHEN ((j.parent IS NOT NULL) AND (j.parent_id IS NULL)) THEN ARRAY['parent_unknown'::text, j.parent]
             WHEN (j.parents > 1) THEN ARRAY['parent_ambiguous'::text, j.parent]
             WHEN ((above.rank > r.rank) OR (j.parent = j.name)) THEN ARRAY['parent_not_above'::text, j.parent]
             WHEN ((j.closed_on IS NOT NULL) AND COALESCE(((app.to_day(j.closed_on) < '1900-01-01'::date) OR (app.to_day(j.closed_on) > '2099-12-31'::date)), true)) THEN ARRAY['closing_day'::text, j.closed_on]
             ELSE NULL::text[]
         END AS "case"
    FROM ((joined j
      LEFT JOIN ranks r ON ((r.kind = j.kind)))
      LEFT JOIN ranks above ON ((above.kind = j.above)));
END;

COMMENT ON FUNCTION app.plan_units(p_rows jsonb) IS 'What a list of units would change, line by line (the first line of a file has the names of the columns), and what is wrong with it.';

CREATE FUNCTION app.prepare_report(p_period_start date, p_period_end date) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION app.read_hierarchy_stats(p_unit_id uuid, p_year integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_answer jsonb;
begin
    perform app.require_readable_unit(p_unit_id, p_year);
    v_answer := stats.cached_hierarchy_stats(p_unit_id, p_year);
    if v_answer is null then
        -- the second of two readers waits for the first one's computation instead of doing it again
        perform pg_advisory_xact_lock(
            hashtext('fersk.hierarchy'), hashtext(p_unit_id::text || p_year));
        v_answer := stats.cached_hierarchy_stats(p_unit_id, p_year);
    end if;
    if v_answer is null then
        perform app.take_turn('summary');   -- see take_turns
        perform stats.compute_hierarchy_entry(p_unit_id, p_year);
        v_answer := stats.cached_hierarchy_stats(p_unit_id, p_year);
    end if;
    return v_answer;
end $$;

CREATE FUNCTION app.visible_chapter_ids() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10
    SET search_path TO ''
    AS $$
begin
    case app.profile_role()
        when 'org_admin' then
            return query
                -- whatever its kind, so that nothing which counts is left out
                select u.id from public.organization_units u
                where u.organization_id = app.member_org_id();
        when 'coordinator' then
            return query
                select a.unit_id from public.chapter_assignments a
                where a.profile_id = auth.uid();
        else
            return;   -- a peer mentor sees their own rows, not a chapter
    end case;
end $$;

COMMENT ON FUNCTION app.visible_chapter_ids() IS 'The chapters the caller follows up: a coordinator''s own, all units of an org admin''s organisation.';

CREATE FUNCTION app.readable_unit(p_unit_id uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    RETURN (SELECT u.id FROM public.organization_units u WHERE ((u.id = readable_unit.p_unit_id) AND (u.organization_id = app.member_org_id()) AND ((app.profile_role() = 'org_admin'::public.profile_role) OR (u.id IN (SELECT app.visible_chapter_ids() AS visible_chapter_ids)))));

COMMENT ON FUNCTION app.readable_unit(p_unit_id uuid) IS 'The unit, if the caller may read its summary: an org admin any of the organisation, a coordinator their chapters; else null.';

CREATE FUNCTION app.reads_whole_organization() RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN (EXISTS (SELECT FROM public.organization_units u WHERE ((u.organization_id = app.member_org_id()) AND (u.parent_id IS NULL) AND (app.readable_unit(u.id) IS NOT NULL))));

COMMENT ON FUNCTION app.reads_whole_organization() IS 'Whether the caller may read the summary of their organisation''s national unit.';

CREATE TABLE public.hierarchy_node_access (
    unit_id uuid NOT NULL,
    reads double precision DEFAULT 0 NOT NULL,
    last_read_at timestamp with time zone NOT NULL,
    CONSTRAINT hierarchy_node_access_reads_check CHECK (((reads >= (0)::double precision) AND (reads < 'Infinity'::double precision)))
);

COMMENT ON TABLE public.hierarchy_node_access IS 'How often each unit''s summary is read: reads halve every day, so that yesterday''s favourites fade.';

CREATE FUNCTION app.recent_unit_ids(p_limit integer) RETURNS TABLE(unit_id uuid, last_read_at timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT n.unit_id,
     n.last_read_at
    FROM (public.hierarchy_node_access n
      JOIN public.organization_units u ON (((u.id = n.unit_id) AND (u.organization_id = app.member_org_id()))))
   ORDER BY n.last_read_at DESC, n.unit_id
  LIMIT recent_unit_ids.p_limit;
END;

CREATE FUNCTION app.refuse(p_status integer, p_code text, p_message text, p_retry_after interval DEFAULT NULL::interval) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    raise sqlstate 'PGRST' using
        message = json_build_object('code', p_code, 'message', p_message,
                                    'details', null, 'hint', null),
        detail = json_build_object('status', p_status, 'headers', case
            when p_retry_after is null then '{}'::json
            else json_build_object('Retry-After',
                     greatest(ceil(extract(epoch from p_retry_after)), 1)::integer::text) end);
end $$;

COMMENT ON FUNCTION app.refuse(p_status integer, p_code text, p_message text, p_retry_after interval) IS 'Ends the request with this status and code, and with Retry-After where waiting helps.';

CREATE FUNCTION app.require_readable_unit(p_unit_id uuid, p_year integer) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$   -- DEFINER: as above
begin
    if p_year is null or p_year not between 2000 and 2099 then
        raise exception 'the year must be between 2000 and 2099'
            using errcode = 'invalid_parameter_value';
    end if;
    if app.readable_unit(p_unit_id) is null then
        raise exception 'no such unit among those you follow up'
            using errcode = 'insufficient_privilege';
    end if;
    if app.statistics_org_id() is null then
        raise exception 'the statistics of this organisation are switched off'
            using errcode = 'PT423';
    end if;
end $$;

CREATE FUNCTION app.require_report(p_org_id uuid, p_period_start date, p_period_end date, p_refusal text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    perform app.require_report_access(p_org_id, p_period_start, p_period_end, p_refusal);
    perform app.take_turn('report');
end $$;

COMMENT ON FUNCTION app.require_report(p_org_id uuid, p_period_start date, p_period_end date, p_refusal text) IS 'As require_report_access, for reports that are computed: those take a turn (take_turns).';

CREATE FUNCTION app.require_report_access(p_org_id uuid, p_period_start date, p_period_end date, p_refusal text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION app.require_report_access(p_org_id uuid, p_period_start date, p_period_end date, p_refusal text) IS 'Refuses whoever may not ask for the reports of this organisation, or of this period.';

CREATE FUNCTION app.save_metric_snapshot(p_period_start date, p_period_end date) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform app.require_report(app.current_org_id(), p_period_start, p_period_end,
                               'only coordinators and org admins save reports');
    perform stats.save_metric_snapshot(app.current_org_id(), p_period_start, p_period_end);
    return stats.metric_snapshot(p_period_start, p_period_end);
end $$;

CREATE FUNCTION app.save_person(p_id uuid, p_display_name text, p_role public.profile_role, p_is_active boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_org_id uuid := app.administered_org_id();
begin
    if v_org_id is null then
        raise exception 'only org admins manage people' using errcode = 'insufficient_privilege';
    end if;
    if not exists (select from private.sign_ins s
                   where s.id = p_id and s.organization_id = v_org_id::text) then
        raise exception 'no such person or invited sign-in in the organisation'
            using errcode = 'PT404';
    end if;
    perform private.lock_erasures(v_org_id);   -- one at a time, so that one org admin is left
    insert into public.profiles as p (id, organization_id, display_name, role, is_active)
    values (p_id, v_org_id, p_display_name, p_role, p_is_active)
    on conflict (id) do update
        set display_name = excluded.display_name, role = excluded.role,
            is_active = excluded.is_active
        where p.organization_id = v_org_id and p.erased_at is null
          and (p.display_name, p.role, p.is_active) is distinct from
              (excluded.display_name, excluded.role, excluded.is_active);
    if not exists (select from public.profiles p
                   where p.organization_id = v_org_id and p.role = 'org_admin'
                     and p.is_active) then
        raise exception 'the organisation would have no org admin' using errcode = 'PT409';
    end if;
end $$;

CREATE FUNCTION app.search_key(p_text text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    RETURN replace(replace(lower(extensions.unaccent('extensions.unaccent'::regdictionary, p_text)), 'aa'::text, 'a'::text), 'oe'::text, 'o'::text);

COMMENT ON FUNCTION app.search_key(p_text text) IS 'A name without accents and case, nor the spellings for å and ø: aa and oe.';

CREATE FUNCTION app.send_report(p_version_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$   -- DEFINER: as above
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

CREATE FUNCTION app.set_year_lock(p_year integer, p_is_locked boolean, p_reason text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_org_id uuid := app.member_org_id();
    v_now    timestamptz := case when p_is_locked then now() end;
    v_by     uuid := case when p_is_locked then app.profile_id() end;
begin
    if coalesce(app.profile_role() <> 'org_admin', true) then
        raise exception 'only org admins lock and unlock years'
            using errcode = 'insufficient_privilege';
    end if;
    if p_year is null or p_year not between 2000 and 2099 then
        raise exception 'the year must be between 2000 and 2099'
            using errcode = 'invalid_parameter_value';
    end if;
    if not p_is_locked and (p_reason is null or p_reason !~ '\S' or length(p_reason) > 500) then
        raise exception 'unlocking needs a reason of at most 500 characters'
            using errcode = 'invalid_parameter_value';
    end if;
    perform stats.close_year(v_org_id, p_year);
    insert into public.reporting_years as y (organization_id, year, locked_at, locked_by)
    select v_org_id, p_year, v_now, v_by
    where p_is_locked or exists (select from public.reporting_years e
                                 where e.organization_id = v_org_id and e.year = p_year)
    on conflict (organization_id, year) do update
        set locked_at = excluded.locked_at, locked_by = excluded.locked_by
        where (y.locked_at is not null) <> p_is_locked;
    if not found then
        if p_is_locked then
            perform app.refuse(409, 'conflict', 'the year is locked');
        end if;
        perform app.refuse(409, 'not_locked', 'the year is not locked');
    end if;
    insert into public.reporting_year_log (organization_id, year, is_locked, changed_by, reason)
    values (v_org_id, p_year, p_is_locked, app.profile_id(), p_reason);
    return jsonb_build_object('year', p_year, 'locked_at', v_now, 'locked_by', v_by);
end $$;

CREATE FUNCTION app.shown_report(p_report jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN CASE WHEN app.reads_whole_organization() THEN p_report ELSE app.hide_small_groups(p_report) END;

COMMENT ON FUNCTION app.shown_report(p_report jsonb) IS 'A report as the caller may see it.';

CREATE FUNCTION app.take_place(p_whose text, p_places integer) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    for v_place in 1..p_places loop
        if pg_try_advisory_xact_lock(hashtext('fersk.place'), hashtext(p_whose || v_place)) then
            return true;
        end if;
    end loop;
    return false;
end $$;

COMMENT ON FUNCTION app.take_place(p_whose text, p_places integer) IS 'Takes one of so many places until the transaction ends; false when all are taken.';

CREATE FUNCTION app.take_refresh_turn() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$   -- DEFINER: take_turn is
begin
    if app.profile_role() is distinct from 'coordinator'
        and app.profile_role() is distinct from 'org_admin' then
        raise exception 'only coordinators and org admins refresh'
            using errcode = 'insufficient_privilege';
    end if;
    perform app.take_turn('refresh');
end $$;

CREATE FUNCTION app.take_turn(p_work text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$   -- DEFINER: private
declare
    v_limit   private.work_limits;
    v_wait    interval;
    v_timeout text := current_setting('lock_timeout');
begin
    select * into strict v_limit from private.work_limits l where l.work = p_work;
    begin
        perform set_config('lock_timeout', '1s', true);
        v_wait := coalesce(
            private.use_limit(p_work, app.current_org_id(), v_limit.organization_burst,
                              v_limit.organization_interval),
            private.use_limit(p_work, auth.uid(), v_limit.person_burst, v_limit.person_interval));
        perform set_config('lock_timeout', v_timeout, true);
    exception when lock_not_available then
        perform app.refuse(429, 'rate_limited',
                           'Your organisation is computing; try again shortly.',
                           interval '1 second');
    end;
    if v_wait is not null then
        perform app.refuse(429, 'rate_limited', 'Too many requests; try again later.', v_wait);
    end if;
end $$;

COMMENT ON FUNCTION app.take_turn(p_work text) IS 'Lets the caller do expensive work, or refuses with 429: what it counts is part of the work''s own transaction. A read-only request cannot take a turn.';

CREATE FUNCTION app.unit_ancestry(p_unit_ids uuid[]) RETURNS TABLE(unit_id uuid, ancestor_id uuid, level integer)
    LANGUAGE sql STABLE
    SET search_path TO ''
    BEGIN ATOMIC
 WITH RECURSIVE walk(unit_id, ancestor_id, parent_id, level) AS (
          SELECT u.id,
             u.id,
             u.parent_id,
             1 AS "?column?"
            FROM public.organization_units u
           WHERE (u.id = ANY (unit_ancestry.p_unit_ids))
         UNION ALL
          SELECT w_1.unit_id,
             p.id,
             p.parent_id,
             (w_1.level + 1)
            FROM (walk w_1
              JOIN public.organization_units p ON ((p.id = w_1.parent_id)))
           WHERE (w_1.level < 5)
         )
  SELECT w.unit_id,
     w.ancestor_id,
     w.level
    FROM walk w;
END;

COMMENT ON FUNCTION app.unit_ancestry(p_unit_ids uuid[]) IS 'Each of the units with itself (level 1) and each of its ancestors (2 is the parent).';

CREATE FUNCTION app.unit_subtree(p_unit_id uuid) RETURNS SETOF uuid
    LANGUAGE sql STABLE
    SET search_path TO ''
    BEGIN ATOMIC
 WITH RECURSIVE walk(unit_id, level) AS (
          SELECT unit_subtree.p_unit_id AS p_unit_id,
             1 AS "?column?"
         UNION ALL
          SELECT u.id,
             (w_1.level + 1)
            FROM (walk w_1
              JOIN public.organization_units u ON ((u.parent_id = w_1.unit_id)))
           WHERE (w_1.level < 5)
         )
  SELECT w.unit_id
    FROM walk w;
END;

COMMENT ON FUNCTION app.unit_subtree(p_unit_id uuid) IS 'A unit and all below it.';

CREATE FUNCTION app.wait_for_place(p_whose text, p_places integer) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_timeout text := current_setting('lock_timeout');
begin
    if app.take_place(p_whose, p_places) then
        return true;
    end if;
    begin
        perform set_config('lock_timeout', '2s', true);
        perform pg_advisory_xact_lock(hashtext('fersk.place'),
                                      hashtext(p_whose || (1 + pg_backend_pid() % p_places)));
        perform set_config('lock_timeout', v_timeout, true);
    exception when lock_not_available then
        return false;   -- with the former timeout
    end;
    return true;
end $$;

COMMENT ON FUNCTION app.wait_for_place(p_whose text, p_places integer) IS 'As take_place, but waits for one when all are taken; false when that takes over two seconds.';

CREATE FUNCTION app.warn_of_end(p_end date) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    if app.period_warnings(p_end) <> '{}' then
        perform set_config('response.headers', jsonb_build_array(jsonb_build_object(
            'Warning', format('299 fersk "%s: %s is not in it"',
                              (app.period_warnings(p_end))[1], p_end)))::text, true);
    end if;
end $$;

COMMENT ON FUNCTION app.warn_of_end(p_end date) IS 'Has PostgREST answer with a header Warning, if there is something to warn of.';

CREATE FUNCTION private.apply_retention(p_now timestamp with time zone DEFAULT now(), p_limit integer DEFAULT 1000) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO ''
    SET lock_timeout TO '5s'
    AS $$
declare
    v_settings public.organization_settings;
    v_texts    bigint;
    v_contacts uuid[];
    v_erased   bigint := 0;
begin
    lock table public.activities in row exclusive mode;   -- before the snapshot: see create_audit
    for v_settings in
        select * from public.organization_settings s
        where num_nonnulls(s.text_retention, s.contact_retention) > 0
        order by s.organization_id
    loop
        perform private.lock_erasures(v_settings.organization_id);
        update public.activities a set summary = null
        where a.id in (
            select b.id from public.activities b
            where b.organization_id = v_settings.organization_id and b.summary is not null
              and b.occurred_at < p_now - v_settings.text_retention
            limit p_limit);
        get diagnostics v_texts = row_count;
        v_contacts := array(
            select a.contact_id from public.activities a
            where a.organization_id = v_settings.organization_id and a.contact_id is not null
              and not exists (select from private.contact_pseudonyms p
                              where p.contact_id = a.contact_id)
            group by 1
            having max(a.occurred_at) < p_now - v_settings.contact_retention
            limit p_limit);
        perform private.pseudonymize_contacts(v_settings.organization_id, v_contacts);
        perform private.record_erasure(v_settings.organization_id, e.kind, e.number)
        from (values ('texts', v_texts), ('contacts', cardinality(v_contacts))) e (kind, number)
        where e.number > 0;
        v_erased := v_erased + v_texts + cardinality(v_contacts);
        exit when v_erased >= p_limit;
    end loop;
    return v_erased;
end $$;

COMMENT ON FUNCTION private.apply_retention(p_now timestamp with time zone, p_limit integer) IS 'Erases a batch of the texts and contacts that are older than their organisation keeps them.';

CREATE FUNCTION private.begin_webhook_rotation() RETURNS text
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_secret text := 'whsec_' || encode(extensions.gen_random_bytes(32), 'base64');
begin
    if private.find_secret('fersk_previous_webhook_secret') is not null then
        raise exception 'a rotation is under way'
            using errcode = 'object_not_in_prerequisite_state',
                  hint = 'End it with private.end_webhook_rotation(), or take it back with '
                         'private.cancel_webhook_rotation().';
    end if;
    perform private.set_secret('fersk_previous_webhook_secret',
                               private.secret('fersk_webhook_secret'));
    perform private.set_secret('fersk_webhook_secret', v_secret);
    return v_secret;
end $$;

COMMENT ON FUNCTION private.begin_webhook_rotation() IS 'Makes and returns a new secret; from now on wake-ups are signed with the old one as well.';

CREATE FUNCTION private.broadcast_invalidation(p_organization_id uuid, p_unit_ids uuid[], p_dates date[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    perform realtime.send(
        jsonb_build_object('unit_ids', to_jsonb(p_unit_ids), 'dates', to_jsonb(p_dates)),
        'cache_invalidated', 'activities:org:' || p_organization_id, true);
end $$;

COMMENT ON FUNCTION private.broadcast_invalidation(p_organization_id uuid, p_unit_ids uuid[], p_dates date[]) IS 'Ids and dates, nothing else. A lost broadcast does not matter: clients read again after a reconnect.';

CREATE FUNCTION private.cancel_webhook_rotation() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    perform private.set_secret('fersk_webhook_secret',
                               private.secret('fersk_previous_webhook_secret'));
    perform private.forget_secret('fersk_previous_webhook_secret');
end $$;

COMMENT ON FUNCTION private.cancel_webhook_rotation() IS 'Back to the old secret: no function holds the new one yet.';

CREATE FUNCTION private.chain_report_version() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_chain stats.report_chains;
begin
    insert into stats.report_chains (organization_id) values (new.organization_id)
    on conflict do nothing;
    select * into strict v_chain from stats.report_chains c
    where c.organization_id = new.organization_id for update;
    new.position := v_chain.length + 1;
    new.previous_hash := v_chain.last_hash;
    new.version := 1 + (
        select coalesce(max(v.version), 0) from public.bufdir_report_versions v
        where v.organization_id = new.organization_id
          and v.period_start = new.period_start and v.period_end = new.period_end);
    new.hash := stats.report_hash(new);
    update stats.report_chains c set length = new.position, last_hash = new.hash
    where c.organization_id = new.organization_id;
    return new;
end $$;

CREATE FUNCTION private.check_activity() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_placed  boolean := tg_op = 'INSERT' or new.unit_id <> old.unit_id;
    v_named   boolean := new.coordinator_id is not null
        and (tg_op = 'INSERT' or new.coordinator_id is distinct from old.coordinator_id);
    v_mentor  boolean := v_placed or new.peer_mentor_id <> old.peer_mentor_id;
    v_problem text;
begin
    if new.coordinator_id is null or v_placed and not v_named then
        new.coordinator_id := (
            select d.coordinator_id
            from stats.default_coordinators d
            where d.chapter_id = new.unit_id and d.organization_id = new.organization_id);
    end if;
    if nullif(current_setting('request.jwt.claims', true), '') is null then
        return new;
    end if;
    select case
        when u.kind <> 'local' then 'the unit is no chapter'
        when new.activity_date >= u.closed_on
            and (v_placed or new.activity_date > old.activity_date)
            then 'the chapter was closed by then'
        when v_named and not exists (
            select from stats.chapter_coordinators c
            where c.chapter_id = u.id and c.coordinator_id = new.coordinator_id)
            then 'the coordinator is no active coordinator of the chapter'
        -- of themselves, row-level security asks the same
        when v_mentor and new.peer_mentor_id is distinct from auth.uid() and not exists (
            select from public.chapter_assignments a
            join public.profiles p on p.id = a.profile_id and p.is_active
            where a.unit_id = u.id and a.profile_id = new.peer_mentor_id)
            then 'the peer mentor is not active in the chapter'
        end into v_problem
    from public.organization_units u
    where u.id = new.unit_id;
    -- Who may not write there at all is refused by row-level security, and learns nothing here.
    if v_problem is not null and (auth.uid() is null or new.unit_id in (
            select app.visible_chapter_ids() union all select app.assigned_chapter_ids())) then
        raise exception '%', v_problem using errcode = 'check_violation';
    end if;
    return new;
end $$;

CREATE FUNCTION private.check_chapter_assignment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_limit integer;
    v_count integer;
begin
    -- Writing the profile's row makes concurrent inserts queue; under REPEATABLE READ the later one
    -- fails with 40001.
    update public.profiles p set assigned_at = clock_timestamp()
    where p.id = new.profile_id
    returning p.organization_id into new.organization_id;

    if (select u.kind from public.organization_units u where u.id = new.unit_id) <> 'local' then
        raise exception 'unit % is not a chapter', new.unit_id using errcode = 'check_violation';
    end if;

    select s.max_chapter_assignments into v_limit
    from public.organization_settings s
    where s.organization_id = new.organization_id;
    select count(*) into v_count
    from public.chapter_assignments a
    where a.profile_id = new.profile_id
      and a.unit_id <> new.unit_id
      -- but for the one that is exchanged
      and (tg_op = 'INSERT' or (a.profile_id, a.unit_id) <> (old.profile_id, old.unit_id));
    if v_count >= v_limit then
        raise exception 'a profile of this organisation may be assigned to at most % chapters',
                        v_limit
            using errcode = 'check_violation', constraint = 'chapter_assignments_limit',
                  hint = 'organization_settings.max_chapter_assignments';
    end if;
    return new;
end $$;

CREATE FUNCTION private.check_duplicate() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_original public.activities;
begin
    if auth.uid() is not null and new.unit_id not in (select app.visible_chapter_ids()) then
        raise exception 'only who follows up the chapter decides on duplicates'
            using errcode = 'insufficient_privilege';
    end if;
    if new.duplicate_of is null then
        return new;
    end if;
    -- Locked, so that two who name each other do not both find an original.
    select * into v_original from public.activities a where a.id = new.duplicate_of for share;
    if not found or v_original.organization_id <> new.organization_id
        or auth.uid() is not null
           and v_original.unit_id not in (select app.visible_chapter_ids()) then
        raise exception 'the original is not among the activities that you follow up'
            using errcode = 'insufficient_privilege';
    end if;
    if v_original.duplicate_of is not null then
        raise exception 'the original is itself a duplicate'
            using errcode = 'check_violation', hint = 'Name the activity that it names.';
    end if;
    if not v_original.is_counted then
        raise exception 'the original does not count' using errcode = 'check_violation';
    end if;
    if exists (select from public.activities a where a.duplicate_of = new.id) then
        raise exception 'other activities are duplicates of this one'
            using errcode = 'check_violation', hint = 'Resolve those first.';
    end if;
    return new;
end $$;

CREATE FUNCTION private.check_mapping_version() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    if not exists (
        select from public.bufdir_category_mappings m
        join public.activity_types t on t.id = m.activity_type_id
        where m.mapping_version = new.mapping_version
          and t.organization_id = new.organization_id) then
        raise exception 'mapping version % has no categories to publish', new.mapping_version
            using errcode = 'check_violation', hint = 'Write bufdir_category_mappings first.';
    end if;
    return new;
end $$;

CREATE FUNCTION private.check_unit_keeps_kind() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    if exists (select from public.activities a where a.unit_id = new.id) then
        raise exception 'unit % has activities and keeps its kind', new.id
            using errcode = 'check_violation', hint = 'Close it: organization_units.closed_on.';
    end if;
    if exists (select from public.chapter_assignments a where a.unit_id = new.id) then
        raise exception 'unit % has assignments and stays a chapter', new.id
            using errcode = 'check_violation';
    end if;
    return new;
end $$;

CREATE FUNCTION private.check_unit_tree() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_unit    uuid;
    v_problem text;
begin
    -- Every change of a tree writes its organisation's row first. So two changes of one tree queue,
    -- and under REPEATABLE READ the second fails with 40001, instead of both passing a check that
    -- does not see the other.
    update public.organizations o set units_changed_at = clock_timestamp()
    where o.id in (select n.organization_id from new_rows n);

    select u.id,
           case when p.kind > u.kind then 'a unit stands above one of a higher kind'
                else 'the tree has more than five levels, or a cycle' end
    into v_unit, v_problem
    from public.organization_units u
    left join public.organization_units p on p.id = u.parent_id
    where u.organization_id in (select n.organization_id from new_rows n)
      and (p.kind > u.kind
           -- a walk up that is deep enough for every tree does not reach the root
           or u.id not in (
               select a.unit_id
               from app.unit_ancestry(array(
                   select t.id from public.organization_units t
                   where t.organization_id in (select n.organization_id from new_rows n))) a
               join public.organization_units r on r.id = a.ancestor_id
               where r.parent_id is null))
    order by p.kind > u.kind desc nulls last
    limit 1;

    if found then
        raise exception 'organization unit %: %', v_unit, v_problem
            using errcode = 'check_violation';
    end if;
    return null;
end $$;

CREATE FUNCTION private.close_views() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_view name;
begin
    for v_view in select c.relname from pg_catalog.pg_class c
                  where c.relnamespace = 'public'::regnamespace and c.relkind = 'v'
                    and c.relowner = current_user::regrole
                    and pg_relation_is_updatable(c.oid, false) = 0
                  order by 1 loop
        execute format('create or replace trigger refuse_write '
                       'instead of insert or update or delete on public.%I '
                       'for each row execute function private.refuse_view_write()', v_view);
    end loop;
end $$;

COMMENT ON FUNCTION private.close_views() IS 'Has writes to the views of public refused; called again by whoever makes a view.';

CREATE FUNCTION private.collect_answers() RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_answered integer;
begin
    update private.deliveries d
    set answered_at = a.answered_at, status_code = a.status_code, error = a.error
    from private.new_answers() a
    where a.id = d.id;
    get diagnostics v_answered = row_count;
    delete from private.deliveries d
    where d.id <= (select max(m.id) - 10000 from private.deliveries m);
    return v_answered;
end $$;

COMMENT ON FUNCTION private.collect_answers() IS 'Notes what became of wake-ups, and keeps the newest ten thousand; the number of new answers.';

CREATE FUNCTION private.complete_expense_claim() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    if tg_op = 'INSERT' then
        select a.organization_id into new.organization_id
        from public.activities a
        where a.id = new.activity_id;
        if not found then
            raise exception 'the activity does not exist' using errcode = 'foreign_key_violation';
        end if;
    end if;
    if new.status = 'pending' then
        new.decided_at := null;
        new.decided_by := null;
    elsif tg_op = 'INSERT' or new.status <> old.status then
        new.decided_at := coalesce(case when tg_op = 'INSERT' then new.decided_at end, now());
        new.decided_by := coalesce(auth.uid(), new.decided_by);
    end if;
    return new;
end $$;

CREATE FUNCTION private.create_organization_settings() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into public.organization_settings (organization_id)
    select n.id from new_rows n
    on conflict (organization_id) do nothing;
    return null;
end $$;

CREATE FUNCTION private.delete_sign_in(p_user_id uuid) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    delete from auth.audit_log_entries e where strpos(e.payload::text, p_user_id::text) > 0;
    delete from auth.refresh_tokens t where t.user_id::text = p_user_id::text;
    delete from auth.users u where u.id = p_user_id;
    return true;
exception when insufficient_privilege or undefined_table then
    perform stats.record_error('a sign-in stays: ' || sqlstate || ': ' || sqlerrm);
    return false;
end $$;

CREATE FUNCTION private.deliver(p_id text, p_slug text, p_payload jsonb) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_timestamp  bigint := extract(epoch from clock_timestamp())::bigint;
    v_trace      text   := private.traceparent();
    v_request_id bigint;
begin
    -- pg_net sends the text form of the jsonb, which is what is signed
    v_request_id := net.http_post(
        -- however it was pasted: an address with "//" in it is nobody's
        url := rtrim(private.secret('fersk_functions_url'), E'/ \t\r\n') || '/' || p_slug,
        body := p_payload,
        headers := jsonb_strip_nulls(jsonb_build_object(
            'Content-Type', 'application/json',
            'traceparent', v_trace,
            'webhook-id', p_id,
            'webhook-timestamp', v_timestamp::text,
            'webhook-signature',
                private.webhook_signature(p_id, v_timestamp, p_payload::text))),
        timeout_milliseconds := 5000);
    insert into private.deliveries as d
        (webhook_id, slug, payload, request_id, sent_at, traceparent)
    values (p_id, p_slug, p_payload, v_request_id, clock_timestamp(), v_trace)
    on conflict (webhook_id) do update
        set request_id = excluded.request_id, sent_at = excluded.sent_at,
            attempts = d.attempts + 1, traceparent = excluded.traceparent,
            answered_at = null, status_code = null, error = null;
    return v_request_id;
end $$;

COMMENT ON FUNCTION private.deliver(p_id text, p_slug text, p_payload jsonb) IS 'Queues a signed POST to a function, sent after commit, and enters it in the ledger; returns pg_net''s request id.';

CREATE FUNCTION private.end_sessions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    delete from auth.refresh_tokens t where t.user_id::text = new.id::text;
    delete from auth.sessions s where s.user_id = new.id;
    return null;
exception when insufficient_privilege or undefined_table then
    -- the platform does not let us: the deactivation holds all the same
    perform stats.record_error('sessions stay open: ' || sqlstate || ': ' || sqlerrm);
    return null;
end $$;

CREATE FUNCTION private.forget_secret(p_name text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $_$
declare
    v_vault regclass := to_regclass('vault.secrets');
begin
    if v_vault is not null then
        execute format('delete from %s where name = $1', v_vault) using p_name;
    end if;
    delete from private.secrets s where s.name = p_name;
end $_$;

COMMENT ON FUNCTION private.forget_secret(p_name text) IS 'Takes a secret away, wherever it is; idempotent.';

CREATE FUNCTION private.end_webhook_rotation() RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT private.forget_secret('fersk_previous_webhook_secret'::text) AS forget_secret;
END;

COMMENT ON FUNCTION private.end_webhook_rotation() IS 'Forgets the old secret: every function holds the new one by now.';

CREATE FUNCTION private.erase_person() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    -- The user was deleted, not by erase_person: whoever never did anything goes altogether.
    if not exists (select from auth.users u where u.id = new.id) then
        begin
            delete from public.profiles p where p.id = new.id;
            return null;
        exception when foreign_key_violation then
            null;   -- there is something to keep
        end;
    end if;
    perform private.erase_traces(new.id);
    perform private.record_erasure(new.organization_id, 'person');
    return null;
end $$;

CREATE FUNCTION private.erase_traces(p_profile_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    -- before the snapshot, so that a migration beside it hides no row: see create_audit
    lock table public.activities in row exclusive mode;
    delete from public.chapter_assignments c where c.profile_id = p_profile_id;
    perform private.pseudonymize_contacts(
        p.organization_id,
        array(select a.contact_id from public.activities a
              where a.peer_mentor_id = p.id and a.contact_id is not null) || p.id)
    from public.profiles p where p.id = p_profile_id;
    update public.activities a set summary = null
    where (a.peer_mentor_id = p_profile_id or a.registered_by = p_profile_id)
      and a.summary is not null;
end $$;

CREATE FUNCTION private.facts_of_change(p_row jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    RETURN (p_row - ARRAY['display_name'::text, 'user_id'::text, 'assigned_at'::text, 'organization_id'::text]);

CREATE FUNCTION private.find_secret(p_name text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
declare
    -- does not exist everywhere, hence dynamic
    v_vault regclass := to_regclass('vault.decrypted_secrets');
    v_value text;
begin
    if v_vault is not null then
        execute format('select decrypted_secret from %s where name = $1', v_vault)
            into v_value using p_name;
    end if;
    return coalesce(v_value, (select s.value from private.secrets s where s.name = p_name));
end $_$;

COMMENT ON FUNCTION private.find_secret(p_name text) IS 'The value of a secret, or null.';

CREATE FUNCTION private.forget_person() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    new.display_name := 'Erased person';
    new.is_active := false;
    new.erased_at := now();
    return new;
end $$;

CREATE FUNCTION private.health_reasons() RETURNS TABLE(code text, since timestamp with time zone, remedy text)
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_is_async boolean := (select s.refresh_mode = 'async' from stats.settings s);
    v_swept_at timestamptz := stats.noted_time('stats.swept_at');
begin
    if not stats.is_recent(v_swept_at, interval '2 minutes') then
        return query values ('sweep_stopped', v_swept_at,
            'Nobody sweeps: select * from private.platform_problems();');
    end if;
    return query select * from private.schedule_reasons();
    return query
        select 'secret_missing', null::timestamptz,
               'No wake-up can be sent: select * from private.platform_problems();'
        where v_is_async and (private.find_secret('fersk_functions_url') is null
                              or private.find_secret('fersk_webhook_secret') is null);
    return query
        select case when a.is_refused then 'wake_ups_refused' else 'wake_ups_failing' end,
               a.undelivered_since,
               case when a.is_refused then 'Compare FERSK_WEBHOOK_SECRET and fersk_functions_url: '
                    else 'Are the functions up? ' end
                   || 'docs/howto/runbook.md#wake-ups-do-not-arrive'
        from private.answers a
        where v_is_async and a.undelivered_since is not null;
    return query
        select 'wake_ups_not_sent', a.unanswered_since,
               'Does pg_net run? docs/howto/runbook.md#wake-ups-do-not-arrive'
        from private.answers a
        where v_is_async
          and not stats.is_recent(a.unanswered_since, interval '30 seconds')
          and a.unanswered_since is not null;
    return query
        select 'fold_overdue', min(u.changed_at),
               'Nobody folds: docs/howto/runbook.md#the-backlog-grows'
        from stats.unit_changes u
        having not stats.is_recent(min(u.changed_at), interval '2 minutes') and count(*) > 0;
    return query
        select 'refresh_overdue', min(p.oldest_at),
               'mv_* are old: docs/howto/runbook.md#the-backlog-grows'
        from stats.pending_changes p
        having not stats.is_recent(min(p.oldest_at), interval '2 hours') and count(*) > 0;
    return query
        select 'difference_found', min(d.found_at),
               'Repaired, but it has a cause: docs/howto/runbook.md#a-number-is-doubted'
        from stats.differences d
        where d.found_at > now() - interval '1 day'
        having count(*) > 0;
end $$;

COMMENT ON FUNCTION private.health_reasons() IS 'Why we are not well: a code, since when, and what to do; no row when all is well.';

CREATE FUNCTION private.install_platform_parts() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    perform cron.schedule(s.name, s.schedule, s.command) from private.schedules() s;
    if stats.noted_time('stats.swept_at') is null then
        perform stats.note_time('stats.swept_at');   -- from now on a sweep is due
    end if;

    begin
        if not exists (
            select from pg_catalog.pg_policy p
            where p.polrelid = to_regclass('realtime.messages')
              and p.polname = 'members listen to their organisation') then
            create policy "members listen to their organisation" on realtime.messages
                for select to authenticated using (
                    realtime.messages.extension = 'broadcast'
                    and (select realtime.topic())
                        = 'activities:org:' || (select app.member_org_id()));
        end if;
    exception when insufficient_privilege or undefined_table or undefined_function
                   or invalid_schema_name then
        raise warning 'nobody may listen to broadcasts yet: %', sqlerrm
            using hint =
                'See "Nobody hears broadcasts" in docs/howto/runbook.md. All else is in place.';
    end;

    begin   -- as settings of its role PostgREST reads them wherever it runs; they outrank its own
        alter role authenticator set pgrst.db_pre_request = 'app.check_request';
        alter role authenticator set pgrst.db_tx_end = 'commit';
        alter role authenticator set pgrst.db_plan_enabled = 'false';
        notify pgrst, 'reload config';
    exception when insufficient_privilege then
        raise warning 'requests are not checked: %', sqlerrm
            using hint = 'See "What does the platform lack?" in docs/howto/runbook.md.';
    end;

    -- Who calls the API is told what was wrong. The log is read by others, and an error's message
    -- may quote what people wrote. Sessions that are open already go on as they were.
    begin
        alter role authenticator set log_min_messages = 'log';
    exception when insufficient_privilege then
        raise warning 'errors of the API''s sessions are logged: %', sqlerrm
            using hint = 'See docs/reference/logs.md. All else is in place.';
    end;
end $$;

COMMENT ON FUNCTION private.install_platform_parts() IS 'Installs the schedules, the policy on realtime.messages and the settings of the API''s role; may be called again at any time.';

CREATE FUNCTION private.keep_identity() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    if new.id <> old.id then   -- nobody's: its history goes by it
        raise exception 'the id of an activity does not change'
            using errcode = 'insufficient_privilege';
    end if;
    if auth.uid() is not null then
        raise exception 'whose an activity is, and who registered it, does not change'
            using errcode = 'insufficient_privilege',
                  hint = 'Delete it, and register another one.';
    end if;
    return new;
end $$;

CREATE FUNCTION private.keep_locked_years() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$   -- DEFINER: stats is private
begin
    if tg_op <> 'INSERT' then
        perform stats.require_open_year(old.organization_id, old.activity_date);
    end if;
    if tg_op <> 'DELETE' then
        perform stats.require_open_year(new.organization_id, new.activity_date);
    end if;
    return null;
end $$;

CREATE FUNCTION private.keep_mapping_of_locked_years() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$   -- DEFINER: stats is private
begin
    perform stats.require_open_year(new.organization_id, make_date(y, 1, 1))
    from generate_series(new.valid_from_year, 2099) y;
    return null;
end $$;

CREATE FUNCTION private.lock_erasures(p_organization_id uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT pg_advisory_xact_lock(hashtext('fersk.erasures'::text), hashtext((p_organization_id)::text)) AS pg_advisory_xact_lock;
END;

CREATE FUNCTION private.new_answers() RETURNS TABLE(id bigint, answered_at timestamp with time zone, status_code integer, error text)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select d.id, coalesce(r.created, clock_timestamp()), r.status_code,
           case when r.id is null then 'lost'
                else coalesce(r.error_msg, case when r.timed_out then 'timed out' end) end
    from private.deliveries d
    -- numbers start anew after a crash: then the newest has this one
    cross join lateral (
        select not exists (
            select from private.deliveries n
            where n.request_id = d.request_id and n.sent_at > d.sent_at) as is_newest) n
    left join net._http_response r on r.id = d.request_id and n.is_newest
    where d.answered_at is null
      and (r.id is not null
           or not stats.is_recent(d.sent_at, interval '1 minute')
              and not (n.is_newest and exists (
                  select from net.http_request_queue q where q.id = d.request_id)));
$$;

CREATE FUNCTION private.note_given_date() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    new.is_date_given := tg_argv[0] = 'date' and new.activity_date is not null;
    return new;
end $$;

CREATE FUNCTION private.pass_on() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_original_id uuid := coalesce(old.duplicate_of, old.id);
begin
    if exists (select from public.activities a where a.duplicate_of = v_original_id) then
        perform private.pass_on_duplicates(v_original_id);
    end if;
    return null;
end $$;

CREATE FUNCTION private.pass_on_duplicates(p_original_id uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    BEGIN ATOMIC
 WITH members AS (
          SELECT a_1.id,
             a_1.duplicate_of,
             a_1.status,
             a_1.inserted_at
            FROM public.activities a_1
           WHERE ((a_1.duplicate_of = pass_on_duplicates.p_original_id) OR (a_1.id = pass_on_duplicates.p_original_id))
         ), heir AS (
          SELECT m_1.id
            FROM members m_1
           ORDER BY (m_1.status = 'registered'::public.activity_status) DESC, (m_1.duplicate_of IS NULL) DESC, m_1.inserted_at, m_1.id
          LIMIT 1
         )
  UPDATE public.activities a SET duplicate_of = NULLIF(h.id, a.id)
    FROM (members m
      CROSS JOIN heir h)
   WHERE ((a.id = m.id) AND (a.duplicate_of IS DISTINCT FROM NULLIF(h.id, a.id)));
END;

CREATE FUNCTION private.platform_problems() RETURNS TABLE(problem text, remedy text)
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    return query
        select format('schedule %s is missing', s.name), 'select private.install_platform_parts();'
        from private.schedules() s
        where not exists (select from cron.job j where j.jobname = s.name)
        order by s.name;
    return query
        select format('schedule %s is switched off', j.jobname),
               format('select cron.alter_job(%s, active := true);', j.jobid)
        from cron.job j
        join private.schedules() s on s.name = j.jobname
        where not j.active
        order by j.jobname;
    return query
        select 'nobody may listen to broadcasts: realtime.messages has no policy of ours',
               'select private.install_platform_parts();'
        where not exists (
            select from pg_catalog.pg_policy p
            where p.polrelid = to_regclass('realtime.messages')
              and p.polname = 'members listen to their organisation');
    return query
        select 'requests are not checked: PostgREST is not told to call app.check_request',
               'select private.install_platform_parts();'
        where not exists (
            select from pg_catalog.pg_db_role_setting s
            where s.setrole = 'authenticator'::regrole
              and s.setconfig @> array['pgrst.db_pre_request=app.check_request']);
    return query
        select 'the log of Postgres quotes what people wrote: '
                   || 'errors of the API''s sessions are logged',
               'select private.install_platform_parts();'
        where not exists (
            select from pg_catalog.pg_db_role_setting s
            where s.setrole = 'authenticator'::regrole
              and s.setconfig && array['log_min_messages=log', 'log_min_messages=fatal',
                                       'log_min_messages=panic']);
    return query
        select format('secret %s is not set', n), format('select private.set_secret(%L, …);', n)
        from unnest(array['fersk_functions_url', 'fersk_webhook_secret']) n
        where private.find_secret(n) is null;
    return query
        select 'the old webhook secret is still in force',
               'When all functions hold the new one: select private.end_webhook_rotation();'
        where private.find_secret('fersk_previous_webhook_secret') is not null;
    return query
        select 'extension pg_net is missing: no webhook can be sent',
               'create extension pg_net with schema extensions;'
        where to_regprocedure('net.http_post(text, jsonb, jsonb, jsonb, integer)') is null;
    return query
        select 'what was restored is open to anon',
               'Restore anew, after step 2 of "Moving to a new project" in docs/howto/runbook.md.'
        where has_table_privilege('anon', 'public.activities', 'select, truncate, trigger')
           or has_function_privilege('anon', 'public.refresh_stats_views()', 'execute');
    return query
        select format('stats.%s is empty: it was restored without its rows', m.matviewname),
               'select stats.refresh(p_force := true);'
        from pg_catalog.pg_matviews m
        where m.schemaname = 'stats' and not m.ispopulated
        order by m.matviewname;
end $$;

COMMENT ON FUNCTION private.platform_problems() IS 'What the platform lacks for us to work, and what mends it; no row when all is well.';

CREATE TABLE private.contact_pseudonyms (
    contact_id uuid NOT NULL
);

COMMENT ON TABLE private.contact_pseudonyms IS 'The ids that erased contacts got, so that a night''s retention passes them over.';

CREATE FUNCTION private.pseudonymize_contacts(p_organization_id uuid, p_contact_ids uuid[], p_with_texts boolean DEFAULT false) RETURNS bigint
    LANGUAGE sql
    SET search_path TO ''
    BEGIN ATOMIC
 WITH renamed AS MATERIALIZED (
          SELECT c.contact_id,
             gen_random_uuid() AS pseudonym
            FROM ( SELECT DISTINCT unnest(pseudonymize_contacts.p_contact_ids) AS contact_id) c
           WHERE (NOT (EXISTS ( SELECT
                    FROM private.contact_pseudonyms p
                   WHERE (p.contact_id = c.contact_id))))
         ), changed AS (
          UPDATE public.activities a SET contact_id = r.pseudonym, summary =
                 CASE
                     WHEN (NOT pseudonymize_contacts.p_with_texts) THEN a.summary
                     ELSE NULL::text
                 END
            FROM renamed r
           WHERE ((a.organization_id = pseudonymize_contacts.p_organization_id) AND (a.contact_id = r.contact_id))
           RETURNING a.contact_id
         ), noted AS (
          INSERT INTO private.contact_pseudonyms (contact_id)  SELECT DISTINCT c.contact_id
                    FROM changed c
         )
  SELECT count(*) AS count
    FROM changed;
END;

COMMENT ON FUNCTION private.pseudonymize_contacts(p_organization_id uuid, p_contact_ids uuid[], p_with_texts boolean) IS 'Gives contacts another, random id in all activities of an organisation, and takes the texts of these away; the number of activities.';

CREATE TABLE public.erasures (
    id bigint NOT NULL,
    organization_id uuid NOT NULL,
    kind text NOT NULL,
    erased_at timestamp with time zone DEFAULT now() NOT NULL,
    erased_by uuid,
    erased_count bigint,
    CONSTRAINT erasures_by_age_are_counted CHECK (((kind = ANY (ARRAY['texts'::text, 'contacts'::text])) = (erased_count IS NOT NULL))),
    CONSTRAINT erasures_erased_count_check CHECK ((erased_count > 0)),
    CONSTRAINT erasures_kind_check CHECK ((kind = ANY (ARRAY['person'::text, 'contact'::text, 'texts'::text, 'contacts'::text])))
);

COMMENT ON TABLE public.erasures IS 'Append-only: that something was erased, when and by whom; nothing that tells what it was.';

COMMENT ON COLUMN public.erasures.erased_by IS 'The org admin; null for the service role and for the retention of the organisation.';

COMMENT ON COLUMN public.erasures.erased_count IS 'Texts that were emptied, or contacts that got another id, because of their age.';

CREATE FUNCTION private.record_erasure(p_organization_id uuid, p_kind text, p_count bigint DEFAULT NULL::bigint) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    BEGIN ATOMIC
 INSERT INTO public.erasures (organization_id, kind, erased_by, erased_count)
   VALUES (record_erasure.p_organization_id, record_erasure.p_kind, ( SELECT p.id
            FROM public.profiles p
           WHERE (p.id = auth.uid())), record_erasure.p_count);
END;

CREATE FUNCTION private.record_organization_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_old jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
    v_new jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
begin
    if private.facts_of_change(v_old) is distinct from private.facts_of_change(v_new) then
        insert into public.organization_changes
            (organization_id, table_name, operation, changed_by, before, after)
        values (
            coalesce((coalesce(v_new, v_old) ->> 'organization_id')::uuid, app.member_org_id()),
            tg_table_name, lower(tg_op), auth.uid(),
            private.facts_of_change(v_old), private.facts_of_change(v_new));
    end if;
    return null;
end $$;

CREATE FUNCTION private.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;

CREATE FUNCTION private.refuse_view_write() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    raise exception 'permission denied for view %', tg_table_name
        using errcode = 'insufficient_privilege';
end $$;

CREATE FUNCTION private.replay_delivery(p_webhook_id text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_delivery private.deliveries;
begin
    select * into v_delivery from private.deliveries d where d.webhook_id = p_webhook_id;
    if not found then
        raise exception 'no delivery "%" is in the ledger', p_webhook_id
            using errcode = 'no_data_found', hint = 'It keeps the newest ten thousand.';
    end if;
    delete from private.webhook_receipts r where r.webhook_id = p_webhook_id;
    return private.deliver(p_webhook_id, v_delivery.slug, v_delivery.payload);
end $$;

COMMENT ON FUNCTION private.replay_delivery(p_webhook_id text) IS 'Sends a wake-up of the ledger once more, signed anew; returns pg_net''s request id.';

CREATE FUNCTION private.request_precompute() RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    select stats.wake('warm-hierarchy-cache', 'nightly', o.id, '[]', false)
    from public.organizations o;
$$;

COMMENT ON FUNCTION private.request_precompute() IS 'Asks for the summaries of every organisation; scheduled.';

CREATE FUNCTION private.schedule_reasons() RETURNS TABLE(code text, since timestamp with time zone, remedy text)
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    return query
        select 'schedule_off', max(r.start_time),
               'Schedules are missing or switched off: select * from private.platform_problems();'
        from private.schedules() s
        left join cron.job j on j.jobname = s.name
        left join cron.job_run_details r on r.jobid = j.jobid
        where j.active is not true
        having count(*) > 0;
    return query
        select 'schedule_failing', min(f.start_time),
               'Why: select * from cron.job_run_details order by start_time desc limit 10;'
        from cron.job j
        join private.schedules() s on s.name = j.jobname
        cross join lateral (
            select r.start_time, r.status from cron.job_run_details r
            where r.jobid = j.jobid and r.status in ('succeeded', 'failed')
            order by r.runid desc
            limit 1) f
        where f.status = 'failed'
        having count(*) > 0;
end $$;

CREATE FUNCTION private.schedules() RETURNS TABLE(name text, schedule text, command text)
    LANGUAGE sql STABLE
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT s.name,
         CASE
             WHEN ( SELECT ((regexp_match(e.extversion, '^(\d+)\.(\d+)'::text))::integer[] >= ARRAY[1, 5])
                FROM pg_extension e
               WHERE (e.extname = 'pg_cron'::name)) THEN (s.seconds || ' seconds'::text)
             ELSE '* * * * *'::text
         END AS "case",
     s.command
    FROM ( VALUES ('fersk-sweep'::text,'10'::text,'select stats.sweep()'::text), ('fersk-heartbeat'::text,'30'::text,'select private.send_heartbeat()'::text)) s(name, seconds, command)
 UNION ALL
  VALUES ('fersk-hourly-refresh'::text,'7 * * * *'::text,'select stats.refresh(p_force := true)'::text), ('fersk-nightly-audit'::text,'11 2 * * *'::text,'select stats.heal()'::text), ('fersk-nightly-precompute'::text,'41 2 * * *'::text,'select private.request_precompute()'::text), ('fersk-nightly-retention'::text,'53 1 * * *'::text,'do $$ begin while private.apply_retention() > 0 loop commit; end loop; end $$'::text), ('fersk-nightly-cleanup'::text,'23 2 * * *'::text,' delete from cron.job_run_details where end_time < now() - interval ''2 days'';
               delete from private.work_done where paid_until < now() - interval ''1 day'' '::text);
END;

COMMENT ON FUNCTION private.schedules() IS 'What pg_cron is to do, and when.';

CREATE FUNCTION private.secret(p_name text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_value text := private.find_secret(p_name);
begin
    -- never a silent NULL: a signature over NULL would be NULL, and the webhook lost unseen
    if v_value is null then
        raise exception 'secret "%" is not set', p_name
            using errcode = 'no_data_found', hint = 'Set it with private.set_secret(name, value).';
    end if;
    return v_value;
end $$;

COMMENT ON FUNCTION private.secret(p_name text) IS 'The value of a secret; raises P0002 when it is not set.';

CREATE FUNCTION private.send_heartbeat() RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    select stats.ask('invalidate-hierarchy-cache', 'heartbeat', o.organization_id, '[]', true)
    from (select min(o.id::text)::uuid as organization_id from public.organizations o) o,
         stats.settings s
    where s.refresh_mode = 'async'
      and o.organization_id is not null
      and not exists (select from private.deliveries d
                      where stats.is_recent(d.sent_at, interval '10 seconds'));
$$;

COMMENT ON FUNCTION private.send_heartbeat() IS 'Sends a wake-up unless one was sent of late; scheduled.';

CREATE FUNCTION private.send_webhook(p_slug text, p_payload jsonb) RETURNS bigint
    LANGUAGE sql
    SET search_path TO ''
    RETURN private.deliver(('msg_'::text || gen_random_uuid()), p_slug, p_payload);

COMMENT ON FUNCTION private.send_webhook(p_slug text, p_payload jsonb) IS 'Delivers a payload under an id of its own; returns pg_net''s request id.';

CREATE FUNCTION private.set_secret(p_name text, p_value text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $_$
declare
    v_vault regclass := to_regclass('vault.secrets');
    v_id    uuid;
begin
    if v_vault is not null then
        execute format('select id from %s where name = $1', v_vault) into v_id using p_name;
        execute case when v_id is null then 'select vault.create_secret($2, $3)'
                     else 'select vault.update_secret($1, $2)' end
            using v_id, p_value, p_name;
        delete from private.secrets s where s.name = p_name;   -- no old value may come back
    else
        insert into private.secrets as s (name, value) values (p_name, p_value)
        on conflict (name) do update set value = excluded.value, updated_at = now()
        where s.value <> excluded.value;
    end if;
end $_$;

COMMENT ON FUNCTION private.set_secret(p_name text, p_value text) IS 'Sets a secret, in Vault where it exists; idempotent.';

CREATE FUNCTION private.set_sign_in() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    new.user_id := new.id;
    return new;
end $$;

CREATE FUNCTION private.sign_report_version() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    if to_jsonb(new) - '{approved_by,approved_at,sent_by,sent_at}'::text[]
           <> to_jsonb(old) - '{approved_by,approved_at,sent_by,sent_at}'::text[]
       or (old.approved_at is not null
           and (new.approved_by, new.approved_at) is distinct from (old.approved_by,
                                                                    old.approved_at))
       or old.sent_at is not null
       or num_nonnulls(new.approved_at, new.sent_at)
          <> 1 + num_nonnulls(old.approved_at, old.sent_at) then
        raise exception '% is append-only', tg_table_name
            using errcode = 'insufficient_privilege';
    end if;
    new.signed_hash := stats.signature_hash(new);
    update stats.report_chains c set signature_count = c.signature_count + 1
    where c.organization_id = new.organization_id;
    return new;
end $$;

CREATE FUNCTION private.stamp_snapshot() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    new.snapshot_generated_at := now();
    return new;
end $$;

CREATE FUNCTION private.sum_approved_expenses() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_ids uuid[] := array[case when tg_op <> 'INSERT' then old.activity_id end,
                          case when tg_op <> 'DELETE' then new.activity_id end];
begin
    -- Locked in a statement of its own: the next one's snapshot then has what another session
    -- approved meanwhile.
    perform from public.activities a where a.id = any (v_ids) order by a.id for no key update;
    update public.activities a
    set approved_expenses_nok = w.approved_nok
    from stats.wrong_expenses w
    where w.activity_id = a.id and a.id = any (v_ids);
    return null;
end $$;

CREATE FUNCTION private.traceparent() RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN "substring"(((NULLIF(current_setting('request.headers'::text, true), ''::text))::jsonb ->> 'traceparent'::text), '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$'::text);

COMMENT ON FUNCTION private.traceparent() IS 'The W3C trace context of the request that this transaction serves, or null.';

CREATE FUNCTION private.use_limit(p_work text, p_subject_id uuid, p_burst integer, p_interval interval) RETURNS interval
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_now  timestamptz := clock_timestamp();
    v_full timestamptz := v_now + p_burst * p_interval;
begin
    insert into private.work_done as w (work, subject_id, paid_until)
    values (p_work, p_subject_id, v_now + p_interval)
    on conflict (work, subject_id) do update
        set paid_until = p_interval + case when w.paid_until between v_now and v_full
                                           then w.paid_until else v_now end
        where w.paid_until not between v_full - p_interval + interval '1 microsecond' and v_full;
    if found then
        return null;
    end if;
    return (select w.paid_until + p_interval - v_full from private.work_done w
            where w.work = p_work and w.subject_id = p_subject_id);
end $$;

COMMENT ON FUNCTION private.use_limit(p_work text, p_subject_id uuid, p_burst integer, p_interval interval) IS 'Uses a part of the limit, if it is not used up; else how long until there is one.';

CREATE FUNCTION private.versions() RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_migration text;
begin
    -- the CLI's record of migrations; not there where they were applied otherwise
    if to_regclass('supabase_migrations.schema_migrations') is not null then
        select max(m.version) into v_migration from supabase_migrations.schema_migrations m;
    end if;
    return jsonb_build_object(
        'postgres', current_setting('server_version'),
        'migration', v_migration,
        'extensions', (select jsonb_object_agg(e.extname, e.extversion)
                       from pg_catalog.pg_extension e
                       where e.extname in ('pg_cron', 'pg_net', 'pgcrypto', 'supabase_vault')));
end $$;

COMMENT ON FUNCTION private.versions() IS 'Postgres, its extensions, and the newest migration.';

CREATE FUNCTION private.webhook_signature(p_id text, p_timestamp bigint, p_body text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_previous text := private.find_secret('fersk_previous_webhook_secret');
begin
    -- two while the secret is being rotated: who still holds the old one knows the second
    return (
        select string_agg('v1,' || encode(extensions.hmac(
            convert_to(p_id || '.' || p_timestamp || '.' || p_body, 'UTF8'),
            decode(substr(s.secret, length('whsec_') + 1), 'base64'),
            'sha256'), 'base64'), ' ' order by s.number)
        from (values (1, private.secret('fersk_webhook_secret')),
                     (2, v_previous)) s (number, secret)
        where s.secret is not null);
end $$;

COMMENT ON FUNCTION private.webhook_signature(p_id text, p_timestamp bigint, p_body text) IS 'Standard Webhooks v1: HMAC-SHA256 over "id.timestamp.body", by each secret in force.';

CREATE FUNCTION public.acknowledge_wake_ups() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_wake_ups integer := (pg_sequence_last_value('stats.fold_asked_at') is not null)::integer;
begin
    perform setval('stats.fold_asked_at', 0, false);
    return v_wake_ups;
end $$;

COMMENT ON FUNCTION public.acknowledge_wake_ups() IS 'First step of an invalidation: the next writer sends a wake-up; 1 if one was on its way. Service role only.';

CREATE FUNCTION public.activity_types(public.coordinator_monthly_stats) RETURNS SETOF public.activity_types
    LANGUAGE sql STABLE ROWS 1
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT t.id,
     t.organization_id,
     t.code,
     t.label
    FROM public.activity_types t
   WHERE (t.id = ($1).activity_type_id);
END;

CREATE FUNCTION public.approve_report(version uuid) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.approve_report(version);

COMMENT ON FUNCTION public.approve_report(version uuid) IS 'Approves a version that is still true: by somebody else than who prepared it, unless the organisation has switched two_person_sign_off off. Coordinators and org admins.';

CREATE TABLE stats.measures (
    activity_count bigint DEFAULT 0 NOT NULL,
    total_minutes bigint DEFAULT 0 NOT NULL,
    participant_count bigint DEFAULT 0 NOT NULL,
    approved_nok numeric DEFAULT 0 NOT NULL,
    CONSTRAINT measures_approved_nok_check CHECK (((approved_nok > '-Infinity'::numeric) AND (approved_nok < 'Infinity'::numeric)))
);

COMMENT ON TABLE stats.measures IS 'Never holds a row: what the log and the totals inherit.';

CREATE TABLE stats.activity_changes (
    id bigint NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    organization_id uuid NOT NULL,
    chapter_id uuid NOT NULL,
    peer_mentor_id uuid NOT NULL,
    activity_type_id uuid NOT NULL,
    bucket_date date NOT NULL,
    is_first boolean DEFAULT false NOT NULL
)
INHERITS (stats.measures)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='500', autovacuum_vacuum_cost_delay='0', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='5000');

COMMENT ON TABLE stats.activity_changes IS 'Append-only: signed sums by chapter, peer mentor, type and day. Sums of zero: a contact changed.';

COMMENT ON COLUMN stats.activity_changes.is_first IS 'The first row of its statement: only this one has the deferred trigger that asks for a fold.';

CREATE TABLE stats.daily_totals (
    organization_id uuid NOT NULL,
    chapter_id uuid NOT NULL,
    bucket_date date NOT NULL
)
INHERITS (stats.measures)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.02');

COMMENT ON TABLE stats.daily_totals IS 'Per chapter and day, up to the last fold.';

CREATE VIEW stats.live_time_series AS
 SELECT r.organization_id,
    r.chapter_id,
    r.bucket_date,
    (sum(r.activity_count))::bigint AS activity_count,
    (sum(r.total_minutes))::bigint AS total_minutes,
    (sum(r.participant_count))::bigint AS participant_count
   FROM ( SELECT t.organization_id,
            t.chapter_id,
            t.bucket_date,
            t.activity_count,
            t.total_minutes,
            t.participant_count
           FROM stats.daily_totals t
        UNION ALL
         SELECT c.organization_id,
            c.chapter_id,
            c.bucket_date,
            c.activity_count,
            c.total_minutes,
            c.participant_count
           FROM stats.activity_changes c) r
  GROUP BY r.organization_id, r.chapter_id, r.bucket_date
 HAVING (sum(r.activity_count) <> (0)::numeric);

COMMENT ON VIEW stats.live_time_series IS 'Exact at every commit: per chapter and day.';

CREATE VIEW stats.visible_time_series WITH (security_barrier='true') AS
 SELECT l.bucket_date,
    l.chapter_id,
    l.activity_count,
    stats.hours(l.total_minutes) AS total_hours
   FROM stats.live_time_series l
  WHERE (l.chapter_id = ANY (ARRAY( SELECT app.statistics_chapter_ids() AS statistics_chapter_ids)));

CREATE VIEW public.activity_time_series WITH (security_invoker='on') AS
 SELECT visible_time_series.bucket_date,
    visible_time_series.chapter_id,
    visible_time_series.activity_count,
    visible_time_series.total_hours
   FROM stats.visible_time_series
  ORDER BY visible_time_series.bucket_date, visible_time_series.chapter_id;

COMMENT ON VIEW public.activity_time_series IS 'Per chapter and day, exact now.';

CREATE VIEW public.chapters WITH (security_invoker='on') AS
 SELECT u.id,
    u.organization_id,
    u.parent_id,
    u.name,
    u.closed_on
   FROM public.organization_units u
  WHERE (u.kind = 'local'::public.unit_kind)
  ORDER BY u.name, u.id;

COMMENT ON VIEW public.chapters IS 'The units of kind local, by name, filtered as organization_units is.';

CREATE FUNCTION public.chapters(public.activity_time_series) RETURNS SETOF public.chapters
    LANGUAGE sql STABLE ROWS 1
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT c.id,
     c.organization_id,
     c.parent_id,
     c.name,
     c.closed_on
    FROM public.chapters c
   WHERE (c.id = ($1).chapter_id);
END;

CREATE TABLE stats.peer_mentor_totals (
    organization_id uuid NOT NULL,
    chapter_id uuid NOT NULL,
    peer_mentor_id uuid NOT NULL
)
INHERITS (stats.measures)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.02');

COMMENT ON TABLE stats.peer_mentor_totals IS 'Per chapter and peer mentor, up to the last fold.';

CREATE VIEW stats.live_peer_mentor_stats AS
 SELECT r.organization_id,
    r.chapter_id,
    r.peer_mentor_id,
    (sum(r.activity_count))::bigint AS activity_count,
    (sum(r.total_minutes))::bigint AS total_minutes
   FROM ( SELECT t.organization_id,
            t.chapter_id,
            t.peer_mentor_id,
            t.activity_count,
            t.total_minutes
           FROM stats.peer_mentor_totals t
        UNION ALL
         SELECT c.organization_id,
            c.chapter_id,
            c.peer_mentor_id,
            c.activity_count,
            c.total_minutes
           FROM stats.activity_changes c) r
  GROUP BY r.organization_id, r.chapter_id, r.peer_mentor_id
 HAVING (sum(r.activity_count) <> (0)::numeric);

COMMENT ON VIEW stats.live_peer_mentor_stats IS 'Exact at every commit: per peer mentor and chapter.';

CREATE VIEW stats.live_chapter_stats AS
 SELECT m.organization_id,
    m.chapter_id,
    (sum(m.activity_count))::bigint AS activity_count,
    (sum(m.total_minutes))::bigint AS total_minutes,
    count(*) AS active_peer_mentors
   FROM stats.live_peer_mentor_stats m
  GROUP BY m.organization_id, m.chapter_id;

COMMENT ON VIEW stats.live_chapter_stats IS 'Exact at every commit: per chapter.';

CREATE VIEW stats.visible_chapter_stats WITH (security_barrier='true') AS
 SELECT l.chapter_id,
    l.activity_count,
    stats.hours(l.total_minutes) AS total_hours,
    l.active_peer_mentors
   FROM stats.live_chapter_stats l
  WHERE (l.chapter_id = ANY (ARRAY( SELECT app.statistics_chapter_ids() AS statistics_chapter_ids)));

CREATE VIEW public.chapter_stats WITH (security_invoker='on') AS
 SELECT visible_chapter_stats.chapter_id,
    visible_chapter_stats.activity_count,
    visible_chapter_stats.total_hours,
    visible_chapter_stats.active_peer_mentors
   FROM stats.visible_chapter_stats
  ORDER BY visible_chapter_stats.chapter_id;

COMMENT ON VIEW public.chapter_stats IS 'Per chapter, exact now.';

CREATE FUNCTION public.chapters(public.chapter_stats) RETURNS SETOF public.chapters
    LANGUAGE sql STABLE ROWS 1
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT c.id,
     c.organization_id,
     c.parent_id,
     c.name,
     c.closed_on
    FROM public.chapters c
   WHERE (c.id = ($1).chapter_id);
END;

CREATE MATERIALIZED VIEW stats.mv_activity_time_series AS
 SELECT t.organization_id,
    t.chapter_id,
    t.bucket_date,
    t.activity_count,
    t.total_minutes,
    t.participant_count,
    NULL::boolean AS _
   FROM stats.daily_totals t
  WHERE (t.activity_count <> 0)
  WITH NO DATA;

COMMENT ON MATERIALIZED VIEW stats.mv_activity_time_series IS 'Per chapter and day, as of the last refresh; activity_time_series is the same, exact now.';

CREATE VIEW stats.visible_mv_activity_time_series WITH (security_barrier='true') AS
 SELECT s.bucket_date,
    s.chapter_id,
    s.activity_count,
    stats.hours(s.total_minutes) AS total_hours
   FROM stats.mv_activity_time_series s
  WHERE (s.chapter_id = ANY (ARRAY( SELECT app.statistics_chapter_ids() AS statistics_chapter_ids)));

CREATE VIEW public.mv_activity_time_series WITH (security_invoker='on') AS
 SELECT visible_mv_activity_time_series.bucket_date,
    visible_mv_activity_time_series.chapter_id,
    visible_mv_activity_time_series.activity_count,
    visible_mv_activity_time_series.total_hours
   FROM stats.visible_mv_activity_time_series
  ORDER BY visible_mv_activity_time_series.bucket_date, visible_mv_activity_time_series.chapter_id;

COMMENT ON VIEW public.mv_activity_time_series IS 'As activity_time_series, as of the last refresh (stats_freshness).';

CREATE FUNCTION public.chapters(public.mv_activity_time_series) RETURNS SETOF public.chapters
    LANGUAGE sql STABLE ROWS 1
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT c.id,
     c.organization_id,
     c.parent_id,
     c.name,
     c.closed_on
    FROM public.chapters c
   WHERE (c.id = ($1).chapter_id);
END;

CREATE MATERIALIZED VIEW stats.mv_chapter_stats AS
 SELECT t.organization_id,
    t.chapter_id,
    (sum(t.activity_count))::bigint AS activity_count,
    (sum(t.total_minutes))::bigint AS total_minutes,
    (sum(t.participant_count))::bigint AS participant_count,
    count(*) AS active_peer_mentors
   FROM stats.peer_mentor_totals t
  WHERE (t.activity_count <> 0)
  GROUP BY t.organization_id, t.chapter_id
  WITH NO DATA;

COMMENT ON MATERIALIZED VIEW stats.mv_chapter_stats IS 'Per chapter, as of the last refresh; chapter_stats is the same, exact now.';

CREATE VIEW stats.visible_mv_chapter_stats WITH (security_barrier='true') AS
 SELECT s.chapter_id,
    s.activity_count,
    stats.hours(s.total_minutes) AS total_hours,
    s.active_peer_mentors
   FROM stats.mv_chapter_stats s
  WHERE (s.chapter_id = ANY (ARRAY( SELECT app.statistics_chapter_ids() AS statistics_chapter_ids)));

CREATE VIEW public.mv_chapter_stats WITH (security_invoker='on') AS
 SELECT visible_mv_chapter_stats.chapter_id,
    visible_mv_chapter_stats.activity_count,
    visible_mv_chapter_stats.total_hours,
    visible_mv_chapter_stats.active_peer_mentors
   FROM stats.visible_mv_chapter_stats
  ORDER BY visible_mv_chapter_stats.chapter_id;

COMMENT ON VIEW public.mv_chapter_stats IS 'As chapter_stats, as of the last refresh (stats_freshness).';

CREATE FUNCTION public.chapters(public.mv_chapter_stats) RETURNS SETOF public.chapters
    LANGUAGE sql STABLE ROWS 1
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT c.id,
     c.organization_id,
     c.parent_id,
     c.name,
     c.closed_on
    FROM public.chapters c
   WHERE (c.id = ($1).chapter_id);
END;

CREATE MATERIALIZED VIEW stats.mv_peer_mentor_stats AS
 SELECT t.organization_id,
    t.chapter_id,
    t.peer_mentor_id,
    t.activity_count,
    t.total_minutes,
    t.participant_count
   FROM stats.peer_mentor_totals t
  WHERE (t.activity_count <> 0)
  WITH NO DATA;

COMMENT ON MATERIALIZED VIEW stats.mv_peer_mentor_stats IS 'Per peer mentor and chapter, as of the last refresh; peer_mentor_stats is the same, exact now.';

CREATE VIEW stats.visible_mv_peer_mentor_stats WITH (security_barrier='true') AS
 SELECT s.peer_mentor_id,
    s.chapter_id,
    s.activity_count,
    stats.hours(s.total_minutes) AS total_hours
   FROM stats.mv_peer_mentor_stats s
  WHERE ((s.chapter_id = ANY (ARRAY( SELECT app.statistics_chapter_ids() AS statistics_chapter_ids))) OR ((s.peer_mentor_id = ( SELECT app.profile_id() AS profile_id)) AND (s.organization_id = ( SELECT app.statistics_org_id() AS statistics_org_id))));

CREATE VIEW public.mv_peer_mentor_stats WITH (security_invoker='on') AS
 SELECT visible_mv_peer_mentor_stats.peer_mentor_id,
    visible_mv_peer_mentor_stats.chapter_id,
    visible_mv_peer_mentor_stats.activity_count,
    visible_mv_peer_mentor_stats.total_hours
   FROM stats.visible_mv_peer_mentor_stats
  ORDER BY visible_mv_peer_mentor_stats.chapter_id, visible_mv_peer_mentor_stats.peer_mentor_id;

COMMENT ON VIEW public.mv_peer_mentor_stats IS 'As peer_mentor_stats, as of the last refresh (stats_freshness).';

CREATE FUNCTION public.chapters(public.mv_peer_mentor_stats) RETURNS SETOF public.chapters
    LANGUAGE sql STABLE ROWS 1
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT c.id,
     c.organization_id,
     c.parent_id,
     c.name,
     c.closed_on
    FROM public.chapters c
   WHERE (c.id = ($1).chapter_id);
END;

CREATE VIEW stats.visible_peer_mentor_stats WITH (security_barrier='true') AS
 SELECT l.peer_mentor_id,
    l.chapter_id,
    l.activity_count,
    stats.hours(l.total_minutes) AS total_hours,
    ( SELECT a.bucket_date
           FROM stats.countable_activities a
          WHERE ((a.peer_mentor_id = l.peer_mentor_id) AND (a.organization_id = l.organization_id) AND (a.chapter_id = l.chapter_id))
          ORDER BY a.bucket_date DESC
         LIMIT 1) AS last_activity_date
   FROM stats.live_peer_mentor_stats l
  WHERE ((l.chapter_id = ANY (ARRAY( SELECT app.statistics_chapter_ids() AS statistics_chapter_ids))) OR ((l.peer_mentor_id = ( SELECT app.profile_id() AS profile_id)) AND (l.organization_id = ( SELECT app.statistics_org_id() AS statistics_org_id))));

CREATE VIEW public.peer_mentor_stats WITH (security_invoker='on') AS
 SELECT visible_peer_mentor_stats.peer_mentor_id,
    visible_peer_mentor_stats.chapter_id,
    visible_peer_mentor_stats.activity_count,
    visible_peer_mentor_stats.total_hours,
    visible_peer_mentor_stats.last_activity_date
   FROM stats.visible_peer_mentor_stats
  ORDER BY visible_peer_mentor_stats.chapter_id, visible_peer_mentor_stats.peer_mentor_id;

COMMENT ON VIEW public.peer_mentor_stats IS 'Per peer mentor and chapter, exact now.';

CREATE FUNCTION public.chapters(public.peer_mentor_stats) RETURNS SETOF public.chapters
    LANGUAGE sql STABLE ROWS 1
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT c.id,
     c.organization_id,
     c.parent_id,
     c.name,
     c.closed_on
    FROM public.chapters c
   WHERE (c.id = ($1).chapter_id);
END;

CREATE FUNCTION public.children(public.organization_units) RETURNS SETOF public.organization_units
    LANGUAGE sql STABLE ROWS 40
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT u.id,
     u.organization_id,
     u.parent_id,
     u.kind,
     u.name,
     u.closed_on
    FROM public.organization_units u
   WHERE (u.parent_id = ($1).id);
END;

CREATE FUNCTION public.claim_webhook(p_webhook_id text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    delete from private.webhook_receipts r where r.received_at < now() - interval '15 minutes';
    insert into private.webhook_receipts (webhook_id) values (p_webhook_id)
    on conflict (webhook_id) do nothing;
    return found;
end $$;

COMMENT ON FUNCTION public.claim_webhook(p_webhook_id text) IS 'True for the first receipt of a webhook id, false for a replay. Service role only.';

CREATE FUNCTION public.compute_metric_snapshot(p_period_start date DEFAULT NULL::date, p_period_end date DEFAULT NULL::date, p_year integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.compute_metric_snapshot(app.first_day(p_period_start, p_year), app.first_day(p_period_end, (p_year + 1)));

COMMENT ON FUNCTION public.compute_metric_snapshot(p_period_start date, p_period_end date, p_year integer) IS 'A snapshot of the caller''s organisation, computed and not saved.';

CREATE FUNCTION public.diagnose() RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    return jsonb_build_object(
        'now', clock_timestamp(),
        'health', public.get_health(),
        'problems', (select coalesce(jsonb_agg(to_jsonb(p)), '[]')
                     from private.platform_problems() p),
        'open_requests', (select jsonb_agg(to_jsonb(o) order by o.name, o.role, o.verb)
                          from private.open_requests o),
        'audited_at', (select max(r.start_time)
                       from cron.job_run_details r
                       where r.command = 'select stats.heal()' and r.status = 'succeeded'));
end $$;

COMMENT ON FUNCTION public.diagnose() IS 'Health, what the platform lacks, what is open to whom, and the time. Service role only.';

CREATE FUNCTION public.erase_contact(p_contact_id uuid) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    SET statement_timeout TO '55s'
    RETURN app.erase_contact(p_contact_id);

COMMENT ON FUNCTION public.erase_contact(p_contact_id uuid) IS 'Erases a contact, figures unchanged; {activities}, 0 where there is none of this id. Org admins and the service role.';

CREATE FUNCTION public.erase_person(p_profile_id uuid) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    SET statement_timeout TO '55s'
    RETURN app.erase_person(p_profile_id);

COMMENT ON FUNCTION public.erase_person(p_profile_id uuid) IS 'Erases a person, figures unchanged; {profile_id, erased_at, sign_in_deleted}. Org admins of their organisation and the service role.';

CREATE FUNCTION public.explain_report_difference(version uuid, against uuid DEFAULT NULL::uuid) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.explain_report_difference(version, against);

COMMENT ON FUNCTION public.explain_report_difference(version uuid, against uuid) IS 'Why a version differs from another one of its period, or from now: what was added, removed, edited, recategorised, newly or no longer counted, with effects that add up. Org admins.';

CREATE FUNCTION public.export_bufdir_snapshot(p_period_start date DEFAULT NULL::date, p_period_end date DEFAULT NULL::date, p_year integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.export_bufdir_snapshot(app.first_day(p_period_start, p_year), app.first_day(p_period_end, (p_year + 1)));

COMMENT ON FUNCTION public.export_bufdir_snapshot(p_period_start date, p_period_end date, p_year integer) IS 'Records and returns an export; refuses a missing (404), stale or differing (409) snapshot. Coordinators and org admins.';

CREATE FUNCTION public.export_person(p_profile_id uuid) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.export_person(p_profile_id);

COMMENT ON FUNCTION public.export_person(p_profile_id uuid) IS 'What is kept of a person: profile, sign_in, assignments, activities with their texts, activity_changes, expenses, exports, reports, locked_years, erasures. For themselves, their org admins and the service role.';

CREATE FUNCTION public.export_report_version(version uuid, format text) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.export_report_version(version, format);

COMMENT ON FUNCTION public.export_report_version(version uuid, format text) IS 'Records and returns an export of a version: what is approved and still true, or was sent (else 409). Coordinators and org admins; for auditors, org admins.';

CREATE FUNCTION public.generate_bufdir_report(p_org_id uuid, p_period_start date DEFAULT NULL::date, p_period_end date DEFAULT NULL::date, p_mapping_version integer DEFAULT NULL::integer, p_year integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.generate_bufdir_report(p_org_id, app.first_day(p_period_start, p_year), app.first_day(p_period_end, (p_year + 1)), p_mapping_version);

COMMENT ON FUNCTION public.generate_bufdir_report(p_org_id uuid, p_period_start date, p_period_end date, p_mapping_version integer, p_year integer) IS 'The Bufdir report of the caller''s organisation for a year, or for whole months; start included, end excluded; by the mapping that is valid for its years unless one is named. Coordinators and org admins; only the latter see groups of fewer than five people.';

CREATE FUNCTION public.get_activity_series(p_from date DEFAULT NULL::date, p_to date DEFAULT NULL::date, p_bucket text DEFAULT 'month'::text, p_chapter_ids uuid[] DEFAULT NULL::uuid[], p_year integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_from date := app.first_day(p_from, p_year);
    v_to   date := app.first_day(p_to, p_year + 1);
begin
    perform app.warn_of_end(v_to);
    return (select coalesce(jsonb_agg(s order by s.bucket_date), '[]')
            from app.get_activity_series(v_from, v_to, p_bucket, p_chapter_ids) s);
end $$;

COMMENT ON FUNCTION public.get_activity_series(p_from date, p_to date, p_bucket text, p_chapter_ids uuid[], p_year integer) IS 'Activities and hours by day, week, month or year, from p_from to before p_to, or of a year; zeros for empty buckets; of the named or all chapters the caller follows up.';

CREATE FUNCTION public.get_ancestor_ids(unit_id uuid) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_path uuid[] := array[get_ancestor_ids.unit_id];
    v_id   uuid;
begin
    for v_id in
        select a.ancestor_id
        from app.unit_ancestry(array[get_ancestor_ids.unit_id]) a
        where a.level > 1
        order by a.level
    loop
        if v_id = any (v_path) then
            raise warning 'the tree is damaged: the ancestors of unit % form a cycle', v_path[1];
            return;
        end if;
        v_path := v_path || v_id;
        return next v_id;
    end loop;
end $$;

COMMENT ON FUNCTION public.get_ancestor_ids(unit_id uuid) IS 'The ancestors of a unit, nearest first, itself excluded; of the units the caller may read.';

CREATE FUNCTION public.get_bufdir_alignment(p_year integer) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.get_bufdir_alignment(p_year);

COMMENT ON FUNCTION public.get_bufdir_alignment(p_year integer) IS 'What the dashboard and the report of the caller''s organisation say about a year. Coordinators and org admins.';

CREATE FUNCTION stats.noted_time(p_sequence regclass) RETURNS timestamp with time zone
    LANGUAGE sql
    SET search_path TO ''
    RETURN to_timestamp((((NULLIF(pg_sequence_last_value(p_sequence), 0))::numeric / 1000000.0))::double precision);

CREATE TABLE private.deliveries (
    id bigint NOT NULL,
    webhook_id text NOT NULL,
    slug text NOT NULL,
    payload jsonb NOT NULL,
    request_id bigint,
    sent_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 1 NOT NULL,
    traceparent text,
    answered_at timestamp with time zone,
    status_code integer,
    error text
);

COMMENT ON TABLE private.deliveries IS 'One row a wake-up, with its newest answer; unanswered while answered_at is null. The sweep keeps the newest ten thousand.';

CREATE VIEW private.answers AS
 WITH known AS (
         SELECT d.sent_at,
            COALESCE(d.answered_at, n.answered_at) AS answered_at,
            COALESCE(d.status_code, n.status_code) AS status_code
           FROM (private.deliveries d
             LEFT JOIN private.new_answers() n(id, answered_at, status_code, error) ON ((n.id = d.id)))
        ), judged AS (
         SELECT k.sent_at,
            k.answered_at,
            k.status_code,
            ((k.answered_at IS NOT NULL) AND COALESCE(((k.status_code >= 200) AND (k.status_code <= 299)), false)) AS is_delivered,
            ((k.answered_at IS NOT NULL) AND (NOT COALESCE(((k.status_code >= 200) AND (k.status_code <= 299)), false))) AS is_undelivered
           FROM known k
        ), delivered AS (
         SELECT max(j_1.sent_at) AS last_sent_at,
            max(j_1.answered_at) AS last_at
           FROM judged j_1
          WHERE j_1.is_delivered
        )
 SELECT max(g.last_at) AS last_delivered_at,
    max(j.answered_at) FILTER (WHERE j.is_undelivered) AS last_undelivered_at,
    min(j.sent_at) FILTER (WHERE (j.is_undelivered AND j.is_new)) AS undelivered_since,
    COALESCE(bool_and(COALESCE(((j.status_code >= 400) AND (j.status_code <= 499)), false)) FILTER (WHERE (j.is_undelivered AND j.is_new)), false) AS is_refused,
    min(j.sent_at) FILTER (WHERE (j.answered_at IS NULL)) AS unanswered_since
   FROM (delivered g
     LEFT JOIN LATERAL ( SELECT o.sent_at,
            o.answered_at,
            o.status_code,
            o.is_delivered,
            o.is_undelivered,
            ((g.last_sent_at IS NULL) OR (o.sent_at > g.last_sent_at)) AS is_new
           FROM judged o) j ON (true));

COMMENT ON VIEW private.answers IS 'One row: when wake-ups last arrived, and since when they do not.';

CREATE TABLE stats.differences (
    id bigint NOT NULL,
    found_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    relation_name text NOT NULL,
    chapter_id uuid NOT NULL
);

COMMENT ON TABLE stats.differences IS 'Append-only: where an audit found totals + log, the day or the reason of an activity, the minutes of a day, expenses or a fresh summary to differ from what they rest on. The sweep keeps the newest thousand.';

CREATE TABLE stats.errors (
    id bigint NOT NULL,
    happened_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    message text NOT NULL
);

COMMENT ON TABLE stats.errors IS 'Append-only: what went wrong in the upkeep and failed nobody. The sweep keeps the newest thousand.';

CREATE TABLE stats.unrefreshed_changes (
    organization_id uuid NOT NULL,
    change_count bigint NOT NULL,
    oldest_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE stats.unrefreshed_changes IS 'Changes that are folded, but not yet in mv_*; emptied by the refresh.';

CREATE VIEW stats.pending_changes AS
 SELECT p.organization_id,
    (sum(p.change_count))::bigint AS change_count,
    min(p.oldest_at) AS oldest_at
   FROM ( SELECT u.organization_id,
            u.change_count,
            u.oldest_at
           FROM stats.unrefreshed_changes u
        UNION ALL
         SELECT c.organization_id,
            1,
            c.changed_at
           FROM stats.activity_changes c) p
  GROUP BY p.organization_id;

CREATE TABLE stats.stats_refresh_log (
    only_row boolean DEFAULT true NOT NULL,
    last_requested_at timestamp with time zone,
    last_started_at timestamp with time zone,
    last_finished_at timestamp with time zone,
    last_duration_ms bigint,
    last_applied bigint,
    CONSTRAINT stats_refresh_log_only_row_check CHECK (only_row)
);

COMMENT ON TABLE stats.stats_refresh_log IS 'One row: when a refresh of mv_* was last asked for, started, finished (with success). Whoever refreshes holds it locked.';

CREATE SEQUENCE stats.swept_at
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    NO MAXVALUE
    CACHE 1;

CREATE TABLE stats.tree_changes (
    id bigint NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    organization_id uuid NOT NULL,
    unit_id uuid NOT NULL
);

COMMENT ON TABLE stats.tree_changes IS 'Append-only: units moved, deleted or categorised anew, which outdates every year; emptied by the fold.';

CREATE VIEW stats.unit_changes AS
 SELECT c.id,
    c.changed_at,
    c.organization_id,
    c.chapter_id AS unit_id,
    c.bucket_date AS changed_on
   FROM stats.activity_changes c
UNION ALL
 SELECT c.id,
    c.changed_at,
    c.organization_id,
    c.unit_id,
    NULL::date AS changed_on
   FROM stats.tree_changes c;

COMMENT ON VIEW stats.unit_changes IS 'Units whose summary, and whose ancestors'', is outdated, and that no fold has marked; changed_on is null for every year.';

CREATE FUNCTION public.get_health() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    RETURN (SELECT jsonb_build_object('last_refreshed_at', l.last_finished_at, 'last_sweep_at', stats.noted_time('stats.swept_at'::regclass), 'last_error', (SELECT e.message FROM stats.errors e WHERE ((l.last_finished_at IS NULL) OR (l.last_finished_at > clock_timestamp()) OR (e.happened_at > l.last_finished_at)) ORDER BY e.id DESC LIMIT 1), 'pending_changes', p.number, 'oldest_pending_seconds', p.seconds, 'pending_unit_changes', u.number, 'oldest_unit_change_seconds', u.seconds, 'differences', (SELECT count(*) AS count FROM stats.differences d WHERE (d.found_at > (now() - '1 day'::interval))), 'last_difference_at', (SELECT max(d.found_at) AS max FROM stats.differences d), 'last_delivered_at', a.last_delivered_at, 'last_undelivered_at', a.last_undelivered_at, 'reasons', (SELECT COALESCE(jsonb_agg(to_jsonb(r.*) ORDER BY r.code), '[]'::jsonb) AS "coalesce" FROM private.health_reasons() r(code, since, remedy)), 'versions', private.versions()) AS jsonb_build_object FROM stats.stats_refresh_log l, private.answers a, (SELECT COALESCE(sum(pending_changes.change_count), (0)::numeric) AS number, (COALESCE(GREATEST(EXTRACT(epoch FROM (now() - min(pending_changes.oldest_at))), (0)::numeric), (0)::numeric))::bigint AS seconds FROM stats.pending_changes) p, (SELECT count(*) AS number, (COALESCE(GREATEST(EXTRACT(epoch FROM (now() - min(unit_changes.changed_at))), (0)::numeric), (0)::numeric))::bigint AS seconds FROM stats.unit_changes) u);

COMMENT ON FUNCTION public.get_health() IS 'The backlog and its age, and what is wrong: each reason with a code, since when, and what to do. Service role only.';

CREATE FUNCTION public.get_hierarchy_stats(p_unit_id uuid, p_year integer) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.get_hierarchy_stats(p_unit_id, p_year);

COMMENT ON FUNCTION public.get_hierarchy_stats(p_unit_id uuid, p_year integer) IS 'The summary of a unit''s subtree in a year, computed now.';

CREATE FUNCTION public.get_metric_snapshot(p_period_start date DEFAULT NULL::date, p_period_end date DEFAULT NULL::date, p_year integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN app.get_metric_snapshot(app.first_day(p_period_start, p_year), app.first_day(p_period_end, (p_year + 1)));

COMMENT ON FUNCTION public.get_metric_snapshot(p_period_start date, p_period_end date, p_year integer) IS 'The saved snapshot of a period, or null; complete for org admins, without small groups for other members.';

CREATE VIEW private.recent_wake_ups AS
 SELECT o.outcome,
    count(d.id) AS number
   FROM (unnest(ARRAY['delivered'::text, 'refused'::text, 'failed'::text, 'pending'::text]) o(outcome)
     LEFT JOIN ( SELECT l.id,
                CASE
                    WHEN (l.answered_at IS NULL) THEN 'pending'::text
                    WHEN ((l.status_code >= 200) AND (l.status_code <= 299)) THEN 'delivered'::text
                    WHEN ((l.status_code >= 400) AND (l.status_code <= 499)) THEN 'refused'::text
                    ELSE 'failed'::text
                END AS outcome
           FROM private.deliveries l
          WHERE (l.sent_at > (clock_timestamp() - '00:10:00'::interval))) d ON ((d.outcome = o.outcome)))
  GROUP BY o.outcome;

COMMENT ON VIEW private.recent_wake_ups IS 'What became of the wake-ups of the last ten minutes, in numbers.';

CREATE VIEW private.schedule_runs AS
 SELECT s.name,
    (COALESCE(j.active, false) AND COALESCE((n.status <> 'failed'::text), true)) AS is_alive,
    r.succeeded_at
   FROM (((private.schedules() s(name, schedule, command)
     LEFT JOIN cron.job j ON ((j.jobname = s.name)))
     LEFT JOIN ( SELECT d.jobid,
            max(d.start_time) AS succeeded_at
           FROM cron.job_run_details d
          WHERE (d.status = 'succeeded'::text)
          GROUP BY d.jobid) r ON ((r.jobid = j.jobid)))
     LEFT JOIN ( SELECT DISTINCT ON (d.jobid) d.jobid,
            d.status
           FROM cron.job_run_details d
          WHERE (d.status = ANY (ARRAY['succeeded'::text, 'failed'::text]))
          ORDER BY d.jobid, d.runid DESC) n ON ((n.jobid = j.jobid)));

COMMENT ON VIEW private.schedule_runs IS 'Each schedule: whether it is on and its newest run did not fail, and when one last succeeded.';

CREATE SEQUENCE stats.fold_took
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    NO MAXVALUE
    CACHE 1;

CREATE SEQUENCE stats.folded_at
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    NO MAXVALUE
    CACHE 1;

CREATE FUNCTION public.get_metrics() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    RETURN (SELECT ((public.get_health() - 'last_error'::text) || jsonb_build_object('organizations', (SELECT count(*) AS count FROM public.organizations), 'last_refresh_ms', l.last_duration_ms, 'last_folded_at', stats.noted_time('stats.folded_at'::regclass), 'last_fold_seconds', ((pg_sequence_last_value('stats.fold_took'::regclass))::numeric / 1000000.0), 'last_audited_at', (SELECT r.succeeded_at FROM private.schedule_runs r WHERE (r.name = 'fersk-nightly-audit'::text)), 'wake_ups_sent', (SELECT COALESCE(max(d.id), (0)::bigint) AS "coalesce" FROM private.deliveries d), 'recent_wake_ups', (SELECT jsonb_object_agg(w.outcome, w.number) AS jsonb_object_agg FROM private.recent_wake_ups w), 'schedules', (SELECT jsonb_agg(to_jsonb(r.*) ORDER BY r.name) AS jsonb_agg FROM private.schedule_runs r), 'connections', (SELECT count(*) AS count FROM pg_stat_activity a WHERE (a.datname = current_database())), 'max_connections', (current_setting('max_connections'::text))::integer)) FROM stats.stats_refresh_log l);

COMMENT ON FUNCTION public.get_metrics() IS 'Health, and the figures that monitoring draws: counts, ages, durations. Service role only.';

CREATE FUNCTION public.get_monthly_series(p_coordinator_id uuid, p_from date DEFAULT NULL::date, p_to date DEFAULT NULL::date, p_year integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_from date := app.first_day(p_from, p_year);
    v_to   date := app.first_day(p_to, p_year + 1);
begin
    if p_coordinator_id is null or v_from is null or v_to is null
       or v_to < v_from or v_to - v_from > 3660 then
        raise exception using errcode = 'invalid_parameter_value', message =
            'a coordinator and a period of at most ten years, p_from not after p_to, are needed';
    end if;
    if not exists (
        select from public.profiles p
        where p.id = p_coordinator_id
          and p.organization_id = app.statistics_org_id()
          and (p.id = app.profile_id() or app.profile_role() = 'org_admin')) then
        raise exception 'not your statistics' using errcode = 'insufficient_privilege';
    end if;
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    perform app.warn_of_end(v_to);
    return (select coalesce(jsonb_agg(m order by m.activity_month), '[]')
            from app.monthly_series(p_coordinator_id, v_from, v_to) m);
end $$;

COMMENT ON FUNCTION public.get_monthly_series(p_coordinator_id uuid, p_from date, p_to date, p_year integer) IS 'A coordinator''s months, from that of p_from to that of the day before p_to, or of a year; zeros for empty ones.';

CREATE FUNCTION public.get_report_remarks(p_period_start date DEFAULT NULL::date, p_period_end date DEFAULT NULL::date, p_year integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.get_report_remarks(app.first_day(p_period_start, p_year), app.first_day(p_period_end, (p_year + 1)));

COMMENT ON FUNCTION public.get_report_remarks(p_period_start date, p_period_end date, p_year integer) IS 'What to look at before a report is signed, in the chapters the caller follows up: the 20 largest of each kind, and how many there are in all. Coordinators and org admins.';

CREATE FUNCTION public.get_report_versions(p_period_start date DEFAULT NULL::date, p_period_end date DEFAULT NULL::date, p_year integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN app.get_report_versions(app.first_day(p_period_start, p_year), app.first_day(p_period_end, (p_year + 1)));

COMMENT ON FUNCTION public.get_report_versions(p_period_start date, p_period_end date, p_year integer) IS 'The versions of a period''s report, newest first, and who signed them. Coordinators and org admins; only the latter see groups of fewer than five people.';

CREATE FUNCTION public.get_role() RETURNS public.profile_role
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN app.profile_role();

COMMENT ON FUNCTION public.get_role() IS 'The caller''s role now, if they are an active member of the organisation of their token; else null.';

CREATE FUNCTION public.get_sign_ins() RETURNS TABLE(id uuid, email text, last_sign_in_at timestamp with time zone)
    LANGUAGE sql STABLE
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT s.id,
     s.email,
     s.last_sign_in_at
    FROM app.get_sign_ins() s(id, email, last_sign_in_at);
END;

COMMENT ON FUNCTION public.get_sign_ins() IS 'The addresses of the organisation''s people, and of who was invited and has no profile yet. Org admins.';

CREATE FUNCTION public.get_snapshot_status(p_period_start date DEFAULT NULL::date, p_period_end date DEFAULT NULL::date, p_year integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.get_snapshot_status(app.first_day(p_period_start, p_year), app.first_day(p_period_end, (p_year + 1)));

COMMENT ON FUNCTION public.get_snapshot_status(p_period_start date, p_period_end date, p_year integer) IS 'Whether the saved snapshot of a period is missing, fresh or stale, why, the record counts then and now, and whether it may be exported.';

CREATE FUNCTION public.lock_reporting_year(year integer) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.set_year_lock(year, true, NULL::text);

COMMENT ON FUNCTION public.lock_reporting_year(year integer) IS 'Locks a year: app users change nothing that took place in it. Org admins.';

CREATE FUNCTION public.parent(public.organization_units) RETURNS SETOF public.organization_units
    LANGUAGE sql STABLE ROWS 1
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT u.id,
     u.organization_id,
     u.parent_id,
     u.kind,
     u.name,
     u.closed_on
    FROM public.organization_units u
   WHERE (u.id = ($1).parent_id);
END;

CREATE FUNCTION public.precompute_hierarchy(p_organization_id uuid, p_year integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET statement_timeout TO '120s'
    AS $$
declare
    v_entries public.hierarchy_stats_cache[];
begin
    lock table public.activities in access share mode;
    -- one statement, so that payload and mark agree
    select array_agg(row(s.unit_id, p_year, s.payload, clock_timestamp(),
                         stats.current_mark(s.unit_id, p_year))::public.hierarchy_stats_cache)
    into v_entries
    from stats.hierarchy_summaries(p_organization_id, p_year) s;
    return stats.store_hierarchy_entries(v_entries);
end $$;

COMMENT ON FUNCTION public.precompute_hierarchy(p_organization_id uuid, p_year integer) IS 'Computes every unit of an organisation for a year, in one statement. Service role only.';

CREATE FUNCTION public.prepare_report(p_period_start date DEFAULT NULL::date, p_period_end date DEFAULT NULL::date, p_year integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.prepare_report(app.first_day(p_period_start, p_year), app.first_day(p_period_end, (p_year + 1)));

COMMENT ON FUNCTION public.prepare_report(p_period_start date, p_period_end date, p_year integer) IS 'Makes the saved figures of a period the next version of its report; refuses missing (404), stale or false ones (409). Coordinators and org admins.';

CREATE FUNCTION public.preview_import(kind text, rows jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    SET statement_timeout TO '55s'
    AS $$
declare
    v_lines jsonb;
begin
    v_lines := app.import_rows(kind, rows);
    set constraints all immediate;   -- what a commit would find
    raise sqlstate 'FSK00';
exception
    when sqlstate 'FSK00' then
        return v_lines;
end $$;

COMMENT ON FUNCTION public.preview_import(kind text, rows jsonb) IS 'What run_import would do with the same list, line by line; of a problem a sentence, a code, and the cells that it is about. Org admins.';

CREATE FUNCTION public.profiles(public.coordinator_monthly_stats) RETURNS SETOF public.profiles
    LANGUAGE sql STABLE ROWS 1
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT p.id,
     p.user_id,
     p.organization_id,
     p.role,
     p.display_name,
     p.is_active,
     p.assigned_at,
     p.erased_at
    FROM public.profiles p
   WHERE (p.id = ($1).coordinator_id);
END;

CREATE FUNCTION public.profiles(public.mv_peer_mentor_stats) RETURNS SETOF public.profiles
    LANGUAGE sql STABLE ROWS 1
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT p.id,
     p.user_id,
     p.organization_id,
     p.role,
     p.display_name,
     p.is_active,
     p.assigned_at,
     p.erased_at
    FROM public.profiles p
   WHERE (p.id = ($1).peer_mentor_id);
END;

CREATE FUNCTION public.profiles(public.peer_mentor_stats) RETURNS SETOF public.profiles
    LANGUAGE sql STABLE ROWS 1
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT p.id,
     p.user_id,
     p.organization_id,
     p.role,
     p.display_name,
     p.is_active,
     p.assigned_at,
     p.erased_at
    FROM public.profiles p
   WHERE (p.id = ($1).peer_mentor_id);
END;

CREATE FUNCTION public.read_hierarchy_stats(p_unit_id uuid, p_year integer) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.read_hierarchy_stats(p_unit_id, p_year);

COMMENT ON FUNCTION public.read_hierarchy_stats(p_unit_id uuid, p_year integer) IS 'The cached summary of a unit and whether it is stale; computed first if missing.';

CREATE FUNCTION public.record_node_reads(p_reads jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_units integer;
begin
    insert into public.hierarchy_node_access as n (unit_id, reads, last_read_at)
    select u.id, r.value::double precision, now()
    from jsonb_each_text(p_reads) r
    join public.organization_units u on u.id = r.key::uuid
    order by u.id   -- two flushes at once lock in the same order
    on conflict (unit_id) do update
        set reads = stats.decayed_reads(n.reads, n.last_read_at, excluded.last_read_at)
                    + excluded.reads,
            last_read_at = excluded.last_read_at;
    get diagnostics v_units = row_count;
    return v_units;
end $$;

COMMENT ON FUNCTION public.record_node_reads(p_reads jsonb) IS 'Adds counted reads, {unit_id: number}; flushed in batches by the function that counts them. Service role only.';

CREATE FUNCTION public.refresh_hierarchy_entry(p_unit_id uuid, p_year integer) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET statement_timeout TO '30s'
    AS $$
begin
    return stats.compute_hierarchy_entry(p_unit_id, p_year);
end $$;

COMMENT ON FUNCTION public.refresh_hierarchy_entry(p_unit_id uuid, p_year integer) IS 'Computes an entry anew; false if another session is at it. Service role only.';

CREATE FUNCTION public.refresh_stats_views() RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET statement_timeout TO '55s'
    AS $$
begin
    return stats.refresh(p_force := false);
end $$;

COMMENT ON FUNCTION public.refresh_stats_views() IS 'Folds the change log and refreshes mv_*, if there is something to do and it is time. Service role only.';

CREATE FUNCTION public.renew_metric_snapshot(p_organization_id uuid, p_period_start date, p_period_end date) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET statement_timeout TO '30s'
    AS $$
begin
    if not exists (select from public.bufdir_metric_snapshots b
                   where b.organization_id = p_organization_id and b.period_start = p_period_start
                     and b.period_end = p_period_end) then
        return false;
    end if;
    perform stats.save_metric_snapshot(p_organization_id, p_period_start, p_period_end);
    return true;
end $$;

COMMENT ON FUNCTION public.renew_metric_snapshot(p_organization_id uuid, p_period_start date, p_period_end date) IS 'Computes a saved snapshot anew that cannot be read; false when there is none. Service role only.';

CREATE FUNCTION public.request_invalidation_again() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$   -- DEFINER: as above
begin
    -- any organisation does: a fold serves all
    return stats.wake('invalidate-hierarchy-cache', 'continued',
                      (select o.id from public.organizations o order by o.id limit 1), '[]', true);
end $$;

COMMENT ON FUNCTION public.request_invalidation_again() IS 'Sends another wake-up, for a drain that ran out of time before it was done. Service role only.';

CREATE FUNCTION public.run_import(kind text, rows jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    SET statement_timeout TO '55s'
    AS $$
declare
    v_lines    jsonb := app.import_rows(kind, rows);
    v_problems jsonb := (select jsonb_agg(l) from jsonb_array_elements(v_lines) l
                         where l ->> 'problem' is not null);
begin
    if v_problems is not null then
        raise exception 'nothing was imported: % lines have problems',
            jsonb_array_length(v_problems)
            using errcode = 'PT422', detail = v_problems::text;
    end if;
    return v_lines;
end $$;

COMMENT ON FUNCTION public.run_import(kind text, rows jsonb) IS 'Imports a list of units, people or past activities: the whole, or nothing. Twice is the same as once. Org admins.';

CREATE FUNCTION public.save_metric_snapshot(p_period_start date DEFAULT NULL::date, p_period_end date DEFAULT NULL::date, p_year integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.save_metric_snapshot(app.first_day(p_period_start, p_year), app.first_day(p_period_end, (p_year + 1)));

COMMENT ON FUNCTION public.save_metric_snapshot(p_period_start date, p_period_end date, p_year integer) IS 'Computes the report of a period, saves it in place of the one saved before, and gives the row. Coordinators and org admins.';

CREATE FUNCTION public.save_person(id uuid, display_name text, role public.profile_role, is_active boolean DEFAULT true) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.save_person(id, display_name, role, is_active);

COMMENT ON FUNCTION public.save_person(id uuid, display_name text, role public.profile_role, is_active boolean) IS 'Gives an invited sign-in its profile, or changes name, role and state of a person. Org admins; one of them always stays.';

CREATE FUNCTION public.search_units(p_query text, p_limit integer DEFAULT 50) RETURNS TABLE(id uuid, name text, kind public.unit_kind, parent_id uuid, parent_name text)
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_key     text    := app.search_key(trim(coalesce(p_query, '')));
    v_pattern text    := '%' || regexp_replace(v_key, '([\\%_])', '\\\1', 'g') || '%';
    v_limit   integer := least(greatest(coalesce(p_limit, 50), 1), 50);
begin
    if v_key = '' then
        return query
            select u.id, u.name, u.kind, u.parent_id, p.name
            from app.recent_unit_ids(v_limit) r
            join public.organization_units u on u.id = r.unit_id
            left join public.organization_units p on p.id = u.parent_id
            order by r.last_read_at desc, u.id;
    else
        return query
            select u.id, u.name, u.kind, u.parent_id, p.name
            from public.organization_units u
            left join public.organization_units p on p.id = u.parent_id
            where app.search_key(u.name) like v_pattern
               or app.search_key(u.name) operator(extensions.%) v_key
            -- what begins so, then a word that begins so, then what is similar
            order by starts_with(app.search_key(u.name), v_key) desc,
                     strpos(' ' || app.search_key(u.name), ' ' || v_key) > 0 desc,
                     extensions.similarity(app.search_key(u.name), v_key) desc,
                     u.name, u.id
            limit v_limit;
    end if;
end $$;

COMMENT ON FUNCTION public.search_units(p_query text, p_limit integer) IS 'Units by name: prefix first, then words, then similar; accents and case do not matter; at most 50. An empty query gives those read last.';

CREATE FUNCTION public.send_report(version uuid) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.send_report(version);

COMMENT ON FUNCTION public.send_report(version uuid) IS 'Notes that an approved version that is still true was sent. Coordinators and org admins.';

CREATE FUNCTION public.take_refresh_turn() RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.take_refresh_turn();

COMMENT ON FUNCTION public.take_refresh_turn() IS 'Counts a refresh that the caller asks for; 429 when they ask too often. Coordinators and org admins.';

CREATE FUNCTION public.take_unit_changes() RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET statement_timeout TO '30s'
    AS $$
declare
    v_is_more boolean := stats.writers_in_flight();   -- before the fold's snapshot
    v_fold    jsonb   := stats.fold();
begin
    return jsonb_build_object(
        'units', v_fold -> 'units',
        'invalidated', v_fold -> 'invalidated',
        'organization_ids', (
            select coalesce(jsonb_agg(o -> 'organization_id'), '[]')
            from jsonb_array_elements(v_fold -> 'organizations') o),
        -- another fold may yet fail, so the caller is to come back
        'more', v_is_more or v_fold ->> 'outcome' = 'already_running');
end $$;

COMMENT ON FUNCTION public.take_unit_changes() IS 'Folds: {units, invalidated, organization_ids, more}. Call again while more. Service role only.';

CREATE FUNCTION public.unlock_reporting_year(year integer, reason text) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    RETURN app.set_year_lock(year, false, reason);

COMMENT ON FUNCTION public.unlock_reporting_year(year integer, reason text) IS 'Opens a locked year, and notes why. Org admins.';

CREATE FUNCTION public.warm_hierarchy_cache(p_organization_id uuid DEFAULT NULL::uuid, p_seconds double precision DEFAULT 5) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET statement_timeout TO '60s'
    AS $$
declare
    v_deadline timestamptz := clock_timestamp() + make_interval(secs => p_seconds);
    v_entry    public.hierarchy_stats_cache;
    v_computed public.hierarchy_stats_cache[] := array[]::public.hierarchy_stats_cache[];
    v_skipped  integer := 0;
begin
    for v_entry in
        select e.*
        from public.organization_settings s
        cross join lateral (
            select n.unit_id, stats.decayed_reads(n.reads, n.last_read_at, now()) as reads
            from public.hierarchy_node_access n
            join public.organization_units u
                on u.id = n.unit_id and u.organization_id = s.organization_id
            order by 2 desc, 1
            limit s.warm_up_limit
        ) n
        join public.hierarchy_stats_cache e on e.unit_id = n.unit_id
        where s.warm_up_enabled
          and s.statistics_enabled
          and (p_organization_id is null or s.organization_id = p_organization_id)
        order by n.reads desc, e.period_year desc, e.unit_id
    loop
        if not stats.is_outdated(v_entry) then
            continue;
        end if;
        if clock_timestamp() < v_deadline
            and pg_try_advisory_xact_lock(
                hashtext('fersk.hierarchy'),
                hashtext(v_entry.unit_id::text || v_entry.period_year)) then
            v_computed := v_computed
                || stats.computed_hierarchy_entry(v_entry.unit_id, v_entry.period_year);
        else
            v_skipped := v_skipped + 1;
        end if;
    end loop;
    -- Stored at the end, all at once: nobody who computes one of them waits for the others.
    perform stats.store_hierarchy_entries(v_computed);
    return jsonb_build_object('warmed', cardinality(v_computed), 'skipped', v_skipped);
end $$;

COMMENT ON FUNCTION public.warm_hierarchy_cache(p_organization_id uuid, p_seconds double precision) IS 'Computes the outdated ones among each organisation''s most read summaries; {warmed, skipped}. Service role only.';

CREATE VIEW stats.activity_facts AS
 SELECT a.id,
    a.organization_id,
    jsonb_build_object('unit_id', a.unit_id, 'peer_mentor_id', a.peer_mentor_id, 'coordinator_id', a.coordinator_id, 'activity_type_id', a.activity_type_id, 'occurred_at', a.occurred_at, 'activity_date', a.activity_date, 'duration_minutes', a.duration_minutes, 'participant_count', a.participant_count, 'is_proxy_registered', a.is_proxy_registered, 'status', a.status, 'duplicate_of', a.duplicate_of, 'is_counted', a.is_counted, 'not_counted_because', a.not_counted_because, 'approved_expenses_nok', a.approved_expenses_nok, 'inserted_at', a.inserted_at, 'insert_number', a.insert_number) AS facts
   FROM public.activities a;

COMMENT ON VIEW stats.activity_facts IS 'What of each activity is counted: no text, no contact. activity_history keeps these.';

CREATE FUNCTION stats.activities_as_of(p_organization_id uuid, p_moment timestamp with time zone) RETURNS TABLE(activity_id uuid, facts jsonb)
    LANGUAGE sql STABLE
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT COALESCE(f.id, l.activity_id) AS "coalesce",
     COALESCE(l.before, f.facts) AS "coalesce"
    FROM (( SELECT c.id,
             c.organization_id,
             c.facts
            FROM stats.activity_facts c
           WHERE (c.organization_id = activities_as_of.p_organization_id)) f
      FULL JOIN ( SELECT DISTINCT ON (h.activity_id) h.activity_id,
             h.before
            FROM public.activity_history h
           WHERE ((h.organization_id = activities_as_of.p_organization_id) AND (h.changed_at > activities_as_of.p_moment))
           ORDER BY h.activity_id, h.id) l ON ((l.activity_id = f.id)))
   WHERE (((COALESCE(l.before, f.facts) ->> 'inserted_at'::text))::timestamp with time zone <= activities_as_of.p_moment);
END;

COMMENT ON FUNCTION stats.activities_as_of(p_organization_id uuid, p_moment timestamp with time zone) IS 'What was counted of each activity at a moment; exact if no writer was under way at it (docs/explain/what-counts.md).';

CREATE FUNCTION stats.add_minutes(p_changes text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    RETURN (('insert into stats.daily_minutes as d (peer_mentor_id, activity_date, minutes) '::text || p_changes) || ' on conflict (peer_mentor_id, activity_date) do update set minutes = d.minutes + excluded.minutes returning '::text);

CREATE FUNCTION stats.alignment_figures(p_organization_id uuid, p_year integer) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select jsonb_build_object(
        'report', stats.bufdir_report(
            p_organization_id, make_date(p_year, 1, 1), make_date(p_year + 1, 1, 1),
            stats.mapping_version(p_organization_id, p_year)),
        'dashboard', jsonb_build_object(
            'activity_time_series', (
                select jsonb_build_object(
                    'activity_count', coalesce(sum(l.activity_count), 0),
                    'participant_count', coalesce(sum(l.participant_count), 0),
                    'total_hours', stats.hours(coalesce(sum(l.total_minutes), 0)::bigint))
                from (   -- stats.live_time_series, summed once
                    select t.organization_id, t.bucket_date, t.activity_count, t.total_minutes,
                           t.participant_count
                    from stats.daily_totals t
                    union all
                    select c.organization_id, c.bucket_date, c.activity_count, c.total_minutes,
                           c.participant_count
                    from stats.activity_changes c
                ) l
                where l.organization_id = p_organization_id
                  and l.bucket_date >= make_date(p_year, 1, 1)
                  and l.bucket_date < make_date(p_year + 1, 1, 1)),
            'hierarchy', (
                select stats.hierarchy_summary(u.id, p_year)
                from public.organization_units u
                where u.organization_id = p_organization_id and u.parent_id is null)),
        'thresholds', coalesce((
            select jsonb_agg(
                jsonb_build_object('bufdir_category_code', t.bufdir_category_code,
                                   'minimum_activity_count', t.minimum_activity_count,
                                   'at_risk_ratio', t.at_risk_ratio)
                order by t.bufdir_category_code)
            from (
                select distinct on (b.bufdir_category_code) b.*
                from public.bufdir_thresholds b
                where b.organization_id = p_organization_id and b.valid_from_year <= p_year
                order by b.bufdir_category_code, b.valid_from_year desc
            ) t
            where t.minimum_activity_count > 0), '[]'))
$$;

COMMENT ON FUNCTION stats.alignment_figures(p_organization_id uuid, p_year integer) IS 'What the dashboard and the report say about a year, for the alignment check.';

CREATE FUNCTION stats.apply_changed_rules() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    if exists (select from changed_rows) then
        perform stats.apply_counting_rules(array(select c.activity_type_id from changed_rows c));
    end if;
    return null;
end $$;

CREATE FUNCTION stats.apply_counting_rules(p_activity_type_ids uuid[] DEFAULT NULL::uuid[]) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_changed bigint;
begin
    perform stats.lock_out_writers();
    perform stats.join_rules(p_activity_type_ids);
    update public.activities a set not_counted_because = null   -- which has it judged
    from stats.misjudged_activities m
    where m.id = a.id
      and (p_activity_type_ids is null or m.activity_type_id = any (p_activity_type_ids));
    get diagnostics v_changed = row_count;
    return v_changed;
end $$;

COMMENT ON FUNCTION stats.apply_counting_rules(p_activity_type_ids uuid[]) IS 'Judges every activity by the rules of now; the number of those that are counted otherwise. docs/howto/change-the-counting-rule.md.';

CREATE FUNCTION stats.apply_time_zone() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$   -- DEFINER: as above
begin
    if tg_when = 'BEFORE' then
        perform stats.lock_out_writers();   -- before the row, which a writer may wait for
        return null;
    end if;
    perform stats.apply_counting_rules(array(
        select t.id from public.activity_types t where t.organization_id = new.organization_id));
    return null;
end $$;

CREATE FUNCTION stats.ask(p_slug text, p_type text, p_organization_id uuid, p_records jsonb, p_truncated boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    if p_slug = 'refresh-stats-views' then
        perform stats.note_time('stats.refresh_asked_at');
    end if;
    if (select s.refresh_mode from stats.settings s) = 'async' then
        perform stats.wake(p_slug, p_type, p_organization_id, p_records, p_truncated);
    elsif p_slug = 'refresh-stats-views' then   -- no functions to wake: a refresh folds as well
        perform stats.refresh(p_force := false);
    end if;
exception when others then
    -- Never the writer's problem: the changes are in the log, where readers see them, and the sweep
    -- asks again.
    perform stats.record_error(p_type || ': ' || sqlstate || ': ' || sqlerrm);
end $$;

CREATE FUNCTION stats.attempt(p_statement text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    execute p_statement;
exception when others then
    perform stats.record_error(p_statement || ': ' || sqlstate || ': ' || sqlerrm);
end $$;

CREATE FUNCTION stats.audit(p_chapter_ids uuid[] DEFAULT NULL::uuid[]) RETURNS SETOF stats.differences
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $_$
begin
    lock table public.activities in access share mode;
    lock table public.expense_claims in access share mode;
    return query execute format(
        'with found as ('
        '%s '
        'union select ''activities'', m.chapter_id from stats.misjudged_activities m '
        'where $1 is null or m.chapter_id = any ($1) '
        'union select ''joined_rules'', a.unit_id from ('
        'select * from stats.effective_rules except select * from stats.joined_rules) r '
        'join public.activities a on a.activity_type_id = r.activity_type_id '
        'where $1 is null or a.unit_id = any ($1) '
        'union select ''daily_minutes'', c.chapter_id from stats.missing_minutes m '
        'join stats.people_of_chapters($1) c on c.profile_id = m.peer_mentor_id '
        'and (c.activity_date = m.activity_date or c.activity_date is null and not exists ('
        'select from public.activities a where a.peer_mentor_id = m.peer_mentor_id '
        'and a.activity_date = m.activity_date)) '
        'union select ''expense_claims'', e.chapter_id from stats.wrong_expenses e '
        'where $1 is null or e.chapter_id = any ($1) '
        'union select ''hierarchy_stats_cache'', w from stats.wrong_summaries($1) w) '
        'insert into stats.differences (relation_name, chapter_id) '
        'select f.relation_name, f.chapter_id from found f order by 1, 2 returning *',
        stats.comparison()) using p_chapter_ids;
end $_$;

COMMENT ON FUNCTION stats.audit(p_chapter_ids uuid[]) IS 'Compares the statistics of the named or all chapters with the activities, in one snapshot; records and returns what differs. A summary may be of any unit.';

CREATE TABLE public.bufdir_report_versions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    "position" bigint NOT NULL,
    period_start date NOT NULL,
    period_end date NOT NULL,
    version integer NOT NULL,
    snapshot_json jsonb NOT NULL,
    complete_hash text NOT NULL,
    record_count bigint NOT NULL,
    source_fingerprint text NOT NULL,
    mapping_version integer NOT NULL,
    mapping jsonb NOT NULL,
    counting_rule jsonb NOT NULL,
    prepared_by uuid NOT NULL,
    prepared_at timestamp with time zone DEFAULT now() NOT NULL,
    previous_hash text NOT NULL,
    hash text NOT NULL,
    approved_by uuid,
    approved_at timestamp with time zone,
    sent_by uuid,
    sent_at timestamp with time zone,
    signed_hash text,
    CONSTRAINT bufdir_report_versions_snapshot_json_check CHECK (app.is_aggregate_only(snapshot_json)),
    CONSTRAINT bufdir_report_versions_steps CHECK ((((approved_by IS NULL) = (approved_at IS NULL)) AND ((sent_by IS NULL) = (sent_at IS NULL)) AND ((sent_at IS NULL) OR (approved_at IS NOT NULL)) AND ((signed_hash IS NULL) = (approved_at IS NULL))))
);

COMMENT ON TABLE public.bufdir_report_versions IS 'What was reported to Bufdir, or was meant to be. Never changed, but for the two signatures, each once. Written by prepare_report, approve_report and send_report alone.';

COMMENT ON COLUMN public.bufdir_report_versions."position" IS 'Its place in the chain of its organisation, from 1 on.';

COMMENT ON COLUMN public.bufdir_report_versions.snapshot_json IS 'As coordinators may see it: null for the figures of groups of fewer than five people.';

COMMENT ON COLUMN public.bufdir_report_versions.complete_hash IS 'SHA-256 of the same with every figure, which is in stats.complete_versions.';

COMMENT ON COLUMN public.bufdir_report_versions.mapping IS 'The activity types and their categories, as they were.';

COMMENT ON COLUMN public.bufdir_report_versions.counting_rule IS 'What counted, as it was.';

COMMENT ON COLUMN public.bufdir_report_versions.prepared_at IS 'When the figures were right: they were compared with the activities.';

COMMENT ON COLUMN public.bufdir_report_versions.hash IS 'SHA-256 of all above it and of the hash before, so that none can be changed or left out.';

COMMENT ON COLUMN public.bufdir_report_versions.signed_hash IS 'SHA-256 of hash and of who signed when.';

CREATE FUNCTION stats.audit_basis(p_version public.bufdir_report_versions) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    with reported as materialized (
        select * from stats.reported_activities(p_version)
    )
    select jsonb_build_object(
        'chapters', (
            select coalesce(jsonb_agg(jsonb_build_object(
                       'chapter_id', c.chapter_id, 'chapter_name', u.name,
                       'activity_count', c.number, 'total_minutes', c.minutes,
                       'participant_count', c.participants) order by u.name, u.id), '[]')
            from (select r.chapter_id, count(*) as number, sum(r.minutes) as minutes,
                         sum(r.participants) as participants
                  from reported r group by 1) c
            join public.organization_units u on u.id = c.chapter_id),
        'activities', (
            select coalesce(jsonb_agg(to_jsonb(r) order by r.activity_id), '[]') from reported r))
$$;

CREATE FUNCTION stats.audit_sample(p_chapters integer DEFAULT 5) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    SET lock_timeout TO '1s'
    AS $$
begin
    return stats.heal(array(
        select u.id from public.organization_units u
        where u.kind = 'local'
        order by random()
        limit p_chapters));
exception when lock_not_available then
    return 0;
end $$;

CREATE FUNCTION stats.reported(p_organization_id uuid, p_period_start date, p_period_end date, p_mapping_version integer, p_is_whole boolean, OUT record_count bigint, OUT fingerprint text, OUT report jsonb) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    SET plan_cache_mode TO 'force_custom_plan'
    SET work_mem TO '64MB'
    SET hash_mem_multiplier TO '4'
    SET enable_mergejoin TO 'off'
    AS $$
begin
    with source as materialized (
        select grouping(a.contact_id) = 0 as is_contact, a.contact_id, a.activity_type_id,
               a.region_id, count(*) as number, sum(a.duration_minutes) as minutes,
               sum(a.participant_count) as participants, bit_or(a.type_bit) as types,
               bit_or(a.region_bit) as regions, bit_xor(a.hash) as hash
        from stats.report_rows a
        where a.organization_id = p_organization_id
          and a.bucket_date >= p_period_start and a.bucket_date < p_period_end
        group by grouping sets ((a.contact_id), (a.activity_type_id, a.region_id))
    ), contacts as (
        select s.number, case when s.contact_id is null then s.hash
                              else hashint8extended(s.hash, 0) end as hash
        from source s where s.is_contact
    ), met as materialized (
        select s.types, s.regions, count(*) as people
        from source s where s.contact_id is not null group by 1, 2
    ), parts as (
        select grouping(m.bufdir_category_code, s.activity_type_id, s.region_id) as part,
               m.bufdir_category_code as category, s.activity_type_id, s.region_id,
               sum(s.number) as number, sum(s.minutes) as minutes,
               sum(s.participants) as participants, bit_or(s.types) as types,
               bit_or(s.regions) as regions
        from source s
        left join public.bufdir_category_mappings m
            on m.activity_type_id = s.activity_type_id and m.mapping_version = p_mapping_version
        where not s.is_contact
        group by grouping sets (
            (m.bufdir_category_code), (m.bufdir_category_code, s.activity_type_id),
            (s.region_id), ())
    ), grouped as (
        -- a person counts once in each part, whether met directly or registered by proxy
        select p.part, p.category, p.activity_type_id, p.region_id,
               jsonb_build_object(
                   'activity_count', coalesce(p.number, 0),
                   'total_hours', stats.hours(coalesce(p.minutes, 0)::bigint),
                   'distinct_participants', (
                       select coalesce(sum(m.people), 0)
                       from met m
                       where bit_count(m.types & p.types) > 0
                         and bit_count(m.regions & p.regions) > 0),
                   'participant_count', coalesce(p.participants, 0)) as figures
        from parts p
    )
    select coalesce(sum(c.number), 0)::bigint,
           left(md5(coalesce(sum(c.number), 0) || '/' || coalesce(bit_xor(c.hash), 0)), 16)
               || stats.mapping_fingerprint(p_organization_id, p_mapping_version),
           case when p_is_whole then jsonb_build_object(
               'organization_id', p_organization_id,
               'period_start', p_period_start, 'period_end', p_period_end,
               'mapping_version', p_mapping_version,
               'categories', coalesce((
                   select jsonb_agg(
                       jsonb_build_object('bufdir_category_code', g.category) || g.figures
                       order by g.category)
                   from grouped g
                   where g.part = 3 and g.category is not null), '[]'),
               'uncategorised', coalesce((
                   select jsonb_agg(
                       jsonb_build_object('activity_type_id', g.activity_type_id,
                                          'activity_type_code', t.code) || g.figures
                       order by t.code)
                   from grouped g
                   join public.activity_types t on t.id = g.activity_type_id
                   where g.part = 1 and g.category is null), '[]'),
               'regions', coalesce((
                   select jsonb_agg(
                       jsonb_build_object('region_unit_id', g.region_id,
                                          'region_name', u.name) || g.figures
                       order by u.name, g.region_id)
                   from grouped g
                   left join public.organization_units u on u.id = g.region_id
                   where g.part = 6), '[]'),
               'totals', (select g.figures from grouped g where g.part = 7)) end
    into record_count, fingerprint, report
    from contacts c;
end $$;

COMMENT ON FUNCTION stats.reported(p_organization_id uuid, p_period_start date, p_period_end date, p_mapping_version integer, p_is_whole boolean, OUT record_count bigint, OUT fingerprint text, OUT report jsonb) IS 'How many activities a report rests on, a fingerprint, and the report: per category, region and in all; from p_period_start to before p_period_end; types without a category stand in uncategorised. The first half of the fingerprint is about the activities and their regions, the second about the mapping.';

CREATE FUNCTION stats.bufdir_report(p_organization_id uuid, p_period_start date, p_period_end date, p_mapping_version integer) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN (SELECT r.report FROM stats.reported(bufdir_report.p_organization_id, bufdir_report.p_period_start, bufdir_report.p_period_end, bufdir_report.p_mapping_version, true) r(record_count, fingerprint, report));

CREATE TABLE public.hierarchy_stats_cache (
    unit_id uuid NOT NULL,
    period_year integer NOT NULL,
    payload jsonb NOT NULL,
    computed_at timestamp with time zone NOT NULL,
    computed_at_mark bigint NOT NULL,
    CONSTRAINT hierarchy_stats_cache_period_year_check CHECK (((period_year >= 2000) AND (period_year <= 2099)))
);

COMMENT ON TABLE public.hierarchy_stats_cache IS 'Summaries of units by year; read through hierarchy_stats.';

COMMENT ON COLUMN public.hierarchy_stats_cache.computed_at_mark IS 'The unit''s marks of the year and of every year, in the snapshot that the payload was computed in.';

CREATE FUNCTION stats.is_outdated(p_entry public.hierarchy_stats_cache) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select p_entry.computed_at_mark <> stats.current_mark(p_entry.unit_id, p_entry.period_year)
        or exists (
            select from public.organization_units u
            join stats.unit_changes c on c.organization_id = u.organization_id
            where u.id = p_entry.unit_id
              and (c.changed_on is null
                   or extract(year from c.changed_on)::integer = p_entry.period_year)
              -- the root contains every unit of its organisation: no walk
              and (u.parent_id is null
                   or c.unit_id in (select s from app.unit_subtree(p_entry.unit_id) s)))
$$;

COMMENT ON FUNCTION stats.is_outdated(p_entry public.hierarchy_stats_cache) IS 'Whether a cached summary differs, or may differ, from what a computation now would give.';

CREATE FUNCTION stats.cached_hierarchy_stats(p_unit_id uuid, p_year integer) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN (SELECT jsonb_build_object('unit_id', e.unit_id, 'year', e.period_year, 'payload', e.payload, 'computed_at', e.computed_at, 'stale', stats.is_outdated(e.*)) AS jsonb_build_object FROM public.hierarchy_stats_cache e WHERE ((e.unit_id = cached_hierarchy_stats.p_unit_id) AND (e.period_year = cached_hierarchy_stats.p_year)));

CREATE FUNCTION stats.categories_by_type(p_mapping jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    RETURN (SELECT COALESCE(jsonb_object_agg((m.value ->> 'activity_type_id'::text), (m.value -> 'bufdir_category_code'::text)), '{}'::jsonb) AS "coalesce" FROM jsonb_array_elements(categories_by_type.p_mapping) m(value));

CREATE FUNCTION stats.category_in(p_mapping jsonb, p_facts jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    RETURN (p_mapping ->> (p_facts ->> 'activity_type_id'::text));

CREATE FUNCTION stats.close_year(p_organization_id uuid, p_year integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_timeout text := current_setting('lock_timeout');
begin
    perform set_config('lock_timeout', '2s', true);   -- meanwhile nobody begins to write in it
    perform pg_advisory_xact_lock(hashtext('fersk.year'),
                                  stats.year_key(p_organization_id, p_year));
    perform set_config('lock_timeout', v_timeout, true);
exception when lock_not_available then
    perform app.refuse(409, 'being_written', 'somebody is writing in this year; try again');
end $$;

CREATE FUNCTION stats.comparison() RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $_$
    select string_agg(format(
        'select %1$L as relation_name, d.chapter_id from ('
        'select %2$s, %3$s from stats.%1$s where $1 is null or chapter_id = any ($1) '
        'union all '
        'select %4$s, %3$s from stats.activity_changes where $1 is null or chapter_id = any ($1) '
        'union all '
        'select %4$s, %5$s from stats.contributions where $1 is null or chapter_id = any ($1)) d '
        'group by %2$s having %6$s',
        t.name, t.keys, stats.measure_list('%I'), t.key_values, stats.measure_list('-%I'),
        stats.measure_list('sum(d.%I) <> 0', ' or ')), ' union ' order by t.name)
    from stats.totals t
$_$;

CREATE FUNCTION stats.compute_hierarchy_entry(p_unit_id uuid, p_year integer) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    if not pg_try_advisory_xact_lock(
        hashtext('fersk.hierarchy'), hashtext(p_unit_id::text || p_year)) then
        return false;
    end if;
    perform stats.store_hierarchy_entries(array[stats.computed_hierarchy_entry(p_unit_id, p_year)]);
    return true;
end $$;

CREATE FUNCTION stats.computed_hierarchy_entry(p_unit_id uuid, p_year integer) RETURNS public.hierarchy_stats_cache
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_entry public.hierarchy_stats_cache;
begin
    lock table public.activities in access share mode;
    select p_unit_id, p_year, stats.hierarchy_summary(p_unit_id, p_year), clock_timestamp(),
           stats.current_mark(p_unit_id, p_year)
    into v_entry;   -- one statement, so that payload and mark agree
    return v_entry;
end $$;

CREATE FUNCTION stats.computed_metric_snapshot(p_organization_id uuid, p_period_start date, p_period_end date) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_mapping integer;
begin
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    v_mapping := stats.require_mapping_version(p_organization_id, p_period_start, p_period_end);
    return (
        select jsonb_build_object(
            'organization_id', p_organization_id,
            'period_start', p_period_start,
            'period_end', p_period_end,
            'computed_at', now(),
            'record_count_at_generation', s.record_count,
            'source_fingerprint', s.fingerprint,
            'mapping_version', v_mapping,
            'snapshot_json', s.report)
        from stats.reported(
            p_organization_id, p_period_start, p_period_end, v_mapping, true) s);
end $$;

CREATE FUNCTION stats.contribution(p_facts jsonb, p_period_start date, p_period_end date, OUT chapter_id uuid, OUT peer_mentor_id uuid, OUT minutes integer, OUT participants integer) RETURNS SETOF record
    LANGUAGE sql IMMUTABLE ROWS 1
    SET search_path TO ''
    AS $$
    select (p_facts ->> 'unit_id')::uuid, (p_facts ->> 'peer_mentor_id')::uuid,
           (p_facts ->> 'duration_minutes')::integer, (p_facts ->> 'participant_count')::integer
    where (p_facts ->> 'is_counted')::boolean
      and (p_facts ->> 'activity_date')::date >= p_period_start
      and (p_facts ->> 'activity_date')::date < p_period_end
$$;

CREATE FUNCTION stats.view_over(p_view text, p_relation text, p_rows text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN format('(%s)'::text, replace(rtrim(pg_get_viewdef(((p_view)::regclass)::oid), ';'::text), p_relation, p_rows));

CREATE FUNCTION stats.contributions_of(p_rows text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN stats.view_over('stats.contributions'::text, 'stats.countable_activities'::text, stats.view_over('stats.countable_activities'::text, 'public.activities'::text, p_rows));

CREATE FUNCTION stats.counts_in_statistics(p_status public.activity_status, p_duration_minutes integer, p_participant_count integer, p_counts boolean, p_min_duration_minutes integer, p_min_participants integer) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
begin
    return case
        when p_status <> 'registered' then p_status::text
        when not p_counts then 'type_does_not_count'
        when p_duration_minutes < p_min_duration_minutes then 'too_short'
        when p_participant_count < p_min_participants then 'too_few_participants'
    end;
end $$;

COMMENT ON FUNCTION stats.counts_in_statistics(p_status public.activity_status, p_duration_minutes integer, p_participant_count integer, p_counts boolean, p_min_duration_minutes integer, p_min_participants integer) IS 'The counting rule: null for an activity that counts in statistics and reports, else why not. Changing it: docs/howto/change-the-counting-rule.md.';

CREATE TABLE stats.marks (
    unit_id uuid NOT NULL,
    period_year integer NOT NULL,
    marks bigint DEFAULT 1 NOT NULL,
    invalidated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='80');

COMMENT ON TABLE stats.marks IS 'How often each unit''s summary of a year was outdated; only ever grows.';

CREATE FUNCTION stats.current_mark(p_unit_id uuid, p_year integer) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN (SELECT (COALESCE(sum(m.marks), (0)::numeric))::bigint AS "coalesce" FROM stats.marks m WHERE ((m.unit_id = current_mark.p_unit_id) AND (m.period_year = ANY (ARRAY[0, current_mark.p_year]))));

CREATE FUNCTION stats.decayed_reads(p_reads double precision, p_last_read_at timestamp with time zone, p_now timestamp with time zone) RETURNS double precision
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    RETURN (p_reads * power((0.5)::double precision, ((GREATEST(EXTRACT(epoch FROM (p_now - p_last_read_at)), (0)::numeric))::double precision / (86400)::double precision)));

CREATE FUNCTION stats.define_change_triggers() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $_$
declare
    v_keys     text := 'organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date';
    v_measures text := stats.measure_list('%I');
    v_sums     text := stats.measure_list('sum(c.%I) as %I');
    -- DEFINER: writers hold no rights on stats
    v_frame    text := 'create or replace function stats.%I() returns trigger language plpgsql '
                       'security definer set search_path = '''' as $body$ '
                       'declare v_minutes integer; begin %s '
                       'if v_minutes > 1440 then '
                       'raise exception ''more than 24 hours of one person on one day'' '
                       'using errcode = ''check_violation'', '
                       'constraint = ''activities_day_has_24_hours''; end if; '
                       'return new; end $body$';
    v_insert   text := format(
        'insert into stats.activity_changes (%s, is_first, %s) ', v_keys, v_measures);
    v_grouped  text := v_insert || format(
        'select %s, row_number() over () = 1, %s from %%s c group by %s;', v_keys, v_sums, v_keys);
    v_new      text := stats.contributions_of('new_rows');
    v_old      text := stats.contributions_of('old_rows');
    v_added    text := format('select m.* from %s m', stats.minutes_of('new_rows'));
    v_taken    text := format('select m.peer_mentor_id, m.activity_date, -m.minutes as minutes '
                              'from %s m', stats.minutes_of('old_rows'));
begin
    -- One row nearly always: preparing to group would cost as much as writing.
    execute format(v_frame, 'log_inserted_activities', format(
        'if (select count(*) from new_rows) = 1 then %s d.minutes into v_minutes; %s '
        'else %s into v_minutes; %s end if;',
        stats.add_minutes(v_added),
        v_insert || format('select %s, true, %s from %s c;', v_keys, v_measures, v_new),
        format('with longer as (%s d.minutes) select max(l.minutes) from longer l',
               stats.add_minutes(format(
                   'select m.peer_mentor_id, m.activity_date, sum(m.minutes) from (%s) m '
                   'group by 1, 2 order by 1, 2', v_added))),
        format(v_grouped, v_new)));
    execute format(v_frame, 'log_deleted_activities',
        stats.sum_and_add_minutes(v_taken) || ' into v_minutes; '
        || replace(format(v_grouped, v_old), 'sum(', '-sum('));
    -- By contact first: one that changes alone leaves sums of zero, which tell the hierarchy, where
    -- distinct contacts are counted.
    execute format(v_frame, 'log_updated_activities',
        stats.sum_and_add_minutes(v_added || ' union all ' || v_taken) || ' into v_minutes; '
        || format(v_grouped, format(
            '(select %1$s, %2$s from (select %1$s, contact_id, %3$s from %4$s n union all '
            'select %1$s, contact_id, %5$s from %6$s o) c group by %1$s, contact_id having %7$s)',
            v_keys, v_sums, v_measures, v_new, stats.measure_list('-%I'), v_old,
            stats.measure_list('sum(c.%I) <> 0', ' or '))));
end $_$;

COMMENT ON FUNCTION stats.define_change_triggers() IS 'Writes the trigger functions of the change log from the measures; called again when there is a new one.';

CREATE FUNCTION stats.define_history() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $_$
declare
    -- DEFINER: the history is granted to nobody
    v_frame text :=
        'create or replace function stats.%I() returns trigger language plpgsql security definer '
        'set search_path = '''' set enable_nestloop = off as $body$ begin '
        'insert into public.activity_history '
        '(activity_id, organization_id, operation, changed_by, before, after) '
        'select o.id, o.organization_id, %s, '
        '(select p.id from public.profiles p where p.id = auth.uid()), o.facts, %s; '
        'return null; end $body$';
    v_old   text := stats.view_over('stats.activity_facts', 'public.activities', 'old_rows');
    v_new   text := stats.view_over('stats.activity_facts', 'public.activities', 'new_rows');
begin
    execute format(v_frame, 'record_updated_activities', '''update''', format(
        'n.facts from %s o join %s n on n.id = o.id where n.facts <> o.facts', v_old, v_new));
    execute format(v_frame, 'record_deleted_activities', '''delete''', format(
        'null from %s o', v_old));
end $_$;

COMMENT ON FUNCTION stats.define_history() IS 'Writes the trigger functions from stats.activity_facts; called again when that has changed.';

CREATE FUNCTION stats.effect(p_activity_count numeric, p_minutes numeric, p_hours numeric, p_participants numeric) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    RETURN jsonb_build_object('activity_count', (p_activity_count)::bigint, 'total_minutes', (p_minutes)::bigint, 'total_hours', p_hours, 'participant_count', (p_participants)::bigint);

CREATE FUNCTION stats.effects(p_version public.bufdir_report_versions, p_against uuid) RETURNS TABLE(activity_id uuid, kind text, before jsonb, after jsonb, category_before text, category_after text, chapter_id uuid, peer_mentor_id uuid, activity_count bigint, minutes bigint, hours numeric, participants bigint)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    with sides as materialized (
        select b as former, a as latter
        from stats.report_side(p_version, p_version.id) b
        cross join stats.report_side(p_version, p_against) a
    ), ids as materialized (
        select array(
            select stats.unseen_activity_ids(p_version.organization_id, (s.former).seen_inserts,
                                             (s.former).seen_changes)
            union
            select stats.unseen_activity_ids(p_version.organization_id, (s.latter).seen_inserts,
                                             (s.latter).seen_changes)) as ids
        from sides s
    ), states as (
        select i.id, b.facts as before, a.facts as after,
               stats.category_in((s.former).categories, b.facts) as category_before,
               stats.category_in((s.latter).categories, a.facts) as category_after,
               (s.former).minutes as minutes_before
        from sides s cross join ids l cross join unnest(l.ids) i (id)
        left join stats.states_of(l.ids, (s.former).seen_inserts, (s.former).seen_changes) b
            on b.activity_id = i.id
        left join stats.states_of(l.ids, (s.latter).seen_inserts, (s.latter).seen_changes) a
            on a.activity_id = i.id
    ), contributions as (
        select s.*, x.side, (c.c).*, max(x.side) over (partition by s.id) as last_side,
               min(x.side) over (partition by s.id) as first_side
        from states s
        cross join lateral (values (-1, s.before), (1, s.after)) x (side, facts)
        cross join lateral (select stats.contribution(x.facts, p_version.period_start,
                                                      p_version.period_end) as c) c
    )
    select c.id,
           case when c.first_side = 1 and c.before is null then 'added'
                when c.last_side = -1 and c.after is null then 'removed'
                when c.first_side = 1 then 'newly_counted'
                when c.last_side = -1 then 'no_longer_counted'
                when c.category_before is distinct from c.category_after
                     or c.before -> 'activity_type_id' <> c.after -> 'activity_type_id'
                    then 'recategorised'
                else 'edited' end,
           c.before, c.after, c.category_before, c.category_after, c.chapter_id, c.peer_mentor_id,
           c.side, c.side * c.minutes,
           stats.hours(c.minutes_before + sum(c.side * c.minutes) over running)
               - stats.hours(c.minutes_before + coalesce(
                     sum(c.side * c.minutes) over (running rows between unbounded preceding
                                                   and 1 preceding), 0)),
           c.side * c.participants
    from contributions c
    window running as (order by c.id, c.side)
$$;

CREATE FUNCTION stats.explained_difference(p_version public.bufdir_report_versions, p_against uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    with sides as materialized (
        select b as former, a as latter
        from stats.report_side(p_version, p_version.id) b
        cross join stats.report_side(p_version, p_against) a
    ), effects as materialized (
        select * from stats.effects(p_version, p_against)
    ), by_activity as (
        select e.activity_id, e.kind, e.before, e.after, e.category_before, e.category_after,
               sum(e.activity_count)::bigint as activity_count, sum(e.minutes)::bigint as minutes,
               sum(e.hours) as hours, sum(e.participants)::bigint as participants
        from effects e group by 1, 2, 3, 4, 5, 6
    ), differing as (
        select a.* from by_activity a
        where a.kind <> 'edited'
           or stats.reported_facts(a.before) <> stats.reported_facts(a.after)
    ), difference as (
        select (s.latter).activity_count - (s.former).activity_count as activity_count,
               (s.latter).minutes - (s.former).minutes as minutes,
               stats.hours((s.latter).minutes) - stats.hours((s.former).minutes) as hours,
               (s.latter).participants - (s.former).participants as participants
        from sides s
    )
    select jsonb_build_object(
        'version', p_version.id, 'against', p_against,
        'difference', stats.effect(d.activity_count, d.minutes, d.hours, d.participants),
        'unrecorded', stats.effect(d.activity_count - t.activity_count, d.minutes - t.minutes,
                                   d.hours - t.hours, d.participants - t.participants),
        'mapping_changes', (
            select coalesce(jsonb_agg(jsonb_build_object(
                       'activity_type_id', k.id, 'category_before', b.code,
                       'category_after', a.code) order by k.id), '[]')
            from sides s
            cross join lateral jsonb_object_keys((s.former).categories || (s.latter).categories)
                k (id)
            cross join lateral (select (s.former).categories ->> k.id as code) b
            cross join lateral (select (s.latter).categories ->> k.id as code) a
            where b.code is distinct from a.code),
        'kinds', (
            select coalesce(jsonb_agg(jsonb_build_object('kind', g.kind, 'activities', g.number)
                       || stats.effect(g.activity_count, g.minutes, g.hours, g.participants)
                       order by g.kind), '[]')
            from (select f.kind, count(*) as number, sum(f.activity_count) as activity_count,
                         sum(f.minutes) as minutes, sum(f.hours) as hours,
                         sum(f.participants) as participants
                  from differing f group by 1) g),
        'chapters', (
            select coalesce(jsonb_agg(jsonb_build_object('chapter_id', g.id, 'chapter_name', u.name)
                       || stats.effect(g.activity_count, g.minutes, g.hours, g.participants)
                       order by u.name, g.id), '[]')
            from (select e.chapter_id as id, sum(e.activity_count) as activity_count,
                         sum(e.minutes) as minutes, sum(e.hours) as hours,
                         sum(e.participants) as participants
                  from effects e group by 1) g
            join public.organization_units u on u.id = g.id),
        'people', (
            select coalesce(jsonb_agg(jsonb_build_object(
                           'peer_mentor_id', g.id, 'peer_mentor_name', p.display_name)
                       || stats.effect(g.activity_count, g.minutes, g.hours, g.participants)
                       order by p.display_name, g.id), '[]')
            from (select e.peer_mentor_id as id, sum(e.activity_count) as activity_count,
                         sum(e.minutes) as minutes, sum(e.hours) as hours,
                         sum(e.participants) as participants
                  from effects e group by 1) g
            join public.profiles p on p.id = g.id),
        'activities', (
            select coalesce(jsonb_agg(jsonb_build_object(
                           'activity_id', f.activity_id, 'kind', f.kind,
                           'before', stats.reported_facts(f.before),
                           'after', stats.reported_facts(f.after),
                           'category_before', f.category_before,
                           'category_after', f.category_after)
                       || stats.effect(f.activity_count, f.minutes, f.hours, f.participants)
                       order by f.activity_id), '[]')
            from differing f))
    from difference d
    cross join (select coalesce(sum(e.activity_count), 0) as activity_count,
                       coalesce(sum(e.minutes), 0) as minutes, coalesce(sum(e.hours), 0) as hours,
                       coalesce(sum(e.participants), 0) as participants
                from effects e) t
$$;

CREATE FUNCTION stats.fence(p_quartiles double precision[]) RETURNS double precision
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    RETURN GREATEST((((4)::double precision * (p_quartiles)[2]) - ((3)::double precision * (p_quartiles)[1])), ((2)::double precision * (p_quartiles)[2]));

CREATE FUNCTION stats.find_report_version(p_version_id uuid) RETURNS public.bufdir_report_versions
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION stats.fold() RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $_$
declare
    v_nothing constant jsonb :=
        jsonb_build_object('units', 0, 'invalidated', 0, 'organizations', '[]'::jsonb);
    v_started constant timestamptz := clock_timestamp();
    v_result  jsonb;
begin
    -- One at a time, and never waiting. A statement of its own, so that the next one's snapshot has
    -- what the last fold did.
    if not pg_try_advisory_xact_lock(hashtext('fersk'), hashtext('stats.fold')) then
        return v_nothing || '{"outcome": "already_running"}';
    end if;
    if not exists (select from stats.unit_changes) then
        return v_nothing || '{"outcome": "folded"}';
    end if;
    execute 'with taken as (delete from stats.activity_changes where true returning *), '
        || stats.totals_upserts() || $fold$,
    moved as (
        delete from stats.tree_changes where true returning *
    ), touched as materialized (
        select organization_id, chapter_id as unit_id,
               date_part('year', bucket_date)::integer as period_year
        from taken
        group by 1, 2, 3
        union
        select organization_id, unit_id, 0 from moved
    ), outdated as materialized (
        select u.organization_id, u.id as unit_id, y.period_year
        from (select period_year, array_agg(unit_id) as unit_ids from touched group by 1) y
        cross join lateral app.unit_ancestry(y.unit_ids) a
        join public.organization_units u on u.id = a.ancestor_id
        group by 1, 2, 3
    ), marked as (
        -- Every unit, cached or not: a computation that began before must find the mark.
        insert into stats.marks as m (unit_id, period_year)
        select o.unit_id, o.period_year from outdated o group by 1, 2 order by 1, 2
        on conflict (unit_id, period_year) do update
            set marks = m.marks + 1, invalidated_at = excluded.invalidated_at
        returning m.unit_id, m.period_year
    ), counted as (
        insert into stats.unrefreshed_changes as n (organization_id, change_count, oldest_at)
        select organization_id, count(*), min(changed_at) from taken group by 1 order by 1
        on conflict (organization_id) do update
            set change_count = n.change_count + excluded.change_count,
                oldest_at = least(n.oldest_at, excluded.oldest_at)
    ), days as (
        select organization_id, jsonb_agg(distinct bucket_date) as dates from taken group by 1
    ), told as (
        select o.organization_id, o.unit_ids, coalesce(d.dates, '[]') as dates
        from (
            select organization_id, jsonb_agg(distinct unit_id) as unit_ids
            from outdated
            group by 1
        ) o
        left join days d on d.organization_id = o.organization_id
    )
    select jsonb_build_object(
        'outcome', 'folded',
        'units', (select count(distinct t.unit_id) from touched t),
        'invalidated', (select count(*) from marked),
        'zeros', (select jsonb_object_agg(z.name, to_jsonb(z.places)) from zeros z),
        'organizations', (
            select coalesce(jsonb_agg(to_jsonb(t) order by t.organization_id), '[]') from told t))
    $fold$ into v_result;
    perform stats.remove_zeros(v_result -> 'zeros');
    perform stats.tell(v_result -> 'organizations');
    perform stats.note_time('stats.folded_at');
    perform setval('stats.fold_took', greatest(   -- a clock may be set back
        extract(epoch from clock_timestamp() - v_started) * 1000000, 0)::bigint);
    return v_result - 'zeros';
exception
    -- Above READ COMMITTED the snapshot may be older than the last fold. Then that one was the fold
    -- that was asked for.
    when serialization_failure then
        return v_nothing || '{"outcome": "already_running"}';
end $_$;

COMMENT ON FUNCTION stats.fold() IS 'Moves the log into the totals, marks summaries, broadcasts; {outcome: folded | already_running, units, invalidated, organizations}.';

CREATE FUNCTION stats.heal(p_chapter_ids uuid[] DEFAULT NULL::uuid[]) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_chapter_ids uuid[] := array(select distinct a.chapter_id from stats.audit(p_chapter_ids) a);
begin
    if v_chapter_ids <> '{}' then
        perform stats.rebuild(v_chapter_ids);
    end if;
    return cardinality(v_chapter_ids);
end $$;

COMMENT ON FUNCTION stats.heal(p_chapter_ids uuid[]) IS 'Audits, and rebuilds the chapters that differ; the number of them.';

CREATE FUNCTION stats.hierarchy_payload(p_activity_count bigint, p_total_minutes bigint, p_participant_count bigint, p_distinct_contacts bigint, p_active_peer_mentors bigint, p_chapters_reporting bigint, p_categories jsonb, p_approved_expenses_nok numeric) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    RETURN jsonb_build_object('activity_count', COALESCE(p_activity_count, (0)::bigint), 'total_hours', stats.hours(COALESCE(p_total_minutes, (0)::bigint)), 'participant_count', COALESCE(p_participant_count, (0)::bigint), 'distinct_contacts', COALESCE(p_distinct_contacts, (0)::bigint), 'active_peer_mentors', COALESCE(p_active_peer_mentors, (0)::bigint), 'chapters_reporting', COALESCE(p_chapters_reporting, (0)::bigint), 'categories', COALESCE(p_categories, '{}'::jsonb), 'approved_expenses_nok', (COALESCE(p_approved_expenses_nok, (0)::numeric))::numeric(14,2));

COMMENT ON FUNCTION stats.hierarchy_payload(p_activity_count bigint, p_total_minutes bigint, p_participant_count bigint, p_distinct_contacts bigint, p_active_peer_mentors bigint, p_chapters_reporting bigint, p_categories jsonb, p_approved_expenses_nok numeric) IS 'The one shape of a summary: aggregates only, no personal data.';

CREATE FUNCTION stats.hierarchy_summaries(p_organization_id uuid, p_year integer) RETURNS TABLE(unit_id uuid, payload jsonb)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    with recursive units as materialized (
        select u.id, u.parent_id
        from public.organization_units u
        where u.organization_id = p_organization_id
    ), ancestry as materialized (
        select a.unit_id, a.ancestor_id from app.unit_ancestry(array(select u.id from units u)) a
    ), yearly as materialized (
        select r.chapter_id, r.peer_mentor_id, r.activity_type_id,
               sum(r.activity_count)    as activity_count,
               sum(r.total_minutes)     as total_minutes,
               sum(r.participant_count) as participant_count,
               sum(r.approved_nok)      as approved_nok
        from stats.live_yearly_rows r
        where r.organization_id = p_organization_id and r.period_year = p_year
        group by 1, 2, 3
        having sum(r.activity_count) <> 0
    ), chapters as (
        select y.chapter_id,
               sum(y.activity_count)    as activity_count,
               sum(y.total_minutes)     as total_minutes,
               sum(y.participant_count) as participant_count,
               sum(y.approved_nok)      as approved_nok
        from yearly y
        group by 1
    ), totals as (
        select c.ancestor_id,
               sum(h.activity_count)::bigint    as activity_count,
               sum(h.total_minutes)::bigint     as total_minutes,
               sum(h.participant_count)::bigint as participant_count,
               sum(h.approved_nok)              as approved_nok,
               count(*)                         as chapters_reporting
        from chapters h
        join ancestry c on c.unit_id = h.chapter_id
        group by 1
    ), mentors as (
        select d.ancestor_id, count(*) as active_peer_mentors
        from (
            select distinct c.ancestor_id, y.peer_mentor_id
            from (select distinct v.chapter_id, v.peer_mentor_id from yearly v) y
            join ancestry c on c.unit_id = y.chapter_id
        ) d
        group by 1
    ), reach (unit_id, contact_id) as (
        -- A walk of its own, which carries contacts: level by level, so that what two chapters
        -- share is carried up once. UNION ends it also where the tree has a cycle.
        select a.unit_id, a.contact_id
        from public.activities a
        where a.unit_id in (select u.id from units u)
          and a.is_counted
          and a.contact_id is not null
          and a.activity_date >= make_date(p_year, 1, 1)
          and a.activity_date < make_date(p_year + 1, 1, 1)
        union
        select u.parent_id, r.contact_id
        from reach r
        join units u on u.id = r.unit_id
        where u.parent_id is not null
    ), contacts as (
        select r.unit_id as ancestor_id, count(*) as distinct_contacts from reach r group by 1
    ), categories as (
        select x.ancestor_id, jsonb_object_agg(x.code, x.activity_count) as categories
        from (
            select c.ancestor_id, coalesce(m.bufdir_category_code, 'uncategorised') as code,
                   sum(t.activity_count) as activity_count
            from (
                select y.chapter_id, y.activity_type_id, sum(y.activity_count) as activity_count
                from yearly y
                group by 1, 2
            ) t
            join ancestry c on c.unit_id = t.chapter_id
            left join public.bufdir_category_mappings m
                on m.activity_type_id = t.activity_type_id
                and m.mapping_version = (select stats.mapping_version(p_organization_id, p_year))
            group by 1, 2
        ) x
        group by 1
    )
    select u.id, stats.hierarchy_payload(
        t.activity_count, t.total_minutes, t.participant_count, k.distinct_contacts,
        m.active_peer_mentors, t.chapters_reporting, g.categories, t.approved_nok)
    from units u
    left join totals t on t.ancestor_id = u.id
    left join mentors m on m.ancestor_id = u.id
    left join contacts k on k.ancestor_id = u.id
    left join categories g on g.ancestor_id = u.id
$$;

COMMENT ON FUNCTION stats.hierarchy_summaries(p_organization_id uuid, p_year integer) IS 'The summaries of every unit of an organisation, bottom-up in one statement.';

CREATE FUNCTION stats.hierarchy_summary(p_unit_id uuid, p_year integer) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    with unit as (
        select u.organization_id
        from public.organization_units u
        where u.id = p_unit_id
    ), subtree (id) as materialized (
        select s from app.unit_subtree(p_unit_id) s
    ), yearly as materialized (
        select r.chapter_id, r.peer_mentor_id, r.activity_type_id,
               sum(r.activity_count)    as activity_count,
               sum(r.total_minutes)     as total_minutes,
               sum(r.participant_count) as participant_count,
               sum(r.approved_nok)      as approved_nok
        from stats.live_yearly_rows r
        where r.organization_id = (select unit.organization_id from unit)
          and r.period_year = p_year
          and r.chapter_id in (select s.id from subtree s)
        group by 1, 2, 3
        having sum(r.activity_count) <> 0
    ), categories as (
        select coalesce(m.bufdir_category_code, 'uncategorised') as code,
               sum(y.activity_count) as activity_count
        from (
            select v.activity_type_id, sum(v.activity_count) as activity_count
            from yearly v
            group by 1
        ) y
        left join public.bufdir_category_mappings m
            on m.activity_type_id = y.activity_type_id
            and m.mapping_version = (
                select stats.mapping_version(unit.organization_id, p_year) from unit)
        group by 1
    )
    select stats.hierarchy_payload(
        sum(y.activity_count)::bigint,
        sum(y.total_minutes)::bigint,
        sum(y.participant_count)::bigint,
        (select count(*) from (
            select distinct a.contact_id
            from public.activities a
            where a.unit_id in (select s.id from subtree s)
              and a.is_counted
              and a.contact_id is not null
              and a.activity_date >= make_date(p_year, 1, 1)
              and a.activity_date < make_date(p_year + 1, 1, 1)) d),
        (select count(*) from (select distinct v.peer_mentor_id from yearly v) d),
        count(distinct y.chapter_id),
        (select jsonb_object_agg(c.code, c.activity_count) from categories c),
        sum(y.approved_nok))
    from yearly y
$$;

COMMENT ON FUNCTION stats.hierarchy_summary(p_unit_id uuid, p_year integer) IS 'The summary of one unit''s subtree in one year, exact at the caller''s snapshot.';

CREATE FUNCTION stats.mapping_version(p_organization_id uuid, p_year integer) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN COALESCE((SELECT max(v.mapping_version) AS max FROM public.bufdir_mapping_versions v WHERE ((v.organization_id = mapping_version.p_organization_id) AND (v.valid_from_year <= mapping_version.p_year))), 0);

COMMENT ON FUNCTION stats.mapping_version(p_organization_id uuid, p_year integer) IS 'The version of the mapping that a year is reported by; 0 where there is none.';

CREATE FUNCTION stats.mapping_version(p_organization_id uuid, p_period_start date, p_period_end date) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN (SELECT CASE WHEN (min(v.v) = max(v.v)) THEN min(v.v) ELSE NULL::integer END AS "case" FROM (generate_series((EXTRACT(year FROM mapping_version.p_period_start))::integer, (EXTRACT(year FROM GREATEST((mapping_version.p_period_end - 1), mapping_version.p_period_start)))::integer) y(y) CROSS JOIN LATERAL stats.mapping_version(mapping_version.p_organization_id, y.y) v(v)));

COMMENT ON FUNCTION stats.mapping_version(p_organization_id uuid, p_period_start date, p_period_end date) IS 'The version of the mapping that all years of a period are reported by; null where they differ.';

CREATE FUNCTION stats.report_source(p_organization_id uuid, p_period_start date, p_period_end date, p_mapping_version integer, OUT record_count bigint, OUT fingerprint text) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select r.record_count, r.fingerprint
    from stats.reported(p_organization_id, p_period_start, p_period_end, p_mapping_version, false) r
$$;

CREATE FUNCTION stats.is_current(p_version public.bufdir_report_versions) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN ((NOT ((p_version).mapping_version IS DISTINCT FROM stats.mapping_version((p_version).organization_id, (p_version).period_start, (p_version).period_end))) AND ((p_version).source_fingerprint = (SELECT s.fingerprint FROM stats.report_source((is_current.p_version).organization_id, (is_current.p_version).period_start, (is_current.p_version).period_end, (is_current.p_version).mapping_version) s(record_count, fingerprint))));

CREATE FUNCTION stats.is_recent(p_at timestamp with time zone, p_interval interval) RETURNS boolean
    LANGUAGE sql
    SET search_path TO ''
    RETURN COALESCE(((p_at > (clock_timestamp() - p_interval)) AND (p_at <= clock_timestamp())), false);

COMMENT ON FUNCTION stats.is_recent(p_at timestamp with time zone, p_interval interval) IS 'Whether it happened less than the interval ago.';

CREATE TABLE public.counting_rules (
    organization_id uuid DEFAULT app.current_org_id() NOT NULL,
    activity_type_id uuid NOT NULL,
    valid_from date NOT NULL,
    counts boolean DEFAULT true NOT NULL,
    min_duration_minutes integer,
    min_participants integer,
    source text NOT NULL,
    CONSTRAINT counting_rules_min_duration_minutes_check CHECK (((min_duration_minutes >= 1) AND (min_duration_minutes <= 1440))),
    CONSTRAINT counting_rules_min_participants_check CHECK (((min_participants >= 1) AND (min_participants <= 10000))),
    CONSTRAINT counting_rules_source_check CHECK (((source ~ '\S'::text) AND (length(source) <= 500))),
    CONSTRAINT counting_rules_valid_from_check CHECK (((valid_from >= '1900-01-01'::date) AND (valid_from < '2100-01-01'::date)))
);

COMMENT ON TABLE public.counting_rules IS 'What of a type counts, from a day on until the next rule''s. Without a rule, everything that is registered counts. A change is applied at once: docs/howto/change-the-counting-rule.md.';

COMMENT ON COLUMN public.counting_rules.valid_from IS 'The first activity_date that it is about.';

COMMENT ON COLUMN public.counting_rules.counts IS 'False: nothing of this type counts.';

COMMENT ON COLUMN public.counting_rules.source IS 'Where the rule stands, for whoever asks why.';

CREATE VIEW stats.effective_rules AS
 SELECT t.id AS activity_type_id,
    COALESCE(s.time_zone, 'UTC'::text) AS time_zone,
    array_remove(array_agg(c.valid_from ORDER BY c.valid_from), NULL::date) AS valid_from,
    array_agg(c.counts ORDER BY c.valid_from) AS counts,
    array_agg(c.min_duration_minutes ORDER BY c.valid_from) AS min_duration_minutes,
    array_agg(c.min_participants ORDER BY c.valid_from) AS min_participants
   FROM ((public.activity_types t
     LEFT JOIN public.organization_settings s ON ((s.organization_id = t.organization_id)))
     LEFT JOIN public.counting_rules c ON (((c.activity_type_id = t.id) AND (c.organization_id = t.organization_id))))
  GROUP BY t.id, s.time_zone;

CREATE TABLE stats.joined_rules (
    activity_type_id uuid NOT NULL,
    time_zone text NOT NULL,
    valid_from date[] NOT NULL,
    counts boolean[] NOT NULL,
    min_duration_minutes integer[] NOT NULL,
    min_participants integer[] NOT NULL
);

COMMENT ON TABLE stats.joined_rules IS 'stats.effective_rules, kept.';

CREATE FUNCTION stats.join_rules(p_activity_type_ids uuid[] DEFAULT NULL::uuid[]) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    BEGIN ATOMIC
 INSERT INTO stats.joined_rules AS j (activity_type_id, time_zone, valid_from, counts, min_duration_minutes, min_participants)  SELECT e.activity_type_id,
             e.time_zone,
             e.valid_from,
             e.counts,
             e.min_duration_minutes,
             e.min_participants
            FROM stats.effective_rules e
           WHERE ((join_rules.p_activity_type_ids IS NULL) OR (e.activity_type_id = ANY (join_rules.p_activity_type_ids))) ON CONFLICT(activity_type_id) DO UPDATE SET time_zone = excluded.time_zone, valid_from = excluded.valid_from, counts = excluded.counts, min_duration_minutes = excluded.min_duration_minutes, min_participants = excluded.min_participants
   WHERE (j.* IS DISTINCT FROM excluded.*);
END;

CREATE FUNCTION stats.join_rules_of_types() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform stats.join_rules(array(select n.id from new_rows n));
    return null;
end $$;

CREATE FUNCTION stats.joined_numbers(p_numbers bigint[]) RETURNS int8multirange
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
    select coalesce(range_agg(int8range(i.first_number, i.last_number, '[]')), '{}')
    from (select min(n.number) as first_number, max(n.number) as last_number
          from (select u.number, u.number - row_number() over (order by u.number) as island
                from unnest(p_numbers) u (number)) n
          group by n.island) i
$$;

CREATE FUNCTION stats.judge_activity() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_rule  stats.joined_rules;
    v_n     integer;
    v_today date;
begin
    if current_setting('transaction_isolation') not like 'read%' then
        perform from stats.joined_rules r
        where r.activity_type_id = new.activity_type_id for share;
    end if;
    select r.* into v_rule
    from stats.joined_rules r where r.activity_type_id = new.activity_type_id;
    new.is_date_given := coalesce(new.is_date_given, new.activity_date is not null);
    if not new.is_date_given then
        new.activity_date := (new.occurred_at at time zone coalesce(v_rule.time_zone, 'UTC'))::date;
    end if;
    v_n := width_bucket(new.activity_date, v_rule.valid_from);
    new.not_counted_because := coalesce(
        stats.counts_in_statistics(
            new.status, new.duration_minutes, new.participant_count,
            v_rule.counts[v_n], v_rule.min_duration_minutes[v_n], v_rule.min_participants[v_n]),
        case when new.duplicate_of is not null then 'duplicate' end);
    v_today := (statement_timestamp() at time zone coalesce(v_rule.time_zone, 'UTC'))::date;
    -- the clocks of phones are a little off
    if (new.occurred_at > statement_timestamp() + interval '5 minutes'
            or new.activity_date > v_today)
        and new.status <> 'draft'
        and (new.status, new.occurred_at, new.activity_date)
            is distinct from (old.status, old.occurred_at, old.activity_date) then
        raise exception 'what has not taken place yet can only be a draft'
            using errcode = 'check_violation', constraint = 'activities_to_come_are_drafts';
    end if;
    return new;
end $$;

CREATE TABLE public.bufdir_metric_snapshots (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid DEFAULT app.current_org_id() NOT NULL,
    period_start date NOT NULL,
    period_end date NOT NULL,
    computed_at timestamp with time zone DEFAULT now() NOT NULL,
    snapshot_generated_at timestamp with time zone DEFAULT now() NOT NULL,
    record_count_at_generation bigint NOT NULL,
    source_fingerprint text NOT NULL,
    mapping_version integer NOT NULL,
    snapshot_json jsonb NOT NULL,
    CONSTRAINT bufdir_metric_snapshots_aggregates_only CHECK (app.is_aggregate_only(snapshot_json)),
    CONSTRAINT bufdir_metric_snapshots_computed_first CHECK ((computed_at <= snapshot_generated_at)),
    CONSTRAINT bufdir_metric_snapshots_mapping_version_check CHECK ((mapping_version >= 0)),
    CONSTRAINT bufdir_metric_snapshots_period_order CHECK ((period_end >= period_start)),
    CONSTRAINT bufdir_metric_snapshots_record_count_at_generation_check CHECK ((record_count_at_generation >= 0)),
    CONSTRAINT bufdir_metric_snapshots_source_fingerprint_check CHECK ((source_fingerprint ~ '^[0-9a-f]{32}$'::text)),
    CONSTRAINT bufdir_metric_snapshots_whole_months CHECK (((EXTRACT(day FROM period_start) = (1)::numeric) AND (EXTRACT(day FROM period_end) = (1)::numeric)))
);

COMMENT ON TABLE public.bufdir_metric_snapshots IS 'One saved report for each organisation and period: aggregates only, no personal data. Written by save_metric_snapshot alone.';

COMMENT ON COLUMN public.bufdir_metric_snapshots.computed_at IS 'When the figures were computed; the age counts from here.';

COMMENT ON COLUMN public.bufdir_metric_snapshots.snapshot_generated_at IS 'When the row was written.';

COMMENT ON COLUMN public.bufdir_metric_snapshots.snapshot_json IS 'As every member may see it: null for the figures of groups of fewer than five people.';

CREATE FUNCTION stats.judged_snapshot(p_snapshot public.bufdir_metric_snapshots, p_record_count bigint, p_fingerprint text, p_now timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_mapping  integer  := stats.mapping_version(   -- null: none would be right for all years
        p_snapshot.organization_id, p_snapshot.period_start, p_snapshot.period_end);
    v_max_age  interval := (
        select s.snapshot_max_age from public.organization_settings s
        where s.organization_id = p_snapshot.organization_id);
    v_reasons  text[]   := array[]::text[];
begin
    if p_snapshot.record_count_at_generation <> p_record_count then
        v_reasons := v_reasons || 'record_count_changed'::text;
    elsif left(p_snapshot.source_fingerprint, 16) <> left(p_fingerprint, 16) then
        v_reasons := v_reasons || 'records_edited'::text;
    end if;
    if p_snapshot.computed_at < p_now - v_max_age then   -- exactly as old as allowed is fresh
        v_reasons := v_reasons || 'older_than_max_age'::text;
    end if;
    if p_snapshot.mapping_version is distinct from v_mapping
       or right(p_snapshot.source_fingerprint, 16) <> right(p_fingerprint, 16) then
        v_reasons := v_reasons || 'mapping_changed'::text;
    end if;
    return jsonb_build_object(
        'verdict', case when v_reasons = '{}' then 'fresh' else 'stale' end,
        'reasons', to_jsonb(v_reasons),
        'record_count_at_generation', p_snapshot.record_count_at_generation,
        'record_count_now', p_record_count,
        'computed_at', p_snapshot.computed_at,
        'export_allowed', v_reasons = '{}',
        'warnings', app.period_warnings(p_snapshot.period_end));
end $$;

CREATE FUNCTION stats.lock_out_writers() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    if current_setting('transaction_isolation') not like 'read%' then
        raise exception 'what counts is changed at READ COMMITTED only'
            using errcode = 'active_sql_transaction',
                  hint = 'An older database snapshot would miss what others have just written.';
    end if;
    lock table public.activities in share row exclusive mode;
end $$;

CREATE FUNCTION stats.lock_report_version(p_version_id uuid) RETURNS public.bufdir_report_versions
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION stats.log_deleted_activities() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$ declare v_minutes integer; begin with changed as (select c.peer_mentor_id, c.activity_date, sum(c.minutes) as minutes from (select m.peer_mentor_id, m.activity_date, -m.minutes as minutes from ( SELECT a.peer_mentor_id,
    a.activity_date,
    a.duration_minutes AS minutes
   FROM old_rows a
  WHERE ((a.status = 'registered'::public.activity_status) AND (a.duplicate_of IS NULL))) m) c group by 1, 2 having sum(c.minutes) <> 0), added as (insert into stats.daily_minutes as d (peer_mentor_id, activity_date, minutes) select c.* from changed c order by 1, 2 on conflict (peer_mentor_id, activity_date) do update set minutes = d.minutes + excluded.minutes returning  d.*) select max(d.minutes) from (select sum(b.minutes) as minutes from (select a.*, 0 as more from added a union all select c.peer_mentor_id, c.activity_date, 0, c.minutes from changed c) b group by b.peer_mentor_id, b.activity_date having sum(b.more) > 0) d into v_minutes; insert into stats.activity_changes (organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date, is_first, activity_count, total_minutes, participant_count, approved_nok) select organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date, row_number() over () = 1, -sum(c.activity_count) as activity_count, -sum(c.total_minutes) as total_minutes, -sum(c.participant_count) as participant_count, -sum(c.approved_nok) as approved_nok from ( SELECT a.organization_id,
    a.chapter_id,
    a.peer_mentor_id,
    a.activity_type_id,
    a.bucket_date,
    a.contact_id,
    1 AS activity_count,
    a.duration_minutes AS total_minutes,
    a.participant_count,
    a.approved_expenses_nok AS approved_nok
   FROM ( SELECT a.id,
    a.organization_id,
    a.unit_id AS chapter_id,
    a.peer_mentor_id,
    a.coordinator_id,
    a.activity_type_id,
    a.occurred_at,
    a.activity_date AS bucket_date,
    (date_trunc('month'::text, (a.activity_date)::timestamp without time zone))::date AS activity_month,
    a.duration_minutes,
    a.participant_count,
    a.contact_id,
    a.is_proxy_registered,
    a.approved_expenses_nok,
    a.recorded_at
   FROM old_rows a
  WHERE a.is_counted) a) c group by organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date; if v_minutes > 1440 then raise exception 'more than 24 hours of one person on one day' using errcode = 'check_violation', constraint = 'activities_day_has_24_hours'; end if; return new; end $$;

CREATE FUNCTION stats.log_inserted_activities() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$ declare v_minutes integer; begin if (select count(*) from new_rows) = 1 then insert into stats.daily_minutes as d (peer_mentor_id, activity_date, minutes) select m.* from ( SELECT a.peer_mentor_id,
    a.activity_date,
    a.duration_minutes AS minutes
   FROM new_rows a
  WHERE ((a.status = 'registered'::public.activity_status) AND (a.duplicate_of IS NULL))) m on conflict (peer_mentor_id, activity_date) do update set minutes = d.minutes + excluded.minutes returning  d.minutes into v_minutes; insert into stats.activity_changes (organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date, is_first, activity_count, total_minutes, participant_count, approved_nok) select organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date, true, activity_count, total_minutes, participant_count, approved_nok from ( SELECT a.organization_id,
    a.chapter_id,
    a.peer_mentor_id,
    a.activity_type_id,
    a.bucket_date,
    a.contact_id,
    1 AS activity_count,
    a.duration_minutes AS total_minutes,
    a.participant_count,
    a.approved_expenses_nok AS approved_nok
   FROM ( SELECT a.id,
    a.organization_id,
    a.unit_id AS chapter_id,
    a.peer_mentor_id,
    a.coordinator_id,
    a.activity_type_id,
    a.occurred_at,
    a.activity_date AS bucket_date,
    (date_trunc('month'::text, (a.activity_date)::timestamp without time zone))::date AS activity_month,
    a.duration_minutes,
    a.participant_count,
    a.contact_id,
    a.is_proxy_registered,
    a.approved_expenses_nok,
    a.recorded_at
   FROM new_rows a
  WHERE a.is_counted) a) c; else with longer as (insert into stats.daily_minutes as d (peer_mentor_id, activity_date, minutes) select m.peer_mentor_id, m.activity_date, sum(m.minutes) from (select m.* from ( SELECT a.peer_mentor_id,
    a.activity_date,
    a.duration_minutes AS minutes
   FROM new_rows a
  WHERE ((a.status = 'registered'::public.activity_status) AND (a.duplicate_of IS NULL))) m) m group by 1, 2 order by 1, 2 on conflict (peer_mentor_id, activity_date) do update set minutes = d.minutes + excluded.minutes returning  d.minutes) select max(l.minutes) from longer l into v_minutes; insert into stats.activity_changes (organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date, is_first, activity_count, total_minutes, participant_count, approved_nok) select organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date, row_number() over () = 1, sum(c.activity_count) as activity_count, sum(c.total_minutes) as total_minutes, sum(c.participant_count) as participant_count, sum(c.approved_nok) as approved_nok from ( SELECT a.organization_id,
    a.chapter_id,
    a.peer_mentor_id,
    a.activity_type_id,
    a.bucket_date,
    a.contact_id,
    1 AS activity_count,
    a.duration_minutes AS total_minutes,
    a.participant_count,
    a.approved_expenses_nok AS approved_nok
   FROM ( SELECT a.id,
    a.organization_id,
    a.unit_id AS chapter_id,
    a.peer_mentor_id,
    a.coordinator_id,
    a.activity_type_id,
    a.occurred_at,
    a.activity_date AS bucket_date,
    (date_trunc('month'::text, (a.activity_date)::timestamp without time zone))::date AS activity_month,
    a.duration_minutes,
    a.participant_count,
    a.contact_id,
    a.is_proxy_registered,
    a.approved_expenses_nok,
    a.recorded_at
   FROM new_rows a
  WHERE a.is_counted) a) c group by organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date; end if; if v_minutes > 1440 then raise exception 'more than 24 hours of one person on one day' using errcode = 'check_violation', constraint = 'activities_day_has_24_hours'; end if; return new; end $$;

CREATE FUNCTION stats.log_mapping_changes() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform stats.outdate_organizations(array(
        select t.organization_id
        from public.activity_types t
        join changed_rows c on c.activity_type_id = t.id));
    return null;
end $$;

CREATE FUNCTION stats.log_organization_changes() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$   -- DEFINER: as above
begin
    perform stats.outdate_organizations(array(select c.organization_id from changed_rows c));
    return null;
end $$;

CREATE FUNCTION stats.log_unit_deletions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$   -- DEFINER: as above
begin
    insert into stats.tree_changes (organization_id, unit_id)
    select distinct o.organization_id, o.parent_id
    from old_rows o
    where o.parent_id is not null;
    return null;
end $$;

CREATE FUNCTION stats.log_unit_moves() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into stats.tree_changes (organization_id, unit_id)
    select old.organization_id, p.id
    from unnest(array[old.parent_id, new.parent_id]) p (id)
    where p.id is not null;
    return null;
end $$;

CREATE FUNCTION stats.log_updated_activities() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$ declare v_minutes integer; begin with changed as (select c.peer_mentor_id, c.activity_date, sum(c.minutes) as minutes from (select m.* from ( SELECT a.peer_mentor_id,
    a.activity_date,
    a.duration_minutes AS minutes
   FROM new_rows a
  WHERE ((a.status = 'registered'::public.activity_status) AND (a.duplicate_of IS NULL))) m union all select m.peer_mentor_id, m.activity_date, -m.minutes as minutes from ( SELECT a.peer_mentor_id,
    a.activity_date,
    a.duration_minutes AS minutes
   FROM old_rows a
  WHERE ((a.status = 'registered'::public.activity_status) AND (a.duplicate_of IS NULL))) m) c group by 1, 2 having sum(c.minutes) <> 0), added as (insert into stats.daily_minutes as d (peer_mentor_id, activity_date, minutes) select c.* from changed c order by 1, 2 on conflict (peer_mentor_id, activity_date) do update set minutes = d.minutes + excluded.minutes returning  d.*) select max(d.minutes) from (select sum(b.minutes) as minutes from (select a.*, 0 as more from added a union all select c.peer_mentor_id, c.activity_date, 0, c.minutes from changed c) b group by b.peer_mentor_id, b.activity_date having sum(b.more) > 0) d into v_minutes; insert into stats.activity_changes (organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date, is_first, activity_count, total_minutes, participant_count, approved_nok) select organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date, row_number() over () = 1, sum(c.activity_count) as activity_count, sum(c.total_minutes) as total_minutes, sum(c.participant_count) as participant_count, sum(c.approved_nok) as approved_nok from (select organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date, sum(c.activity_count) as activity_count, sum(c.total_minutes) as total_minutes, sum(c.participant_count) as participant_count, sum(c.approved_nok) as approved_nok from (select organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date, contact_id, activity_count, total_minutes, participant_count, approved_nok from ( SELECT a.organization_id,
    a.chapter_id,
    a.peer_mentor_id,
    a.activity_type_id,
    a.bucket_date,
    a.contact_id,
    1 AS activity_count,
    a.duration_minutes AS total_minutes,
    a.participant_count,
    a.approved_expenses_nok AS approved_nok
   FROM ( SELECT a.id,
    a.organization_id,
    a.unit_id AS chapter_id,
    a.peer_mentor_id,
    a.coordinator_id,
    a.activity_type_id,
    a.occurred_at,
    a.activity_date AS bucket_date,
    (date_trunc('month'::text, (a.activity_date)::timestamp without time zone))::date AS activity_month,
    a.duration_minutes,
    a.participant_count,
    a.contact_id,
    a.is_proxy_registered,
    a.approved_expenses_nok,
    a.recorded_at
   FROM new_rows a
  WHERE a.is_counted) a) n union all select organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date, contact_id, -activity_count, -total_minutes, -participant_count, -approved_nok from ( SELECT a.organization_id,
    a.chapter_id,
    a.peer_mentor_id,
    a.activity_type_id,
    a.bucket_date,
    a.contact_id,
    1 AS activity_count,
    a.duration_minutes AS total_minutes,
    a.participant_count,
    a.approved_expenses_nok AS approved_nok
   FROM ( SELECT a.id,
    a.organization_id,
    a.unit_id AS chapter_id,
    a.peer_mentor_id,
    a.coordinator_id,
    a.activity_type_id,
    a.occurred_at,
    a.activity_date AS bucket_date,
    (date_trunc('month'::text, (a.activity_date)::timestamp without time zone))::date AS activity_month,
    a.duration_minutes,
    a.participant_count,
    a.contact_id,
    a.is_proxy_registered,
    a.approved_expenses_nok,
    a.recorded_at
   FROM old_rows a
  WHERE a.is_counted) a) o) c group by organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date, contact_id having sum(c.activity_count) <> 0 or sum(c.total_minutes) <> 0 or sum(c.participant_count) <> 0 or sum(c.approved_nok) <> 0) c group by organization_id, chapter_id, peer_mentor_id, activity_type_id, bucket_date; if v_minutes > 1440 then raise exception 'more than 24 hours of one person on one day' using errcode = 'check_violation', constraint = 'activities_day_has_24_hours'; end if; return new; end $$;

CREATE TABLE public.bufdir_category_mappings (
    mapping_version integer NOT NULL,
    activity_type_id uuid NOT NULL,
    bufdir_category_code text NOT NULL,
    CONSTRAINT bufdir_category_mappings_bufdir_category_code_check CHECK ((bufdir_category_code ~ '^[A-Z0-9][A-Z0-9_.-]{0,31}$'::text)),
    CONSTRAINT bufdir_category_mappings_mapping_version_check CHECK ((mapping_version > 0))
);

COMMENT ON TABLE public.bufdir_category_mappings IS 'Versioned: which Bufdir category an activity type is reported under. An unmapped type is reported as uncategorised.';

CREATE FUNCTION stats.mapping_fingerprint(p_organization_id uuid, p_mapping_version integer) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN "left"(md5((SELECT COALESCE(string_agg(((m.activity_type_id || '|'::text) || m.bufdir_category_code), ','::text ORDER BY m.activity_type_id), ''::text) AS "coalesce" FROM (public.bufdir_category_mappings m JOIN public.activity_types y ON ((y.id = m.activity_type_id))) WHERE ((y.organization_id = mapping_fingerprint.p_organization_id) AND (m.mapping_version = mapping_fingerprint.p_mapping_version)))), 16);

CREATE FUNCTION stats.measure_list(p_format text, p_separator text DEFAULT ', '::text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN (SELECT string_agg(replace(measure_list.p_format, '%I'::text, quote_ident((a.attname)::text)), measure_list.p_separator ORDER BY a.attnum) AS string_agg FROM pg_attribute a WHERE ((a.attrelid = ('stats.measures'::regclass)::oid) AND (a.attnum > 0) AND (NOT a.attisdropped)));

COMMENT ON FUNCTION stats.measure_list(p_format text, p_separator text) IS 'Each measure''s name put for %I, all in one line.';

CREATE TABLE stats.complete_reports (
    snapshot_id uuid NOT NULL,
    report jsonb NOT NULL,
    CONSTRAINT complete_reports_report_check CHECK (app.is_aggregate_only(report))
);

COMMENT ON TABLE stats.complete_reports IS 'The saved reports that have small groups, with their figures.';

CREATE FUNCTION stats.saved_report(p_snapshot public.bufdir_metric_snapshots) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN COALESCE((SELECT c.report FROM stats.complete_reports c WHERE (c.snapshot_id = (saved_report.p_snapshot).id)), (p_snapshot).snapshot_json);

COMMENT ON FUNCTION stats.saved_report(p_snapshot public.bufdir_metric_snapshots) IS 'What was saved, complete.';

CREATE FUNCTION stats.metric_snapshot(p_period_start date, p_period_end date) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN (SELECT CASE WHEN app.reads_whole_organization() THEN (to_jsonb(b.*) || jsonb_build_object('snapshot_json', stats.saved_report(b.*))) ELSE to_jsonb(b.*) END AS to_jsonb FROM public.bufdir_metric_snapshots b WHERE ((b.organization_id = app.current_org_id()) AND (b.period_start = metric_snapshot.p_period_start) AND (b.period_end = metric_snapshot.p_period_end)));

CREATE FUNCTION stats.minutes_of(p_rows text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN stats.view_over('stats.registered_minutes'::text, 'public.activities'::text, p_rows);

CREATE FUNCTION stats.named_record(p_row jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    RETURN jsonb_build_array(jsonb_build_object('id', (p_row -> 'id'::text), 'unit_id', COALESCE((p_row -> 'chapter_id'::text), (p_row -> 'unit_id'::text)), 'date', (p_row -> 'bucket_date'::text)));

CREATE TABLE stats.report_marks (
    id bigint NOT NULL,
    version_id uuid NOT NULL,
    seen_inserts int8multirange NOT NULL,
    seen_changes int8multirange NOT NULL,
    total_minutes bigint NOT NULL
);

COMMENT ON TABLE stats.report_marks IS 'What each version has seen: the numbers of the activities and of activity_history, of all organisations.';

COMMENT ON COLUMN stats.report_marks.total_minutes IS 'What the hours of the version were rounded from.';

CREATE FUNCTION stats.new_mark(p_organization_id uuid, p_period_start date, p_period_end date) RETURNS stats.report_marks
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    with former as (
        select r.seen_inserts, r.seen_changes
        from (select m.seen_inserts, m.seen_changes from stats.report_marks m
              union all values ('{}'::int8multirange, '{}'::int8multirange)) r
        order by upper(r.seen_inserts) desc nulls last limit 1
    )
    select null::bigint, null::uuid,
           f.seen_inserts + stats.joined_numbers(array(
               select a.insert_number from stats.unseen(f.seen_inserts) u
               join public.activities a
                   on a.insert_number between u.first_number and u.last_number)),
           f.seen_changes + stats.joined_numbers(array(
               select h.id from stats.unseen(f.seen_changes) u
               join public.activity_history h on h.id between u.first_number and u.last_number)),
           (select coalesce(sum(r.total_minutes), 0)::bigint
            from stats.live_monthly_rows r
            where r.organization_id = p_organization_id
              and r.activity_month >= p_period_start and r.activity_month < p_period_end)
    from former f
$$;

CREATE FUNCTION stats.note_time(p_sequence regclass) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT setval(p_sequence, ((EXTRACT(epoch FROM clock_timestamp()) * (1000000)::numeric))::bigint) AS setval;
END;

CREATE FUNCTION stats.outdate_organizations(p_organization_ids uuid[]) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    BEGIN ATOMIC
 INSERT INTO stats.tree_changes (organization_id, unit_id)  SELECT u.organization_id,
             u.id
            FROM public.organization_units u
           WHERE ((u.organization_id = ANY (outdate_organizations.p_organization_ids)) AND (NOT (EXISTS ( SELECT
                    FROM public.organization_units b
                   WHERE (b.parent_id = u.id)))));
END;

COMMENT ON FUNCTION stats.outdate_organizations(p_organization_ids uuid[]) IS 'Logs that every summary of these organisations is outdated, in every year.';

CREATE FUNCTION stats.pass_gate(p_organization_id uuid, p_period_start date, p_period_end date, OUT snapshot jsonb, OUT status jsonb, OUT report jsonb) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_found record;
begin
    lock table public.activities in access share mode;   -- before the snapshot: see create_audit
    select to_jsonb(b) as snapshot,
           stats.judged_snapshot(b, r.record_count, r.fingerprint, now())
               || jsonb_build_object('matches',
                      stats.saved_report(b) = r.report
                      and b.snapshot_json = app.hide_small_groups(r.report)) as status,
           r.report
    into v_found
    from public.bufdir_metric_snapshots b
    cross join lateral stats.reported(
        p_organization_id, p_period_start, p_period_end, b.mapping_version, true) r
    where b.organization_id = p_organization_id
      and b.period_start = p_period_start
      and b.period_end = p_period_end;
    if not found then
        raise exception 'there is no snapshot of this period' using errcode = 'PT404';
    end if;
    snapshot := v_found.snapshot;
    status := v_found.status;
    report := v_found.report;
    if not (status ->> 'export_allowed')::boolean then
        raise exception 'the snapshot is stale: %', status -> 'reasons'
            using errcode = 'PT409', hint = 'Compute it anew, then export.';
    end if;
    if not (status ->> 'matches')::boolean then
        raise exception 'the snapshot differs from the data'
            using errcode = 'PT409', hint = 'Compute it anew, then export.';
    end if;
end $$;

COMMENT ON FUNCTION stats.pass_gate(p_organization_id uuid, p_period_start date, p_period_end date, OUT snapshot jsonb, OUT status jsonb, OUT report jsonb) IS 'A saved report, its verdict and its figures; refuses one that is missing (404), stale or false (409).';

CREATE FUNCTION stats.people_of_chapters(p_chapter_ids uuid[]) RETURNS TABLE(chapter_id uuid, profile_id uuid, activity_date date)
    LANGUAGE sql STABLE
    SET search_path TO ''
    BEGIN ATOMIC
 SELECT a.unit_id,
     a.peer_mentor_id,
     a.activity_date
    FROM public.activities a
   WHERE ((people_of_chapters.p_chapter_ids IS NULL) OR (a.unit_id = ANY (people_of_chapters.p_chapter_ids)))
 UNION
  SELECT c.unit_id,
     c.profile_id,
     NULL::date
    FROM public.chapter_assignments c
   WHERE ((people_of_chapters.p_chapter_ids IS NULL) OR (c.unit_id = ANY (people_of_chapters.p_chapter_ids)));
END;

CREATE FUNCTION stats.prune_records() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    delete from stats.errors e
    where e.id <= (select max(m.id) - 1000 from stats.errors m);
    delete from stats.differences d
    where d.id <= (select max(m.id) - 1000 from stats.differences m);
    delete from stats.marks m
    where not exists (select from public.organization_units u where u.id = m.unit_id);
end $$;

CREATE FUNCTION stats.rebuild(p_chapter_ids uuid[] DEFAULT NULL::uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $_$
declare
    v_name text;
begin
    lock table public.activities in access share mode;   -- first: while it waits, folds go on
    lock table public.expense_claims in access share mode;
    perform pg_advisory_xact_lock(hashtext('fersk'), hashtext('stats.fold'));
    -- day and reason are judged anew, the difference is logged
    perform stats.join_rules();
    update public.activities a set not_counted_because = null
    from stats.misjudged_activities m
    where m.id = a.id and (p_chapter_ids is null or m.chapter_id = any (p_chapter_ids));
    -- what is missing is added, so that it is right beside writers
    execute stats.sum_and_add_minutes(
                'select m.* from stats.missing_minutes m where m.peer_mentor_id in '
                '(select c.profile_id from stats.people_of_chapters($1) c)')
        using p_chapter_ids;
    -- as are the expenses
    update public.activities a set approved_expenses_nok = w.approved_nok
    from stats.wrong_expenses w
    where w.activity_id = a.id and (p_chapter_ids is null or w.chapter_id = any (p_chapter_ids));
    for v_name in select t.name from stats.totals t loop
        execute format('delete from stats.%I t where $1 is null or t.chapter_id = any ($1)', v_name)
            using p_chapter_ids;
    end loop;
    execute 'with gone as ('
            'delete from stats.activity_changes c where $1 is null or c.chapter_id = any ($1)), '
            'taken as materialized ('
            'select * from stats.contributions a where $1 is null or a.chapter_id = any ($1)), '
            || stats.totals_upserts() || ' select from zeros'
        using p_chapter_ids;
    -- every summary of these units and of those above them, in every year; mv_* lack the repair
    insert into stats.tree_changes (organization_id, unit_id)
    select u.organization_id, u.id
    from public.organization_units u
    where p_chapter_ids is null or u.id = any (p_chapter_ids);
    insert into stats.unrefreshed_changes as n (organization_id, change_count, oldest_at)
    select u.organization_id, count(*), clock_timestamp()
    from public.organization_units u
    where p_chapter_ids is null or u.id = any (p_chapter_ids)
    group by 1
    order by 1
    on conflict (organization_id) do update
        set change_count = n.change_count + excluded.change_count;
end $_$;

COMMENT ON FUNCTION stats.rebuild(p_chapter_ids uuid[]) IS 'Computes the totals of the named or all chapters anew from the activities, and outdates their summaries; docs/howto/runbook.md.';

CREATE FUNCTION stats.record_deleted_activities() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET enable_nestloop TO 'off'
    AS $$ begin insert into public.activity_history (activity_id, organization_id, operation, changed_by, before, after) select o.id, o.organization_id, 'delete', (select p.id from public.profiles p where p.id = auth.uid()), o.facts, null from ( SELECT a.id,
    a.organization_id,
    jsonb_build_object('unit_id', a.unit_id, 'peer_mentor_id', a.peer_mentor_id, 'coordinator_id', a.coordinator_id, 'activity_type_id', a.activity_type_id, 'occurred_at', a.occurred_at, 'activity_date', a.activity_date, 'duration_minutes', a.duration_minutes, 'participant_count', a.participant_count, 'is_proxy_registered', a.is_proxy_registered, 'status', a.status, 'duplicate_of', a.duplicate_of, 'is_counted', a.is_counted, 'not_counted_because', a.not_counted_because, 'approved_expenses_nok', a.approved_expenses_nok, 'inserted_at', a.inserted_at, 'insert_number', a.insert_number) AS facts
   FROM old_rows a) o; return null; end $$;

CREATE FUNCTION stats.record_error(p_message text) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    BEGIN ATOMIC
 INSERT INTO stats.errors (message)
   VALUES (record_error.p_message);
END;

CREATE FUNCTION stats.record_updated_activities() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET enable_nestloop TO 'off'
    AS $$ begin insert into public.activity_history (activity_id, organization_id, operation, changed_by, before, after) select o.id, o.organization_id, 'update', (select p.id from public.profiles p where p.id = auth.uid()), o.facts, n.facts from ( SELECT a.id,
    a.organization_id,
    jsonb_build_object('unit_id', a.unit_id, 'peer_mentor_id', a.peer_mentor_id, 'coordinator_id', a.coordinator_id, 'activity_type_id', a.activity_type_id, 'occurred_at', a.occurred_at, 'activity_date', a.activity_date, 'duration_minutes', a.duration_minutes, 'participant_count', a.participant_count, 'is_proxy_registered', a.is_proxy_registered, 'status', a.status, 'duplicate_of', a.duplicate_of, 'is_counted', a.is_counted, 'not_counted_because', a.not_counted_because, 'approved_expenses_nok', a.approved_expenses_nok, 'inserted_at', a.inserted_at, 'insert_number', a.insert_number) AS facts
   FROM old_rows a) o join ( SELECT a.id,
    a.organization_id,
    jsonb_build_object('unit_id', a.unit_id, 'peer_mentor_id', a.peer_mentor_id, 'coordinator_id', a.coordinator_id, 'activity_type_id', a.activity_type_id, 'occurred_at', a.occurred_at, 'activity_date', a.activity_date, 'duration_minutes', a.duration_minutes, 'participant_count', a.participant_count, 'is_proxy_registered', a.is_proxy_registered, 'status', a.status, 'duplicate_of', a.duplicate_of, 'is_counted', a.is_counted, 'not_counted_because', a.not_counted_because, 'approved_expenses_nok', a.approved_expenses_nok, 'inserted_at', a.inserted_at, 'insert_number', a.insert_number) AS facts
   FROM new_rows a) n on n.id = o.id where n.facts <> o.facts; return null; end $$;

CREATE FUNCTION stats.refresh(p_force boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_started timestamptz := clock_timestamp();
    v_applied bigint      := 0;
    v_outcome text;
    v_log     stats.stats_refresh_log;
begin
    -- Never waiting: whoever comes second has nothing to add. Above READ COMMITTED the row may be
    -- newer than the snapshot.
    begin
        perform from stats.stats_refresh_log l where l.only_row for update skip locked;
        v_outcome := case when not found then 'already_running' end;
    exception when serialization_failure then
        v_outcome := 'already_running';
    end;
    if v_outcome is null then
        v_outcome := case
            when p_force then 'refreshed'
            when not exists (select from stats.pending_changes) then 'nothing_pending'
            when (select stats.is_recent(p.last_started_at, p.refresh_interval)
                  from stats.refresh_pace p) then 'debounced'
            else 'refreshed' end;
    end if;
    -- For the moment of another fold; a writer, who refreshes inline, waits for nobody.
    if v_outcome = 'refreshed'
        and (p_force or (select s.refresh_mode = 'async' from stats.settings s)) then
        perform pg_advisory_xact_lock(hashtext('fersk'), hashtext('stats.fold'));
    end if;
    -- Held to the commit: what mv_* show is what has been folded by then, all three the same.
    if v_outcome <> 'already_running' and stats.fold() ->> 'outcome' = 'already_running'
        and v_outcome = 'refreshed' then
        v_outcome := 'already_running';
    end if;
    if v_outcome = 'refreshed' then
        begin
            select coalesce(sum(p.change_count), 0) into v_applied
            from stats.unrefreshed_changes p;
            perform stats.refresh_views();
            delete from stats.unrefreshed_changes where true;
            update stats.stats_refresh_log
            set last_requested_at = stats.noted_time('stats.refresh_asked_at'),
                last_started_at = v_started,
                last_finished_at = clock_timestamp(),
                last_applied = v_applied,
                last_duration_ms = extract(epoch from clock_timestamp() - v_started) * 1000
            where only_row;
        exception
            when query_canceled or serialization_failure or deadlock_detected then
                raise;   -- nothing is lost: the changes stay pending, and the sweep tries again
            when others then
                v_outcome := 'failed';
                v_applied := 0;
                perform stats.record_error('refresh: ' || sqlstate || ': ' || sqlerrm);
                update stats.stats_refresh_log set last_started_at = v_started where only_row;
        end;
    end if;
    select * into v_log from stats.stats_refresh_log;
    return jsonb_build_object(
        'outcome', v_outcome,
        'refreshed_at', v_log.last_finished_at,
        'applied_changes', v_applied,
        'duration_ms', case when v_outcome = 'refreshed' then v_log.last_duration_ms else 0 end);
end $$;

COMMENT ON FUNCTION stats.refresh(p_force boolean) IS 'Folds, then refreshes mv_* if it is time; outcome refreshed, debounced, already_running, nothing_pending or failed.';

CREATE FUNCTION stats.refresh_views() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    SET default_statistics_target TO '10'
    SET work_mem TO '64MB'
    AS $$
declare
    v_view record;
begin
    for v_view in
        select m.matviewname, m.ispopulated
        from pg_catalog.pg_matviews m
        where m.schemaname = 'stats'
        order by 1
    loop
        execute format('refresh materialized view %s stats.%I',
                       case when v_view.ispopulated then 'concurrently' end, v_view.matviewname);
    end loop;
end $$;

CREATE FUNCTION stats.refuse_truncate() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    raise exception 'activities cannot be truncated: the statistics could not follow'
        using errcode = 'feature_not_supported', hint = 'Use DELETE FROM public.activities.';
end $$;

CREATE FUNCTION stats.remarks(p_organization_id uuid, p_period_start date, p_period_end date, p_chapter_ids uuid[], p_today date) RETURNS TABLE(kind text, chapter_id uuid, peer_mentor_id uuid, activity_id uuid, day date, number bigint, hours numeric, expected numeric)
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    SET plan_cache_mode TO 'force_custom_plan'
    SET work_mem TO '64MB'
    AS $$
#variable_conflict use_column
begin
    return query
    with counted as materialized (
        select c.id, c.chapter_id, c.peer_mentor_id, c.activity_type_id, c.bucket_date,
               c.duration_minutes, c.participant_count, c.recorded_at
        from stats.countable_activities c
        where c.organization_id = p_organization_id
          and c.chapter_id = any (p_chapter_ids)
          and c.bucket_date >= p_period_start and c.bucket_date < p_period_end
    ), people_in_chapters as (
        select c.peer_mentor_id, c.chapter_id, count(*) as number,
               sum(c.duration_minutes) as minutes
        from counted c group by 1, 2
    ), people as (
        select p.peer_mentor_id, sum(p.number)::bigint as number, sum(p.minutes)::bigint as minutes
        from people_in_chapters p group by 1
    ), this_year as (
        select p.chapter_id, sum(p.number)::bigint as number, sum(p.minutes)::bigint as minutes,
               sum(p.minutes) / count(*) as minutes_each
        from people_in_chapters p group by 1
    ), days as (
        select c.bucket_date, count(*) as number, sum(c.duration_minutes) as minutes
        from counted c group by 1
    ), sizes as (
        -- few, so that the quartiles need no sorting of the activities
        select c.activity_type_id, c.participant_count,
               sum(count(*)) over (partition by c.activity_type_id order by c.participant_count)
                   / sum(count(*)) over (partition by c.activity_type_id) as share
        from counted c group by 1, 2
    ), types as (
        select s.activity_type_id, stats.fence(array[
                   min(s.participant_count) filter (where s.share >= 0.25),
                   min(s.participant_count) filter (where s.share >= 0.75)]) as fence
        from sizes s group by 1
    ), fences as (
        select (select stats.fence(percentile_cont('{0.25,0.75}'::float8[])
                           within group (order by p.minutes))
                from people p having count(*) >= 8) as of_people,
               (select stats.fence(percentile_cont('{0.25,0.75}'::float8[])
                           within group (order by t.minutes_each))
                from this_year t having count(*) >= 8) as of_chapters,
               (select stats.fence(percentile_cont('{0.25,0.75}'::float8[])
                           within group (order by d.number))
                from days d having count(*) >= 28) as of_days
    ), last_year as (
        select r.chapter_id, sum(r.activity_count)::bigint as number
        from stats.live_monthly_rows r   -- a period is whole months
        where r.organization_id = p_organization_id and r.chapter_id = any (p_chapter_ids)
          and r.activity_month >= (p_period_start - interval '1 year')::date
          and r.activity_month < (p_period_end - interval '1 year')::date
        group by 1
        having sum(r.activity_count) <> 0
    )
    select 'person_day', null::uuid, c.peer_mentor_id, null::uuid, c.bucket_date, count(*),
           stats.hours(sum(c.duration_minutes)), 12::numeric
    from counted c group by c.peer_mentor_id, c.bucket_date
    having sum(c.duration_minutes) > 720 or count(*) > 10
    union all
    select 'person', null, p.peer_mentor_id, null, null, p.number, stats.hours(p.minutes),
           stats.hours(f.of_people::bigint)
    from people p join fences f on p.minutes > f.of_people
    union all
    select 'chapter', t.chapter_id, null, null, null, t.number,
           stats.hours(t.minutes_each::bigint), stats.hours(f.of_chapters::bigint)
    from this_year t join fences f on t.minutes_each > f.of_chapters
    union all
    select 'day', null, null, null, d.bucket_date, d.number, stats.hours(d.minutes),
           round(f.of_days::numeric, 1)
    from days d join fences f on d.number > f.of_days and d.number > 4
    union all
    select 'participants', c.chapter_id, null, c.id, c.bucket_date, c.participant_count,
           stats.hours(c.duration_minutes), round(t.fence::numeric, 1)
    from counted c join types t on t.activity_type_id = c.activity_type_id
    where c.participant_count > 50 and c.participant_count > t.fence
    union all
    select 'last_year', u, null, null, null, coalesce(t.number, 0), stats.hours(t.minutes),
           coalesce(l.number, 0)
    from unnest(p_chapter_ids) u
    left join this_year t on t.chapter_id = u
    left join last_year l on l.chapter_id = u
    where exists (select from last_year)
      and greatest(t.number, l.number) >= 20
      and greatest(t.number, l.number) >= 3 * coalesce(least(
          coalesce(t.number, 0), coalesce(l.number, 0)), 0)
    union all
    select 'future', c.chapter_id, c.peer_mentor_id, c.id, c.bucket_date, 1,
           stats.hours(c.duration_minutes), null
    from counted c where c.bucket_date > p_today
    union all
    select 'late', c.chapter_id, null, null, max(c.bucket_date), count(*),
           stats.hours(sum(c.duration_minutes)), 90
    from counted c
    where c.recorded_at > (c.bucket_date + 91)::timestamp at time zone 'UTC'
    group by c.chapter_id;
end $$;

COMMENT ON FUNCTION stats.remarks(p_organization_id uuid, p_period_start date, p_period_end date, p_chapter_ids uuid[], p_today date) IS 'What lies far out in a period, is yet to come, or was registered more than 90 days after.';

CREATE FUNCTION stats.remove_zeros(p_zeros jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $_$
declare
    v_name text;
begin
    for v_name in select e.key from jsonb_each(p_zeros) e where e.value <> 'null' loop
        execute format('delete from stats.%I where ctid = any ($1)', v_name)
            using array(select jsonb_array_elements_text(p_zeros -> v_name))::tid[];
    end loop;
end $_$;

CREATE FUNCTION stats.report_counting_rule(p_organization_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN jsonb_build_object('counts_in_statistics', (SELECT string_agg(p.prosrc, '
'::text ORDER BY p.oid) AS string_agg FROM pg_proc p WHERE ((p.proname = 'counts_in_statistics'::name) AND (p.pronamespace = ('stats'::regnamespace)::oid))), 'rules', COALESCE((SELECT jsonb_agg(to_jsonb(r.*) ORDER BY r.activity_type_id, r.valid_from) AS jsonb_agg FROM (public.counting_rules r JOIN public.activity_types t ON ((t.id = r.activity_type_id))) WHERE (t.organization_id = report_counting_rule.p_organization_id)), '[]'::jsonb));

CREATE FUNCTION stats.text_hash(p_text text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    RETURN encode(sha256(convert_to(p_text, 'UTF8'::name)), 'hex'::text);

CREATE FUNCTION stats.report_hash(p_version public.bufdir_report_versions) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN stats.text_hash((jsonb_build_array((p_version).previous_hash, (p_version).id, (p_version).organization_id, (p_version)."position", (p_version).period_start, (p_version).period_end, (p_version).version, (p_version).snapshot_json, (p_version).complete_hash, (p_version).record_count, (p_version).source_fingerprint, (p_version).mapping_version, (p_version).mapping, (p_version).counting_rule, (p_version).prepared_by, EXTRACT(epoch FROM (p_version).prepared_at)))::text);

CREATE FUNCTION stats.report_mapping(p_organization_id uuid, p_mapping_version integer) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN COALESCE((SELECT jsonb_agg(jsonb_build_object('activity_type_id', t.id, 'activity_type_code', t.code, 'label', t.label, 'bufdir_category_code', m.bufdir_category_code) ORDER BY t.code) AS jsonb_agg FROM (public.activity_types t LEFT JOIN public.bufdir_category_mappings m ON (((m.activity_type_id = t.id) AND (m.mapping_version = report_mapping.p_mapping_version)))) WHERE (t.organization_id = report_mapping.p_organization_id)), '[]'::jsonb);

CREATE FUNCTION stats.report_side(p_version public.bufdir_report_versions, p_version_id uuid, OUT seen_inserts int8multirange, OUT seen_changes int8multirange, OUT categories jsonb, OUT activity_count bigint, OUT minutes bigint, OUT participants bigint) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select m.seen_inserts, m.seen_changes, stats.categories_by_type(v.mapping),
           (c.report #>> '{totals,activity_count}')::bigint, m.total_minutes,
           (c.report #>> '{totals,participant_count}')::bigint
    from public.bufdir_report_versions v
    join stats.report_marks m on m.version_id = v.id
    join stats.complete_versions c on c.version_id = v.id
    where v.id = p_version_id
    union all
    select '{[1,)}', '{[1,)}', stats.categories_by_type(stats.report_mapping(
               p_version.organization_id, stats.mapping_version(
                   p_version.organization_id, p_version.period_start, p_version.period_end))),
           coalesce(sum(r.activity_count), 0)::bigint, coalesce(sum(r.total_minutes), 0)::bigint,
           coalesce(sum(r.participant_count), 0)::bigint
    from stats.live_monthly_rows r
    where r.organization_id = p_version.organization_id
      and r.activity_month >= p_version.period_start and r.activity_month < p_version.period_end
      and p_version_id is null
    group by () having p_version_id is null
$$;

CREATE FUNCTION stats.reported_activities(p_version public.bufdir_report_versions) RETURNS TABLE(activity_id uuid, chapter_id uuid, activity_type_id uuid, minutes integer, participants integer)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    with mark as materialized (
        select m.seen_inserts, m.seen_changes, array(
                   select stats.unseen_activity_ids(p_version.organization_id, m.seen_inserts,
                                                    m.seen_changes)) as unseen_ids
        from stats.report_marks m where m.version_id = p_version.id
    )
    select a.id, a.chapter_id, a.activity_type_id, a.duration_minutes, a.participant_count
    from stats.countable_activities a
    where a.organization_id = p_version.organization_id
      and a.bucket_date >= p_version.period_start and a.bucket_date < p_version.period_end
      and a.id not in (select unnest(m.unseen_ids) from mark m)
    union all
    select s.activity_id, c.chapter_id, (s.facts ->> 'activity_type_id')::uuid, c.minutes,
           c.participants
    from mark m
    cross join stats.states_of(m.unseen_ids, m.seen_inserts, m.seen_changes) s
    cross join stats.contribution(s.facts, p_version.period_start, p_version.period_end) c
$$;

CREATE FUNCTION stats.reported_facts(p_facts jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    RETURN (SELECT jsonb_object_agg(f.key, f.value) AS jsonb_object_agg FROM jsonb_each(reported_facts.p_facts) f(key, value) WHERE (f.key = ANY (ARRAY['unit_id'::text, 'peer_mentor_id'::text, 'activity_type_id'::text, 'activity_date'::text, 'duration_minutes'::text, 'participant_count'::text, 'is_counted'::text, 'not_counted_because'::text])));

CREATE FUNCTION stats.request_upkeep() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_asked_at bigint;
    v_is_mine  boolean;
    v_is_more  boolean;
    v_records  jsonb;
begin
    if (case
        -- SET CONSTRAINTS ... IMMEDIATE fires this inside of the statement: too early, and others
        -- would rely on it.
        when pg_trigger_depth() > 1 then true
        -- Shared, so writers never wait for each other; held to the commit, and taken before the
        -- look. So a drain can tell whether a writer that relied on its wake-up has yet to commit
        -- (writers_in_flight).
        when pg_try_advisory_xact_lock_shared(hashtext('fersk'), hashtext('stats.writers')) then
            date_part('epoch', clock_timestamp()) * 1000000   -- as stats.note_time
                - pg_sequence_last_value('stats.fold_asked_at') between 0 and 2000000
    end) then
        return new;   -- and not null, which would be one more expression
    end if;
    -- not had at once: for the moment a drain tries it
    perform pg_advisory_xact_lock_shared(hashtext('fersk'), hashtext('stats.writers'));
    -- The first since the last acknowledgement sends; the others rely on it, unless it is two
    -- seconds old and so counts as lost. A time in the future, before the clock was set back,
    -- counts as none. A number that is no time: another writer is just about to send.
    v_asked_at := pg_sequence_last_value('stats.fold_asked_at');
    v_is_mine := case when v_asked_at is null then nextval('stats.fold_asked_at') = 0
                      else v_asked_at > 1000 and not stats.is_recent(
                          stats.noted_time('stats.fold_asked_at'), interval '2 seconds') end;
    if not v_is_mine then
        return new;
    end if;
    perform stats.note_time('stats.fold_asked_at');
    v_is_more := currval(pg_get_serial_sequence(format('stats.%I', tg_table_name), 'id')) > new.id;
    v_records := stats.named_record(to_jsonb(new));
    perform stats.ask('invalidate-hierarchy-cache', 'units_changed', new.organization_id,
                      v_records, v_is_more);
    -- Whether anything is pending is not asked here: a serializable transaction would read what
    -- others write.
    if (select not stats.is_recent(p.last_requested_at, p.refresh_interval)
               and not stats.is_recent(p.last_started_at, p.refresh_interval)
        from stats.refresh_pace p) then
        if tg_table_name = 'tree_changes' then   -- whatever else has changed comes later
            v_records := '[]';
            v_is_more := true;
        end if;
        perform stats.ask('refresh-stats-views', 'activities_changed', new.organization_id,
                          v_records, v_is_more);
    end if;
    return new;
end $$;

CREATE FUNCTION stats.require_mapping_version(p_organization_id uuid, p_period_start date, p_period_end date) RETURNS integer
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_version integer := stats.mapping_version(p_organization_id, p_period_start, p_period_end);
begin
    if v_version is null then
        raise exception 'the years of this period are reported by different mapping versions'
            using errcode = 'invalid_parameter_value', hint = 'Ask for each year by itself.';
    end if;
    return v_version;
end $$;

CREATE FUNCTION stats.require_open_year(p_organization_id uuid, p_day date) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_year integer := extract(year from p_day);
begin
    if not pg_try_advisory_xact_lock_shared(hashtext('fersk.year'),
                                            stats.year_key(p_organization_id, v_year))
       or exists (select from public.reporting_years y
                  where y.organization_id = p_organization_id and y.year = v_year
                    and y.locked_at is not null) then
        perform app.refuse(409, 'conflict', 'the year is locked');
    end if;
end $$;

CREATE FUNCTION stats.require_true_version(p_version public.bufdir_report_versions) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    if exists (select from stats.report_problems p where p.version_id = p_version.id) then
        perform app.refuse(409, 'falsified', 'this version is not as it was written');
    end if;
    if p_version.sent_at is null and not stats.is_current(p_version) then
        perform app.refuse(409, 'figures_changed',
                           'the activities have changed since this version was prepared');
    end if;
end $$;

CREATE FUNCTION stats.save_metric_snapshot(p_organization_id uuid, p_period_start date, p_period_end date) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION stats.shown_signature(p_profile_id uuid, p_at timestamp with time zone) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN (SELECT jsonb_build_object('profile_id', p.id, 'name', p.display_name, 'at', shown_signature.p_at, 'local_at', to_char((shown_signature.p_at AT TIME ZONE o.time_zone), 'YYYY-MM-DD HH24:MI'::text)) AS jsonb_build_object FROM (public.profiles p JOIN public.organization_settings o ON ((o.organization_id = p.organization_id))) WHERE (p.id = shown_signature.p_profile_id));

CREATE TABLE stats.complete_versions (
    version_id uuid NOT NULL,
    report jsonb NOT NULL,
    CONSTRAINT complete_versions_report_check CHECK (app.is_aggregate_only(report))
);

COMMENT ON TABLE stats.complete_versions IS 'What was reported, with the figures of small groups.';

CREATE FUNCTION stats.shown_version(p_version public.bufdir_report_versions) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN jsonb_build_object('id', (p_version).id, 'organization_id', (p_version).organization_id, 'organization_name', (SELECT o.name FROM public.organizations o WHERE (o.id = (shown_version.p_version).organization_id)), 'period_start', (p_version).period_start, 'period_end', (p_version).period_end, 'version', (p_version).version, 'report', CASE WHEN app.reads_whole_organization() THEN (SELECT c.report FROM stats.complete_versions c WHERE (c.version_id = (shown_version.p_version).id)) ELSE (p_version).snapshot_json END, 'record_count', (p_version).record_count, 'source_fingerprint', (p_version).source_fingerprint, 'mapping_version', (p_version).mapping_version, 'mapping', (p_version).mapping, 'counting_rule', (p_version).counting_rule, 'previous_hash', (p_version).previous_hash, 'hash', (p_version).hash, 'prepared', stats.shown_signature((p_version).prepared_by, (p_version).prepared_at), 'approved', stats.shown_signature((p_version).approved_by, (p_version).approved_at), 'sent', stats.shown_signature((p_version).sent_by, (p_version).sent_at));

CREATE FUNCTION stats.signature_hash(p_version public.bufdir_report_versions) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    RETURN CASE WHEN ((p_version).approved_at IS NOT NULL) THEN stats.text_hash((jsonb_build_array((p_version).hash, (p_version).approved_by, EXTRACT(epoch FROM (p_version).approved_at), (p_version).sent_by, EXTRACT(epoch FROM (p_version).sent_at)))::text) ELSE NULL::text END;

CREATE FUNCTION stats.snapshot_status(p_organization_id uuid, p_period_start date, p_period_end date, p_now timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_snapshot public.bufdir_metric_snapshots;
    v_source   record;
begin
    select * into v_snapshot
    from public.bufdir_metric_snapshots b
    where b.organization_id = p_organization_id
      and b.period_start = p_period_start
      and b.period_end = p_period_end;
    select * into v_source
    from stats.report_source(
        p_organization_id, p_period_start, p_period_end, coalesce(v_snapshot.mapping_version,
            stats.mapping_version(p_organization_id, p_period_start, p_period_end)));
    if v_snapshot.id is null then
        return jsonb_build_object(
            'verdict', 'missing', 'reasons', '[]'::jsonb, 'record_count_at_generation', null,
            'record_count_now', v_source.record_count, 'computed_at', null,
            'export_allowed', false,
            'warnings', app.period_warnings(p_period_end));
    end if;
    return stats.judged_snapshot(
        v_snapshot, v_source.record_count, v_source.fingerprint, p_now);
end $$;

CREATE FUNCTION stats.states_of(p_activity_ids uuid[], p_seen_inserts int8multirange, p_seen_changes int8multirange) RETURNS TABLE(activity_id uuid, facts jsonb)
    LANGUAGE sql STABLE
    SET search_path TO ''
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
    select i.id, s.facts
    from unnest(p_activity_ids) i (id)
    left join stats.activity_facts f on f.id = i.id
    left join lateral (
        select h.before from public.activity_history h
        where h.activity_id = i.id and not p_seen_changes @> h.id
        order by h.id limit 1) h on true
    cross join lateral (select coalesce(h.before, f.facts) as facts) s
    where p_seen_inserts @> (s.facts ->> 'insert_number')::bigint
$$;

CREATE FUNCTION stats.store_hierarchy_entries(p_entries public.hierarchy_stats_cache[]) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_stored integer;
begin
    insert into public.hierarchy_stats_cache as e
        (unit_id, period_year, payload, computed_at, computed_at_mark)
    select n.unit_id, n.period_year, n.payload, n.computed_at, n.computed_at_mark
    from unnest(p_entries) n
    order by n.unit_id, n.period_year   -- two at once lock in the same order
    on conflict (unit_id, period_year) do update
        set payload = excluded.payload,
            computed_at = excluded.computed_at,
            computed_at_mark = excluded.computed_at_mark
        -- never an older computation in place of a newer one, unless that has marks which nobody
        -- ever set
        where e.computed_at_mark <= excluded.computed_at_mark
           or e.computed_at_mark > stats.current_mark(e.unit_id, e.period_year);
    get diagnostics v_stored = row_count;
    return v_stored;
end $$;

CREATE FUNCTION stats.sum_and_add_minutes(p_changes text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    RETURN format('with changed as (select c.peer_mentor_id, c.activity_date, sum(c.minutes) as minutes from (%s) c group by 1, 2 having sum(c.minutes) <> 0), added as (%s d.*) select max(d.minutes) from (select sum(b.minutes) as minutes from (select a.*, 0 as more from added a union all select c.peer_mentor_id, c.activity_date, 0, c.minutes from changed c) b group by b.peer_mentor_id, b.activity_date having sum(b.more) > 0) d'::text, p_changes, stats.add_minutes('select c.* from changed c order by 1, 2'::text));

CREATE FUNCTION stats.sweep() RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_is_pending      boolean := exists (select from stats.unit_changes);
    v_organization_id uuid;
begin
    perform stats.note_time('stats.swept_at');
    perform stats.attempt('select stats.prune_records()');
    perform stats.attempt('select private.collect_answers()');
    perform stats.attempt('select stats.audit_sample()');
    perform setval('stats.fold_asked_at', 0, false);   -- done, by whomever it was asked for
    perform stats.attempt('select stats.fold()');
    -- A dump of the schema, and one of the data, restore the materialised views without their rows.
    if exists (
        select from pg_catalog.pg_matviews m
        where m.schemaname = 'stats' and not m.ispopulated) then
        perform stats.attempt('select stats.refresh(p_force := true)');
        return true;
    end if;
    select p.organization_id into v_organization_id
    from stats.pending_changes p, stats.settings s, stats.refresh_pace r
    where not stats.is_recent(p.oldest_at, s.debounce)
      and not stats.is_recent(r.last_started_at, r.refresh_interval)
    order by p.oldest_at
    limit 1;
    if not found then
        return v_is_pending;
    end if;
    perform stats.ask('refresh-stats-views', 'sweep', v_organization_id, '[]', true);
    return true;
end $$;

COMMENT ON FUNCTION stats.sweep() IS 'Audits a sample, folds, and asks for a refresh of mv_* if it is time; true if there was anything to do. Scheduled.';

CREATE FUNCTION stats.tell(p_organizations jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    perform private.broadcast_invalidation(
        (o ->> 'organization_id')::uuid,
        array(select jsonb_array_elements_text(o -> 'unit_ids'))::uuid[],
        array(select jsonb_array_elements_text(o -> 'dates'))::date[])
    from jsonb_array_elements(p_organizations) o;
exception when others then
    perform stats.record_error('broadcast: ' || sqlstate || ': ' || sqlerrm);
end $$;

CREATE FUNCTION stats.totals_upserts() RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $_$
    select string_agg(format(
               'added_%1$s as ('
               'insert into stats.%1$s as t (%2$s, %3$s) '
               'select %4$s, %5$s from taken group by %6$s having %7$s order by %6$s '
               'on conflict (%8$s) do update set %9$s '
               'returning t.ctid, (%10$s) as is_zero)',
               t.name, t.keys, stats.measure_list('%I'),
               t.key_values, stats.measure_list('sum(%I)'),
               (select string_agg(n::text, ', ' order by n)
                from generate_series(1, cardinality(string_to_array(t.keys, ', '))) n),
               stats.measure_list('sum(%I) <> 0', ' or '),
               t.conflict, stats.measure_list('%I = t.%I + excluded.%I'),
               stats.measure_list('t.%I = 0', ' and ')),
           ', ' order by t.name)
        || ', zeros as ('
        || string_agg(format(
               'select %1$L as name, array_agg(a.ctid) as places '
               'from added_%1$s a where a.is_zero', t.name),
           ' union all ' order by t.name)
        || ')'
    from stats.totals t
$_$;

CREATE FUNCTION stats.unseen(p_seen int8multirange) RETURNS TABLE(first_number bigint, last_number bigint)
    LANGUAGE sql IMMUTABLE ROWS 10
    SET search_path TO ''
    AS $$
    select lower(g), coalesce(upper(g) - 1, 9223372036854775807)
    from unnest('{[1,)}'::int8multirange - p_seen) g
$$;

CREATE FUNCTION stats.unseen_activity_ids(p_organization_id uuid, p_seen_inserts int8multirange, p_seen_changes int8multirange) RETURNS SETOF uuid
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    -- offset: the few ranges first, and their rows by index
    select a.id from stats.unseen(p_seen_inserts) u
    cross join lateral (
        select i.id, i.organization_id from public.activities i
        where i.insert_number between u.first_number and u.last_number offset 0) a
    where a.organization_id = p_organization_id
    union
    select h.activity_id from stats.unseen(p_seen_changes) u
    cross join lateral (
        select c.activity_id, c.organization_id from public.activity_history c
        where c.id between u.first_number and u.last_number offset 0) h
    where h.organization_id = p_organization_id
$$;

CREATE FUNCTION stats.wake(p_slug text, p_type text, p_organization_id uuid, p_records jsonb, p_truncated boolean) RETURNS bigint
    LANGUAGE sql
    SET search_path TO ''
    RETURN private.send_webhook(p_slug, jsonb_build_object('type', p_type, 'table', CASE p_slug WHEN 'refresh-stats-views'::text THEN 'activity_changes'::text WHEN 'warm-hierarchy-cache'::text THEN 'hierarchy_stats_cache'::text ELSE 'unit_changes'::text END, 'organization_id', p_organization_id, 'records', p_records, 'truncated', p_truncated));

COMMENT ON FUNCTION stats.wake(p_slug text, p_type text, p_organization_id uuid, p_records jsonb, p_truncated boolean) IS 'Queues a wake-up: ids and dates only, of one organisation. The only place that makes one.';

CREATE FUNCTION stats.writers_in_flight() RETURNS boolean
    LANGUAGE sql
    SET search_path TO ''
    RETURN (NOT (pg_try_advisory_lock(hashtext('fersk'::text), hashtext('stats.writers'::text)) AND pg_advisory_unlock(hashtext('fersk'::text), hashtext('stats.writers'::text))));

CREATE FUNCTION stats.wrong_summaries(p_unit_ids uuid[]) RETURNS SETOF uuid
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select e.unit_id
    from (
        select distinct u.organization_id, c.period_year
        from public.hierarchy_stats_cache c
        join public.organization_units u on u.id = c.unit_id
        where p_unit_ids is null
    ) y
    cross join lateral stats.hierarchy_summaries(y.organization_id, y.period_year) s
    join public.hierarchy_stats_cache e
        on e.unit_id = s.unit_id and e.period_year = y.period_year
    where e.payload is distinct from s.payload and not stats.is_outdated(e)
    union
    select e.unit_id
    from public.hierarchy_stats_cache e
    where e.unit_id = any (p_unit_ids)
      and not stats.is_outdated(e)
      and e.payload is distinct from stats.hierarchy_summary(e.unit_id, e.period_year)
$$;

CREATE FUNCTION stats.year_key(p_organization_id uuid, p_year integer) RETURNS integer
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO ''
    AS $$
begin
    return hashtext(p_organization_id || '/' || p_year);
end $$;

CREATE TABLE private.created_extensions (
    name text NOT NULL
);

COMMENT ON TABLE private.created_extensions IS 'The extensions that were missing and have been created; for the rollback.';

ALTER TABLE private.deliveries ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME private.deliveries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW private.open_requests AS
 SELECT (c.relname)::text AS name,
    r.role,
    v.verb
   FROM ((pg_class c
     CROSS JOIN unnest(ARRAY['anon'::text, 'authenticated'::text, 'service_role'::text]) r(role))
     CROSS JOIN ( VALUES ('GET'::text,'select'::text), ('POST'::text,'insert'::text), ('PATCH'::text,'update'::text), ('DELETE'::text,'delete'::text)) v(verb, privilege))
  WHERE ((c.relnamespace = ('public'::regnamespace)::oid) AND (c.relkind = ANY (ARRAY['r'::"char", 'p'::"char", 'v'::"char", 'm'::"char", 'f'::"char"])) AND (has_table_privilege((r.role)::name, c.oid, v.privilege) OR ((v.privilege <> 'delete'::text) AND has_any_column_privilege((r.role)::name, c.oid, v.privilege))))
UNION
 SELECT ('rpc/'::text || (p.proname)::text) AS name,
    r.role,
    'POST'::text AS verb
   FROM (pg_proc p
     CROSS JOIN unnest(ARRAY['anon'::text, 'authenticated'::text, 'service_role'::text]) r(role))
  WHERE ((p.pronamespace = ('public'::regnamespace)::oid) AND (p.prorettype <> ('trigger'::regtype)::oid) AND (NOT (EXISTS ( SELECT
           FROM pg_class c
          WHERE (c.reltype = ANY ((p.proargtypes)::oid[]))))) AND (NOT (EXISTS ( SELECT
           FROM pg_depend d
          WHERE ((d.objid = p.oid) AND (d.deptype = 'e'::"char"))))) AND has_function_privilege((r.role)::name, p.oid, 'execute'::text));

CREATE TABLE private.revoked_default_privileges (
    object_type text NOT NULL,
    in_public boolean NOT NULL,
    grantee text NOT NULL,
    privilege text NOT NULL,
    CONSTRAINT revoked_default_privileges_object_type_check CHECK ((object_type = ANY (ARRAY['tables'::text, 'sequences'::text, 'functions'::text])))
);

COMMENT ON TABLE private.revoked_default_privileges IS 'The default privileges that were taken away; for the rollback.';

CREATE TABLE private.secrets (
    name text NOT NULL,
    value text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT secrets_value_check CHECK ((value <> ''::text))
);

COMMENT ON TABLE private.secrets IS 'Secrets of installations without Vault. Deny-all: no policy, no grant.';

CREATE TABLE private.webhook_receipts (
    webhook_id text NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT webhook_receipts_webhook_id_check CHECK (((length(webhook_id) >= 1) AND (length(webhook_id) <= 200)))
);

COMMENT ON TABLE private.webhook_receipts IS 'Webhooks received of late, so that a replay is refused. Signatures older than five minutes are refused anyway.';

CREATE UNLOGGED TABLE private.work_done (
    work text NOT NULL,
    subject_id uuid NOT NULL,
    paid_until timestamp with time zone NOT NULL
);

COMMENT ON TABLE private.work_done IS 'Until when each person and organisation has used its limit.';

CREATE TABLE private.work_limits (
    work text NOT NULL,
    person_burst integer NOT NULL,
    person_interval interval NOT NULL,
    organization_burst integer NOT NULL,
    organization_interval interval NOT NULL,
    CONSTRAINT work_limits_organization_burst_check CHECK ((organization_burst > 0)),
    CONSTRAINT work_limits_organization_interval_check CHECK ((organization_interval > '00:00:00'::interval)),
    CONSTRAINT work_limits_person_burst_check CHECK ((person_burst > 0)),
    CONSTRAINT work_limits_person_interval_check CHECK ((person_interval > '00:00:00'::interval))
);

COMMENT ON TABLE private.work_limits IS 'How much expensive work may be asked for: a burst at once, and one more after each interval.';

ALTER TABLE public.activities ALTER COLUMN insert_number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.activities_insert_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.activity_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.activity_history_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.bufdir_export_audit_log (
    id bigint NOT NULL,
    organization_id uuid NOT NULL,
    exported_by uuid NOT NULL,
    exported_at timestamp with time zone DEFAULT now() NOT NULL,
    snapshot_id uuid,
    period_start date NOT NULL,
    period_end date NOT NULL,
    verdict jsonb NOT NULL,
    source_fingerprint text NOT NULL,
    figures jsonb NOT NULL,
    version_id uuid,
    version integer,
    version_hash text,
    format text,
    CONSTRAINT bufdir_export_audit_log_of_something CHECK ((((snapshot_id IS NULL) = (version_id IS NOT NULL)) AND (num_nulls(version_id, version, version_hash, format) = ANY (ARRAY[0, 4]))))
);

COMMENT ON TABLE public.bufdir_export_audit_log IS 'Append-only: who exported what, on which verdict. Written by exporting alone.';

COMMENT ON COLUMN public.bufdir_export_audit_log.figures IS 'What was exported, as coordinators may see it.';

COMMENT ON COLUMN public.bufdir_export_audit_log.version_hash IS 'The hash of the exported version: it tells, too, when that is exchanged.';

ALTER TABLE public.bufdir_export_audit_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.bufdir_export_audit_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.bufdir_thresholds (
    organization_id uuid DEFAULT app.current_org_id() NOT NULL,
    valid_from_year integer NOT NULL,
    bufdir_category_code text NOT NULL,
    minimum_activity_count bigint NOT NULL,
    at_risk_ratio numeric DEFAULT 0.8 NOT NULL,
    CONSTRAINT bufdir_thresholds_at_risk_ratio_check CHECK (((at_risk_ratio >= (0)::numeric) AND (at_risk_ratio <= (1)::numeric))),
    CONSTRAINT bufdir_thresholds_bufdir_category_code_check CHECK ((bufdir_category_code ~ '^[A-Z0-9][A-Z0-9_.-]{0,31}$'::text)),
    CONSTRAINT bufdir_thresholds_minimum_activity_count_check CHECK ((minimum_activity_count >= 0)),
    CONSTRAINT bufdir_thresholds_valid_from_year_check CHECK (((valid_from_year >= 2000) AND (valid_from_year <= 2099)))
);

COMMENT ON TABLE public.bufdir_thresholds IS 'How many activities of a category an organisation must report in a year. A year has the newest row that is valid for it, so one for later years never touches an earlier one.';

COMMENT ON COLUMN public.bufdir_thresholds.minimum_activity_count IS '0: from this year on the category has no threshold.';

COMMENT ON COLUMN public.bufdir_thresholds.at_risk_ratio IS 'From this share of the minimum on at_risk; below it below_threshold; from the minimum on on_track.';

ALTER TABLE public.erasures ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.erasures_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.expense_claims (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    organization_id uuid NOT NULL,
    activity_id uuid NOT NULL,
    amount_nok numeric(12,2) NOT NULL,
    status public.expense_status DEFAULT 'pending'::public.expense_status NOT NULL,
    decided_at timestamp with time zone,
    decided_by uuid,
    CONSTRAINT expense_claims_amount_nok_check CHECK (((amount_nok > (0)::numeric) AND (amount_nok <= (1000000)::numeric))),
    CONSTRAINT expense_claims_decision_is_complete CHECK (((status = 'pending'::public.expense_status) = (decided_at IS NULL)))
);

COMMENT ON TABLE public.expense_claims IS 'Expenses of activities; approved ones count in coordinator_monthly_stats.';

CREATE TABLE public.not_duplicates (
    activity_id uuid NOT NULL,
    other_id uuid NOT NULL,
    organization_id uuid DEFAULT app.current_org_id() NOT NULL,
    decided_at timestamp with time zone DEFAULT now() NOT NULL,
    decided_by uuid DEFAULT auth.uid(),
    CONSTRAINT not_duplicates_check CHECK ((activity_id <> other_id))
);

COMMENT ON TABLE public.not_duplicates IS 'Pairs that look like duplicates, and of which somebody found that they are not.';

CREATE TABLE public.organization_changes (
    id bigint NOT NULL,
    organization_id uuid NOT NULL,
    table_name text NOT NULL,
    operation text NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_by uuid NOT NULL,
    before jsonb,
    after jsonb,
    CONSTRAINT organization_changes_operation_check CHECK ((operation = ANY (ARRAY['insert'::text, 'update'::text, 'delete'::text])))
);

COMMENT ON TABLE public.organization_changes IS 'Append-only: what org admins changed about their organisation, and who. Never a name of a person: the profile''s id says whom it was about.';

ALTER TABLE public.organization_changes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.organization_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW public.possible_duplicates WITH (security_invoker='on') AS
 WITH counted AS NOT MATERIALIZED (
         SELECT a.id,
            a.organization_id,
            a.unit_id,
            a.peer_mentor_id,
            a.coordinator_id,
            a.activity_type_id,
            a.occurred_at,
            a.activity_date,
            a.is_date_given,
            a.recorded_at,
            a.inserted_at,
            a.insert_number,
            a.duration_minutes,
            a.participant_count,
            a.contact_id,
            a.is_proxy_registered,
            a.registered_by,
            a.status,
            a.duplicate_of,
            a.summary,
            a.approved_expenses_nok,
            a.not_counted_because,
            a.is_counted,
            tstzrange(a.occurred_at, (a.occurred_at + make_interval(mins => a.duration_minutes))) AS taken
           FROM public.activities a
          WHERE a.is_counted
        ), pairs AS (
         SELECT a.id,
            b.id AS other_id,
            'same_peer_mentor'::text AS reason,
            a.activity_date,
            a.unit_id AS chapter_id,
            b.activity_date AS other_date
           FROM (counted a
             JOIN counted b USING (peer_mentor_id, activity_type_id, activity_date))
          WHERE ((ROW(b.inserted_at, b.id) < ROW(a.inserted_at, a.id)) AND (a.taken && b.taken))
        UNION ALL
         SELECT a.id,
            b.id,
            'direct_and_proxy'::text,
            a.activity_date,
            a.unit_id,
            b.activity_date
           FROM (counted a
             JOIN counted b USING (contact_id, activity_date, organization_id))
          WHERE ((ROW(b.inserted_at, b.id) < ROW(a.inserted_at, a.id)) AND (a.is_proxy_registered <> b.is_proxy_registered) AND (NOT ((a.peer_mentor_id = b.peer_mentor_id) AND (a.activity_type_id = b.activity_type_id) AND (a.taken && b.taken))))
        UNION ALL
         SELECT a.id,
            b.id,
            'same_event'::text,
            a.activity_date,
            a.unit_id,
            b.activity_date
           FROM (counted a
             JOIN counted b USING (unit_id, activity_type_id, activity_date))
          WHERE ((ROW(b.inserted_at, b.id) < ROW(a.inserted_at, a.id)) AND (a.taken && b.taken) AND (a.peer_mentor_id <> b.peer_mentor_id) AND (((a.contact_id IS NULL) AND (b.contact_id IS NULL) AND (LEAST(a.participant_count, b.participant_count) > 1)) OR ((a.contact_id = b.contact_id) AND (a.is_proxy_registered = b.is_proxy_registered))))
        )
 SELECT p.id AS activity_id,
    p.other_id,
    p.reason,
    p.activity_date,
    p.chapter_id,
    p.other_date
   FROM pairs p
  WHERE (NOT (EXISTS ( SELECT
           FROM public.not_duplicates n
          WHERE ((LEAST(n.activity_id, n.other_id) = LEAST(p.id, p.other_id)) AND (GREATEST(n.activity_id, n.other_id) = GREATEST(p.id, p.other_id))))))
  ORDER BY p.activity_date, p.id, p.other_id;

COMMENT ON VIEW public.possible_duplicates IS 'Pairs of activities that count and may be one: the same peer mentor at the same time, a contact met directly and by proxy, an event registered by two people. Filtered as activities is. A span of days is asked of activity_date and of other_date, which is the same day.';

CREATE TABLE public.reporting_year_log (
    id bigint NOT NULL,
    organization_id uuid NOT NULL,
    year integer NOT NULL,
    is_locked boolean NOT NULL,
    changed_by uuid NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    reason text,
    CONSTRAINT reporting_year_log_reason_check CHECK ((length(reason) <= 500)),
    CONSTRAINT reporting_year_log_reason_to_unlock CHECK ((is_locked OR ((reason IS NOT NULL) AND (reason ~ '\S'::text))))
);

COMMENT ON TABLE public.reporting_year_log IS 'Append-only: who locked and unlocked which year, and why it was unlocked.';

ALTER TABLE public.reporting_year_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.reporting_year_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW stats.visible_freshness WITH (security_barrier='true') AS
 SELECT l.last_finished_at AS last_refreshed_at,
    COALESCE(p.change_count, (0)::bigint) AS pending_changes,
    (COALESCE(GREATEST(EXTRACT(epoch FROM (now() - p.oldest_at)), (0)::numeric), (0)::numeric))::bigint AS oldest_pending_seconds,
    l.last_duration_ms AS last_refresh_ms
   FROM (stats.stats_refresh_log l
     LEFT JOIN stats.pending_changes p ON ((p.organization_id = ( SELECT app.statistics_org_id() AS statistics_org_id))))
  WHERE (( SELECT app.statistics_org_id() AS statistics_org_id) IS NOT NULL);

CREATE VIEW public.stats_freshness WITH (security_invoker='on') AS
 SELECT visible_freshness.last_refreshed_at,
    visible_freshness.pending_changes,
    visible_freshness.oldest_pending_seconds,
    visible_freshness.last_refresh_ms
   FROM stats.visible_freshness;

COMMENT ON VIEW public.stats_freshness IS 'When mv_* were refreshed, and how many changes of the caller''s organisation they lack.';

ALTER TABLE stats.activity_changes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stats.activity_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 50
);

CREATE VIEW stats.unit_regions AS
 SELECT DISTINCT ON (a.unit_id) a.unit_id AS chapter_id,
    r.id AS unit_id
   FROM (app.unit_ancestry(ARRAY( SELECT u.id
           FROM public.organization_units u)) a(unit_id, ancestor_id, level)
     JOIN public.organization_units r ON (((r.id = a.ancestor_id) AND (r.kind = 'region'::public.unit_kind))))
  ORDER BY a.unit_id, a.level;

CREATE VIEW stats.chapter_bits AS
 SELECT c.organization_id,
    c.id AS chapter_id,
    r.id AS region_id,
    r."bit",
    r.hash
   FROM ((public.organization_units c
     LEFT JOIN stats.unit_regions n ON ((n.chapter_id = c.id)))
     JOIN ( SELECT u.organization_id,
            u.id,
            set_bit(((repeat('0'::text, (count(*) OVER w)::integer))::bit varying)::"bit", ((row_number() OVER w)::integer - 1), 1) AS "bit",
            hash_record_extended(ROW(u.id, u.name), (0)::bigint) AS hash
           FROM ( SELECT v.organization_id,
                    v.id,
                    v.name
                   FROM public.organization_units v
                  WHERE (v.kind = 'region'::public.unit_kind)
                UNION ALL
                 SELECT o.id,
                    NULL::uuid,
                    NULL::text
                   FROM public.organizations o) u
          WINDOW w AS (PARTITION BY u.organization_id)) r ON (((r.organization_id = c.organization_id) AND (NOT (r.id IS DISTINCT FROM n.unit_id)))));

CREATE TABLE stats.complete_exports (
    export_id bigint NOT NULL,
    report jsonb NOT NULL
);

COMMENT ON TABLE stats.complete_exports IS 'What was exported with the figures of small groups, to whom may see them.';

CREATE VIEW stats.contributions AS
 SELECT a.organization_id,
    a.chapter_id,
    a.peer_mentor_id,
    a.activity_type_id,
    a.bucket_date,
    a.contact_id,
    1 AS activity_count,
    a.duration_minutes AS total_minutes,
    a.participant_count,
    a.approved_expenses_nok AS approved_nok
   FROM stats.countable_activities a;

COMMENT ON VIEW stats.contributions IS 'What each activity that counts adds to each measure.';

CREATE TABLE stats.daily_minutes (
    peer_mentor_id uuid NOT NULL,
    activity_date date NOT NULL,
    minutes integer NOT NULL
);

COMMENT ON TABLE stats.daily_minutes IS 'How many minutes each person has registered on each day. No foreign key: the activities have theirs.';

ALTER TABLE stats.differences ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stats.differences_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE stats.errors ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stats.errors_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE SEQUENCE stats.fold_asked_at
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    NO MAXVALUE
    CACHE 1;

CREATE VIEW stats.judgements AS
 SELECT a.id,
    d.activity_date,
    COALESCE(stats.counts_in_statistics(a.status, a.duration_minutes, a.participant_count, r.counts[n.n], r.min_duration_minutes[n.n], r.min_participants[n.n]),
        CASE
            WHEN (a.duplicate_of IS NOT NULL) THEN 'duplicate'::text
            ELSE NULL::text
        END) AS not_counted_because
   FROM (((public.activities a
     LEFT JOIN stats.joined_rules r ON ((r.activity_type_id = a.activity_type_id)))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN a.is_date_given THEN a.activity_date
                    ELSE ((a.occurred_at AT TIME ZONE COALESCE(r.time_zone, 'UTC'::text)))::date
                END AS activity_date) d)
     CROSS JOIN LATERAL ( SELECT width_bucket(d.activity_date, r.valid_from) AS n) n);

COMMENT ON VIEW stats.judgements IS 'The day of each activity, and null or why it does not count, by the rules of now.';

CREATE TABLE stats.monthly_totals (
    organization_id uuid NOT NULL,
    activity_month date NOT NULL,
    chapter_id uuid NOT NULL
)
INHERITS (stats.measures)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.02');

COMMENT ON TABLE stats.monthly_totals IS 'Per organisation, month and chapter, up to the last fold.';

CREATE VIEW stats.live_monthly_rows AS
 SELECT t.organization_id,
    t.chapter_id,
    t.activity_month,
    t.activity_count,
    t.total_minutes,
    t.participant_count
   FROM stats.monthly_totals t
UNION ALL
 SELECT c.organization_id,
    c.chapter_id,
    (date_trunc('month'::text, (c.bucket_date)::timestamp without time zone))::date AS activity_month,
    c.activity_count,
    c.total_minutes,
    c.participant_count
   FROM stats.activity_changes c;

COMMENT ON VIEW stats.live_monthly_rows IS 'Exact at every commit: per chapter and month, in rows to be summed once.';

CREATE TABLE stats.yearly_totals (
    organization_id uuid NOT NULL,
    chapter_id uuid NOT NULL,
    period_year integer NOT NULL,
    peer_mentor_id uuid NOT NULL,
    activity_type_id uuid NOT NULL
)
INHERITS (stats.measures)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.02');

COMMENT ON TABLE stats.yearly_totals IS 'Per chapter, year, peer mentor and activity type, up to the last fold: what the hierarchy sums.';

CREATE VIEW stats.live_yearly_rows AS
 SELECT t.organization_id,
    t.chapter_id,
    t.period_year,
    t.peer_mentor_id,
    t.activity_type_id,
    t.activity_count,
    t.total_minutes,
    t.participant_count,
    t.approved_nok
   FROM stats.yearly_totals t
UNION ALL
 SELECT c.organization_id,
    c.chapter_id,
    (date_part('year'::text, c.bucket_date))::integer AS period_year,
    c.peer_mentor_id,
    c.activity_type_id,
    c.activity_count,
    c.total_minutes,
    c.participant_count,
    c.approved_nok
   FROM stats.activity_changes c;

COMMENT ON VIEW stats.live_yearly_rows IS 'Exact at every commit: per chapter, year, peer mentor and type, in rows to be summed once.';

CREATE VIEW stats.misjudged_activities AS
 SELECT a.id,
    a.organization_id,
    a.unit_id AS chapter_id,
    a.activity_type_id
   FROM (public.activities a
     JOIN stats.judgements j ON ((j.id = a.id)))
  WHERE ((a.activity_date IS DISTINCT FROM j.activity_date) OR (a.not_counted_because IS DISTINCT FROM j.not_counted_because));

COMMENT ON VIEW stats.misjudged_activities IS 'Activities whose day or reason is not what the rules say; none, unless triggers were off.';

CREATE VIEW stats.registered_minutes AS
 SELECT a.peer_mentor_id,
    a.activity_date,
    a.duration_minutes AS minutes
   FROM public.activities a
  WHERE ((a.status = 'registered'::public.activity_status) AND (a.duplicate_of IS NULL));

CREATE VIEW stats.missing_minutes AS
 SELECT m.peer_mentor_id,
    m.activity_date,
    (sum(m.minutes))::integer AS minutes
   FROM ( SELECT r.peer_mentor_id,
            r.activity_date,
            r.minutes
           FROM stats.registered_minutes r
        UNION ALL
         SELECT d.peer_mentor_id,
            d.activity_date,
            (- d.minutes)
           FROM stats.daily_minutes d) m
  GROUP BY m.peer_mentor_id, m.activity_date
 HAVING (sum(m.minutes) <> 0);

CREATE SEQUENCE stats.refresh_asked_at
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    NO MAXVALUE
    CACHE 1;

CREATE TABLE stats.settings (
    only_row boolean DEFAULT true NOT NULL,
    refresh_mode text DEFAULT 'async'::text NOT NULL,
    debounce interval DEFAULT '00:00:10'::interval NOT NULL,
    CONSTRAINT settings_debounce_check CHECK ((debounce >= '00:00:00'::interval)),
    CONSTRAINT settings_only_row_check CHECK (only_row),
    CONSTRAINT settings_refresh_mode_check CHECK ((refresh_mode = ANY (ARRAY['async'::text, 'inline'::text])))
);

COMMENT ON TABLE stats.settings IS 'One row. async: webhooks wake the functions; inline: the writer''s commit folds and refreshes, where there are none.';

CREATE VIEW stats.refresh_pace AS
 SELECT stats.noted_time('stats.refresh_asked_at'::regclass) AS last_requested_at,
    l.last_started_at,
    GREATEST(s.debounce, (((100 * COALESCE(l.last_duration_ms, (0)::bigint)))::double precision * '00:00:00.001'::interval)) AS refresh_interval
   FROM stats.stats_refresh_log l,
    stats.settings s;

CREATE TABLE stats.report_chains (
    organization_id uuid NOT NULL,
    length bigint DEFAULT 0 NOT NULL,
    last_hash text DEFAULT repeat('0'::text, 64) NOT NULL,
    signature_count bigint DEFAULT 0 NOT NULL
);

COMMENT ON TABLE stats.report_chains IS 'How long each organisation''s chain is, how it ends, and how often its versions were signed.';

ALTER TABLE stats.report_marks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stats.report_marks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW stats.report_problems AS
 SELECT v.organization_id,
    v.id AS version_id,
    p.problem
   FROM (( SELECT r.*::public.bufdir_report_versions AS r,
            r.id,
            r.organization_id,
            r."position",
            r.previous_hash,
            r.signed_hash,
            r.hash,
            row_number() OVER chain AS place,
            lag(r.hash, 1, repeat('0'::text, 64)) OVER chain AS hash_before
           FROM public.bufdir_report_versions r
          WINDOW chain AS (PARTITION BY r.organization_id ORDER BY r."position")) v
     CROSS JOIN LATERAL ( VALUES (((v.hash <> stats.report_hash(v.r)) OR (NOT (EXISTS ( SELECT
                   FROM stats.complete_versions c
                  WHERE ((c.version_id = v.id) AND (stats.text_hash((c.report)::text) = (v.r).complete_hash)))))),'was changed'::text), ((v.signed_hash IS DISTINCT FROM stats.signature_hash(v.r)),'signatures were changed'::text), (((v."position" <> v.place) OR (v.previous_hash <> v.hash_before)),'does not follow the one before'::text)) p(is_found, problem))
  WHERE p.is_found
UNION ALL
 SELECT c.organization_id,
    NULL::uuid AS version_id,
    'the chain does not end where it ended'::text AS problem
   FROM stats.report_chains c
  WHERE (NOT (EXISTS ( SELECT
           FROM public.bufdir_report_versions r
          WHERE ((r.organization_id = c.organization_id) AND (r."position" = c.length) AND (r.hash = c.last_hash)))))
UNION ALL
 SELECT c.organization_id,
    NULL::uuid AS version_id,
    'a signature is missing'::text AS problem
   FROM stats.report_chains c
  WHERE (c.signature_count > ( SELECT COALESCE(sum(num_nonnulls(r.approved_at, r.sent_at)), (0)::bigint) AS "coalesce"
           FROM public.bufdir_report_versions r
          WHERE (r.organization_id = c.organization_id)));

COMMENT ON VIEW stats.report_problems IS 'Versions that are not as they were written; no row when all is well.';

CREATE VIEW stats.type_bits AS
 SELECT t.organization_id,
    t.id AS activity_type_id,
    set_bit(((repeat('0'::text, (count(*) OVER w)::integer))::bit varying)::"bit", ((row_number() OVER w)::integer - 1), 1) AS "bit",
    hash_record_extended(ROW(t.id, t.code), (0)::bigint) AS hash
   FROM public.activity_types t
  WINDOW w AS (PARTITION BY t.organization_id);

CREATE VIEW stats.report_rows AS
 SELECT a.organization_id,
    a.bucket_date,
    a.contact_id,
    a.duration_minutes,
    a.participant_count,
    a.activity_type_id,
    t."bit" AS type_bit,
    c.region_id,
    c."bit" AS region_bit,
    hash_record_extended(ROW(a.id, a.chapter_id, a.bucket_date, a.duration_minutes, a.participant_count, t.hash, c.hash), (0)::bigint) AS hash
   FROM ((stats.countable_activities a
     JOIN stats.type_bits t USING (organization_id, activity_type_id))
     JOIN stats.chapter_bits c USING (organization_id, chapter_id));

COMMENT ON VIEW stats.report_rows IS 'The activities that count as a report sees them: a bit for each type and region of their organisation, and a hash of everything of them that it shows.';

CREATE VIEW stats.totals AS
 SELECT (t.name)::name AS name,
    t.keys,
    t.key_values,
    t.conflict
   FROM ( VALUES ('daily_totals'::text,'organization_id, chapter_id, bucket_date'::text,'organization_id, chapter_id, bucket_date'::text,'chapter_id, bucket_date'::text), ('monthly_totals'::text,'organization_id, activity_month, chapter_id'::text,'organization_id, date_trunc(''month'', bucket_date::timestamp)::date, chapter_id'::text,'organization_id, activity_month, chapter_id'::text), ('peer_mentor_totals'::text,'organization_id, chapter_id, peer_mentor_id'::text,'organization_id, chapter_id, peer_mentor_id'::text,'chapter_id, peer_mentor_id'::text), ('yearly_totals'::text,'organization_id, chapter_id, period_year, peer_mentor_id, activity_type_id'::text,'organization_id, chapter_id, date_part(''year'', bucket_date)::integer, peer_mentor_id, activity_type_id'::text,'chapter_id, period_year, peer_mentor_id, activity_type_id'::text)) t(name, keys, key_values, conflict);

COMMENT ON VIEW stats.totals IS 'The totals, and how the fold, the rebuild and the audit find the keys of each.';

ALTER TABLE stats.tree_changes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stats.tree_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW stats.wrong_expenses AS
 SELECT a.id AS activity_id,
    a.unit_id AS chapter_id,
    c.approved_nok
   FROM (public.activities a
     CROSS JOIN LATERAL ( SELECT COALESCE(sum(e.amount_nok), (0)::numeric) AS approved_nok
           FROM public.expense_claims e
          WHERE ((e.activity_id = a.id) AND (e.status = 'approved'::public.expense_status))) c)
  WHERE (a.approved_expenses_nok <> c.approved_nok);

COMMENT ON VIEW stats.wrong_expenses IS 'Activities whose approved_expenses_nok is not the sum of their approved claims, and what it has to be.';

ALTER TABLE ONLY stats.activity_changes ALTER COLUMN activity_count SET DEFAULT 0;

ALTER TABLE ONLY stats.activity_changes ALTER COLUMN total_minutes SET DEFAULT 0;

ALTER TABLE ONLY stats.activity_changes ALTER COLUMN participant_count SET DEFAULT 0;

ALTER TABLE ONLY stats.activity_changes ALTER COLUMN approved_nok SET DEFAULT 0;

ALTER TABLE ONLY stats.daily_totals ALTER COLUMN activity_count SET DEFAULT 0;

ALTER TABLE ONLY stats.daily_totals ALTER COLUMN total_minutes SET DEFAULT 0;

ALTER TABLE ONLY stats.daily_totals ALTER COLUMN participant_count SET DEFAULT 0;

ALTER TABLE ONLY stats.daily_totals ALTER COLUMN approved_nok SET DEFAULT 0;

ALTER TABLE ONLY stats.monthly_totals ALTER COLUMN activity_count SET DEFAULT 0;

ALTER TABLE ONLY stats.monthly_totals ALTER COLUMN total_minutes SET DEFAULT 0;

ALTER TABLE ONLY stats.monthly_totals ALTER COLUMN participant_count SET DEFAULT 0;

ALTER TABLE ONLY stats.monthly_totals ALTER COLUMN approved_nok SET DEFAULT 0;

ALTER TABLE ONLY stats.peer_mentor_totals ALTER COLUMN activity_count SET DEFAULT 0;

ALTER TABLE ONLY stats.peer_mentor_totals ALTER COLUMN total_minutes SET DEFAULT 0;

ALTER TABLE ONLY stats.peer_mentor_totals ALTER COLUMN participant_count SET DEFAULT 0;

ALTER TABLE ONLY stats.peer_mentor_totals ALTER COLUMN approved_nok SET DEFAULT 0;

ALTER TABLE ONLY stats.yearly_totals ALTER COLUMN activity_count SET DEFAULT 0;

ALTER TABLE ONLY stats.yearly_totals ALTER COLUMN total_minutes SET DEFAULT 0;

ALTER TABLE ONLY stats.yearly_totals ALTER COLUMN participant_count SET DEFAULT 0;

ALTER TABLE ONLY stats.yearly_totals ALTER COLUMN approved_nok SET DEFAULT 0;

ALTER TABLE ONLY private.contact_pseudonyms
    ADD CONSTRAINT contact_pseudonyms_pkey PRIMARY KEY (contact_id);

ALTER TABLE ONLY private.created_extensions
    ADD CONSTRAINT created_extensions_pkey PRIMARY KEY (name);

ALTER TABLE ONLY private.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY private.deliveries
    ADD CONSTRAINT deliveries_webhook_id_key UNIQUE (webhook_id);

ALTER TABLE ONLY private.revoked_default_privileges
    ADD CONSTRAINT revoked_default_privileges_pkey PRIMARY KEY (object_type, in_public, grantee, privilege);

ALTER TABLE ONLY private.secrets
    ADD CONSTRAINT secrets_pkey PRIMARY KEY (name);

ALTER TABLE ONLY private.webhook_receipts
    ADD CONSTRAINT webhook_receipts_pkey PRIMARY KEY (webhook_id);

ALTER TABLE ONLY private.work_done
    ADD CONSTRAINT work_done_pkey PRIMARY KEY (work, subject_id);

ALTER TABLE ONLY private.work_limits
    ADD CONSTRAINT work_limits_pkey PRIMARY KEY (work);

ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.activity_history
    ADD CONSTRAINT activity_history_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.activity_types
    ADD CONSTRAINT activity_types_id_organization_id_key UNIQUE (id, organization_id);

ALTER TABLE ONLY public.activity_types
    ADD CONSTRAINT activity_types_organization_id_code_key UNIQUE (organization_id, code);

ALTER TABLE ONLY public.activity_types
    ADD CONSTRAINT activity_types_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.bufdir_category_mappings
    ADD CONSTRAINT bufdir_category_mappings_pkey PRIMARY KEY (mapping_version, activity_type_id);

ALTER TABLE ONLY public.bufdir_export_audit_log
    ADD CONSTRAINT bufdir_export_audit_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.bufdir_mapping_versions
    ADD CONSTRAINT bufdir_mapping_versions_pkey PRIMARY KEY (organization_id, mapping_version);

ALTER TABLE ONLY public.bufdir_metric_snapshots
    ADD CONSTRAINT bufdir_metric_snapshots_period UNIQUE (organization_id, period_start, period_end);

ALTER TABLE ONLY public.bufdir_metric_snapshots
    ADD CONSTRAINT bufdir_metric_snapshots_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.bufdir_report_versions
    ADD CONSTRAINT bufdir_report_versions_organization_id_period_start_period__key UNIQUE (organization_id, period_start, period_end, version);

ALTER TABLE ONLY public.bufdir_report_versions
    ADD CONSTRAINT bufdir_report_versions_organization_id_position_key UNIQUE (organization_id, "position");

ALTER TABLE ONLY public.bufdir_report_versions
    ADD CONSTRAINT bufdir_report_versions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.bufdir_thresholds
    ADD CONSTRAINT bufdir_thresholds_pkey PRIMARY KEY (organization_id, bufdir_category_code, valid_from_year);

ALTER TABLE ONLY public.chapter_assignments
    ADD CONSTRAINT chapter_assignments_pkey PRIMARY KEY (profile_id, unit_id);

ALTER TABLE ONLY public.counting_rules
    ADD CONSTRAINT counting_rules_pkey PRIMARY KEY (organization_id, activity_type_id, valid_from);

ALTER TABLE ONLY public.erasures
    ADD CONSTRAINT erasures_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.expense_claims
    ADD CONSTRAINT expense_claims_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.hierarchy_node_access
    ADD CONSTRAINT hierarchy_node_access_pkey PRIMARY KEY (unit_id);

ALTER TABLE ONLY public.hierarchy_stats_cache
    ADD CONSTRAINT hierarchy_stats_cache_pkey PRIMARY KEY (unit_id, period_year);

ALTER TABLE ONLY public.not_duplicates
    ADD CONSTRAINT not_duplicates_pkey PRIMARY KEY (activity_id, other_id);

ALTER TABLE ONLY public.organization_changes
    ADD CONSTRAINT organization_changes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.organization_settings
    ADD CONSTRAINT organization_settings_pkey PRIMARY KEY (organization_id);

ALTER TABLE ONLY public.organization_units
    ADD CONSTRAINT organization_units_id_organization_id_key UNIQUE (id, organization_id);

ALTER TABLE ONLY public.organization_units
    ADD CONSTRAINT organization_units_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_slug_key UNIQUE (slug);

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_id_organization_id_key UNIQUE (id, organization_id);

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_user_id_key UNIQUE (user_id);

ALTER TABLE ONLY public.reporting_year_log
    ADD CONSTRAINT reporting_year_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.reporting_years
    ADD CONSTRAINT reporting_years_pkey PRIMARY KEY (organization_id, year);

ALTER TABLE ONLY stats.complete_exports
    ADD CONSTRAINT complete_exports_pkey PRIMARY KEY (export_id);

ALTER TABLE ONLY stats.complete_reports
    ADD CONSTRAINT complete_reports_pkey PRIMARY KEY (snapshot_id);

ALTER TABLE ONLY stats.complete_versions
    ADD CONSTRAINT complete_versions_pkey PRIMARY KEY (version_id);

ALTER TABLE ONLY stats.daily_minutes
    ADD CONSTRAINT daily_minutes_pkey PRIMARY KEY (peer_mentor_id, activity_date);

ALTER TABLE ONLY stats.daily_totals
    ADD CONSTRAINT daily_totals_pkey PRIMARY KEY (chapter_id, bucket_date);

ALTER TABLE ONLY stats.differences
    ADD CONSTRAINT differences_pkey PRIMARY KEY (id);

ALTER TABLE ONLY stats.errors
    ADD CONSTRAINT errors_pkey PRIMARY KEY (id);

ALTER TABLE ONLY stats.joined_rules
    ADD CONSTRAINT joined_rules_pkey PRIMARY KEY (activity_type_id);

ALTER TABLE ONLY stats.marks
    ADD CONSTRAINT marks_pkey PRIMARY KEY (unit_id, period_year);

ALTER TABLE ONLY stats.monthly_totals
    ADD CONSTRAINT monthly_totals_pkey PRIMARY KEY (organization_id, activity_month, chapter_id);

ALTER TABLE ONLY stats.peer_mentor_totals
    ADD CONSTRAINT peer_mentor_totals_pkey PRIMARY KEY (chapter_id, peer_mentor_id);

ALTER TABLE ONLY stats.report_chains
    ADD CONSTRAINT report_chains_pkey PRIMARY KEY (organization_id);

ALTER TABLE ONLY stats.report_marks
    ADD CONSTRAINT report_marks_pkey PRIMARY KEY (id);

ALTER TABLE ONLY stats.report_marks
    ADD CONSTRAINT report_marks_version_id_key UNIQUE (version_id);

ALTER TABLE ONLY stats.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY stats.stats_refresh_log
    ADD CONSTRAINT stats_refresh_log_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY stats.unrefreshed_changes
    ADD CONSTRAINT unrefreshed_changes_pkey PRIMARY KEY (organization_id);

ALTER TABLE ONLY stats.yearly_totals
    ADD CONSTRAINT yearly_totals_pkey PRIMARY KEY (chapter_id, period_year, peer_mentor_id, activity_type_id);

CREATE INDEX deliveries_request_id_idx ON private.deliveries USING btree (request_id);

CREATE INDEX deliveries_unanswered_idx ON private.deliveries USING btree (sent_at) WHERE (answered_at IS NULL);

CREATE INDEX webhook_receipts_received_at_idx ON private.webhook_receipts USING btree (received_at);

CREATE INDEX activities_activity_type_id_organization_id_activity_date_idx ON public.activities USING btree (activity_type_id, organization_id, activity_date);

CREATE INDEX activities_duplicate_of_idx ON public.activities USING btree (duplicate_of) WHERE (duplicate_of IS NOT NULL);

CREATE INDEX activities_insert_number_idx ON public.activities USING btree (insert_number);

CREATE INDEX activities_organization_id_coordinator_id_month_idx ON public.activities USING btree (organization_id, coordinator_id, ((date_trunc('month'::text, (activity_date)::timestamp without time zone))::date), activity_type_id);

CREATE INDEX activities_peer_mentor_id_organization_id_unit_id_date_idx ON public.activities USING btree (peer_mentor_id, organization_id, unit_id, activity_date);

CREATE INDEX activities_registered_by_organization_id_idx ON public.activities USING btree (registered_by, organization_id);

CREATE INDEX activities_unit_id_activity_date_contact_id_idx ON public.activities USING btree (unit_id, activity_date) INCLUDE (contact_id) WHERE (is_counted AND (contact_id IS NOT NULL));

CREATE INDEX activities_unit_id_organization_id_activity_date_idx ON public.activities USING btree (unit_id, organization_id, activity_date);

CREATE INDEX activity_history_activity_id_idx ON public.activity_history USING btree (activity_id, id);

CREATE INDEX activity_history_organization_id_changed_at_idx ON public.activity_history USING btree (organization_id, changed_at);

CREATE INDEX bufdir_category_mappings_activity_type_id_idx ON public.bufdir_category_mappings USING btree (activity_type_id);

CREATE INDEX bufdir_export_audit_log_exported_by_idx ON public.bufdir_export_audit_log USING btree (exported_by);

CREATE INDEX bufdir_export_audit_log_organization_id_idx ON public.bufdir_export_audit_log USING btree (organization_id, exported_at);

CREATE INDEX bufdir_export_audit_log_version_id_idx ON public.bufdir_export_audit_log USING btree (version_id);

CREATE INDEX bufdir_report_versions_approved_by_idx ON public.bufdir_report_versions USING btree (approved_by);

CREATE INDEX bufdir_report_versions_prepared_by_idx ON public.bufdir_report_versions USING btree (prepared_by);

CREATE INDEX bufdir_report_versions_sent_by_idx ON public.bufdir_report_versions USING btree (sent_by);

CREATE UNIQUE INDEX chapter_assignments_one_primary_idx ON public.chapter_assignments USING btree (profile_id) WHERE is_primary;

CREATE INDEX chapter_assignments_profile_id_organization_id_idx ON public.chapter_assignments USING btree (profile_id, organization_id);

CREATE INDEX chapter_assignments_unit_id_organization_id_idx ON public.chapter_assignments USING btree (unit_id, organization_id);

CREATE INDEX counting_rules_activity_type_id_organization_id_idx ON public.counting_rules USING btree (activity_type_id, organization_id);

CREATE INDEX erasures_erased_by_idx ON public.erasures USING btree (erased_by);

CREATE INDEX erasures_organization_id_erased_at_idx ON public.erasures USING btree (organization_id, erased_at);

CREATE INDEX expense_claims_activity_id_idx ON public.expense_claims USING btree (activity_id);

CREATE INDEX expense_claims_decided_by_idx ON public.expense_claims USING btree (decided_by);

CREATE INDEX expense_claims_organization_id_status_idx ON public.expense_claims USING btree (organization_id, status);

CREATE INDEX hierarchy_node_access_last_read_at_idx ON public.hierarchy_node_access USING btree (last_read_at DESC);

CREATE INDEX not_duplicates_decided_by_idx ON public.not_duplicates USING btree (decided_by);

CREATE INDEX not_duplicates_organization_id_idx ON public.not_duplicates USING btree (organization_id);

CREATE INDEX not_duplicates_other_id_idx ON public.not_duplicates USING btree (other_id);

CREATE UNIQUE INDEX not_duplicates_pair_idx ON public.not_duplicates USING btree (LEAST(activity_id, other_id), GREATEST(activity_id, other_id));

CREATE INDEX organization_changes_organization_id_idx ON public.organization_changes USING btree (organization_id, id);

CREATE INDEX organization_units_name_search_idx ON public.organization_units USING gin (app.search_key(name) extensions.gin_trgm_ops);

CREATE UNIQUE INDEX organization_units_one_root_idx ON public.organization_units USING btree (organization_id) WHERE (parent_id IS NULL);

CREATE INDEX organization_units_organization_id_kind_idx ON public.organization_units USING btree (organization_id, kind);

CREATE INDEX organization_units_parent_id_organization_id_idx ON public.organization_units USING btree (parent_id, organization_id);

CREATE INDEX profiles_organization_id_role_idx ON public.profiles USING btree (organization_id, role);

CREATE INDEX reporting_year_log_changed_by_idx ON public.reporting_year_log USING btree (changed_by);

CREATE INDEX reporting_year_log_organization_id_idx ON public.reporting_year_log USING btree (organization_id, year);

CREATE INDEX reporting_years_locked_by_idx ON public.reporting_years USING btree (locked_by);

CREATE INDEX daily_totals_organization_id_bucket_date_idx ON stats.daily_totals USING btree (organization_id, bucket_date);

CREATE INDEX monthly_totals_chapter_id_idx ON stats.monthly_totals USING btree (chapter_id);

CREATE INDEX mv_activity_time_series_bucket_date_idx ON stats.mv_activity_time_series USING btree (bucket_date);

CREATE UNIQUE INDEX mv_activity_time_series_chapter_id_bucket_date_idx ON stats.mv_activity_time_series USING btree (chapter_id, bucket_date);

CREATE UNIQUE INDEX mv_chapter_stats_chapter_id_idx ON stats.mv_chapter_stats USING btree (chapter_id);

CREATE INDEX mv_peer_mentor_stats_chapter_id_idx ON stats.mv_peer_mentor_stats USING btree (chapter_id);

CREATE UNIQUE INDEX mv_peer_mentor_stats_peer_mentor_id_chapter_id_idx ON stats.mv_peer_mentor_stats USING btree (peer_mentor_id, chapter_id);

CREATE INDEX peer_mentor_totals_organization_id_idx ON stats.peer_mentor_totals USING btree (organization_id);

CREATE INDEX peer_mentor_totals_peer_mentor_id_idx ON stats.peer_mentor_totals USING btree (peer_mentor_id);

CREATE INDEX yearly_totals_organization_id_period_year_idx ON stats.yearly_totals USING btree (organization_id, period_year);

CREATE TRIGGER "A_pass_on_deleted" AFTER DELETE ON public.activities FOR EACH ROW EXECUTE FUNCTION private.pass_on();

CREATE TRIGGER activities_1_moment_given BEFORE UPDATE OF occurred_at ON public.activities FOR EACH ROW WHEN ((old.occurred_at <> new.occurred_at)) EXECUTE FUNCTION private.note_given_date('moment');

CREATE TRIGGER activities_2_date_given BEFORE UPDATE OF activity_date ON public.activities FOR EACH ROW WHEN (((old.occurred_at IS DISTINCT FROM new.occurred_at) OR (old.activity_date IS DISTINCT FROM new.activity_date))) EXECUTE FUNCTION private.note_given_date('date');

CREATE TRIGGER activities_3_judge BEFORE INSERT OR UPDATE OF organization_id, activity_type_id, occurred_at, activity_date, is_date_given, duration_minutes, participant_count, status, duplicate_of, not_counted_because ON public.activities FOR EACH ROW EXECUTE FUNCTION stats.judge_activity();

CREATE TRIGGER activities_check_duplicate BEFORE UPDATE OF duplicate_of ON public.activities FOR EACH ROW WHEN (((old.duplicate_of IS DISTINCT FROM new.duplicate_of) AND (pg_trigger_depth() = 0))) EXECUTE FUNCTION private.check_duplicate();

CREATE TRIGGER activities_keep_identity BEFORE UPDATE OF id, organization_id, peer_mentor_id, is_proxy_registered, registered_by ON public.activities FOR EACH ROW WHEN ((((((old.id IS DISTINCT FROM new.id) OR (old.organization_id IS DISTINCT FROM new.organization_id)) OR (old.peer_mentor_id IS DISTINCT FROM new.peer_mentor_id)) OR (old.is_proxy_registered IS DISTINCT FROM new.is_proxy_registered)) OR (old.registered_by IS DISTINCT FROM new.registered_by))) EXECUTE FUNCTION private.keep_identity();

CREATE TRIGGER activities_keep_locked_years AFTER INSERT OR DELETE ON public.activities FOR EACH ROW WHEN ((current_setting('role'::text) = 'authenticated'::text)) EXECUTE FUNCTION private.keep_locked_years();

CREATE TRIGGER activities_keep_locked_years_unchanged AFTER UPDATE ON public.activities FOR EACH ROW WHEN (((current_setting('role'::text) = 'authenticated'::text) AND ((CURRENT_USER = 'authenticated'::name) OR (((((((old.unit_id IS DISTINCT FROM new.unit_id) OR (old.peer_mentor_id IS DISTINCT FROM new.peer_mentor_id)) OR (old.activity_type_id IS DISTINCT FROM new.activity_type_id)) OR (old.activity_date IS DISTINCT FROM new.activity_date)) OR (old.duration_minutes IS DISTINCT FROM new.duration_minutes)) OR (old.participant_count IS DISTINCT FROM new.participant_count)) OR (old.is_counted IS DISTINCT FROM new.is_counted))))) EXECUTE FUNCTION private.keep_locked_years();

CREATE TRIGGER activities_log_deletes AFTER DELETE ON public.activities REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.log_deleted_activities();

CREATE TRIGGER activities_log_inserts AFTER INSERT ON public.activities REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.log_inserted_activities();

CREATE TRIGGER activities_log_updates AFTER UPDATE ON public.activities REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.log_updated_activities();

CREATE TRIGGER activities_pass_on_changed AFTER UPDATE OF status ON public.activities FOR EACH ROW WHEN ((old.status <> new.status)) EXECUTE FUNCTION private.pass_on();

CREATE TRIGGER activities_people_inserted BEFORE INSERT ON public.activities FOR EACH ROW EXECUTE FUNCTION private.check_activity();

CREATE TRIGGER activities_people_updated BEFORE UPDATE OF unit_id, peer_mentor_id, coordinator_id, occurred_at, activity_date ON public.activities FOR EACH ROW WHEN (((((old.unit_id IS DISTINCT FROM new.unit_id) OR (old.peer_mentor_id IS DISTINCT FROM new.peer_mentor_id)) OR (old.coordinator_id IS DISTINCT FROM new.coordinator_id)) OR (old.activity_date < new.activity_date))) EXECUTE FUNCTION private.check_activity();

CREATE TRIGGER activities_record_deletes AFTER DELETE ON public.activities REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.record_deleted_activities();

CREATE TRIGGER activities_record_updates AFTER UPDATE ON public.activities REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.record_updated_activities();

CREATE TRIGGER activities_refuse_truncate BEFORE TRUNCATE ON public.activities FOR EACH STATEMENT EXECUTE FUNCTION stats.refuse_truncate();

CREATE TRIGGER activity_history_refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.activity_history FOR EACH STATEMENT EXECUTE FUNCTION private.refuse_change();

CREATE TRIGGER activity_types_join_rules AFTER INSERT ON public.activity_types REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.join_rules_of_types();

CREATE TRIGGER activity_types_log_deletions AFTER DELETE ON public.activity_types REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.log_organization_changes();

CREATE TRIGGER activity_types_record_change AFTER INSERT OR DELETE OR UPDATE ON public.activity_types FOR EACH ROW WHEN ((auth.uid() IS NOT NULL)) EXECUTE FUNCTION private.record_organization_change();

CREATE TRIGGER bufdir_category_mappings_log_deletes AFTER DELETE ON public.bufdir_category_mappings REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.log_mapping_changes();

CREATE TRIGGER bufdir_category_mappings_log_inserts AFTER INSERT ON public.bufdir_category_mappings REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.log_mapping_changes();

CREATE TRIGGER bufdir_category_mappings_log_moved AFTER UPDATE ON public.bufdir_category_mappings REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.log_mapping_changes();

CREATE TRIGGER bufdir_category_mappings_log_updates AFTER UPDATE ON public.bufdir_category_mappings REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.log_mapping_changes();

CREATE TRIGGER bufdir_category_mappings_record_change AFTER INSERT OR DELETE OR UPDATE ON public.bufdir_category_mappings FOR EACH ROW WHEN ((auth.uid() IS NOT NULL)) EXECUTE FUNCTION private.record_organization_change();

CREATE TRIGGER bufdir_export_audit_log_refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.bufdir_export_audit_log FOR EACH STATEMENT EXECUTE FUNCTION private.refuse_change();

CREATE TRIGGER bufdir_mapping_versions_check AFTER INSERT OR UPDATE OF organization_id, mapping_version ON public.bufdir_mapping_versions FOR EACH ROW EXECUTE FUNCTION private.check_mapping_version();

CREATE TRIGGER bufdir_mapping_versions_keep_locked_years AFTER INSERT ON public.bufdir_mapping_versions FOR EACH ROW WHEN ((current_setting('role'::text) = 'authenticated'::text)) EXECUTE FUNCTION private.keep_mapping_of_locked_years();

CREATE TRIGGER bufdir_mapping_versions_log_deletes AFTER DELETE ON public.bufdir_mapping_versions REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.log_organization_changes();

CREATE TRIGGER bufdir_mapping_versions_log_inserts AFTER INSERT ON public.bufdir_mapping_versions REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.log_organization_changes();

CREATE TRIGGER bufdir_mapping_versions_log_updates AFTER UPDATE ON public.bufdir_mapping_versions REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.log_organization_changes();

CREATE TRIGGER bufdir_mapping_versions_record_change AFTER INSERT OR DELETE OR UPDATE ON public.bufdir_mapping_versions FOR EACH ROW WHEN ((auth.uid() IS NOT NULL)) EXECUTE FUNCTION private.record_organization_change();

CREATE TRIGGER bufdir_metric_snapshots_stamp BEFORE INSERT OR UPDATE ON public.bufdir_metric_snapshots FOR EACH ROW EXECUTE FUNCTION private.stamp_snapshot();

CREATE TRIGGER bufdir_report_versions_chain BEFORE INSERT ON public.bufdir_report_versions FOR EACH ROW EXECUTE FUNCTION private.chain_report_version();

CREATE TRIGGER bufdir_report_versions_refuse_removal BEFORE DELETE OR TRUNCATE ON public.bufdir_report_versions FOR EACH STATEMENT EXECUTE FUNCTION private.refuse_change();

CREATE TRIGGER bufdir_report_versions_sign BEFORE UPDATE ON public.bufdir_report_versions FOR EACH ROW EXECUTE FUNCTION private.sign_report_version();

CREATE TRIGGER bufdir_thresholds_record_change AFTER INSERT OR DELETE OR UPDATE ON public.bufdir_thresholds FOR EACH ROW WHEN ((auth.uid() IS NOT NULL)) EXECUTE FUNCTION private.record_organization_change();

CREATE TRIGGER chapter_assignments_check BEFORE INSERT OR UPDATE OF profile_id, unit_id ON public.chapter_assignments FOR EACH ROW EXECUTE FUNCTION private.check_chapter_assignment();

CREATE TRIGGER chapter_assignments_record_change AFTER INSERT OR DELETE OR UPDATE ON public.chapter_assignments FOR EACH ROW WHEN ((auth.uid() IS NOT NULL)) EXECUTE FUNCTION private.record_organization_change();

CREATE TRIGGER counting_rules_apply_deletes AFTER DELETE ON public.counting_rules REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.apply_changed_rules();

CREATE TRIGGER counting_rules_apply_inserts AFTER INSERT ON public.counting_rules REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.apply_changed_rules();

CREATE TRIGGER counting_rules_apply_moved AFTER UPDATE ON public.counting_rules REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.apply_changed_rules();

CREATE TRIGGER counting_rules_apply_updates AFTER UPDATE ON public.counting_rules REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.apply_changed_rules();

CREATE TRIGGER counting_rules_record_change AFTER INSERT OR DELETE OR UPDATE ON public.counting_rules FOR EACH ROW WHEN ((auth.uid() IS NOT NULL)) EXECUTE FUNCTION private.record_organization_change();

CREATE TRIGGER erasures_refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.erasures FOR EACH STATEMENT EXECUTE FUNCTION private.refuse_change();

CREATE TRIGGER expense_claims_complete BEFORE INSERT OR UPDATE ON public.expense_claims FOR EACH ROW EXECUTE FUNCTION private.complete_expense_claim();

CREATE TRIGGER expense_claims_sum_deleted AFTER DELETE ON public.expense_claims FOR EACH ROW WHEN ((old.status = 'approved'::public.expense_status)) EXECUTE FUNCTION private.sum_approved_expenses();

CREATE TRIGGER expense_claims_sum_inserted AFTER INSERT ON public.expense_claims FOR EACH ROW WHEN ((new.status = 'approved'::public.expense_status)) EXECUTE FUNCTION private.sum_approved_expenses();

CREATE TRIGGER expense_claims_sum_updated AFTER UPDATE ON public.expense_claims FOR EACH ROW WHEN ((((old.status IS DISTINCT FROM new.status) OR (old.amount_nok IS DISTINCT FROM new.amount_nok)) OR (old.activity_id IS DISTINCT FROM new.activity_id))) EXECUTE FUNCTION private.sum_approved_expenses();

CREATE TRIGGER organization_changes_refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.organization_changes FOR EACH STATEMENT EXECUTE FUNCTION private.refuse_change();

CREATE TRIGGER organization_settings_apply_time_zone AFTER UPDATE ON public.organization_settings FOR EACH ROW WHEN ((old.time_zone <> new.time_zone)) EXECUTE FUNCTION stats.apply_time_zone();

CREATE TRIGGER organization_settings_lock BEFORE UPDATE OF time_zone ON public.organization_settings FOR EACH STATEMENT EXECUTE FUNCTION stats.apply_time_zone();

CREATE TRIGGER organization_settings_record_change AFTER INSERT OR DELETE OR UPDATE ON public.organization_settings FOR EACH ROW WHEN ((auth.uid() IS NOT NULL)) EXECUTE FUNCTION private.record_organization_change();

CREATE TRIGGER organization_units_check_kind BEFORE UPDATE OF kind ON public.organization_units FOR EACH ROW WHEN ((old.kind <> new.kind)) EXECUTE FUNCTION private.check_unit_keeps_kind();

CREATE TRIGGER organization_units_check_tree_on_insert AFTER INSERT ON public.organization_units REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.check_unit_tree();

CREATE TRIGGER organization_units_check_tree_on_update AFTER UPDATE ON public.organization_units REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.check_unit_tree();

CREATE TRIGGER organization_units_log_deletions AFTER DELETE ON public.organization_units REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stats.log_unit_deletions();

CREATE TRIGGER organization_units_log_moves AFTER UPDATE ON public.organization_units FOR EACH ROW WHEN ((old.parent_id IS DISTINCT FROM new.parent_id)) EXECUTE FUNCTION stats.log_unit_moves();

CREATE TRIGGER organization_units_record_change AFTER INSERT OR DELETE OR UPDATE ON public.organization_units FOR EACH ROW WHEN ((auth.uid() IS NOT NULL)) EXECUTE FUNCTION private.record_organization_change();

CREATE TRIGGER organizations_create_settings AFTER INSERT ON public.organizations REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.create_organization_settings();

CREATE TRIGGER profiles_end_sessions AFTER UPDATE ON public.profiles FOR EACH ROW WHEN ((old.is_active AND (NOT new.is_active))) EXECUTE FUNCTION private.end_sessions();

CREATE TRIGGER profiles_erase_person AFTER UPDATE ON public.profiles FOR EACH ROW WHEN (((old.user_id IS NOT NULL) AND (new.user_id IS NULL))) EXECUTE FUNCTION private.erase_person();

CREATE TRIGGER profiles_forget_person BEFORE UPDATE ON public.profiles FOR EACH ROW WHEN (((old.user_id IS NOT NULL) AND (new.user_id IS NULL))) EXECUTE FUNCTION private.forget_person();

CREATE TRIGGER profiles_record_change AFTER INSERT OR DELETE OR UPDATE ON public.profiles FOR EACH ROW WHEN ((auth.uid() IS NOT NULL)) EXECUTE FUNCTION private.record_organization_change();

CREATE TRIGGER profiles_set_sign_in BEFORE INSERT ON public.profiles FOR EACH ROW WHEN (((new.user_id IS NULL) AND (new.erased_at IS NULL))) EXECUTE FUNCTION private.set_sign_in();

CREATE TRIGGER refuse_write INSTEAD OF INSERT OR DELETE OR UPDATE ON public.activity_time_series FOR EACH ROW EXECUTE FUNCTION private.refuse_view_write();

CREATE TRIGGER refuse_write INSTEAD OF INSERT OR DELETE OR UPDATE ON public.chapter_stats FOR EACH ROW EXECUTE FUNCTION private.refuse_view_write();

CREATE TRIGGER refuse_write INSTEAD OF INSERT OR DELETE OR UPDATE ON public.coordinator_monthly_stats FOR EACH ROW EXECUTE FUNCTION private.refuse_view_write();

CREATE TRIGGER refuse_write INSTEAD OF INSERT OR DELETE OR UPDATE ON public.mv_activity_time_series FOR EACH ROW EXECUTE FUNCTION private.refuse_view_write();

CREATE TRIGGER refuse_write INSTEAD OF INSERT OR DELETE OR UPDATE ON public.mv_chapter_stats FOR EACH ROW EXECUTE FUNCTION private.refuse_view_write();

CREATE TRIGGER refuse_write INSTEAD OF INSERT OR DELETE OR UPDATE ON public.mv_peer_mentor_stats FOR EACH ROW EXECUTE FUNCTION private.refuse_view_write();

CREATE TRIGGER refuse_write INSTEAD OF INSERT OR DELETE OR UPDATE ON public.peer_mentor_stats FOR EACH ROW EXECUTE FUNCTION private.refuse_view_write();

CREATE TRIGGER refuse_write INSTEAD OF INSERT OR DELETE OR UPDATE ON public.possible_duplicates FOR EACH ROW EXECUTE FUNCTION private.refuse_view_write();

CREATE TRIGGER refuse_write INSTEAD OF INSERT OR DELETE OR UPDATE ON public.stats_freshness FOR EACH ROW EXECUTE FUNCTION private.refuse_view_write();

CREATE TRIGGER reporting_year_log_refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.reporting_year_log FOR EACH STATEMENT EXECUTE FUNCTION private.refuse_change();

CREATE CONSTRAINT TRIGGER activity_changes_request_upkeep AFTER INSERT ON stats.activity_changes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.is_first) EXECUTE FUNCTION stats.request_upkeep();

CREATE TRIGGER complete_exports_refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON stats.complete_exports FOR EACH STATEMENT EXECUTE FUNCTION private.refuse_change();

CREATE TRIGGER complete_versions_refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON stats.complete_versions FOR EACH STATEMENT EXECUTE FUNCTION private.refuse_change();

CREATE TRIGGER report_marks_refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON stats.report_marks FOR EACH STATEMENT EXECUTE FUNCTION private.refuse_change();

CREATE CONSTRAINT TRIGGER tree_changes_request_upkeep AFTER INSERT ON stats.tree_changes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stats.request_upkeep();

ALTER TABLE ONLY private.work_done
    ADD CONSTRAINT work_done_work_fkey FOREIGN KEY (work) REFERENCES private.work_limits(work) ON DELETE CASCADE;

ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_activity_type_fkey FOREIGN KEY (activity_type_id, organization_id) REFERENCES public.activity_types(id, organization_id);

ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_coordinator_fkey FOREIGN KEY (organization_id, coordinator_id) REFERENCES public.profiles(organization_id, id);

ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_duplicate_of_fkey FOREIGN KEY (duplicate_of) REFERENCES public.activities(id);

ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_peer_mentor_fkey FOREIGN KEY (peer_mentor_id, organization_id) REFERENCES public.profiles(id, organization_id);

ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_registered_by_fkey FOREIGN KEY (registered_by, organization_id) REFERENCES public.profiles(id, organization_id);

ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_unit_fkey FOREIGN KEY (unit_id, organization_id) REFERENCES public.organization_units(id, organization_id);

ALTER TABLE ONLY public.activity_types
    ADD CONSTRAINT activity_types_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.bufdir_category_mappings
    ADD CONSTRAINT bufdir_category_mappings_activity_type_id_fkey FOREIGN KEY (activity_type_id) REFERENCES public.activity_types(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.bufdir_export_audit_log
    ADD CONSTRAINT bufdir_export_audit_log_exported_by_fkey FOREIGN KEY (exported_by) REFERENCES public.profiles(id);

ALTER TABLE ONLY public.bufdir_export_audit_log
    ADD CONSTRAINT bufdir_export_audit_log_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.bufdir_export_audit_log
    ADD CONSTRAINT bufdir_export_audit_log_version_id_fkey FOREIGN KEY (version_id) REFERENCES public.bufdir_report_versions(id);

ALTER TABLE ONLY public.bufdir_mapping_versions
    ADD CONSTRAINT bufdir_mapping_versions_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.bufdir_metric_snapshots
    ADD CONSTRAINT bufdir_metric_snapshots_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.bufdir_report_versions
    ADD CONSTRAINT bufdir_report_versions_approved_by_fkey FOREIGN KEY (approved_by) REFERENCES public.profiles(id);

ALTER TABLE ONLY public.bufdir_report_versions
    ADD CONSTRAINT bufdir_report_versions_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.bufdir_report_versions
    ADD CONSTRAINT bufdir_report_versions_prepared_by_fkey FOREIGN KEY (prepared_by) REFERENCES public.profiles(id);

ALTER TABLE ONLY public.bufdir_report_versions
    ADD CONSTRAINT bufdir_report_versions_sent_by_fkey FOREIGN KEY (sent_by) REFERENCES public.profiles(id);

ALTER TABLE ONLY public.bufdir_thresholds
    ADD CONSTRAINT bufdir_thresholds_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.chapter_assignments
    ADD CONSTRAINT chapter_assignments_profile_id_organization_id_fkey FOREIGN KEY (profile_id, organization_id) REFERENCES public.profiles(id, organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.chapter_assignments
    ADD CONSTRAINT chapter_assignments_unit_id_organization_id_fkey FOREIGN KEY (unit_id, organization_id) REFERENCES public.organization_units(id, organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.counting_rules
    ADD CONSTRAINT counting_rules_activity_type_fkey FOREIGN KEY (activity_type_id, organization_id) REFERENCES public.activity_types(id, organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.erasures
    ADD CONSTRAINT erasures_erased_by_fkey FOREIGN KEY (erased_by) REFERENCES public.profiles(id);

ALTER TABLE ONLY public.erasures
    ADD CONSTRAINT erasures_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.expense_claims
    ADD CONSTRAINT expense_claims_activity_id_fkey FOREIGN KEY (activity_id) REFERENCES public.activities(id);

ALTER TABLE ONLY public.expense_claims
    ADD CONSTRAINT expense_claims_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES public.profiles(id);

ALTER TABLE ONLY public.expense_claims
    ADD CONSTRAINT expense_claims_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.hierarchy_node_access
    ADD CONSTRAINT hierarchy_node_access_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES public.organization_units(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.hierarchy_stats_cache
    ADD CONSTRAINT hierarchy_stats_cache_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES public.organization_units(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.not_duplicates
    ADD CONSTRAINT not_duplicates_activity_id_fkey FOREIGN KEY (activity_id) REFERENCES public.activities(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.not_duplicates
    ADD CONSTRAINT not_duplicates_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES public.profiles(id);

ALTER TABLE ONLY public.not_duplicates
    ADD CONSTRAINT not_duplicates_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.not_duplicates
    ADD CONSTRAINT not_duplicates_other_id_fkey FOREIGN KEY (other_id) REFERENCES public.activities(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.organization_settings
    ADD CONSTRAINT organization_settings_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.organization_units
    ADD CONSTRAINT organization_units_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.organization_units
    ADD CONSTRAINT organization_units_parent_fkey FOREIGN KEY (parent_id, organization_id) REFERENCES public.organization_units(id, organization_id);

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.reporting_year_log
    ADD CONSTRAINT reporting_year_log_changed_by_fkey FOREIGN KEY (changed_by) REFERENCES public.profiles(id);

ALTER TABLE ONLY public.reporting_year_log
    ADD CONSTRAINT reporting_year_log_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY public.reporting_years
    ADD CONSTRAINT reporting_years_locked_by_fkey FOREIGN KEY (locked_by) REFERENCES public.profiles(id);

ALTER TABLE ONLY public.reporting_years
    ADD CONSTRAINT reporting_years_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY stats.complete_reports
    ADD CONSTRAINT complete_reports_snapshot_id_fkey FOREIGN KEY (snapshot_id) REFERENCES public.bufdir_metric_snapshots(id) ON DELETE CASCADE;

ALTER TABLE ONLY stats.complete_versions
    ADD CONSTRAINT complete_versions_version_id_fkey FOREIGN KEY (version_id) REFERENCES public.bufdir_report_versions(id);

ALTER TABLE ONLY stats.joined_rules
    ADD CONSTRAINT joined_rules_activity_type_id_fkey FOREIGN KEY (activity_type_id) REFERENCES public.activity_types(id) ON DELETE CASCADE;

ALTER TABLE ONLY stats.report_chains
    ADD CONSTRAINT report_chains_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations(id);

ALTER TABLE ONLY stats.report_marks
    ADD CONSTRAINT report_marks_version_id_fkey FOREIGN KEY (version_id) REFERENCES public.bufdir_report_versions(id);

ALTER TABLE private.contact_pseudonyms ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.created_extensions ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.deliveries ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.revoked_default_privileges ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.secrets ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.webhook_receipts ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.work_done ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.work_limits ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.activities ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.activity_history ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.activity_types ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.bufdir_category_mappings ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.bufdir_export_audit_log ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.bufdir_mapping_versions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.bufdir_metric_snapshots ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.bufdir_report_versions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.bufdir_thresholds ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.chapter_assignments ENABLE ROW LEVEL SECURITY;

CREATE POLICY "coordinators and org admins delete their organisation's snapsho" ON public.bufdir_metric_snapshots FOR DELETE TO authenticated USING (((organization_id = ( SELECT app.statistics_org_id() AS statistics_org_id)) AND (( SELECT app.profile_role() AS profile_role) = ANY (ARRAY['coordinator'::public.profile_role, 'org_admin'::public.profile_role]))));

CREATE POLICY "coordinators and org admins read the history of their chapters" ON public.activity_history FOR SELECT TO authenticated USING (((organization_id = ( SELECT app.member_org_id() AS member_org_id)) AND ((( SELECT app.profile_role() AS profile_role) = 'org_admin'::public.profile_role) OR (((before ->> 'unit_id'::text))::uuid = ANY (ARRAY( SELECT app.visible_chapter_ids() AS visible_chapter_ids))) OR (((after ->> 'unit_id'::text))::uuid = ANY (ARRAY( SELECT app.visible_chapter_ids() AS visible_chapter_ids))))));

CREATE POLICY "coordinators and org admins read their organisation's exports" ON public.bufdir_export_audit_log FOR SELECT TO authenticated USING (((organization_id = ( SELECT app.member_org_id() AS member_org_id)) AND (( SELECT app.profile_role() AS profile_role) = ANY (ARRAY['coordinator'::public.profile_role, 'org_admin'::public.profile_role]))));

CREATE POLICY "coordinators and org admins read their organisation's reports" ON public.bufdir_report_versions FOR SELECT TO authenticated USING (((organization_id = ( SELECT app.statistics_org_id() AS statistics_org_id)) AND (( SELECT app.profile_role() AS profile_role) = ANY (ARRAY['coordinator'::public.profile_role, 'org_admin'::public.profile_role]))));

CREATE POLICY "coordinators and org admins read who locked their years" ON public.reporting_year_log FOR SELECT TO authenticated USING (((organization_id = ( SELECT app.member_org_id() AS member_org_id)) AND (( SELECT app.profile_role() AS profile_role) = ANY (ARRAY['coordinator'::public.profile_role, 'org_admin'::public.profile_role]))));

CREATE POLICY "coordinators decide on the expenses of their chapters" ON public.expense_claims FOR UPDATE TO authenticated USING ((EXISTS ( SELECT
   FROM public.activities a
  WHERE ((a.id = expense_claims.activity_id) AND (a.unit_id = ANY (ARRAY( SELECT app.visible_chapter_ids() AS visible_chapter_ids))) AND (a.peer_mentor_id <> ( SELECT app.profile_id() AS profile_id)))))) WITH CHECK ((organization_id = ( SELECT app.member_org_id() AS member_org_id)));

ALTER TABLE public.counting_rules ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.erasures ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.expense_claims ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.hierarchy_node_access ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.hierarchy_stats_cache ENABLE ROW LEVEL SECURITY;

CREATE POLICY "members read their organisation" ON public.organizations FOR SELECT TO authenticated USING ((id = ( SELECT app.member_org_id() AS member_org_id)));

CREATE POLICY "members read their organisation's activity types" ON public.activity_types FOR SELECT TO authenticated USING ((organization_id = ( SELECT app.member_org_id() AS member_org_id)));

CREATE POLICY "members read their organisation's category mappings" ON public.bufdir_category_mappings FOR SELECT TO authenticated USING ((activity_type_id IN ( SELECT t.id
   FROM public.activity_types t
  WHERE (t.organization_id = ( SELECT app.member_org_id() AS member_org_id)))));

CREATE POLICY "members read their organisation's counting rules" ON public.counting_rules FOR SELECT TO authenticated USING ((organization_id = ( SELECT app.member_org_id() AS member_org_id)));

CREATE POLICY "members read their organisation's mapping versions" ON public.bufdir_mapping_versions FOR SELECT TO authenticated USING ((organization_id = ( SELECT app.member_org_id() AS member_org_id)));

CREATE POLICY "members read their organisation's settings" ON public.organization_settings FOR SELECT TO authenticated USING ((organization_id = ( SELECT app.member_org_id() AS member_org_id)));

CREATE POLICY "members read their organisation's snapshots" ON public.bufdir_metric_snapshots FOR SELECT TO authenticated USING ((organization_id = ( SELECT app.statistics_org_id() AS statistics_org_id)));

CREATE POLICY "members read their organisation's thresholds" ON public.bufdir_thresholds FOR SELECT TO authenticated USING ((organization_id = ( SELECT app.member_org_id() AS member_org_id)));

CREATE POLICY "members read their organisation's units" ON public.organization_units FOR SELECT TO authenticated USING ((organization_id = ( SELECT app.member_org_id() AS member_org_id)));

CREATE POLICY "members read their organisation's years" ON public.reporting_years FOR SELECT TO authenticated USING ((organization_id = ( SELECT app.member_org_id() AS member_org_id)));

CREATE POLICY "members rename themselves" ON public.profiles FOR UPDATE TO authenticated USING ((id = ( SELECT app.profile_id() AS profile_id))) WITH CHECK ((id = ( SELECT app.profile_id() AS profile_id)));

ALTER TABLE public.not_duplicates ENABLE ROW LEVEL SECURITY;

CREATE POLICY "org admins assign people" ON public.chapter_assignments FOR INSERT TO authenticated WITH CHECK ((unit_id = ANY (ARRAY( SELECT app.administered_unit_ids() AS administered_unit_ids))));

CREATE POLICY "org admins change settings" ON public.organization_settings FOR UPDATE TO authenticated USING ((organization_id = ( SELECT app.administered_org_id() AS administered_org_id)));

CREATE POLICY "org admins change thresholds" ON public.bufdir_thresholds FOR UPDATE TO authenticated USING ((organization_id = ( SELECT app.administered_org_id() AS administered_org_id)));

CREATE POLICY "org admins change units" ON public.organization_units FOR UPDATE TO authenticated USING ((organization_id = ( SELECT app.administered_org_id() AS administered_org_id))) WITH CHECK ((organization_id = ( SELECT app.administered_org_id() AS administered_org_id)));

CREATE POLICY "org admins make activity types" ON public.activity_types FOR INSERT TO authenticated WITH CHECK ((organization_id = ( SELECT app.administered_org_id() AS administered_org_id)));

CREATE POLICY "org admins make counting rules" ON public.counting_rules FOR INSERT TO authenticated WITH CHECK ((organization_id = ( SELECT app.administered_org_id() AS administered_org_id)));

CREATE POLICY "org admins make units" ON public.organization_units FOR INSERT TO authenticated WITH CHECK ((organization_id = ( SELECT app.administered_org_id() AS administered_org_id)));

CREATE POLICY "org admins name the primary chapter" ON public.chapter_assignments FOR UPDATE TO authenticated USING ((unit_id = ANY (ARRAY( SELECT app.administered_unit_ids() AS administered_unit_ids))));

CREATE POLICY "org admins publish mapping versions" ON public.bufdir_mapping_versions FOR INSERT TO authenticated WITH CHECK (((organization_id = ( SELECT app.administered_org_id() AS administered_org_id)) AND ((valid_from_year)::numeric >= (EXTRACT(year FROM now()) - (1)::numeric))));

CREATE POLICY "org admins read their organisation's erasures" ON public.erasures FOR SELECT TO authenticated USING (((organization_id = ( SELECT app.member_org_id() AS member_org_id)) AND (( SELECT app.profile_role() AS profile_role) = 'org_admin'::public.profile_role)));

CREATE POLICY "org admins read what was changed in their organisation" ON public.organization_changes FOR SELECT TO authenticated USING (((organization_id = ( SELECT app.member_org_id() AS member_org_id)) AND (( SELECT app.profile_role() AS profile_role) = 'org_admin'::public.profile_role)));

CREATE POLICY "org admins remove units" ON public.organization_units FOR DELETE TO authenticated USING ((organization_id = ( SELECT app.administered_org_id() AS administered_org_id)));

CREATE POLICY "org admins remove unpublished categories" ON public.bufdir_category_mappings FOR DELETE TO authenticated USING (app.may_map(activity_type_id, mapping_version));

CREATE POLICY "org admins rename activity types" ON public.activity_types FOR UPDATE TO authenticated USING ((organization_id = ( SELECT app.administered_org_id() AS administered_org_id)));

CREATE POLICY "org admins set thresholds" ON public.bufdir_thresholds FOR INSERT TO authenticated WITH CHECK ((organization_id = ( SELECT app.administered_org_id() AS administered_org_id)));

CREATE POLICY "org admins take assignments back" ON public.chapter_assignments FOR DELETE TO authenticated USING ((unit_id = ANY (ARRAY( SELECT app.administered_unit_ids() AS administered_unit_ids))));

CREATE POLICY "org admins take counting rules back" ON public.counting_rules FOR DELETE TO authenticated USING ((organization_id = ( SELECT app.administered_org_id() AS administered_org_id)));

CREATE POLICY "org admins write unpublished categories" ON public.bufdir_category_mappings FOR INSERT TO authenticated WITH CHECK (app.may_map(activity_type_id, mapping_version));

ALTER TABLE public.organization_changes ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.organization_settings ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.organization_units ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.organizations ENABLE ROW LEVEL SECURITY;

CREATE POLICY "people claim expenses of their own activities" ON public.expense_claims FOR INSERT TO authenticated WITH CHECK (((organization_id = ( SELECT app.member_org_id() AS member_org_id)) AND (status = 'pending'::public.expense_status) AND (EXISTS ( SELECT
   FROM public.activities a
  WHERE ((a.id = expense_claims.activity_id) AND (a.peer_mentor_id = ( SELECT app.profile_id() AS profile_id)))))));

CREATE POLICY "people correct their own and their chapters' activities" ON public.activities FOR UPDATE TO authenticated USING ((((peer_mentor_id = ( SELECT app.profile_id() AS profile_id)) AND (status <> 'rejected'::public.activity_status)) OR (unit_id = ANY (ARRAY( SELECT app.visible_chapter_ids() AS visible_chapter_ids))))) WITH CHECK ((((peer_mentor_id = ( SELECT app.profile_id() AS profile_id)) AND (status <> 'rejected'::public.activity_status) AND (unit_id = ANY (ARRAY( SELECT app.assigned_chapter_ids() AS assigned_chapter_ids)))) OR (unit_id = ANY (ARRAY( SELECT app.visible_chapter_ids() AS visible_chapter_ids)))));

CREATE POLICY "people delete their own and their chapters' activities" ON public.activities FOR DELETE TO authenticated USING ((((peer_mentor_id = ( SELECT app.profile_id() AS profile_id)) AND (status <> 'rejected'::public.activity_status)) OR (unit_id = ANY (ARRAY( SELECT app.visible_chapter_ids() AS visible_chapter_ids)))));

CREATE POLICY "people read the decisions on activities they read" ON public.not_duplicates FOR SELECT TO authenticated USING (((organization_id = ( SELECT app.member_org_id() AS member_org_id)) AND (EXISTS ( SELECT
   FROM public.activities a
  WHERE (a.id = not_duplicates.activity_id))) AND (EXISTS ( SELECT
   FROM public.activities a
  WHERE (a.id = not_duplicates.other_id)))));

CREATE POLICY "people read the expenses of the activities they read" ON public.expense_claims FOR SELECT TO authenticated USING (((organization_id = ( SELECT app.member_org_id() AS member_org_id)) AND (EXISTS ( SELECT
   FROM public.activities a
  WHERE (a.id = expense_claims.activity_id)))));

CREATE POLICY "people read their own activities and those of their chapters" ON public.activities FOR SELECT TO authenticated USING (((peer_mentor_id = ( SELECT app.profile_id() AS profile_id)) OR (unit_id = ANY (ARRAY( SELECT app.visible_chapter_ids() AS visible_chapter_ids)))));

CREATE POLICY "people read their own assignments and those of their chapters" ON public.chapter_assignments FOR SELECT TO authenticated USING (((profile_id = ( SELECT app.profile_id() AS profile_id)) OR (unit_id = ANY (ARRAY( SELECT app.visible_chapter_ids() AS visible_chapter_ids)))));

CREATE POLICY "people read themselves and those they follow up" ON public.profiles FOR SELECT TO authenticated USING (((id = ( SELECT auth.uid() AS uid)) OR ((organization_id = ( SELECT app.member_org_id() AS member_org_id)) AND (( SELECT app.profile_role() AS profile_role) = 'org_admin'::public.profile_role)) OR ((organization_id = ( SELECT app.member_org_id() AS member_org_id)) AND (id = ANY (ARRAY( SELECT a.profile_id
   FROM public.chapter_assignments a
  WHERE (a.unit_id = ANY (ARRAY( SELECT app.visible_chapter_ids() AS visible_chapter_ids)))))))));

CREATE POLICY "people register for themselves, coordinators also by proxy" ON public.activities FOR INSERT TO authenticated WITH CHECK (((organization_id = ( SELECT app.member_org_id() AS member_org_id)) AND (registered_by = ( SELECT app.profile_id() AS profile_id)) AND
CASE
    WHEN is_proxy_registered THEN (unit_id = ANY (ARRAY( SELECT app.visible_chapter_ids() AS visible_chapter_ids)))
    ELSE (unit_id = ANY (ARRAY( SELECT app.assigned_chapter_ids() AS assigned_chapter_ids)))
END));

CREATE POLICY "people withdraw their pending expenses" ON public.expense_claims FOR DELETE TO authenticated USING (((status = 'pending'::public.expense_status) AND (EXISTS ( SELECT
   FROM public.activities a
  WHERE ((a.id = expense_claims.activity_id) AND (a.peer_mentor_id = ( SELECT app.profile_id() AS profile_id)))))));

ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.reporting_year_log ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.reporting_years ENABLE ROW LEVEL SECURITY;

CREATE POLICY "who follows up both decides" ON public.not_duplicates FOR INSERT TO authenticated WITH CHECK (((organization_id = ( SELECT app.member_org_id() AS member_org_id)) AND (decided_by = ( SELECT app.profile_id() AS profile_id)) AND (2 = ( SELECT count(*) AS count
   FROM public.activities a
  WHERE ((a.id = ANY (ARRAY[not_duplicates.activity_id, not_duplicates.other_id])) AND (a.unit_id = ANY (ARRAY( SELECT app.visible_chapter_ids() AS visible_chapter_ids))))))));

CREATE POLICY "who follows up both decides otherwise" ON public.not_duplicates FOR DELETE TO authenticated USING ((2 = ( SELECT count(*) AS count
   FROM public.activities a
  WHERE ((a.id = ANY (ARRAY[not_duplicates.activity_id, not_duplicates.other_id])) AND (a.unit_id = ANY (ARRAY( SELECT app.visible_chapter_ids() AS visible_chapter_ids)))))));

ALTER TABLE stats.activity_changes ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.complete_exports ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.complete_reports ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.complete_versions ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.daily_minutes ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.daily_totals ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.differences ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.errors ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.joined_rules ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.marks ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.measures ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.monthly_totals ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.peer_mentor_totals ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.report_chains ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.report_marks ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.settings ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.stats_refresh_log ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.tree_changes ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.unrefreshed_changes ENABLE ROW LEVEL SECURITY;

ALTER TABLE stats.yearly_totals ENABLE ROW LEVEL SECURITY;

GRANT USAGE ON SCHEMA app TO authenticated;
GRANT USAGE ON SCHEMA app TO service_role;
GRANT USAGE ON SCHEMA app TO anon;

GRANT USAGE ON SCHEMA public TO anon;
GRANT USAGE ON SCHEMA public TO authenticated;
GRANT USAGE ON SCHEMA public TO service_role;

REVOKE ALL ON FUNCTION app.current_org_id() FROM PUBLIC;
GRANT ALL ON FUNCTION app.current_org_id() TO authenticated;

REVOKE ALL ON FUNCTION app.require_shallow_query() FROM PUBLIC;

GRANT SELECT ON TABLE public.profiles TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.profiles TO service_role;

GRANT UPDATE(display_name) ON TABLE public.profiles TO authenticated;

REVOKE ALL ON FUNCTION app.member_org_id() FROM PUBLIC;
GRANT ALL ON FUNCTION app.member_org_id() TO authenticated;

REVOKE ALL ON FUNCTION app.profile_id() FROM PUBLIC;
GRANT ALL ON FUNCTION app.profile_id() TO authenticated;

REVOKE ALL ON FUNCTION app.profile_role() FROM PUBLIC;
GRANT ALL ON FUNCTION app.profile_role() TO authenticated;

REVOKE ALL ON FUNCTION app.administered_org_id() FROM PUBLIC;
GRANT ALL ON FUNCTION app.administered_org_id() TO authenticated;

GRANT SELECT,DELETE ON TABLE public.organization_units TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.organization_units TO service_role;

GRANT INSERT(id) ON TABLE public.organization_units TO authenticated;

GRANT INSERT(organization_id) ON TABLE public.organization_units TO authenticated;

GRANT INSERT(parent_id),UPDATE(parent_id) ON TABLE public.organization_units TO authenticated;

GRANT INSERT(kind),UPDATE(kind) ON TABLE public.organization_units TO authenticated;

GRANT INSERT(name),UPDATE(name) ON TABLE public.organization_units TO authenticated;

GRANT INSERT(closed_on),UPDATE(closed_on) ON TABLE public.organization_units TO authenticated;

REVOKE ALL ON FUNCTION app.administered_unit_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION app.administered_unit_ids() TO authenticated;

REVOKE ALL ON FUNCTION app.administers(p_organization_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.approve_report(p_version_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.approve_report(p_version_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION app.assign_chapters(p_profile_id uuid, p_chapter_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION app.assign_chapters(p_profile_id uuid, p_chapter_ids uuid[]) TO authenticated;

GRANT SELECT,DELETE ON TABLE public.chapter_assignments TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.chapter_assignments TO service_role;

GRANT INSERT(profile_id) ON TABLE public.chapter_assignments TO authenticated;

GRANT INSERT(unit_id) ON TABLE public.chapter_assignments TO authenticated;

GRANT INSERT(organization_id) ON TABLE public.chapter_assignments TO authenticated;

GRANT INSERT(is_primary),UPDATE(is_primary) ON TABLE public.chapter_assignments TO authenticated;

REVOKE ALL ON FUNCTION app.assigned_chapter_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION app.assigned_chapter_ids() TO authenticated;

REVOKE ALL ON FUNCTION app.assignments_of(p_chapter_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION app.assignments_of(p_chapter_ids uuid[]) TO authenticated;

REVOKE ALL ON FUNCTION app.check_request() FROM PUBLIC;
GRANT ALL ON FUNCTION app.check_request() TO anon;
GRANT ALL ON FUNCTION app.check_request() TO authenticated;
GRANT ALL ON FUNCTION app.check_request() TO service_role;

REVOKE ALL ON FUNCTION app.compute_metric_snapshot(p_period_start date, p_period_end date) FROM PUBLIC;
GRANT ALL ON FUNCTION app.compute_metric_snapshot(p_period_start date, p_period_end date) TO authenticated;

REVOKE ALL ON FUNCTION app.erase_contact(p_contact_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.erase_contact(p_contact_id uuid) TO authenticated;
GRANT ALL ON FUNCTION app.erase_contact(p_contact_id uuid) TO service_role;

REVOKE ALL ON FUNCTION app.erase_person(p_profile_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.erase_person(p_profile_id uuid) TO authenticated;
GRANT ALL ON FUNCTION app.erase_person(p_profile_id uuid) TO service_role;

REVOKE ALL ON FUNCTION app.explain_report_difference(p_version_id uuid, p_against uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.explain_report_difference(p_version_id uuid, p_against uuid) TO authenticated;

REVOKE ALL ON FUNCTION app.export_bufdir_snapshot(p_period_start date, p_period_end date) FROM PUBLIC;
GRANT ALL ON FUNCTION app.export_bufdir_snapshot(p_period_start date, p_period_end date) TO authenticated;

REVOKE ALL ON FUNCTION app.export_person(p_profile_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.export_person(p_profile_id uuid) TO authenticated;
GRANT ALL ON FUNCTION app.export_person(p_profile_id uuid) TO service_role;

REVOKE ALL ON FUNCTION app.export_report_version(p_version_id uuid, p_format text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.export_report_version(p_version_id uuid, p_format text) TO authenticated;

REVOKE ALL ON FUNCTION app.first_day(p_day date, p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.first_day(p_day date, p_year integer) TO authenticated;

REVOKE ALL ON FUNCTION app.generate_bufdir_report(p_org_id uuid, p_period_start date, p_period_end date, p_mapping_version integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.generate_bufdir_report(p_org_id uuid, p_period_start date, p_period_end date, p_mapping_version integer) TO authenticated;

REVOKE ALL ON FUNCTION app.get_activity_series(p_from date, p_to date, p_bucket text, p_chapter_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION app.get_activity_series(p_from date, p_to date, p_bucket text, p_chapter_ids uuid[]) TO authenticated;

REVOKE ALL ON FUNCTION app.get_bufdir_alignment(p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.get_bufdir_alignment(p_year integer) TO authenticated;

REVOKE ALL ON FUNCTION app.get_hierarchy_stats(p_unit_id uuid, p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.get_hierarchy_stats(p_unit_id uuid, p_year integer) TO authenticated;

REVOKE ALL ON FUNCTION app.get_metric_snapshot(p_period_start date, p_period_end date) FROM PUBLIC;
GRANT ALL ON FUNCTION app.get_metric_snapshot(p_period_start date, p_period_end date) TO authenticated;

REVOKE ALL ON FUNCTION app.get_report_remarks(p_period_start date, p_period_end date) FROM PUBLIC;
GRANT ALL ON FUNCTION app.get_report_remarks(p_period_start date, p_period_end date) TO authenticated;

REVOKE ALL ON FUNCTION app.get_report_versions(p_period_start date, p_period_end date) FROM PUBLIC;
GRANT ALL ON FUNCTION app.get_report_versions(p_period_start date, p_period_end date) TO authenticated;

REVOKE ALL ON FUNCTION app.get_sign_ins() FROM PUBLIC;
GRANT ALL ON FUNCTION app.get_sign_ins() TO authenticated;

REVOKE ALL ON FUNCTION app.get_snapshot_status(p_period_start date, p_period_end date) FROM PUBLIC;
GRANT ALL ON FUNCTION app.get_snapshot_status(p_period_start date, p_period_end date) TO authenticated;

REVOKE ALL ON FUNCTION app.hide_small_groups(p_report jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.import_activities(p_rows jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION app.import_activities(p_rows jsonb) TO authenticated;

REVOKE ALL ON FUNCTION app.import_sentence(p_problem text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION app.import_sentence(p_problem text[]) TO authenticated;

REVOKE ALL ON FUNCTION app.import_line(p_line integer, p_name text, p_outcome text, p_problem text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION app.import_line(p_line integer, p_name text, p_outcome text, p_problem text[]) TO authenticated;

REVOKE ALL ON FUNCTION app.import_people(p_rows jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION app.import_people(p_rows jsonb) TO authenticated;

REVOKE ALL ON FUNCTION app.import_person(p_id uuid, p_name text, p_role public.profile_role, p_is_active boolean, p_chapter_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION app.import_person(p_id uuid, p_name text, p_role public.profile_role, p_is_active boolean, p_chapter_ids uuid[]) TO authenticated;

REVOKE ALL ON FUNCTION app.import_rows(p_kind text, p_rows jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION app.import_rows(p_kind text, p_rows jsonb) TO authenticated;

REVOKE ALL ON FUNCTION app.import_units(p_rows jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION app.import_units(p_rows jsonb) TO authenticated;

REVOKE ALL ON FUNCTION app.is_aggregate_only(p_value jsonb, p_key text) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.is_time_zone(p_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.is_time_zone(p_name text) TO service_role;
GRANT ALL ON FUNCTION app.is_time_zone(p_name text) TO authenticated;

GRANT SELECT ON TABLE public.activity_types TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.activity_types TO service_role;

GRANT INSERT(id) ON TABLE public.activity_types TO authenticated;

GRANT INSERT(organization_id) ON TABLE public.activity_types TO authenticated;

GRANT INSERT(code) ON TABLE public.activity_types TO authenticated;

GRANT INSERT(label),UPDATE(label) ON TABLE public.activity_types TO authenticated;

GRANT SELECT ON TABLE public.bufdir_mapping_versions TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.bufdir_mapping_versions TO service_role;

GRANT INSERT(organization_id) ON TABLE public.bufdir_mapping_versions TO authenticated;

GRANT INSERT(mapping_version) ON TABLE public.bufdir_mapping_versions TO authenticated;

GRANT INSERT(valid_from_year) ON TABLE public.bufdir_mapping_versions TO authenticated;

REVOKE ALL ON FUNCTION app.may_map(p_activity_type_id uuid, p_mapping_version integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.may_map(p_activity_type_id uuid, p_mapping_version integer) TO authenticated;

REVOKE ALL ON FUNCTION app.statistics_chapter_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION app.statistics_chapter_ids() TO authenticated;

REVOKE ALL ON FUNCTION app.statistics_org_id() FROM PUBLIC;
GRANT ALL ON FUNCTION app.statistics_org_id() TO authenticated;

REVOKE ALL ON FUNCTION stats.hours(p_minutes bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION stats.hours(p_minutes bigint) TO authenticated;
GRANT ALL ON FUNCTION stats.hours(p_minutes bigint) TO service_role;

GRANT SELECT,DELETE ON TABLE public.activities TO authenticated;
GRANT SELECT,DELETE ON TABLE public.activities TO service_role;

GRANT INSERT(id),UPDATE(id) ON TABLE public.activities TO authenticated;
GRANT INSERT(id),UPDATE(id) ON TABLE public.activities TO service_role;

GRANT INSERT(organization_id),UPDATE(organization_id) ON TABLE public.activities TO authenticated;
GRANT INSERT(organization_id),UPDATE(organization_id) ON TABLE public.activities TO service_role;

GRANT INSERT(unit_id),UPDATE(unit_id) ON TABLE public.activities TO authenticated;
GRANT INSERT(unit_id),UPDATE(unit_id) ON TABLE public.activities TO service_role;

GRANT INSERT(peer_mentor_id),UPDATE(peer_mentor_id) ON TABLE public.activities TO authenticated;
GRANT INSERT(peer_mentor_id),UPDATE(peer_mentor_id) ON TABLE public.activities TO service_role;

GRANT INSERT(coordinator_id),UPDATE(coordinator_id) ON TABLE public.activities TO authenticated;
GRANT INSERT(coordinator_id),UPDATE(coordinator_id) ON TABLE public.activities TO service_role;

GRANT INSERT(activity_type_id),UPDATE(activity_type_id) ON TABLE public.activities TO authenticated;
GRANT INSERT(activity_type_id),UPDATE(activity_type_id) ON TABLE public.activities TO service_role;

GRANT INSERT(occurred_at),UPDATE(occurred_at) ON TABLE public.activities TO authenticated;
GRANT INSERT(occurred_at),UPDATE(occurred_at) ON TABLE public.activities TO service_role;

GRANT INSERT(activity_date),UPDATE(activity_date) ON TABLE public.activities TO authenticated;
GRANT INSERT(activity_date),UPDATE(activity_date) ON TABLE public.activities TO service_role;

GRANT INSERT(recorded_at),UPDATE(recorded_at) ON TABLE public.activities TO service_role;

GRANT INSERT(duration_minutes),UPDATE(duration_minutes) ON TABLE public.activities TO authenticated;
GRANT INSERT(duration_minutes),UPDATE(duration_minutes) ON TABLE public.activities TO service_role;

GRANT INSERT(participant_count),UPDATE(participant_count) ON TABLE public.activities TO authenticated;
GRANT INSERT(participant_count),UPDATE(participant_count) ON TABLE public.activities TO service_role;

GRANT INSERT(contact_id),UPDATE(contact_id) ON TABLE public.activities TO authenticated;
GRANT INSERT(contact_id),UPDATE(contact_id) ON TABLE public.activities TO service_role;

GRANT INSERT(is_proxy_registered),UPDATE(is_proxy_registered) ON TABLE public.activities TO authenticated;
GRANT INSERT(is_proxy_registered),UPDATE(is_proxy_registered) ON TABLE public.activities TO service_role;

GRANT INSERT(registered_by),UPDATE(registered_by) ON TABLE public.activities TO authenticated;
GRANT INSERT(registered_by),UPDATE(registered_by) ON TABLE public.activities TO service_role;

GRANT INSERT(status),UPDATE(status) ON TABLE public.activities TO authenticated;
GRANT INSERT(status),UPDATE(status) ON TABLE public.activities TO service_role;

GRANT UPDATE(duplicate_of) ON TABLE public.activities TO authenticated;
GRANT UPDATE(duplicate_of) ON TABLE public.activities TO service_role;

GRANT INSERT(summary),UPDATE(summary) ON TABLE public.activities TO authenticated;
GRANT INSERT(summary),UPDATE(summary) ON TABLE public.activities TO service_role;

GRANT SELECT ON TABLE stats.visible_coordinator_monthly_stats TO authenticated;

GRANT SELECT ON TABLE public.coordinator_monthly_stats TO authenticated;

REVOKE ALL ON FUNCTION app.monthly_series(p_coordinator_id uuid, p_from date, p_to date) FROM PUBLIC;
GRANT ALL ON FUNCTION app.monthly_series(p_coordinator_id uuid, p_from date, p_to date) TO authenticated;

REVOKE ALL ON FUNCTION app.period_warnings(p_end date) FROM PUBLIC;
GRANT ALL ON FUNCTION app.period_warnings(p_end date) TO authenticated;

REVOKE ALL ON FUNCTION app.stable_id(VARIADIC p_words text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION app.stable_id(VARIADIC p_words text[]) TO authenticated;

REVOKE ALL ON FUNCTION app.to_day(p_text text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.to_day(p_text text) TO authenticated;

GRANT SELECT ON TABLE public.activity_history TO authenticated;
GRANT SELECT ON TABLE public.activity_history TO service_role;

GRANT SELECT ON TABLE public.organization_settings TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.organization_settings TO service_role;

GRANT UPDATE(max_chapter_assignments) ON TABLE public.organization_settings TO authenticated;

GRANT UPDATE(warm_up_enabled) ON TABLE public.organization_settings TO authenticated;

GRANT UPDATE(snapshot_max_age) ON TABLE public.organization_settings TO authenticated;

GRANT UPDATE(statistics_enabled) ON TABLE public.organization_settings TO authenticated;

GRANT UPDATE(time_zone) ON TABLE public.organization_settings TO authenticated;

GRANT UPDATE(two_person_sign_off) ON TABLE public.organization_settings TO authenticated;

GRANT SELECT ON TABLE public.organizations TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.organizations TO service_role;

GRANT SELECT ON TABLE public.reporting_years TO authenticated;

REVOKE ALL ON FUNCTION app.plan_activities(p_rows jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION app.plan_activities(p_rows jsonb) TO authenticated;

REVOKE ALL ON FUNCTION app.plan_people(p_rows jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION app.plan_people(p_rows jsonb) TO authenticated;

REVOKE ALL ON FUNCTION app.plan_units(p_rows jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION app.plan_units(p_rows jsonb) TO authenticated;

REVOKE ALL ON FUNCTION app.prepare_report(p_period_start date, p_period_end date) FROM PUBLIC;
GRANT ALL ON FUNCTION app.prepare_report(p_period_start date, p_period_end date) TO authenticated;

REVOKE ALL ON FUNCTION app.read_hierarchy_stats(p_unit_id uuid, p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.read_hierarchy_stats(p_unit_id uuid, p_year integer) TO authenticated;

REVOKE ALL ON FUNCTION app.visible_chapter_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION app.visible_chapter_ids() TO authenticated;

REVOKE ALL ON FUNCTION app.readable_unit(p_unit_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.reads_whole_organization() FROM PUBLIC;

GRANT SELECT ON TABLE public.hierarchy_node_access TO service_role;

REVOKE ALL ON FUNCTION app.recent_unit_ids(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.recent_unit_ids(p_limit integer) TO authenticated;

REVOKE ALL ON FUNCTION app.refuse(p_status integer, p_code text, p_message text, p_retry_after interval) FROM PUBLIC;
GRANT ALL ON FUNCTION app.refuse(p_status integer, p_code text, p_message text, p_retry_after interval) TO anon;
GRANT ALL ON FUNCTION app.refuse(p_status integer, p_code text, p_message text, p_retry_after interval) TO authenticated;
GRANT ALL ON FUNCTION app.refuse(p_status integer, p_code text, p_message text, p_retry_after interval) TO service_role;

REVOKE ALL ON FUNCTION app.require_readable_unit(p_unit_id uuid, p_year integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.require_report(p_org_id uuid, p_period_start date, p_period_end date, p_refusal text) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.require_report_access(p_org_id uuid, p_period_start date, p_period_end date, p_refusal text) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.save_metric_snapshot(p_period_start date, p_period_end date) FROM PUBLIC;
GRANT ALL ON FUNCTION app.save_metric_snapshot(p_period_start date, p_period_end date) TO authenticated;

REVOKE ALL ON FUNCTION app.save_person(p_id uuid, p_display_name text, p_role public.profile_role, p_is_active boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION app.save_person(p_id uuid, p_display_name text, p_role public.profile_role, p_is_active boolean) TO authenticated;

REVOKE ALL ON FUNCTION app.search_key(p_text text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.search_key(p_text text) TO service_role;
GRANT ALL ON FUNCTION app.search_key(p_text text) TO authenticated;

REVOKE ALL ON FUNCTION app.send_report(p_version_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.send_report(p_version_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION app.set_year_lock(p_year integer, p_is_locked boolean, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.set_year_lock(p_year integer, p_is_locked boolean, p_reason text) TO authenticated;

REVOKE ALL ON FUNCTION app.shown_report(p_report jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.take_place(p_whose text, p_places integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.take_place(p_whose text, p_places integer) TO anon;
GRANT ALL ON FUNCTION app.take_place(p_whose text, p_places integer) TO authenticated;
GRANT ALL ON FUNCTION app.take_place(p_whose text, p_places integer) TO service_role;

REVOKE ALL ON FUNCTION app.take_refresh_turn() FROM PUBLIC;
GRANT ALL ON FUNCTION app.take_refresh_turn() TO authenticated;

REVOKE ALL ON FUNCTION app.take_turn(p_work text) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.unit_ancestry(p_unit_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION app.unit_ancestry(p_unit_ids uuid[]) TO authenticated;
GRANT ALL ON FUNCTION app.unit_ancestry(p_unit_ids uuid[]) TO service_role;

REVOKE ALL ON FUNCTION app.unit_subtree(p_unit_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.wait_for_place(p_whose text, p_places integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.wait_for_place(p_whose text, p_places integer) TO anon;
GRANT ALL ON FUNCTION app.wait_for_place(p_whose text, p_places integer) TO authenticated;
GRANT ALL ON FUNCTION app.wait_for_place(p_whose text, p_places integer) TO service_role;

REVOKE ALL ON FUNCTION app.warn_of_end(p_end date) FROM PUBLIC;
GRANT ALL ON FUNCTION app.warn_of_end(p_end date) TO authenticated;

REVOKE ALL ON FUNCTION private.apply_retention(p_now timestamp with time zone, p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.begin_webhook_rotation() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.broadcast_invalidation(p_organization_id uuid, p_unit_ids uuid[], p_dates date[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.cancel_webhook_rotation() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.chain_report_version() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_activity() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_chapter_assignment() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_duplicate() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_mapping_version() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_unit_keeps_kind() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_unit_tree() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.close_views() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.collect_answers() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.complete_expense_claim() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.create_organization_settings() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.delete_sign_in(p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.deliver(p_id text, p_slug text, p_payload jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.end_sessions() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.forget_secret(p_name text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.end_webhook_rotation() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.erase_person() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.erase_traces(p_profile_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.facts_of_change(p_row jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.find_secret(p_name text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.forget_person() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.health_reasons() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.install_platform_parts() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.keep_identity() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.keep_locked_years() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.keep_mapping_of_locked_years() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.lock_erasures(p_organization_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.new_answers() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.note_given_date() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.pass_on() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.pass_on_duplicates(p_original_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.platform_problems() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.pseudonymize_contacts(p_organization_id uuid, p_contact_ids uuid[], p_with_texts boolean) FROM PUBLIC;

GRANT SELECT ON TABLE public.erasures TO authenticated;
GRANT SELECT ON TABLE public.erasures TO service_role;

REVOKE ALL ON FUNCTION private.record_erasure(p_organization_id uuid, p_kind text, p_count bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.record_organization_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.refuse_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.refuse_view_write() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.replay_delivery(p_webhook_id text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.request_precompute() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.schedule_reasons() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.schedules() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.secret(p_name text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.send_heartbeat() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.send_webhook(p_slug text, p_payload jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.set_secret(p_name text, p_value text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.set_sign_in() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.sign_report_version() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.stamp_snapshot() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.sum_approved_expenses() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.traceparent() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.use_limit(p_work text, p_subject_id uuid, p_burst integer, p_interval interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.versions() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.webhook_signature(p_id text, p_timestamp bigint, p_body text) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.acknowledge_wake_ups() FROM PUBLIC;
GRANT ALL ON FUNCTION public.acknowledge_wake_ups() TO service_role;

REVOKE ALL ON FUNCTION public.activity_types(public.coordinator_monthly_stats) FROM PUBLIC;
GRANT ALL ON FUNCTION public.activity_types(public.coordinator_monthly_stats) TO authenticated;

REVOKE ALL ON FUNCTION public.approve_report(version uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.approve_report(version uuid) TO authenticated;

GRANT SELECT ON TABLE stats.visible_time_series TO authenticated;

GRANT SELECT ON TABLE public.activity_time_series TO authenticated;

GRANT SELECT ON TABLE public.chapters TO authenticated;
GRANT SELECT ON TABLE public.chapters TO service_role;

REVOKE ALL ON FUNCTION public.chapters(public.activity_time_series) FROM PUBLIC;
GRANT ALL ON FUNCTION public.chapters(public.activity_time_series) TO authenticated;

GRANT SELECT ON TABLE stats.visible_chapter_stats TO authenticated;

GRANT SELECT ON TABLE public.chapter_stats TO authenticated;

REVOKE ALL ON FUNCTION public.chapters(public.chapter_stats) FROM PUBLIC;
GRANT ALL ON FUNCTION public.chapters(public.chapter_stats) TO authenticated;

GRANT SELECT ON TABLE stats.visible_mv_activity_time_series TO authenticated;

GRANT SELECT ON TABLE public.mv_activity_time_series TO authenticated;

REVOKE ALL ON FUNCTION public.chapters(public.mv_activity_time_series) FROM PUBLIC;
GRANT ALL ON FUNCTION public.chapters(public.mv_activity_time_series) TO authenticated;

GRANT SELECT ON TABLE stats.visible_mv_chapter_stats TO authenticated;

GRANT SELECT ON TABLE public.mv_chapter_stats TO authenticated;

REVOKE ALL ON FUNCTION public.chapters(public.mv_chapter_stats) FROM PUBLIC;
GRANT ALL ON FUNCTION public.chapters(public.mv_chapter_stats) TO authenticated;

GRANT SELECT ON TABLE stats.visible_mv_peer_mentor_stats TO authenticated;

GRANT SELECT ON TABLE public.mv_peer_mentor_stats TO authenticated;

REVOKE ALL ON FUNCTION public.chapters(public.mv_peer_mentor_stats) FROM PUBLIC;
GRANT ALL ON FUNCTION public.chapters(public.mv_peer_mentor_stats) TO authenticated;

GRANT SELECT ON TABLE stats.visible_peer_mentor_stats TO authenticated;

GRANT SELECT ON TABLE public.peer_mentor_stats TO authenticated;

REVOKE ALL ON FUNCTION public.chapters(public.peer_mentor_stats) FROM PUBLIC;
GRANT ALL ON FUNCTION public.chapters(public.peer_mentor_stats) TO authenticated;

REVOKE ALL ON FUNCTION public.children(public.organization_units) FROM PUBLIC;
GRANT ALL ON FUNCTION public.children(public.organization_units) TO authenticated;

REVOKE ALL ON FUNCTION public.claim_webhook(p_webhook_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_webhook(p_webhook_id text) TO service_role;

REVOKE ALL ON FUNCTION public.compute_metric_snapshot(p_period_start date, p_period_end date, p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.compute_metric_snapshot(p_period_start date, p_period_end date, p_year integer) TO authenticated;

REVOKE ALL ON FUNCTION public.diagnose() FROM PUBLIC;
GRANT ALL ON FUNCTION public.diagnose() TO service_role;

REVOKE ALL ON FUNCTION public.erase_contact(p_contact_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.erase_contact(p_contact_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.erase_contact(p_contact_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.erase_person(p_profile_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.erase_person(p_profile_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.erase_person(p_profile_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.explain_report_difference(version uuid, against uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.explain_report_difference(version uuid, against uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.export_bufdir_snapshot(p_period_start date, p_period_end date, p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.export_bufdir_snapshot(p_period_start date, p_period_end date, p_year integer) TO authenticated;

REVOKE ALL ON FUNCTION public.export_person(p_profile_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.export_person(p_profile_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.export_person(p_profile_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.export_report_version(version uuid, format text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.export_report_version(version uuid, format text) TO authenticated;

REVOKE ALL ON FUNCTION public.generate_bufdir_report(p_org_id uuid, p_period_start date, p_period_end date, p_mapping_version integer, p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.generate_bufdir_report(p_org_id uuid, p_period_start date, p_period_end date, p_mapping_version integer, p_year integer) TO authenticated;

REVOKE ALL ON FUNCTION public.get_activity_series(p_from date, p_to date, p_bucket text, p_chapter_ids uuid[], p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_activity_series(p_from date, p_to date, p_bucket text, p_chapter_ids uuid[], p_year integer) TO authenticated;

REVOKE ALL ON FUNCTION public.get_ancestor_ids(unit_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_ancestor_ids(unit_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.get_ancestor_ids(unit_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.get_bufdir_alignment(p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_bufdir_alignment(p_year integer) TO authenticated;

REVOKE ALL ON FUNCTION stats.noted_time(p_sequence regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.get_health() FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_health() TO service_role;

REVOKE ALL ON FUNCTION public.get_hierarchy_stats(p_unit_id uuid, p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_hierarchy_stats(p_unit_id uuid, p_year integer) TO authenticated;

REVOKE ALL ON FUNCTION public.get_metric_snapshot(p_period_start date, p_period_end date, p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_metric_snapshot(p_period_start date, p_period_end date, p_year integer) TO authenticated;

REVOKE ALL ON FUNCTION public.get_metrics() FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_metrics() TO service_role;

REVOKE ALL ON FUNCTION public.get_monthly_series(p_coordinator_id uuid, p_from date, p_to date, p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_monthly_series(p_coordinator_id uuid, p_from date, p_to date, p_year integer) TO authenticated;

REVOKE ALL ON FUNCTION public.get_report_remarks(p_period_start date, p_period_end date, p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_report_remarks(p_period_start date, p_period_end date, p_year integer) TO authenticated;

REVOKE ALL ON FUNCTION public.get_report_versions(p_period_start date, p_period_end date, p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_report_versions(p_period_start date, p_period_end date, p_year integer) TO authenticated;

REVOKE ALL ON FUNCTION public.get_role() FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_role() TO authenticated;

REVOKE ALL ON FUNCTION public.get_sign_ins() FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_sign_ins() TO authenticated;

REVOKE ALL ON FUNCTION public.get_snapshot_status(p_period_start date, p_period_end date, p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_snapshot_status(p_period_start date, p_period_end date, p_year integer) TO authenticated;

REVOKE ALL ON FUNCTION public.lock_reporting_year(year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.lock_reporting_year(year integer) TO authenticated;

REVOKE ALL ON FUNCTION public.parent(public.organization_units) FROM PUBLIC;
GRANT ALL ON FUNCTION public.parent(public.organization_units) TO authenticated;

REVOKE ALL ON FUNCTION public.precompute_hierarchy(p_organization_id uuid, p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.precompute_hierarchy(p_organization_id uuid, p_year integer) TO service_role;

REVOKE ALL ON FUNCTION public.prepare_report(p_period_start date, p_period_end date, p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.prepare_report(p_period_start date, p_period_end date, p_year integer) TO authenticated;

REVOKE ALL ON FUNCTION public.preview_import(kind text, rows jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.preview_import(kind text, rows jsonb) TO authenticated;

REVOKE ALL ON FUNCTION public.profiles(public.coordinator_monthly_stats) FROM PUBLIC;
GRANT ALL ON FUNCTION public.profiles(public.coordinator_monthly_stats) TO authenticated;

REVOKE ALL ON FUNCTION public.profiles(public.mv_peer_mentor_stats) FROM PUBLIC;
GRANT ALL ON FUNCTION public.profiles(public.mv_peer_mentor_stats) TO authenticated;

REVOKE ALL ON FUNCTION public.profiles(public.peer_mentor_stats) FROM PUBLIC;
GRANT ALL ON FUNCTION public.profiles(public.peer_mentor_stats) TO authenticated;

REVOKE ALL ON FUNCTION public.read_hierarchy_stats(p_unit_id uuid, p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.read_hierarchy_stats(p_unit_id uuid, p_year integer) TO authenticated;

REVOKE ALL ON FUNCTION public.record_node_reads(p_reads jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.record_node_reads(p_reads jsonb) TO service_role;

REVOKE ALL ON FUNCTION public.refresh_hierarchy_entry(p_unit_id uuid, p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.refresh_hierarchy_entry(p_unit_id uuid, p_year integer) TO service_role;

REVOKE ALL ON FUNCTION public.refresh_stats_views() FROM PUBLIC;
GRANT ALL ON FUNCTION public.refresh_stats_views() TO service_role;

REVOKE ALL ON FUNCTION public.renew_metric_snapshot(p_organization_id uuid, p_period_start date, p_period_end date) FROM PUBLIC;
GRANT ALL ON FUNCTION public.renew_metric_snapshot(p_organization_id uuid, p_period_start date, p_period_end date) TO service_role;

REVOKE ALL ON FUNCTION public.request_invalidation_again() FROM PUBLIC;
GRANT ALL ON FUNCTION public.request_invalidation_again() TO service_role;

REVOKE ALL ON FUNCTION public.run_import(kind text, rows jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.run_import(kind text, rows jsonb) TO authenticated;

REVOKE ALL ON FUNCTION public.save_metric_snapshot(p_period_start date, p_period_end date, p_year integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.save_metric_snapshot(p_period_start date, p_period_end date, p_year integer) TO authenticated;

REVOKE ALL ON FUNCTION public.save_person(id uuid, display_name text, role public.profile_role, is_active boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION public.save_person(id uuid, display_name text, role public.profile_role, is_active boolean) TO authenticated;

REVOKE ALL ON FUNCTION public.search_units(p_query text, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.search_units(p_query text, p_limit integer) TO authenticated;

REVOKE ALL ON FUNCTION public.send_report(version uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.send_report(version uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.take_refresh_turn() FROM PUBLIC;
GRANT ALL ON FUNCTION public.take_refresh_turn() TO authenticated;

REVOKE ALL ON FUNCTION public.take_unit_changes() FROM PUBLIC;
GRANT ALL ON FUNCTION public.take_unit_changes() TO service_role;

REVOKE ALL ON FUNCTION public.unlock_reporting_year(year integer, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.unlock_reporting_year(year integer, reason text) TO authenticated;

REVOKE ALL ON FUNCTION public.warm_hierarchy_cache(p_organization_id uuid, p_seconds double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION public.warm_hierarchy_cache(p_organization_id uuid, p_seconds double precision) TO service_role;

REVOKE ALL ON FUNCTION stats.activities_as_of(p_organization_id uuid, p_moment timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.add_minutes(p_changes text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.alignment_figures(p_organization_id uuid, p_year integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.apply_changed_rules() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.apply_counting_rules(p_activity_type_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.apply_time_zone() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.ask(p_slug text, p_type text, p_organization_id uuid, p_records jsonb, p_truncated boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.attempt(p_statement text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.audit(p_chapter_ids uuid[]) FROM PUBLIC;

GRANT SELECT ON TABLE public.bufdir_report_versions TO authenticated;

REVOKE ALL ON FUNCTION stats.audit_basis(p_version public.bufdir_report_versions) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.audit_sample(p_chapters integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.reported(p_organization_id uuid, p_period_start date, p_period_end date, p_mapping_version integer, p_is_whole boolean, OUT record_count bigint, OUT fingerprint text, OUT report jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.bufdir_report(p_organization_id uuid, p_period_start date, p_period_end date, p_mapping_version integer) FROM PUBLIC;

GRANT SELECT ON TABLE public.hierarchy_stats_cache TO service_role;

REVOKE ALL ON FUNCTION stats.is_outdated(p_entry public.hierarchy_stats_cache) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.cached_hierarchy_stats(p_unit_id uuid, p_year integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.categories_by_type(p_mapping jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.category_in(p_mapping jsonb, p_facts jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.close_year(p_organization_id uuid, p_year integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.comparison() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.compute_hierarchy_entry(p_unit_id uuid, p_year integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.computed_hierarchy_entry(p_unit_id uuid, p_year integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.computed_metric_snapshot(p_organization_id uuid, p_period_start date, p_period_end date) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.contribution(p_facts jsonb, p_period_start date, p_period_end date, OUT chapter_id uuid, OUT peer_mentor_id uuid, OUT minutes integer, OUT participants integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.view_over(p_view text, p_relation text, p_rows text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.contributions_of(p_rows text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.counts_in_statistics(p_status public.activity_status, p_duration_minutes integer, p_participant_count integer, p_counts boolean, p_min_duration_minutes integer, p_min_participants integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.current_mark(p_unit_id uuid, p_year integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.decayed_reads(p_reads double precision, p_last_read_at timestamp with time zone, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.define_change_triggers() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.define_history() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.effect(p_activity_count numeric, p_minutes numeric, p_hours numeric, p_participants numeric) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.effects(p_version public.bufdir_report_versions, p_against uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.explained_difference(p_version public.bufdir_report_versions, p_against uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.fence(p_quartiles double precision[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.find_report_version(p_version_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.fold() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.heal(p_chapter_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.hierarchy_payload(p_activity_count bigint, p_total_minutes bigint, p_participant_count bigint, p_distinct_contacts bigint, p_active_peer_mentors bigint, p_chapters_reporting bigint, p_categories jsonb, p_approved_expenses_nok numeric) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.hierarchy_summaries(p_organization_id uuid, p_year integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.hierarchy_summary(p_unit_id uuid, p_year integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.mapping_version(p_organization_id uuid, p_year integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.mapping_version(p_organization_id uuid, p_period_start date, p_period_end date) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.report_source(p_organization_id uuid, p_period_start date, p_period_end date, p_mapping_version integer, OUT record_count bigint, OUT fingerprint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.is_current(p_version public.bufdir_report_versions) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.is_recent(p_at timestamp with time zone, p_interval interval) FROM PUBLIC;

GRANT SELECT,DELETE ON TABLE public.counting_rules TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.counting_rules TO service_role;

GRANT INSERT(organization_id) ON TABLE public.counting_rules TO authenticated;

GRANT INSERT(activity_type_id) ON TABLE public.counting_rules TO authenticated;

GRANT INSERT(valid_from) ON TABLE public.counting_rules TO authenticated;

GRANT INSERT(counts) ON TABLE public.counting_rules TO authenticated;

GRANT INSERT(min_duration_minutes) ON TABLE public.counting_rules TO authenticated;

GRANT INSERT(min_participants) ON TABLE public.counting_rules TO authenticated;

GRANT INSERT(source) ON TABLE public.counting_rules TO authenticated;

REVOKE ALL ON FUNCTION stats.join_rules(p_activity_type_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.join_rules_of_types() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.joined_numbers(p_numbers bigint[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.judge_activity() FROM PUBLIC;

GRANT SELECT,DELETE ON TABLE public.bufdir_metric_snapshots TO authenticated;

REVOKE ALL ON FUNCTION stats.judged_snapshot(p_snapshot public.bufdir_metric_snapshots, p_record_count bigint, p_fingerprint text, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.lock_out_writers() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.lock_report_version(p_version_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.log_deleted_activities() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.log_inserted_activities() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.log_mapping_changes() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.log_organization_changes() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.log_unit_deletions() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.log_unit_moves() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.log_updated_activities() FROM PUBLIC;

GRANT SELECT,DELETE ON TABLE public.bufdir_category_mappings TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.bufdir_category_mappings TO service_role;

GRANT INSERT(mapping_version) ON TABLE public.bufdir_category_mappings TO authenticated;

GRANT INSERT(activity_type_id) ON TABLE public.bufdir_category_mappings TO authenticated;

GRANT INSERT(bufdir_category_code) ON TABLE public.bufdir_category_mappings TO authenticated;

REVOKE ALL ON FUNCTION stats.mapping_fingerprint(p_organization_id uuid, p_mapping_version integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.measure_list(p_format text, p_separator text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.saved_report(p_snapshot public.bufdir_metric_snapshots) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.metric_snapshot(p_period_start date, p_period_end date) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.minutes_of(p_rows text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.named_record(p_row jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.new_mark(p_organization_id uuid, p_period_start date, p_period_end date) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.note_time(p_sequence regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.outdate_organizations(p_organization_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.pass_gate(p_organization_id uuid, p_period_start date, p_period_end date, OUT snapshot jsonb, OUT status jsonb, OUT report jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.people_of_chapters(p_chapter_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.prune_records() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.rebuild(p_chapter_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.record_deleted_activities() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.record_error(p_message text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.record_updated_activities() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.refresh(p_force boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.refresh_views() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.refuse_truncate() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.remarks(p_organization_id uuid, p_period_start date, p_period_end date, p_chapter_ids uuid[], p_today date) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.remove_zeros(p_zeros jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.report_counting_rule(p_organization_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.text_hash(p_text text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.report_hash(p_version public.bufdir_report_versions) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.report_mapping(p_organization_id uuid, p_mapping_version integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.report_side(p_version public.bufdir_report_versions, p_version_id uuid, OUT seen_inserts int8multirange, OUT seen_changes int8multirange, OUT categories jsonb, OUT activity_count bigint, OUT minutes bigint, OUT participants bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.reported_activities(p_version public.bufdir_report_versions) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.reported_facts(p_facts jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.request_upkeep() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.require_mapping_version(p_organization_id uuid, p_period_start date, p_period_end date) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.require_open_year(p_organization_id uuid, p_day date) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.require_true_version(p_version public.bufdir_report_versions) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.save_metric_snapshot(p_organization_id uuid, p_period_start date, p_period_end date) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.shown_signature(p_profile_id uuid, p_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.shown_version(p_version public.bufdir_report_versions) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.signature_hash(p_version public.bufdir_report_versions) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.snapshot_status(p_organization_id uuid, p_period_start date, p_period_end date, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.states_of(p_activity_ids uuid[], p_seen_inserts int8multirange, p_seen_changes int8multirange) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.store_hierarchy_entries(p_entries public.hierarchy_stats_cache[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.sum_and_add_minutes(p_changes text) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.sweep() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.tell(p_organizations jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.totals_upserts() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.unseen(p_seen int8multirange) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.unseen_activity_ids(p_organization_id uuid, p_seen_inserts int8multirange, p_seen_changes int8multirange) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.wake(p_slug text, p_type text, p_organization_id uuid, p_records jsonb, p_truncated boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.writers_in_flight() FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.wrong_summaries(p_unit_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION stats.year_key(p_organization_id uuid, p_year integer) FROM PUBLIC;

GRANT SELECT ON TABLE public.bufdir_export_audit_log TO authenticated;

GRANT SELECT ON TABLE public.bufdir_thresholds TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.bufdir_thresholds TO service_role;

GRANT INSERT(organization_id) ON TABLE public.bufdir_thresholds TO authenticated;

GRANT INSERT(valid_from_year) ON TABLE public.bufdir_thresholds TO authenticated;

GRANT INSERT(bufdir_category_code) ON TABLE public.bufdir_thresholds TO authenticated;

GRANT INSERT(minimum_activity_count),UPDATE(minimum_activity_count) ON TABLE public.bufdir_thresholds TO authenticated;

GRANT INSERT(at_risk_ratio),UPDATE(at_risk_ratio) ON TABLE public.bufdir_thresholds TO authenticated;

GRANT SELECT,DELETE ON TABLE public.expense_claims TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.expense_claims TO service_role;

GRANT INSERT(id) ON TABLE public.expense_claims TO authenticated;

GRANT INSERT(activity_id) ON TABLE public.expense_claims TO authenticated;

GRANT INSERT(amount_nok) ON TABLE public.expense_claims TO authenticated;

GRANT UPDATE(status) ON TABLE public.expense_claims TO authenticated;

GRANT SELECT,DELETE ON TABLE public.not_duplicates TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.not_duplicates TO service_role;

GRANT INSERT(activity_id) ON TABLE public.not_duplicates TO authenticated;

GRANT INSERT(other_id) ON TABLE public.not_duplicates TO authenticated;

GRANT SELECT ON TABLE public.organization_changes TO authenticated;
GRANT SELECT ON TABLE public.organization_changes TO service_role;

GRANT SELECT ON TABLE public.possible_duplicates TO authenticated;

GRANT SELECT ON TABLE public.reporting_year_log TO authenticated;

GRANT SELECT ON TABLE stats.visible_freshness TO authenticated;

GRANT SELECT ON TABLE public.stats_freshness TO authenticated;

ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public GRANT ALL ON SEQUENCES  TO postgres;

ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public GRANT ALL ON FUNCTIONS  TO postgres;

ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public GRANT ALL ON TABLES  TO postgres;
