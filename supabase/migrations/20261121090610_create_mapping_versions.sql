-- Purpose: from which year on a version of an organisation's mapping is in force.
-- Locks: none. Data safety: new objects only.

create table if not exists public.bufdir_mapping_versions (
    organization_id uuid        not null
        references public.organizations (id) on delete cascade,
    mapping_version integer     not null check (mapping_version > 0),
    valid_from_year integer     not null check (valid_from_year between 2000 and 2099),
    published_at    timestamptz not null default now(),
    primary key (organization_id, mapping_version)
);
comment on table public.bufdir_mapping_versions is
    'The published versions of the mapping. A year is reported by the newest version that is valid '
    'for it, so a version for later years never touches an earlier one.';
alter table public.bufdir_mapping_versions enable row level security;

-- What is published is whole: its categories come first.
create or replace function private.check_mapping_version() returns trigger
    language plpgsql security invoker set search_path = '' as $$
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
revoke execute on function private.check_mapping_version()
    from public, anon, authenticated, service_role;
create or replace trigger bufdir_mapping_versions_check
    after insert or update of organization_id, mapping_version on public.bufdir_mapping_versions
    for each row execute function private.check_mapping_version();

create or replace function stats.mapping_version(p_organization_id uuid, p_year integer)
    returns integer
    language sql stable security invoker set search_path = ''
    return coalesce((
        select max(v.mapping_version)
        from public.bufdir_mapping_versions v
        where v.organization_id = p_organization_id and v.valid_from_year <= p_year), 0);
comment on function stats.mapping_version(uuid, integer) is
    'The version of the mapping that a year is reported by; 0 where there is none.';

create or replace function stats.mapping_version(
    p_organization_id uuid, p_period_start date, p_period_end date)
    returns integer
    language sql stable security invoker set search_path = ''
    return (
        select case when min(v) = max(v) then min(v) end
        from generate_series(
                 extract(year from p_period_start)::integer,
                 extract(year from greatest(p_period_end - 1, p_period_start))::integer) y
        cross join lateral stats.mapping_version(p_organization_id, y) v);
comment on function stats.mapping_version(uuid, date, date) is
    'The version of the mapping that all years of a period are reported by; null where they '
    'differ.';

revoke execute on function
    stats.mapping_version(uuid, integer), stats.mapping_version(uuid, date, date)
    from public, anon, authenticated, service_role;

drop policy if exists "members read their organisation's mapping versions"
    on public.bufdir_mapping_versions;
create policy "members read their organisation's mapping versions"
    on public.bufdir_mapping_versions
    for select to authenticated using (organization_id = (select app.member_org_id()));

revoke all on public.bufdir_mapping_versions from public, anon, authenticated, service_role;
grant select on public.bufdir_mapping_versions to authenticated;
grant select, insert, update, delete on public.bufdir_mapping_versions to service_role;
