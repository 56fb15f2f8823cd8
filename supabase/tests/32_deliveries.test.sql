-- DL: the ledger of wake-ups. RO: the rotation of their secret.
begin;
\ir helpers.psql
select plan(33);
select private.set_secret('fersk_functions_url', 'https://functions.tests.example/functions/v1');
select private.set_secret('fersk_webhook_secret',
    'whsec_bGlrZXBlcnNvbmVyIGVyIGJlc3QgaSBoZWxlIHZlcmRlbg==');
delete from private.deliveries where true;
delete from net.http_request_queue where true;

create function tests.send() returns text language plpgsql as $$
begin
    perform private.send_webhook('some-function', '{"type": "test", "records": []}');
    return (select d.webhook_id from private.deliveries d order by d.id desc limit 1);
end $$;
-- What pg_net does; the owner of its tables is another.
create function tests.headers(p_webhook_id text) returns jsonb language sql as $$
    select q.headers from net.http_request_queue q
    join private.deliveries d on d.request_id = q.id
    where d.webhook_id = p_webhook_id
$$;
create temporary table one on commit drop as select tests.send() as webhook_id;

-- ---------------------------------------------------------------- what is noted

select results_eq(
    $$ select slug, payload, attempts, answered_at is null, sent_at > now(), traceparent
       from private.deliveries $$,
    $$ values ('some-function', '{"type": "test", "records": []}'::jsonb, 1, true, true,
               null::text) $$,
    'DL-01 a wake-up is entered as it is queued');
select is((select tests.headers(webhook_id) ->> 'webhook-id' from one),
    (select webhook_id from one), 'DL-01 under the id it is sent with');
select is((select tests.headers(webhook_id) ? 'traceparent' from one), false,
    'DL-02 without a trace where there is none');
select set_config('request.headers',
    '{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}', true);
select is((select tests.headers(tests.send()) ->> 'traceparent'),
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    'DL-03 with that of the request that asked for it');
select is((select traceparent from private.deliveries order by id desc limit 1),
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'DL-03 and noted');
select set_config('request.headers', '{"traceparent": "00-4bf9; drop"}', true);
select is(private.traceparent(), null, 'DL-04 what is no trace context is none');
select set_config('request.headers', '', true);
select is(private.traceparent(), null, 'DL-04 and outside of a request there is none');

-- ---------------------------------------------------------------- answers

select is(private.collect_answers(), 0, 'DL-05 what has no answer waits for one');
update private.deliveries set sent_at = now() - interval '2 minutes' where true;
select is(private.collect_answers(), 0, 'DL-06 however long, while it is queued');
select is((select count(*) from private.deliveries where answered_at is null), 2::bigint,
    'DL-06 none is given up');
delete from net.http_request_queue where true;
select private.collect_answers();
select results_eq($$ select distinct error, status_code from private.deliveries $$,
    $$ values ('lost', null::integer) $$, 'DL-07 one that left the queue unanswered is lost');

select tests.send();
insert into private.deliveries (webhook_id, slug, payload, request_id, sent_at)
select 'msg_before_the_crash', d.slug, '{}', d.request_id, d.sent_at - interval '2 minutes'
from private.deliveries d where d.answered_at is null;
select is(private.collect_answers(), 1, 'DL-07 numbers that start anew hide none for ever');
select is((select error from private.deliveries where webhook_id = 'msg_before_the_crash'), 'lost',
    'DL-07 the older of two with one number is lost, the newer waits');

-- ---------------------------------------------------------------- once more

insert into private.webhook_receipts (webhook_id) select webhook_id from one;
select lives_ok($$ select private.replay_delivery(webhook_id) from one $$,
    'DL-08 it is sent again');
select results_eq(
    $$ select attempts, answered_at is null, error from private.deliveries d
       join one using (webhook_id) $$,
    $$ values (2, true, null::text) $$, 'DL-08 counted, and unanswered');
select is((select tests.headers(webhook_id) ->> 'webhook-id' from one),
    (select webhook_id from one), 'DL-08 under the same id');
select is((select public.claim_webhook(webhook_id) from one), true,
    'DL-09 and is not refused as a replay');
select is((select public.claim_webhook(webhook_id) from one), false, 'DL-09 but once');
select throws_ok($$ select private.replay_delivery('msg_none') $$, 'P0002',
    'no delivery "msg_none" is in the ledger', 'DL-10 what is not there is not sent');

insert into private.deliveries (webhook_id, slug, payload, sent_at)
select 'msg_' || n, 'some-function', '{}', now() from generate_series(1, 10100) n;
select private.collect_answers();
select is((select count(*) from private.deliveries), 10000::bigint,
    'DL-11 the newest ten thousand are kept');

-- ---------------------------------------------------------------- rotation

create temporary table secrets on commit drop as
    select private.secret('fersk_webhook_secret') as old, private.begin_webhook_rotation() as new;
select is((select new = private.secret('fersk_webhook_secret') from secrets), true,
    'RO-01 the new secret is in force');
select is((select length(decode(substr(new, 7), 'base64')) from secrets), 32, 'RO-01 and random');
select is(
    (select cardinality(
        string_to_array(tests.headers(tests.send()) ->> 'webhook-signature', ' '))),
    2, 'RO-02 a wake-up is signed twice');
create function tests.signed_by(p_secret text) returns text language sql as $$
    select 'v1,' || encode(extensions.hmac('msg_1.1774000000.{}',
        decode(substr(p_secret, length('whsec_') + 1), 'base64'), 'sha256'), 'base64')
$$;
select is(private.webhook_signature('msg_1', 1774000000, '{}'),
    (select tests.signed_by(new) || ' ' || tests.signed_by(old) from secrets),
    'RO-02 with the new and the old');
select throws_ok($$ select private.begin_webhook_rotation() $$, '55000',
    'a rotation is under way', 'RO-03 one at a time');
select ok((select problem = 'the old webhook secret is still in force'
           from private.platform_problems() where problem ~ 'webhook secret is still'),
    'RO-04 which is told');
select private.cancel_webhook_rotation();
select is(private.secret('fersk_webhook_secret'), (select old from secrets),
    'RO-05 taken back, the old one is in force');
select is(private.webhook_signature('msg_1', 1774000000, '{}'),
    (select tests.signed_by(old) from secrets), 'RO-05 alone');
update secrets set new = private.begin_webhook_rotation() where true;
select private.end_webhook_rotation();
select is(private.webhook_signature('msg_1', 1774000000, '{}'),
    (select tests.signed_by(new) from secrets), 'RO-06 ended, the new one is, alone');
select throws_ok($$ select private.cancel_webhook_rotation() $$, 'P0002',
    'secret "fersk_previous_webhook_secret" is not set', 'RO-07 and there is no way back');
select is_empty($$ select from private.platform_problems() where problem ~ 'webhook secret' $$,
    'RO-08 nothing is left over');

select tests.act_as_role('service_role');
select throws_ok($$ select private.begin_webhook_rotation() $$, '42501',
    'permission denied for schema private', 'RO-09 nobody rotates over the API');
select throws_ok($$ select private.replay_delivery('msg_1') $$, '42501',
    'permission denied for schema private', 'RO-09 nor sends again');

select * from finish();
rollback;
