-- Purpose: what a list of past activities, such as from a CSV file, would register.
-- Locks: none. Data safety: new objects only.
--
-- A row has reference, date, time, type, chapter, peer_mentor (an address), minutes, participants,
-- contact and status. The reference is what another system calls it: `make onboard` knows it by the
-- same id. What is there already is never changed.

create or replace function app.plan_activities(p_rows jsonb)
    returns table (line integer, name text, id uuid, unit_id uuid, peer_mentor_id uuid,
                   activity_type_id uuid, occurred_at timestamptz, activity_date date,
                   duration_minutes integer, participant_count integer, contact_id uuid,
                   status text, outcome text, problem text[])
    language sql stable security invoker set search_path = ''
begin atomic
    with own as (
        select o.id, o.slug, s.time_zone
        from public.organizations o
        join public.organization_settings s on s.organization_id = o.id
        where o.id = app.administered_org_id()
    ), given as (
        select r.n::integer + 1 as line, r.v as given, trim(r.v ->> 'reference') as reference,
               app.to_day(trim(r.v ->> 'date')) as day,
               coalesce(nullif(trim(r.v ->> 'time'), ''), '00:00') as time,
               trim(r.v ->> 'type') as type, trim(r.v ->> 'chapter') as chapter,
               lower(trim(r.v ->> 'peer_mentor')) as peer_mentor,
               case when trim(r.v ->> 'minutes') ~ '^\d{1,4}$'
                    then (r.v ->> 'minutes')::integer end as minutes,
               case when coalesce(trim(r.v ->> 'participants'), '') = '' then 1
                    when trim(r.v ->> 'participants') ~ '^\d{1,5}$'
                    then (r.v ->> 'participants')::integer end as participants,
               nullif(trim(r.v ->> 'contact'), '') as contact,
               coalesce(nullif(lower(trim(r.v ->> 'status')), ''), 'registered') as status,
               count(*) over (partition by trim(r.v ->> 'reference')) as times
        from jsonb_array_elements(p_rows) with ordinality r (v, n)
    ), chapters as (
        select u.name, min(u.id::text)::uuid as id, count(*) as units, min(u.closed_on) as closed_on
        from public.organization_units u
        where u.organization_id = app.administered_org_id() and u.kind = 'local' group by u.name
    ), placed as (
        select g.*, c.id as unit_id, coalesce(c.units, 0) as units, c.closed_on, t.id as type_id,
               s.id as mentor_id, o.time_zone,
               case when g.reference ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                    then g.reference::uuid
                    else app.stable_id(o.slug, g.reference) end as id,
               case when g.time ~ '^([01]\d|2[0-3]):[0-5]\d$'
                    then (g.day + g.time::time) at time zone o.time_zone end as moment,
               case when g.contact is not null
                    then app.stable_id(o.id::text, 'contact', g.contact) end as contact_id
        from given g
        cross join own o
        left join chapters c on c.name = g.chapter
        left join public.activity_types t on t.code = g.type and t.organization_id = o.id
        left join app.get_sign_ins() s on lower(s.email) = g.peer_mentor
    ), days as (
        select a.peer_mentor_id, a.activity_date, sum(a.duration_minutes) as minutes
        from public.activities a
        where (a.peer_mentor_id, a.activity_date) in (select p.mentor_id, p.day from placed p)
          and a.status = 'registered' and a.duplicate_of is null
        group by 1, 2
    ), summed as (
        select p.*, a.id is not null as is_there,
               (a.unit_id, a.peer_mentor_id, a.activity_type_id, a.occurred_at, a.activity_date,
                a.duration_minutes, a.participant_count, a.status::text)
               is not distinct from (p.unit_id, p.mentor_id, p.type_id, p.moment, p.day, p.minutes,
                                     p.participants, p.status)
               or exists (select from public.activity_history h
                          where h.activity_id = p.id and h.changed_by is not null) as is_settled,
               coalesce(d.minutes, 0)
               + sum(p.minutes) filter (where p.status = 'registered' and a.id is null)
                     over (partition by p.mentor_id, p.day order by p.line) as of_the_day
        from placed p
        left join public.activities a on a.id = p.id
        left join days d on (d.peer_mentor_id, d.activity_date) = (p.mentor_id, p.day)
    )
    select s.line, s.reference, s.id, s.unit_id, s.mentor_id, s.type_id, s.moment, s.day, s.minutes,
           s.participants, s.contact_id, s.status,
           case when s.is_there or s.is_settled then 'unchanged' else 'insert' end,
           case when coalesce(s.reference, '') = '' then array['reference_missing']
                when s.times > 1 then array['reference_twice', s.reference]
                when s.day is null or s.day not between '2000-01-01' and '2099-12-31'
                    then array['date_unclear', s.given ->> 'date']
                when s.moment is null then array['time_unclear', s.time]
                when s.type_id is null then array['type_unknown', s.type]
                when s.units <> 1 then array['chapter_unclear', s.chapter]
                when s.mentor_id is null then array['mentor_unknown', s.peer_mentor]
                when coalesce(s.minutes, 0) not between 1 and 1440
                    then array['minutes_outside', s.given ->> 'minutes']
                when coalesce(s.participants, -1) not between 0 and 10000
                    then array['participants_outside', s.given ->> 'participants']
                when s.status not in ('draft', 'registered', 'rejected')
                    then array['status_unknown', s.status]
                when s.is_there and not s.is_settled then array['otherwise_there']
                when s.is_there or s.is_settled then null
                when s.day >= s.closed_on then array['chapter_closed', s.closed_on::text]
                when s.status <> 'draft' and s.moment > now() then array['yet_to_come']
                when exists (select from public.reporting_years y
                             where y.organization_id = app.administered_org_id()
                               and y.year = extract(year from s.day) and y.locked_at is not null)
                    then array['year_locked', extract(year from s.day)::text]
                when s.mentor_id <> auth.uid() and not exists (
                    select from public.chapter_assignments a
                    join public.profiles p on p.id = a.profile_id and p.is_active
                    where a.unit_id = s.unit_id and a.profile_id = s.mentor_id)
                    then array['mentor_not_active', s.peer_mentor, s.chapter]
                when s.status = 'registered' and s.of_the_day > 1440
                    then array['day_full', s.peer_mentor, s.day::text] end
    from summed s;
end;
revoke execute on function app.plan_activities(jsonb)
    from public, anon, authenticated, service_role;
grant execute on function app.plan_activities(jsonb) to authenticated;
