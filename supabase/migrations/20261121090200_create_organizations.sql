-- Purpose: organisations and what each of them has decided.
-- Locks: none. Data safety: new objects only.

create table if not exists public.organizations (
    id               uuid        primary key default gen_random_uuid(),
    slug             text        not null unique check (slug ~ '^[a-z][a-z0-9-]{1,62}$'),
    name             text        not null
        check (name ~ '\S' and length(name) <= 200),
    -- written by every change of its tree, so that such changes queue (see check_unit_tree)
    units_changed_at timestamptz not null default now()
);
comment on table public.organizations is 'The organisations that run peer-mentor programmes.';
alter table public.organizations enable row level security;

-- An abbreviation ("CEST") or a rule ("UTC+1") would be taken, too, and give wrong days all summer.
create or replace function app.is_time_zone(p_name text) returns boolean
    language sql stable security invoker set search_path = ''
    return p_name = 'UTC' or exists (
        select from pg_catalog.pg_timezone_names z where z.name = p_name);
comment on function app.is_time_zone(text) is
    'Whether it is the full name of a time zone, such as Europe/Oslo.';
revoke execute on function app.is_time_zone(text) from public, anon, authenticated, service_role;
-- a check is evaluated as whoever writes
grant execute on function app.is_time_zone(text) to service_role;

create table if not exists public.organization_settings (
    organization_id         uuid     primary key
        references public.organizations (id) on delete cascade,
    max_chapter_assignments integer  not null default 100
        check (max_chapter_assignments between 1 and 10000),
    warm_up_enabled         boolean  not null default true,
    warm_up_limit           integer  not null default 10
        check (warm_up_limit between 0 and 1000),
    snapshot_max_age        interval not null default '24 hours'
        check (snapshot_max_age > interval '0' and snapshot_max_age <= interval '10 years'),
    statistics_enabled      boolean  not null default true,
    time_zone               text     not null default 'UTC'
        constraint organization_settings_time_zone_is_known check (app.is_time_zone(time_zone))
);
comment on table public.organization_settings is 'One row per organisation, created with it.';
comment on column public.organization_settings.max_chapter_assignments is
    'How many chapters one profile may be assigned to (NHF: 5).';
comment on column public.organization_settings.statistics_enabled is
    'The kill switch: false hides every statistic of the organisation.';
comment on column public.organization_settings.time_zone is
    'Where an activity''s day begins, unless the app gives the day; docs/explain/what-counts.md.';
alter table public.organization_settings enable row level security;

create or replace function private.create_organization_settings() returns trigger
    -- DEFINER: whoever creates an organisation need not write settings
    language plpgsql security definer set search_path = '' as $$
begin
    insert into public.organization_settings (organization_id)
    select n.id from new_rows n
    on conflict (organization_id) do nothing;
    return null;
end $$;
revoke execute on function private.create_organization_settings()
    from public, anon, authenticated, service_role;

create or replace trigger organizations_create_settings
    after insert on public.organizations
    referencing new table as new_rows
    for each statement execute function private.create_organization_settings();

revoke all on public.organizations, public.organization_settings
    from public, anon, authenticated, service_role;
grant select on public.organizations, public.organization_settings to authenticated;
grant select, insert, update, delete on public.organizations, public.organization_settings
    to service_role;
