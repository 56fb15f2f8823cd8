-- DA: who is deactivated reads nothing from that moment, and gets no new token.
begin;
\ir helpers.psql
select plan(12);
select tests.settle();
select tests.add_activity(p_name => 'one');
insert into auth.sessions (id, user_id)
select tests.id('session of ' || name), tests.id(name) from people;
insert into auth.refresh_tokens (id, token, user_id, session_id)
select tests.id(name)::text, name, tests.id(name), tests.id('session of ' || name) from people;

create function tests.sessions() returns setof text language sql as $$
    select p.name from auth.sessions s join people p on tests.id(p.name) = s.user_id
    intersect select t.token from auth.refresh_tokens t
$$;
-- What whoever acts can read, of everything in public.
create function tests.readable() returns setof text language plpgsql as $$
declare
    v_relation text;
    v_is_empty boolean;
begin
    for v_relation in select c.relname from pg_class c
                      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')
                        and has_any_column_privilege('authenticated', c.oid, 'select') loop
        execute format('select not exists (select from public.%I)', v_relation) into v_is_empty;
        if not v_is_empty then
            return next v_relation;
        end if;
    end loop;
end $$;
grant execute on all functions in schema tests to public;
grant select on people to public;

select tests.act_as('nord/anne');
select isnt_empty($$ select tests.readable() intersect
       select unnest('{activities,chapter_stats,organizations}'::text[]) $$,
    'DA-01 a member reads');
select tests.act_as_owner();
update public.profiles set display_name = 'Anne', role = 'org_admin'
where organization_id = tests.id('nord');
select is((select count(*) from tests.sessions()), 10::bigint,
    'DA-02 what else changes of a profile ends no session');

update public.profiles set is_active = false where id = tests.id('nord/anne');
select is((select array_agg(s) from tests.sessions() s where s ~ 'anne'), null,
    'DA-03 a deactivation does');
select is((select count(*) from tests.sessions()), 9::bigint, 'DA-03 theirs alone');
select tests.act_as('nord/anne');
select set_eq($$ select tests.readable() $$, array['profiles'],
    'DA-04 and the token they have lets them read nothing');
select results_eq($$ select id from public.profiles $$, array[tests.id('nord/anne')],
    'DA-04 but that they are inactive');
select throws_ok($$ select public.export_bufdir_snapshot('2026-01-01', '2027-01-01') $$, '42501',
    'not your organisation', 'DA-05 nor call anything');
select throws_ok($$ select public.get_bufdir_alignment(2026) $$, '42501', 'not your organisation',
    'DA-05 nor call anything');
select throws_ok($$ select public.get_hierarchy_stats(tests.id('nord/A'), 2026) $$, '42501',
    'no such unit among those you follow up', 'DA-05 nor call anything');
select throws_ok($$ select public.erase_person(tests.id('nord/ola')) $$, '42501',
    'only an org admin of their organisation erases a person', 'DA-05 nor call anything');
select throws_ok($$ select public.export_person(tests.id('nord/anne')) $$, '42501',
    'only the person and their org admin export a person''s data', 'DA-05 nor call anything');
select tests.act_as('nord/kari');
select isnt_empty($$ select tests.readable() intersect
       select unnest('{activities,chapter_stats,organizations}'::text[]) $$,
    'DA-06 others go on reading');

select * from finish();
rollback;
