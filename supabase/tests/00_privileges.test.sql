-- PR: what is open to whom, for every object there is, also those of migrations to come.
begin;
\ir helpers.psql
select plan(47);

create function tests.is_ours(p_schema oid) returns boolean language sql as
    $$ select p_schema::regnamespace::text in ('public', 'app', 'private', 'stats') $$;

-- everything a role can reach in our schemas, whether granted to it or to PUBLIC
create function tests.open_to(p_role text) returns setof text language sql as $$
    select 'schema ' || n.nspname
    from pg_namespace n
    where tests.is_ours(n.oid)
      and (has_schema_privilege(p_role, n.oid, 'create')
           or (n.nspname <> 'public' and has_schema_privilege(p_role, n.oid, 'usage')))
    union all
    select format(
        '%s %s.%s', case c.relkind when 'S' then 'sequence' else 'relation' end,
        c.relnamespace::regnamespace, c.relname)
    from pg_class c
    where tests.is_ours(c.relnamespace)
      and case c.relkind
          when 'S' then has_sequence_privilege(p_role, c.oid, 'usage, select, update')
          else c.relkind in ('r', 'p', 'v', 'm', 'f')
               and (has_table_privilege(
                        p_role, c.oid,
                        'select, insert, update, delete, truncate, references, trigger')
                    or has_any_column_privilege(
                        p_role, c.oid, 'select, insert, update, references')) end
    union all
    select 'function ' || p.oid::regprocedure
    from pg_proc p
    where tests.is_ours(p.pronamespace)
      and has_function_privilege(p_role, p.oid, 'execute');
$$;

-- ---------------------------------------------------------------- anon: the check of its requests

create function tests.check_of_requests() returns text[] language sql as $$
    select array[
        'schema app', 'function app.check_request()', 'function app.take_place(text,integer)',
        'function app.wait_for_place(text,integer)',
        'function app.refuse(integer,text,text,interval)'];
$$;
select set_eq(
    $$ select tests.open_to('anon') $$,
    tests.check_of_requests(),
    'PR-01 nothing is open to anon but what is asked before each request');
grant select (name) on public.organizations to anon;
grant execute on function public.get_health() to public;
select set_eq(
    $$ select tests.open_to('anon') $$,
    tests.check_of_requests() || array['relation public.organizations', 'function get_health()'],
    'PR-02 and if something were, a column or through PUBLIC, this would show it');
revoke select (name) on public.organizations from anon;
revoke execute on function public.get_health() from public;

create table public.made_later (id integer);
create function public.done_later() returns integer language sql as 'select 1';
create sequence public.counted_later;
select is_empty(
    $$ select r, o
       from unnest('{anon,authenticated,service_role}'::text[]) r, tests.open_to(r) o
       where o ~ 'later' $$,
    'PR-03 what a later migration makes is closed until it says otherwise');
drop table public.made_later;
drop function public.done_later();
drop sequence public.counted_later;

-- ---------------------------------------------------------------- authenticated, service_role

create function tests.writes(p_role text) returns setof text language sql as $$
    select c.relname::text
    from pg_class c
    where tests.is_ours(c.relnamespace)
      and c.relkind in ('r', 'p', 'v', 'm')
      and (has_table_privilege(p_role, c.oid, 'insert, update, delete, truncate')
           or has_any_column_privilege(p_role, c.oid, 'insert, update'));
$$;
select set_eq($$ select tests.writes('authenticated') $$, array['profiles', 'activities',
    'expense_claims', 'bufdir_metric_snapshots', 'not_duplicates',
    'organization_units', 'chapter_assignments', 'activity_types', 'bufdir_category_mappings',
    'bufdir_mapping_versions', 'bufdir_thresholds', 'counting_rules', 'organization_settings'],
    'PR-04 the app writes activities, expenses and its user''s own name, decides on duplicates, '
        'deletes saved reports; org admins write what their organisation decides');
-- What is computed, nobody writes: neither whole relations nor the columns that triggers keep.
create function tests.writes_derived() returns setof text language sql as $$
    select format('%s %s.%s', r, c.relname, a.attname)
    from unnest('{anon,authenticated,service_role}'::text[]) r, pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where tests.is_ours(c.relnamespace) and c.relkind in ('r', 'p', 'v', 'm')
      and (c.relnamespace = 'stats'::regnamespace or c.relkind <> 'r' or a.attgenerated <> ''
           or c.relname in ('bufdir_metric_snapshots', 'bufdir_export_audit_log',
               'hierarchy_stats_cache', 'hierarchy_node_access')
           or (c.relname, a.attname) = ('activities', 'approved_expenses_nok'))
      and (has_column_privilege(r, c.oid, a.attnum, 'insert') or has_column_privilege(r, c.oid,
          a.attnum, 'update'));
$$;
select is_empty(
    $$ select w from tests.writes_derived() w $$,
    'PR-21 nobody writes what is computed');
grant insert (approved_expenses_nok) on public.activities to service_role;
grant update on public.hierarchy_stats_cache to authenticated;
select set_eq($$ select distinct split_part(w, '.', 1) from tests.writes_derived() w $$,
    array['service_role activities', 'authenticated hierarchy_stats_cache'],
    'PR-21 and whoever could would show');
revoke insert (approved_expenses_nok) on public.activities from service_role;
revoke update on public.hierarchy_stats_cache from authenticated;
-- from the list itself: has_table_privilege does not know MAINTAIN before PostgreSQL 17, where
-- GRANT ALL brings it along
select is_empty($$ select c.oid::regclass, a.grantee::regrole, a.privilege_type
                   from pg_class c cross join aclexplode(c.relacl) a
                   where tests.is_ours(c.relnamespace) and a.grantee <> c.relowner
                     and a.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN') $$,
    'PR-05 nobody but the owner may truncate, put triggers, or maintain');
select is_empty(
    $$ select c.oid::regclass
       from pg_class c
       where c.relnamespace = 'stats'::regnamespace
         and c.relname !~ '^visible_'
         and c.relkind in ('r', 'p', 'v', 'm')
         and has_table_privilege('authenticated', c.oid, 'select') $$,
    'PR-06 in stats, what is not filtered is closed to the app');
select isnt_empty(
    $$ select c.oid::regclass
       from pg_class c
       where c.relnamespace = 'stats'::regnamespace
         and c.relname ~ '^visible_'
         and has_table_privilege('authenticated', c.oid, 'select') $$,
    'PR-06 and what is filtered is open');
select is_empty(
    $$ select r
       from unnest('{private,stats}'::text[]) s, unnest('{authenticated,service_role}'::text[]) r
       where has_schema_privilege(r, s, 'usage') $$,
    'PR-07 private and stats are not even named by the API''s roles');
select ok(has_schema_privilege('authenticated', 'app', 'usage'), 'PR-07 app is');
select tests.act_as('nord/kari');
select throws_ok(
    $$ select * from stats.visible_chapter_stats $$,
    '42501', 'permission denied for schema stats',
    'PR-08 so stats is reached through public only');
select lives_ok($$ select * from public.chapter_stats $$, 'PR-08 as it is meant to be');
select tests.act_as_owner();

select set_eq(
    $$ select p.proname from pg_proc p where p.pronamespace = 'public'::regnamespace
        and has_function_privilege('service_role', p.oid, 'execute')
                 and not has_function_privilege('authenticated', p.oid, 'execute') $$,
    array['refresh_stats_views', 'claim_webhook', 'get_health', 'get_metrics', 'diagnose',
        'take_unit_changes', 'acknowledge_wake_ups', 'request_invalidation_again',
          'refresh_hierarchy_entry', 'renew_metric_snapshot', 'record_node_reads',
              'warm_hierarchy_cache', 'precompute_hierarchy'],
              'PR-09 these are the service role''s alone');
select tests.act_as('nord/anne');
select throws_ok(
    $$ select public.refresh_stats_views() $$,
    '42501', 'permission denied for function refresh_stats_views',
    'PR-10 not an org admin''s');
select throws_ok(
    $$ select public.claim_webhook('msg') $$,
    '42501', 'permission denied for function claim_webhook',
    'PR-10 not an org admin''s');
select throws_ok(
    $$ select public.get_health() $$,
    '42501', 'permission denied for function get_health',
    'PR-10 not an org admin''s');
select throws_ok(
    $$ select public.get_metrics() $$,
    '42501', 'permission denied for function get_metrics',
    'PR-10 not an org admin''s');
select tests.act_as_role('anon');
select throws_ok(
    $$ select public.refresh_stats_views() $$,
    '42501', 'permission denied for function refresh_stats_views',
    'PR-11 nor anon''s');
select tests.act_as_role('service_role');
select lives_ok($$ select public.refresh_stats_views() $$, 'PR-12 but the service role''s');
select lives_ok($$ select public.claim_webhook('msg') $$, 'PR-12 but the service role''s');
select lives_ok($$ select public.get_health() $$, 'PR-12 but the service role''s');
select throws_ok($$ select stats.refresh(true) $$, '42501', 'permission denied for schema stats',
    'PR-13 which has no other door');
select tests.act_as_owner();

-- ---------------------------------------------------------------- row-level security

create function tests.without_rls() returns setof text language sql as $$
    select c.oid::regclass::text
    from pg_class c
    where tests.is_ours(c.relnamespace)
      and c.relkind in ('r', 'p')
      and not c.relrowsecurity;
$$;
select is_empty($$ select tests.without_rls() $$, 'PR-14 every table has row-level security');
create table stats.left_open (id integer);
select results_eq($$ select tests.without_rls() $$, array['stats.left_open'],
    'PR-14 and one without would show');
drop table stats.left_open;
select is_empty(
    $$ select p.polname
       from pg_policy p
       join pg_class c on c.oid = p.polrelid
       where tests.is_ours(c.relnamespace)
         and p.polroles <> array['authenticated'::regrole::oid] $$,
    'PR-15 every policy is for signed-in people');
select is_empty(
    $$ select c.oid::regclass
       from pg_class c
       where c.relnamespace = 'public'::regnamespace
         and c.relkind = 'v'
         and coalesce(
             not c.reloptions::text[] && array['security_invoker=on', 'security_invoker=true'],
             true) $$,
    'PR-16 every public view runs with its caller''s rights');
select is_empty(
    $$ select c.oid::regclass
       from pg_class c
       where c.relnamespace = 'public'::regnamespace
         and c.relkind = 'm' $$,
    'PR-17 no materialised view is exposed');

-- ---------------------------------------------------------------- writing to what is only read

create function tests.write(p_view text, p_verb text) returns text language sql as $$
    select case p_verb when 'insert' then format('insert into public.%I default values', p_view)
                       when 'delete' then format('delete from public.%I where false', p_view)
                       else (select format('update public.%I set %I = null where false', p_view,
                           a.attname) from pg_attribute a
                             where a.attrelid = ('public.' || quote_ident(p_view))::regclass
                                 and a.attnum = 1) end
$$;
create function tests.refusals(p_role text) returns setof text language plpgsql as $$
declare
    v_view name;
    v_verb text;
begin
    for v_view, v_verb in select c.relname, v from pg_class c,
        unnest('{insert,update,delete}'::text[]) v
                          where c.relnamespace = 'public'::regnamespace and c.relkind = 'v' loop
        begin
            perform set_config('role', p_role, true);
            execute tests.write(v_view, v_verb);
            return next format('%s %s: done', v_verb, v_view);
        exception when others then
            if sqlstate <> '42501' or sqlerrm <> format('permission denied for view %s',
                v_view) then
                return next format('%s %s: %s %s', v_verb, v_view, sqlstate, sqlerrm);
            end if;
        end;
    end loop;
    perform set_config('role', 'none', true);
end $$;
grant execute on all functions in schema tests to public;
select is_empty(
    format('select tests.refusals(%L)', r),
    format('PR-22 a write to a view is refused to %s for want of the right', r))
from unnest('{anon,authenticated,service_role}'::text[]) r;
create view public.made_later with (security_invoker = on) as select count(*) as n
    from public.organizations;
select set_eq($$ select left(tests.refusals('authenticated'), 24) $$,
    array['insert made_later: 55000', 'update made_later: 55000', 'delete made_later: 55000'],
    'PR-22 and one that is forgotten would show');
select private.close_views();
select is_empty($$ select tests.refusals('authenticated') $$, 'PR-22 until it is closed');
drop view public.made_later;
select tests.act_as('nord/anne');
select isnt_empty($$ select * from public.chapters $$, 'PR-22 reading is as it was');
select tests.act_as_owner();

-- ---------------------------------------------------------------- numbers that are none

-- Each column of a type that knows them: which of them its table would take.
create function tests.takes() returns setof text language plpgsql as $$
declare
    v record;
    v_is_taken boolean;
begin
    for v in select c.oid::regclass as relation, a.attname, format_type(a.atttypid,
        a.atttypmod) as type, n as value,
                    (select string_agg(format('(%s)', pg_get_expr(k.conbin, k.conrelid)),
                        ' and ') from pg_constraint k
                     where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum])
                         as rule
             from pg_class c
             join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
             cross join unnest('{NaN,Infinity,-Infinity}'::text[]) n
             where tests.is_ours(c.relnamespace) and c.relkind in ('r',
                 'p') and a.atttypid in ('numeric'::regtype, 'float4'::regtype, 'float8'::regtype)
             order by 1, 2, 4 loop
        begin
            -- is read even where nothing else reads it
            execute format('select %L::%s', v.value, v.type);
            execute format('select coalesce(%s, true) from (select %L::%s as %I) t',
                coalesce(v.rule, 'true'), v.value, v.type, v.attname)
                into v_is_taken;
        exception when numeric_value_out_of_range then
            v_is_taken := false;
        end;
        if v_is_taken then
            return next format('%s.%s %s', v.relation, v.attname, v.value);
        end if;
    end loop;
end $$;
select is_empty($$ select tests.takes() $$, 'PR-23 no column takes a number that is none');
create table public.made_later (a numeric, b numeric(4, 2), c double precision check (c > 0));
select set_eq($$ select tests.takes() $$, array['made_later.a NaN', 'made_later.a Infinity',
    'made_later.a -Infinity', 'made_later.b NaN',
                                                'made_later.c NaN', 'made_later.c Infinity'],
                                                    'PR-23 and one that did would show');
drop table public.made_later;
select tests.act_as_role('service_role');
select throws_ok(
    format('select public.warm_hierarchy_cache(p_seconds := %L)', s),
    '22008', 'interval out of range',
    'PR-24 nor an argument: ' || s)
from unnest('{NaN,Infinity,-Infinity}'::text[]) s;
select lives_ok(
    $$ select public.warm_hierarchy_cache(tests.id('nord'), p_seconds := 60) $$,
    'PR-24 while a number is one');
select throws_ok(format('select public.record_node_reads(jsonb_build_object(tests.id(''nord/A''), '
    '%L))', s), '23514',
    'new row for relation "hierarchy_node_access" violates check constraint '
        '"hierarchy_node_access_reads_check"', 'PR-24 nor inside of one: ' || s)
from unnest('{NaN,Infinity,-1}'::text[]) s;
select is(
    public.record_node_reads(jsonb_build_object(tests.id('nord/A'), 1)),
    1,
    'PR-24 while a number is one');
select tests.act_as_owner();

-- ---------------------------------------------------------------- functions, indexes

select is_empty(
    $$ select p.oid::regprocedure
       from pg_proc p
       where tests.is_ours(p.pronamespace)
         and p.prokind <> 'a'
         and coalesce(not p.proconfig @> array['search_path=""'], true) $$,
    'PR-18 every function, whoever''s rights it has, fixes an empty search_path');

create function tests.without_index() returns setof text language sql as $$
    select format('%s: %s', c.conrelid::regclass, c.conname)
    from pg_constraint c
    where c.contype = 'f'
      and tests.is_ours(c.connamespace)
      and not exists (
          select from pg_index i
          cross join lateral (
              select (i.indkey::int2[])[0:cardinality(c.conkey) - 1] as first_columns) k
          where i.indrelid = c.conrelid
            -- all that refer
            and coalesce(pg_get_expr(i.indpred, i.indrelid) ~ '^\(\w+ IS NOT NULL\)$', true)
            and c.conkey @> k.first_columns
            and c.conkey <@ k.first_columns)
    union all
    -- the keys that policies compare: those of their own table
    select distinct format('%s: %s in policies', a.attrelid::regclass, a.attname)
    from pg_policy p
    join pg_class c on c.oid = p.polrelid and tests.is_ours(c.relnamespace)
    join pg_depend d
        on d.classid = 'pg_policy'::regclass
        and d.objid = p.oid
        and d.refobjid = p.polrelid
        and d.refobjsubid > 0
    join pg_attribute a
        on a.attrelid = d.refobjid
        and a.attnum = d.refobjsubid
        and a.atttypid = 'uuid'::regtype
    where not exists (
        select from pg_index i
        where i.indrelid = p.polrelid
          and i.indpred is null
          and i.indkey[0] = a.attnum);
$$;
select is_empty($$ select tests.without_index() $$,
    'PR-19 every foreign key, and every key in a policy, has an index');
create table public.left_slow (
    id        uuid primary key,
    parent_id uuid references public.left_slow (id),
    owner_id  uuid
);
create policy "owners read their own" on public.left_slow
    for select to authenticated using (owner_id = (select auth.uid()));
select set_eq(
    $$ select tests.without_index() $$,
    array['left_slow: left_slow_parent_id_fkey', 'left_slow: owner_id in policies'],
    'PR-20 and one without would show');

select * from finish();
rollback;
