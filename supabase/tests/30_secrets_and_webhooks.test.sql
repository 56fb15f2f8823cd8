-- SE: secrets. WH: signed webhooks, and those received.
begin;
\ir helpers.psql
select plan(30);

-- ---------------------------------------------------------------- secrets

select throws_ok(
    $$ select private.secret('tests_none') $$,
    'P0002', 'secret "tests_none" is not set',
    'SE-01 a missing secret raises, it is never NULL');
select lives_ok($$ select private.set_secret('tests_one', 'first') $$, 'SE-02 a secret is set');
select is(private.secret('tests_one'), 'first', 'SE-02 and read');
select lives_ok($$ select private.set_secret('tests_one', 'first') $$,
    'SE-03 set again, it is the same');
select lives_ok($$ select private.set_secret('tests_one', 'second') $$, 'SE-04 or another');
select is(private.secret('tests_one'), 'second', 'SE-04 which holds');
select tests.forget_secret('tests_one');
select throws_ok($$ select private.secret('tests_one') $$, 'P0002', 'secret "tests_one" is not set',
    'SE-05 taken away, it raises again');
select throws_ok(
    $$ insert into private.secrets (name, value) values ('tests_empty', '') $$,
    '23514', 'new row for relation "secrets" violates check constraint "secrets_value_check"',
    'SE-06 an empty secret is none');

create temporary table api_roles on commit drop as
    select unnest('{anon,authenticated,service_role}'::text[]) as role;
select is_empty(
    $$ select role, p.oid::regprocedure
       from api_roles, pg_proc p
       where p.pronamespace = 'private'::regnamespace
         and has_function_privilege(role, p.oid, 'execute') $$,
    'SE-07 no role of the API may call anything in private');
select is_empty(
    $$ select role, c.oid::regclass
       from api_roles, pg_class c
       where c.relnamespace = 'private'::regnamespace
         and c.relkind = 'r'
         and has_table_privilege(role, c.oid, 'select, insert, update, delete') $$,
    'SE-07 nor read or write anything there');
select tests.act_as_role('service_role');
select throws_ok(
    $$ select private.secret('fersk_webhook_secret') $$,
    '42501', 'permission denied for schema private',
    'SE-08 not even the service role');
select throws_ok(
    $$ select * from private.secrets $$,
    '42501', 'permission denied for schema private',
    'SE-08 not even the service role');
select tests.act_as_owner();

-- ---------------------------------------------------------------- signatures

-- computed with another implementation of Standard Webhooks: python3, hmac, base64
select private.set_secret('fersk_webhook_secret',
    'whsec_bGlrZXBlcnNvbmVyIGVyIGJlc3QgaSBoZWxlIHZlcmRlbg==');
select is(
    private.webhook_signature('msg_1', 1774000000, '{"type": "sweep", "note": "blåbærsyltetøy"}'),
    'v1,CgGpdr1oeIlh3SJNtNU4+4YvwGXsDqnFHhNxWsSJm/0=',
    'WH-01 a signature is HMAC-SHA256 over "id.timestamp.body", as others compute it');
select isnt(
    private.webhook_signature('msg_1', 1774000001, '{"type": "sweep", "note": "blåbærsyltetøy"}'),
    private.webhook_signature('msg_1', 1774000000, '{"type": "sweep", "note": "blåbærsyltetøy"}'),
    'WH-02 another second, another signature');

select private.set_secret('fersk_functions_url', 'https://functions.tests.example/functions/v1');
create temporary table sent on commit drop as
    select private.send_webhook('some-function', '{"type": "test", "records": []}') as id;
create temporary table request on commit drop as
    select q.method::text, q.url, q.headers,
           convert_from(q.body, 'UTF8') collate "default" as body, q.timeout_milliseconds
    from net.http_request_queue q
    join sent on sent.id = q.id;
select results_eq(
    $$ select method, url, body, timeout_milliseconds from request $$,
    $$ values ('POST', 'https://functions.tests.example/functions/v1/some-function',
               '{"type": "test", "records": []}', 5000) $$,
    'WH-03 a webhook is queued for the function');
select results_eq(
    $$ select headers ->> 'Content-Type',
              headers ->> 'webhook-id' ~ '^msg_[0-9a-f-]{36}$',
              abs((headers ->> 'webhook-timestamp')::bigint
                  - extract(epoch from clock_timestamp())) < 60
       from request $$,
    $$ values ('application/json', true, true) $$,
    'WH-04 with an id of its own and the time');
select is(
    (select headers ->> 'webhook-signature' from request),
    (select private.webhook_signature(
         headers ->> 'webhook-id', (headers ->> 'webhook-timestamp')::bigint, body)
     from request),
    'WH-05 and a signature over exactly what is sent');
create function tests.url_of(p_base text) returns text language plpgsql as $$
declare
    v_id bigint;
begin
    perform private.set_secret('fersk_functions_url', p_base);
    v_id := private.send_webhook('some-function', '{}');
    return (select q.url from net.http_request_queue q where q.id = v_id);
end $$;
select is(tests.url_of('https://functions.tests.example/functions/v1' || suffix),
    'https://functions.tests.example/functions/v1/some-function',
          'WH-05 one slash between them, however the address was pasted: ' || to_json(suffix))
from unnest(array['', '/', '//', E'/\n', E' \t']) suffix;
select tests.forget_secret('fersk_webhook_secret');
select throws_ok(
    $$ select private.send_webhook('some-function', '{}') $$,
    'P0002', 'secret "fersk_webhook_secret" is not set',
    'WH-06 unsigned, nothing is sent');
select tests.forget_secret('fersk_functions_url');
select throws_ok(
    $$ select private.send_webhook('some-function', '{}') $$,
    'P0002', 'secret "fersk_functions_url" is not set',
    'WH-06 nor to nowhere');

-- ---------------------------------------------------------------- receipts

select tests.act_as_role('service_role');
select is(public.claim_webhook('tests_msg'), true, 'WH-07 a webhook is claimed once');
select is(public.claim_webhook('tests_msg'), false, 'WH-07 and not twice');
select is(public.claim_webhook('tests_msg 2'), true, 'WH-08 another is another');
select throws_ok(
    $$ select public.claim_webhook('') $$,
    '23514',
    'new row for relation "webhook_receipts" violates check constraint '
    '"webhook_receipts_webhook_id_check"',
    'WH-09 one without an id is none');
select tests.act_as_owner();
update private.webhook_receipts
set received_at = now() - interval '16 minutes'
where webhook_id = 'tests_msg';
select is(public.claim_webhook('tests_msg 3'), true, 'WH-10 claiming one');
select results_eq(
    $$ select webhook_id
       from private.webhook_receipts
       where webhook_id ~ '^tests_msg'
       order by 1 $$,
    array['tests_msg 2', 'tests_msg 3'],
    'WH-10 forgets those that are too old to be replayed');

select * from finish();
rollback;
