-- RT: how long texts and contacts are kept, each at its boundary, in batches, with no figure moved.
begin;
\ir helpers.psql
select plan(26);
select tests.settle();

-- At noon of each first of the month of 2026: a text, and a contact that is met in one month, or in
-- two.
select tests.add_activity('nord/ola', 'nord/A', at, p_name => 'nord ' || m),
       tests.add_activity('sor/sol', 'sor/S', at, p_name => 'sor ' || m)
from generate_series(1, 6) m, make_timestamptz(2026, m, 1, 12, 0, 0, 'UTC') at;
update public.activities
set summary = 'text', contact_id = tests.id('met in ' || extract(month from occurred_at))
where organization_id in (tests.id('nord'), tests.id('sor'));
update public.activities set contact_id = tests.id('met twice')
where id in (tests.id('nord 1'), tests.id('nord 5'));
update public.activities set contact_id = tests.id('met twice of old')
where id in (tests.id('nord 2'), tests.id('nord 3'));

create function tests.at(p_day text, p_limit integer default 1000) returns bigint language sql as
    $$ select private.apply_retention((p_day || ' 12:00Z')::timestamptz, p_limit) $$;
create function tests.texts(p_organization text) returns setof integer language sql as $$
    select extract(month from occurred_at)::integer from public.activities
    where organization_id = tests.id(p_organization) and summary is not null
$$;
create function tests.contacts(p_organization text) returns setof integer language sql as $$
    select extract(month from a.occurred_at)::integer from public.activities a
    where a.organization_id = tests.id(p_organization)
      and a.contact_id in (
          select tests.id('met ' || n)
          from unnest('{in 1,in 2,in 3,in 4,in 5,in 6,twice,twice of old}'::text[]) n)
$$;
create function tests.figures() returns table (name text, row_ text) language plpgsql as $$
begin
    perform stats.refresh(p_force := true);
    return query
        select 'chapters', to_jsonb(v)::text from stats.live_chapter_stats v union all
        select 'peer mentors', to_jsonb(v)::text from stats.live_peer_mentor_stats v union all
        select 'days', to_jsonb(v)::text from stats.live_time_series v union all
        select 'summaries', to_jsonb(v)::text
        from stats.hierarchy_summaries(tests.id('nord'), 2026) v union all
        select 'report',
               stats.bufdir_report(tests.id('nord'), '2026-01-01', '2027-01-01', 1)::text union all
        select 'source', to_jsonb(v)::text
        from stats.report_source(tests.id('nord'), '2026-01-01', '2027-01-01', 1) v;
end $$;
create temporary table before on commit drop as select * from tests.figures();

select is(tests.at('2036-01-01'), 0::bigint,
    'RT-01 until an organisation says so, everything is kept');
select throws_ok($$ update public.organization_settings set text_retention = '23 hours'
       where organization_id = tests.id('nord') $$, '23514',
    'new row for relation "organization_settings" violates check constraint '
    '"organization_settings_text_retention_check"',
    'RT-02 for a day at least');
select throws_ok($$ update public.organization_settings set contact_retention = '-1 year'
       where organization_id = tests.id('nord') $$, '23514',
    'new row for relation "organization_settings" violates check constraint '
    '"organization_settings_contact_retention_check"',
    'RT-02 of contacts, too');
select tests.act_as('nord/anne');
select throws_ok($$ update public.organization_settings set text_retention = '1 year' where true $$,
    '42501', 'permission denied for table organization_settings',
    'RT-02 which the app does not set');
select results_eq($$ select text_retention, contact_retention from public.organization_settings $$,
    $$ values (null::interval, null::interval) $$, 'RT-02 and shows');
select tests.act_as_owner();

-- ---------------------------------------------------------------- texts

update public.organization_settings set text_retention = '30 days'
where organization_id = tests.id('nord');
savepoint texts;
select is(tests.at('2026-01-31'), 0::bigint, 'RT-03 exactly as old as allowed is kept');
select is(private.apply_retention('2026-01-31 12:00:00.000001Z'), 1::bigint,
    'RT-03 a microsecond more is not');
select set_eq($$ select tests.texts('nord') $$, array[2, 3, 4, 5, 6], 'RT-03 and no other text');
rollback to texts;
select is(tests.at('2026-04-15'), 3::bigint, 'RT-04 all that are older go');
select set_eq($$ select tests.texts('nord') $$, array[4, 5, 6], 'RT-04 and no others');
select is((select count(*) from tests.texts('sor')), 6::bigint,
    'RT-05 another organisation''s stay');
select is((select count(*) from tests.contacts('nord')), 6::bigint, 'RT-05 and so do contacts');
select is(tests.at('2026-04-15'), 0::bigint, 'RT-06 then there is nothing left to do');
select results_eq($$ select organization_id, kind, erased_by, erased_count from public.erasures
       order by id $$, $$ values (tests.id('nord'), 'texts', null::uuid, 3::bigint) $$,
    'RT-07 how many is on record, and nothing else');
select results_eq($$ select * from tests.figures() order by 1, 2 $$,
    $$ select * from before order by 1, 2 $$, 'RT-08 no figure has moved');

-- ---------------------------------------------------------------- contacts

update public.organization_settings set text_retention = null, contact_retention = '30 days'
where organization_id = tests.id('nord');
select is(tests.at('2026-04-30'), 1::bigint,
    'RT-09 a contact goes when the last activity with them is older, in all of these');
select set_eq($$ select tests.contacts('nord') $$, array[1, 4, 5, 6],
    'RT-09 who was met again stays, and who is exactly as old as allowed');
select is(private.apply_retention('2026-05-01 12:00:00.000001Z'), 1::bigint,
    'RT-10 a microsecond more is too old');
select is((select count(distinct contact_id) from public.activities where id in (tests.id('nord 2'),
       tests.id('nord 3'))), 1::bigint, 'RT-11 who was met twice is still one');
select is((select count(*) from tests.contacts('sor')), 6::bigint,
    'RT-12 another organisation''s stay');
select is(tests.at('2026-04-30'), 0::bigint, 'RT-13 and what stands for them is not erased again');
select results_eq($$ select * from tests.figures() order by 1, 2 $$,
    $$ select * from before order by 1, 2 $$, 'RT-14 no figure has moved');

-- ---------------------------------------------------------------- batches

update public.organization_settings set text_retention = '30 days'
where organization_id in (tests.id('nord'), tests.id('sor'));
select is((select array_agg(tests.at('2030-01-01', 2)) from generate_series(1, 8)),
    '{4,3,2,2,0,0,0,0}'::bigint[], 'RT-15 in batches, until there is nothing left');
select is((select count(*) from tests.texts('nord')) + (select count(*) from tests.texts('sor')),
    0::bigint, 'RT-15 and nothing is');
select results_eq($$ select * from tests.figures() order by 1, 2 $$,
    $$ select * from before order by 1, 2 $$, 'RT-16 no figure has moved');
select is((select command from cron.job where jobname = 'fersk-nightly-retention'),
    'do $$ begin while private.apply_retention() > 0 loop commit; end loop; end $$',
    'RT-17 every night');

select * from finish();
rollback;
