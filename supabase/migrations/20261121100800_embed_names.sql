-- Purpose: names beside ids, and a unit with its children, in one request.
-- Locks: none. Data safety: new objects only.
--
-- PostgREST takes a function from a row of one relation to rows of another for a relationship,
-- which is embedded by the function's name: chapter_stats?select=*,chapters(name). Views have no
-- foreign keys to find one by. All run with the caller's rights: who may not read a row gets null.

create or replace function public.chapters(public.chapter_stats)
    returns setof public.chapters
    language sql stable rows 1 security invoker set search_path = ''
begin atomic select c.* from public.chapters c where c.id = $1.chapter_id; end;
create or replace function public.chapters(public.peer_mentor_stats)
    returns setof public.chapters
    language sql stable rows 1 security invoker set search_path = ''
begin atomic select c.* from public.chapters c where c.id = $1.chapter_id; end;
create or replace function public.chapters(public.activity_time_series)
    returns setof public.chapters
    language sql stable rows 1 security invoker set search_path = ''
begin atomic select c.* from public.chapters c where c.id = $1.chapter_id; end;
create or replace function public.chapters(public.mv_chapter_stats)
    returns setof public.chapters
    language sql stable rows 1 security invoker set search_path = ''
begin atomic select c.* from public.chapters c where c.id = $1.chapter_id; end;
create or replace function public.chapters(public.mv_peer_mentor_stats)
    returns setof public.chapters
    language sql stable rows 1 security invoker set search_path = ''
begin atomic select c.* from public.chapters c where c.id = $1.chapter_id; end;
create or replace function public.chapters(public.mv_activity_time_series)
    returns setof public.chapters
    language sql stable rows 1 security invoker set search_path = ''
begin atomic select c.* from public.chapters c where c.id = $1.chapter_id; end;

create or replace function public.profiles(public.peer_mentor_stats)
    returns setof public.profiles
    language sql stable rows 1 security invoker set search_path = ''
begin atomic select p.* from public.profiles p where p.id = $1.peer_mentor_id; end;
create or replace function public.profiles(public.mv_peer_mentor_stats)
    returns setof public.profiles
    language sql stable rows 1 security invoker set search_path = ''
begin atomic select p.* from public.profiles p where p.id = $1.peer_mentor_id; end;
create or replace function public.profiles(public.coordinator_monthly_stats)
    returns setof public.profiles
    language sql stable rows 1 security invoker set search_path = ''
begin atomic select p.* from public.profiles p where p.id = $1.coordinator_id; end;

create or replace function public.activity_types(public.coordinator_monthly_stats)
    returns setof public.activity_types
    language sql stable rows 1 security invoker set search_path = ''
begin atomic select t.* from public.activity_types t where t.id = $1.activity_type_id; end;

-- A foreign key from a relation to itself is no name to embed by.
create or replace function public.parent(public.organization_units)
    returns setof public.organization_units
    language sql stable rows 1 security invoker set search_path = ''
begin atomic select u.* from public.organization_units u where u.id = $1.parent_id; end;
create or replace function public.children(public.organization_units)
    returns setof public.organization_units
    language sql stable rows 40 security invoker set search_path = ''
begin atomic select u.* from public.organization_units u where u.parent_id = $1.id; end;

revoke execute on function
    public.chapters(public.chapter_stats), public.chapters(public.peer_mentor_stats),
    public.chapters(public.activity_time_series), public.chapters(public.mv_chapter_stats),
    public.chapters(public.mv_peer_mentor_stats), public.chapters(public.mv_activity_time_series),
    public.profiles(public.peer_mentor_stats), public.profiles(public.mv_peer_mentor_stats),
    public.profiles(public.coordinator_monthly_stats),
    public.activity_types(public.coordinator_monthly_stats),
    public.parent(public.organization_units), public.children(public.organization_units)
    from public, anon, authenticated, service_role;
grant execute on function
    public.chapters(public.chapter_stats), public.chapters(public.peer_mentor_stats),
    public.chapters(public.activity_time_series), public.chapters(public.mv_chapter_stats),
    public.chapters(public.mv_peer_mentor_stats), public.chapters(public.mv_activity_time_series),
    public.profiles(public.peer_mentor_stats), public.profiles(public.mv_peer_mentor_stats),
    public.profiles(public.coordinator_monthly_stats),
    public.activity_types(public.coordinator_monthly_stats),
    public.parent(public.organization_units), public.children(public.organization_units)
    to authenticated;
