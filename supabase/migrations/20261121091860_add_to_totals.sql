-- Purpose: how rows of the log, or of the activities, are added to the totals.
-- Locks: none. Data safety: new objects only.

-- What adds the rows of "taken" to every totals table: for the fold and the rebuild. Rows that have
-- come down to nothing are named by their place, for stats.remove_zeros.
create or replace function stats.totals_upserts() returns text
    language sql stable security invoker set search_path = '' as $$
    select string_agg(format(
               'added_%1$s as ('
               'insert into stats.%1$s as t (%2$s, %3$s) '
               'select %4$s, %5$s from taken group by %6$s having %7$s order by %6$s '
               'on conflict (%8$s) do update set %9$s '
               'returning t.ctid, (%10$s) as is_zero)',
               t.name, t.keys, stats.measure_list('%I'),
               t.key_values, stats.measure_list('sum(%I)'),
               (select string_agg(n::text, ', ' order by n)
                from generate_series(1, cardinality(string_to_array(t.keys, ', '))) n),
               stats.measure_list('sum(%I) <> 0', ' or '),
               t.conflict, stats.measure_list('%I = t.%I + excluded.%I'),
               stats.measure_list('t.%I = 0', ' and ')),
           ', ' order by t.name)
        || ', zeros as ('
        || string_agg(format(
               'select %1$L as name, array_agg(a.ctid) as places '
               'from added_%1$s a where a.is_zero', t.name),
           ' union all ' order by t.name)
        || ')'
    from stats.totals t
$$;

create or replace function stats.remove_zeros(p_zeros jsonb) returns void
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_name text;
begin
    for v_name in select e.key from jsonb_each(p_zeros) e where e.value <> 'null' loop
        execute format('delete from stats.%I where ctid = any ($1)', v_name)
            using array(select jsonb_array_elements_text(p_zeros -> v_name))::tid[];
    end loop;
end $$;

revoke execute on function stats.totals_upserts(), stats.remove_zeros(jsonb)
    from public, anon, authenticated, service_role;
