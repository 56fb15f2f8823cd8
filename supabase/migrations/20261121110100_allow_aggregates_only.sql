-- Purpose: what may stand in a saved report: an allow-list, so that no personal data gets in.
-- Locks: none. Data safety: new objects only.

-- Only aggregates, ids of organisations, units and types, codes, and names of regions.
create or replace function app.is_aggregate_only(p_value jsonb, p_key text default null)
    returns boolean
    language plpgsql immutable security invoker set search_path = '' as $$
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
end $$;
comment on function app.is_aggregate_only(jsonb, text) is
    'Whether a snapshot holds nothing but the listed aggregate fields, each of its type.';

revoke execute on function app.is_aggregate_only(jsonb, text)
    from public, anon, authenticated, service_role;
