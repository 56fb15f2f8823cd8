-- Purpose: the parent picker: finding one of 1,400 units by a few letters.
-- Locks: SHARE on organization_units while the index is built. Data safety: new objects only.

-- unaccent() is only STABLE (its dictionary could change), so an index needs this wrapper that
-- names the dictionary.
create or replace function app.search_key(p_text text) returns text
    language sql immutable parallel safe security invoker set search_path = ''
    return replace(replace(
        lower(extensions.unaccent('extensions.unaccent'::regdictionary, p_text)),
        'aa', 'a'), 'oe', 'o');
comment on function app.search_key(text) is
    'A name without accents and case, nor the spellings for å and ø: aa and oe.';
create index if not exists organization_units_name_search_idx on public.organization_units
    using gin (app.search_key(name) extensions.gin_trgm_ops);

create or replace function app.recent_unit_ids(p_limit integer)
    returns table (unit_id uuid, last_read_at timestamptz)
    -- DEFINER: orders the empty query by what was read last, which is granted to nobody
    language sql stable security definer set search_path = ''
begin atomic
    select n.unit_id, n.last_read_at
    from public.hierarchy_node_access n
    join public.organization_units u
        on u.id = n.unit_id and u.organization_id = app.member_org_id()
    order by n.last_read_at desc, n.unit_id
    limit p_limit;
end;

create or replace function public.search_units(p_query text, p_limit integer default 50)
    returns table (id uuid, name text, kind public.unit_kind, parent_id uuid, parent_name text)
    language plpgsql stable security invoker set search_path = '' as $$
declare
    v_key     text    := app.search_key(trim(coalesce(p_query, '')));
    v_pattern text    := '%' || regexp_replace(v_key, '([\\%_])', '\\\1', 'g') || '%';
    v_limit   integer := least(greatest(coalesce(p_limit, 50), 1), 50);
begin
    if v_key = '' then
        return query
            select u.id, u.name, u.kind, u.parent_id, p.name
            from app.recent_unit_ids(v_limit) r
            join public.organization_units u on u.id = r.unit_id
            left join public.organization_units p on p.id = u.parent_id
            order by r.last_read_at desc, u.id;
    else
        return query
            select u.id, u.name, u.kind, u.parent_id, p.name
            from public.organization_units u
            left join public.organization_units p on p.id = u.parent_id
            where app.search_key(u.name) like v_pattern
               or app.search_key(u.name) operator(extensions.%) v_key
            -- what begins so, then a word that begins so, then what is similar
            order by starts_with(app.search_key(u.name), v_key) desc,
                     strpos(' ' || app.search_key(u.name), ' ' || v_key) > 0 desc,
                     extensions.similarity(app.search_key(u.name), v_key) desc,
                     u.name, u.id
            limit v_limit;
    end if;
end $$;
comment on function public.search_units(text, integer) is
    'Units by name: prefix first, then words, then similar; accents and case do not matter; at '
    'most 50. An empty query gives those read last.';

revoke execute on function
    app.search_key(text), app.recent_unit_ids(integer), public.search_units(text, integer)
    from public, anon, authenticated, service_role;
-- writers of units evaluate the index expression with their own rights
grant execute on function app.search_key(text) to service_role;
grant execute on function
    app.search_key(text), app.recent_unit_ids(integer), public.search_units(text, integer)
    to authenticated;
