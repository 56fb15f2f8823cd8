-- Purpose: the remarks as the API gives them: on the chapters that the caller follows up.
-- Locks: none. Data safety: reads only.

create or replace function app.get_report_remarks(p_period_start date, p_period_end date)
    returns jsonb
    -- DEFINER: reads all rows of the caller's chapters, after its check
    language plpgsql volatile security definer set search_path = '' as $$
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
create or replace function public.get_report_remarks(
    p_period_start date default null, p_period_end date default null,
    p_year integer default null)
    returns jsonb
    language sql volatile security invoker set search_path = ''
    return app.get_report_remarks(
        app.first_day(p_period_start, p_year), app.first_day(p_period_end, p_year + 1));
comment on function public.get_report_remarks(date, date, integer) is
    'What to look at before a report is signed, in the chapters the caller follows up: the 20 '
    'largest of each kind, and how many there are in all. Coordinators and org admins.';

revoke execute on function app.get_report_remarks(date, date),
    public.get_report_remarks(date, date, integer) from public, anon, authenticated, service_role;
grant execute on function app.get_report_remarks(date, date),
    public.get_report_remarks(date, date, integer) to authenticated;
