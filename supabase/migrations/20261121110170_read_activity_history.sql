-- Purpose: what the activities of an organisation were at an earlier moment.
-- Locks: none. Data safety: reads only.

-- The first change after the moment says what was before it; where there is none, it is as now.
create or replace function stats.activities_as_of(p_organization_id uuid, p_moment timestamptz)
    returns table (activity_id uuid, facts jsonb)
    language sql stable security invoker set search_path = ''
begin atomic
    select coalesce(f.id, l.activity_id), coalesce(l.before, f.facts)
    from (select * from stats.activity_facts c where c.organization_id = p_organization_id) f
    full join (
        select distinct on (h.activity_id) h.activity_id, h.before
        from public.activity_history h
        where h.organization_id = p_organization_id and h.changed_at > p_moment
        order by h.activity_id, h.id
    ) l on l.activity_id = f.id
    where (coalesce(l.before, f.facts) ->> 'inserted_at')::timestamptz <= p_moment;
end;
comment on function stats.activities_as_of(uuid, timestamptz) is
    'What was counted of each activity at a moment; exact if no writer was under way at it '
    '(docs/explain/what-counts.md).';

revoke execute on function stats.activities_as_of(uuid, timestamptz)
    from public, anon, authenticated, service_role;
