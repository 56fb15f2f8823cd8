-- AI: a list of past activities is previewed line by line, then registered as a whole.
begin;
\ir helpers.psql
select plan(19);
update public.organization_settings set time_zone = 'Europe/Oslo'
where organization_id = tests.id('nord');
update public.organization_units set closed_on = '2026-02-01' where id = tests.id('nord/B');
select tests.add_activity(p_minutes => 1400, p_date => '2026-03-01', p_at => '2026-03-01 12:00Z');
insert into public.reporting_years (organization_id, year, locked_at, locked_by)
values (tests.id('nord'), 2024, now(), tests.id('nord/anne'));
-- A list of lines that are like the first one but for what they name.
create function tests.list(variadic p_lines jsonb[]) returns jsonb language sql as $$
    select jsonb_agg('{"reference": "1", "date": "2026-01-31", "time": "23:30", "type": "talk",
        "chapter": "A", "peer_mentor": "NORD@ola.test", "minutes": "45", "contact": "K1"}'::jsonb
        || l order by n)
    from unnest(p_lines) with ordinality u (l, n)
$$;
create function tests.previews(p_rows jsonb, p_field text) returns text[] language sql as $$
    select array_agg(l ->> p_field order by l -> 'line')
    from jsonb_array_elements(public.preview_import('activities', p_rows)) l
$$;
create function tests.imports(p_rows jsonb) returns text[] language sql as $$
    select array_agg(l ->> 'outcome' order by l -> 'line')
    from jsonb_array_elements(public.run_import('activities', p_rows)) l
$$;
create temporary table lists (name text primary key, rows jsonb) on commit drop;
insert into lists values
    ('two', tests.list('{}', '{"reference": "2", "participants": "3", "contact": ""}'));
grant select on lists to public;
grant execute on all functions in schema tests to public;

select tests.act_as('nord/anne');
select is(tests.previews((select rows from lists), 'outcome'), array['insert', 'insert'],
    'AI-01 a preview says what becomes of each line');
select is((select count(*) from public.activities), 1::bigint, 'AI-01 and registers nothing');
select is(tests.imports((select rows from lists)), array['insert', 'insert'],
    'AI-02 the import does the same');
select results_eq(
    $$ select occurred_at, activity_date, duration_minutes, participant_count,
              contact_id is not null, registered_by = tests.id('nord/anne'), is_proxy_registered,
              is_counted
       from public.activities where activity_date = '2026-01-31' order by participant_count $$,
    $$ values ('2026-01-31 22:30Z'::timestamptz, '2026-01-31'::date, 45, 1, true, true, true, true),
              ('2026-01-31 22:30Z', '2026-01-31', 45, 3, false, true, true, true) $$,
    'AI-03 by the organisation''s clock, on behalf, counted');
select is((select id from public.activities where participant_count = 3),
    app.stable_id('tests-nord', '2'), 'AI-04 by an id that follows from the reference');
select is(app.stable_id('stemmen', 'A-0001'), '5b94b7d2-2d10-5b64-adc8-0951aacbb7eb'::uuid,
    'AI-04 which make onboard gives it, too');
select is(tests.imports((select rows from lists)), array['unchanged', 'unchanged'],
    'AI-05 once more changes nothing');
select is(tests.previews(tests.list('{"minutes": "46"}'), 'problem'),
    array['it is there and says something else: correct the activity itself'],
    'AI-06 nor does another content');
update public.activities set duration_minutes = 50 where participant_count = 3;
delete from public.activities
where participant_count = 1 and activity_date = '2026-01-31';
select is(tests.imports((select rows from lists)), array['unchanged', 'unchanged'],
    'AI-07 what was corrected or deleted since stays so');
select is((select array_agg(duration_minutes order by duration_minutes) from public.activities),
    array[50, 1400], 'AI-07 and is not written');

select is(tests.previews(tests.list(
        '{"reference": ""}', '{"reference": "3"}', '{"reference": "3"}',
        '{"reference": "4", "date": "2026-02-30"}', '{"reference": "5", "time": "24:00"}',
        '{"reference": "6", "type": "walk"}', '{"reference": "7", "chapter": "region"}',
        '{"reference": "8", "peer_mentor": "sor@sol.test"}', '{"reference": "9", "minutes": "0"}',
        '{"reference": "10", "participants": "many"}', '{"reference": "11", "status": "done"}',
        '{"reference": "12", "chapter": "B", "date": "2026-02-01", "peer_mentor": "nord@liv.test"}',
        '{"reference": "13", "date": "2099-01-01"}', '{"reference": "14", "date": "2024-05-05"}',
        '{"reference": "15", "chapter": "G"}', '{"reference": "16", "date": "2026-03-01"}',
        '{"reference": "17", "date": "1999-12-31"}',
        '{"reference": "18", "date": "2100-01-01", "status": "draft"}'),
        'problem'),
    array['the activity has no reference', 'the list names this reference more than once',
          'the list names this reference more than once', 'date must be a day such as 2026-12-31',
          'time must be a time such as 18:30', 'there is no type of this code',
          'there is no chapter, or several, of this name',
          'nobody has the peer mentor''s address', 'minutes must be a number from 1 to 1440',
          'participants must be a number from 0 to 10000',
          'the status must be draft, registered or rejected', 'the chapter was closed by then',
          'what has not taken place yet can only be a draft', 'the year is locked',
          'the peer mentor is not active in the chapter',
          'more than 24 hours of one person on one day', 'date must be a day such as 2026-12-31',
          'date must be a day such as 2026-12-31'],
    'AI-08 every problem is named, with its line');
select is(tests.imports(tests.list(
        '{"reference": "16", "date": "2026-03-01", "minutes": "40"}',
        '{"reference": "17", "date": "2099-01-01", "status": "draft"}')),
    array['insert', 'insert'], 'AI-09 what is just allowed is no problem');
select is(tests.previews(tests.list(
        '{"reference": "20", "minutes": "0"}', '{"reference": "21", "chapter": "G"}',
        '{"reference": "22", "date": "2024-05-05"}'), 'code'),
    array['minutes_outside', 'mentor_not_active', 'year_locked'], 'AI-09 a problem has a code');
select is(tests.previews(tests.list(
        '{"reference": "20", "minutes": "0"}', '{"reference": "21", "chapter": "G"}',
        '{"reference": "22", "date": "2024-05-05"}'), 'values'),
    array['["0"]', '["nord@ola.test", "G"]', '["2024"]'],
    'AI-09 and the cells that it is about');
select is(tests.previews(tests.list(
        '{"reference": "18", "date": "2026-04-01", "minutes": "1400"}',
        '{"reference": "19", "date": "2026-04-01", "minutes": "41"}'), 'problem'),
    array[null, 'more than 24 hours of one person on one day'],
    'AI-10 a day is summed over the list');
select throws_ok($$ select tests.imports(tests.list('{"reference": ""}')) $$,
    'PT422', 'nothing was imported: 1 lines have problems', 'AI-11 with one, nothing is imported');
select tests.act_as('nord/kari');
select throws_ok($$ select tests.imports((select rows from lists)) $$,
    '42501', 'only org admins import', 'AI-12 a coordinator imports none');
select tests.act_as('sor/siri');
select is(tests.previews((select rows from lists), 'problem'),
    array_fill('there is no chapter, or several, of this name'::text, array[2]),
    'AI-13 another organisation''s chapters are not found');
select tests.act_as_owner();
select is_empty('select * from stats.audit()', 'AI-14 the statistics are those of the activities');

select * from finish();
rollback;
