-- PR: what is open to whom, for every object there is, also those of migrations to come.
begin;
\ir helpers.psql
select plan(28);

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
select set_eq(
    $$ select tests.writes('authenticated') $$,
    array['profiles', 'activities', 'expense_claims', 'bufdir_metric_snapshots'],
    'PR-04 the app writes activities, expenses, report snapshots and its user''s own name');
-- from the list itself: has_table_privilege does not know MAINTAIN before PostgreSQL 17, where
-- GRANT ALL brings it along
select is_empty(
    $$ select c.oid::regclass, a.grantee::regrole, a.privilege_type
       from pg_class c
       cross join aclexplode(c.relacl) a
       where tests.is_ours(c.relnamespace)
         and a.grantee <> c.relowner
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
    $$ select p.proname
       from pg_proc p
       where p.pronamespace = 'public'::regnamespace
         and has_function_privilege('service_role', p.oid, 'execute')
         and not has_function_privilege('authenticated', p.oid, 'execute') $$,
    array[
        'refresh_stats_views', 'claim_webhook', 'get_health', 'take_unit_changes',
        'acknowledge_wake_ups', 'request_invalidation_again', 'refresh_hierarchy_entry',
        'record_node_reads', 'warm_hierarchy_cache', 'precompute_hierarchy'],
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
            and i.indpred is null
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
