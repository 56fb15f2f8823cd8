-- Purpose: what may have been registered more than once, for whoever follows it up.
-- Locks: none. Data safety: new objects only.

create table if not exists public.not_duplicates (
    activity_id     uuid        not null references public.activities (id) on delete cascade,
    other_id        uuid        not null references public.activities (id) on delete cascade,
    organization_id uuid        not null default app.current_org_id()
        references public.organizations (id),
    decided_at      timestamptz not null default now(),
    decided_by      uuid        default auth.uid() references public.profiles (id),
    primary key (activity_id, other_id),
    check (activity_id <> other_id)
);
comment on table public.not_duplicates is
    'Pairs that look like duplicates, and of which somebody found that they are not.';
create unique index if not exists not_duplicates_pair_idx
    on public.not_duplicates (least(activity_id, other_id), greatest(activity_id, other_id));
create index if not exists not_duplicates_other_id_idx on public.not_duplicates (other_id);
create index if not exists not_duplicates_organization_id_idx
    on public.not_duplicates (organization_id);
create index if not exists not_duplicates_decided_by_idx on public.not_duplicates (decided_by);
alter table public.not_duplicates enable row level security;

-- Activities as filtered by their own policies.
drop policy if exists "people read the decisions on activities they read" on public.not_duplicates;
create policy "people read the decisions on activities they read" on public.not_duplicates
    for select to authenticated using (
        organization_id = (select app.member_org_id())
        and exists (select from public.activities a where a.id = activity_id)
        and exists (select from public.activities a where a.id = other_id));

drop policy if exists "who follows up both decides" on public.not_duplicates;
create policy "who follows up both decides" on public.not_duplicates
    for insert to authenticated with check (
        organization_id = (select app.member_org_id())
        and decided_by = (select app.profile_id())
        and 2 = (select count(*) from public.activities a
                 where a.id in (activity_id, other_id)
                   and a.unit_id = any (array(select app.visible_chapter_ids()))));

drop policy if exists "who follows up both decides otherwise" on public.not_duplicates;
create policy "who follows up both decides otherwise" on public.not_duplicates
    for delete to authenticated using (
        2 = (select count(*) from public.activities a
             where a.id in (activity_id, other_id)
               and a.unit_id = any (array(select app.visible_chapter_ids()))));

-- Three joins, each by keys: one with "or" would compare all with all. No pair is in two.
-- Both days are the same. Who asks for a span names both: the planner does not carry it over.
create or replace view public.possible_duplicates with (security_invoker = on) as
    with counted as not materialized (
        select a.*,
               tstzrange(a.occurred_at, a.occurred_at + make_interval(mins => a.duration_minutes))
                   as taken
        from public.activities a
        where a.is_counted
    ), pairs as (
        select a.id, b.id as other_id, 'same_peer_mentor' as reason, a.activity_date,
               a.unit_id as chapter_id, b.activity_date as other_date
        from counted a
        join counted b using (peer_mentor_id, activity_type_id, activity_date)
        where (b.inserted_at, b.id) < (a.inserted_at, a.id) and a.taken && b.taken
        union all
        select a.id, b.id, 'direct_and_proxy', a.activity_date, a.unit_id, b.activity_date
        from counted a
        join counted b using (contact_id, activity_date, organization_id)
        where (b.inserted_at, b.id) < (a.inserted_at, a.id)
          and a.is_proxy_registered <> b.is_proxy_registered
          and not (a.peer_mentor_id = b.peer_mentor_id
                   and a.activity_type_id = b.activity_type_id and a.taken && b.taken)
        union all
        select a.id, b.id, 'same_event', a.activity_date, a.unit_id, b.activity_date
        from counted a
        join counted b using (unit_id, activity_type_id, activity_date)
        where (b.inserted_at, b.id) < (a.inserted_at, a.id)
          and a.taken && b.taken and a.peer_mentor_id <> b.peer_mentor_id
          and (a.contact_id is null and b.contact_id is null
               and least(a.participant_count, b.participant_count) > 1
               or a.contact_id = b.contact_id and a.is_proxy_registered = b.is_proxy_registered)
    )
    select p.id as activity_id, p.other_id, p.reason, p.activity_date, p.chapter_id, p.other_date
    from pairs p
    where not exists (
        select from public.not_duplicates n
        where (least(n.activity_id, n.other_id), greatest(n.activity_id, n.other_id))
            = (least(p.id, p.other_id), greatest(p.id, p.other_id)))
    order by p.activity_date, p.id, p.other_id;
comment on view public.possible_duplicates is
    'Pairs of activities that count and may be one: the same peer mentor at the same time, a '
    'contact met directly and by proxy, an event registered by two people. Filtered as activities '
    'is. A span of days is asked of activity_date and of other_date, which is the same day.';

revoke all on public.not_duplicates, public.possible_duplicates
    from public, anon, authenticated, service_role;
grant select, delete, insert (activity_id, other_id) on public.not_duplicates to authenticated;
grant select, insert, update, delete on public.not_duplicates to service_role;
grant select on public.possible_duplicates to authenticated;
