-- Purpose: how often each unit's summary is read, so that the favourites can be computed
-- beforehand.
-- Locks: none. Data safety: new objects only.

create table if not exists public.hierarchy_node_access (
    unit_id      uuid             primary key
        references public.organization_units (id) on delete cascade,
    reads        double precision not null default 0
        check (reads >= 0 and reads < 'Infinity'),   -- nor NaN
    last_read_at timestamptz      not null
);
comment on table public.hierarchy_node_access is
    'How often each unit''s summary is read: reads halve every day, so that yesterday''s '
    'favourites fade.';
create index if not exists hierarchy_node_access_last_read_at_idx
    on public.hierarchy_node_access (last_read_at desc);
alter table public.hierarchy_node_access enable row level security;   -- deny-all: no policy

create or replace function stats.decayed_reads(
    p_reads double precision, p_last_read_at timestamptz, p_now timestamptz)
    returns double precision
    language sql immutable security invoker set search_path = ''
    -- a time in the future counts as now: the clock was set back
    return p_reads * power(0.5,
        greatest(extract(epoch from p_now - p_last_read_at), 0)::double precision / 86400);

create or replace function public.record_node_reads(p_reads jsonb) returns integer
    -- DEFINER: the service role's only door
    language plpgsql volatile security definer set search_path = '' as $$
declare
    v_units integer;
begin
    insert into public.hierarchy_node_access as n (unit_id, reads, last_read_at)
    select u.id, r.value::double precision, now()
    from jsonb_each_text(p_reads) r
    join public.organization_units u on u.id = r.key::uuid
    order by u.id   -- two flushes at once lock in the same order
    on conflict (unit_id) do update
        set reads = stats.decayed_reads(n.reads, n.last_read_at, excluded.last_read_at)
                    + excluded.reads,
            last_read_at = excluded.last_read_at;
    get diagnostics v_units = row_count;
    return v_units;
end $$;
comment on function public.record_node_reads(jsonb) is
    'Adds counted reads, {unit_id: number}; flushed in batches by the function that counts them. '
    'Service role only.';

revoke all on public.hierarchy_node_access from public, anon, authenticated, service_role;
grant select on public.hierarchy_node_access to service_role;
revoke execute on function
    stats.decayed_reads(double precision, timestamptz, timestamptz),
    public.record_node_reads(jsonb)
    from public, anon, authenticated, service_role;
grant execute on function public.record_node_reads(jsonb) to service_role;
