-- Purpose: the tree of units. A chapter is a unit of kind `local`.
-- Locks: none. Data safety: new objects only.

do $$
begin
    if to_regtype('public.unit_kind') is null then
        -- the order of the labels is the order in the tree, top first
        create type public.unit_kind as enum ('national', 'region', 'district', 'local');
    end if;
end $$;

create table if not exists public.organization_units (
    id              uuid             primary key default gen_random_uuid(),
    organization_id uuid             not null
        references public.organizations (id) on delete cascade,
    parent_id       uuid,
    kind            public.unit_kind not null,
    name            text             not null check (name ~ '\S' and length(name) <= 200),
    closed_on       date
        check (closed_on >= '1900-01-01' and closed_on < '2100-01-01'),
    unique (id, organization_id),
    -- the parent is in the same organisation
    constraint organization_units_parent_fkey foreign key (parent_id, organization_id)
        references public.organization_units (id, organization_id),
    constraint organization_units_root_is_national
        check ((parent_id is null) = (kind = 'national')),
    -- it stands in reports, which hold no number of a person's (see is_aggregate_only)
    constraint organization_units_region_has_no_number
        check (kind <> 'region' or name !~ '\d{6}')
);
comment on table public.organization_units is
    'One tree per organisation, at most five levels: national, region, district, local.';
comment on column public.organization_units.closed_on is
    'From this day on nothing takes place there; what took place before goes on counting.';
create index if not exists organization_units_parent_id_organization_id_idx
    on public.organization_units (parent_id, organization_id);
create index if not exists organization_units_organization_id_kind_idx
    on public.organization_units (organization_id, kind);
create unique index if not exists organization_units_one_root_idx
    on public.organization_units (organization_id) where parent_id is null;
alter table public.organization_units enable row level security;

create or replace view public.chapters with (security_invoker = on) as
    select u.id, u.organization_id, u.parent_id, u.name, u.closed_on
    from public.organization_units u
    where u.kind = 'local'
    order by u.name, u.id;
comment on view public.chapters is
    'The units of kind local, by name, filtered as organization_units is.';

revoke all on public.organization_units, public.chapters
    from public, anon, authenticated, service_role;
grant select on public.organization_units, public.chapters to authenticated;
grant select, insert, update, delete on public.organization_units to service_role;
grant select on public.chapters to service_role;
