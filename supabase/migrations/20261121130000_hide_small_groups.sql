-- Purpose: reports without the figures of groups of fewer than five people, for whoever may not see
-- the rows they are made of.
-- Locks: none. Data safety: new objects only.

-- The one answer to "may they see what the whole organisation adds up to": it is the summary of the
-- national unit, so whoever reads that.
create or replace function app.reads_whole_organization() returns boolean
    language sql stable security invoker set search_path = ''
    return exists (select from public.organization_units u
                   where u.organization_id = app.member_org_id() and u.parent_id is null
                     and app.readable_unit(u.id) is not null);
comment on function app.reads_whole_organization() is
    'Whether the caller may read the summary of their organisation''s national unit.';

-- A hidden group must not be found again as the rest that the shown ones leave of the totals. So as
-- long as the hidden ones are fewer than five people together, the next smallest is hidden, too.
create or replace function app.hide_small_groups(p_report jsonb) returns jsonb
    language sql immutable security invoker set search_path = '' as $$
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
comment on function app.hide_small_groups(jsonb) is
    'A report with null for the figures of groups of one to four people, and of as many of the '
    'smallest others as keep those from being worked out.';

create or replace function app.shown_report(p_report jsonb) returns jsonb
    language sql stable security invoker set search_path = ''
    return case when app.reads_whole_organization() then p_report
                else app.hide_small_groups(p_report) end;
comment on function app.shown_report(jsonb) is 'A report as the caller may see it.';

revoke execute on function app.reads_whole_organization(), app.hide_small_groups(jsonb),
    app.shown_report(jsonb) from public, anon, authenticated, service_role;
