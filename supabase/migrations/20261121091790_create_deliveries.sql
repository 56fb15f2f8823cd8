-- Purpose: the ledger of wake-ups: which, when, how often, with what answer.
-- Locks: none. Data safety: new objects only.
--
-- pg_net keeps answers for six hours, unlogged and by a number that starts anew after a crash. So
-- what became of a wake-up is written down here. Nothing depends on it but those who look.

create table if not exists private.deliveries (
    id          bigint      generated always as identity primary key,
    webhook_id  text        not null unique,
    slug        text        not null,
    payload     jsonb       not null,
    request_id  bigint,
    sent_at     timestamptz not null,
    attempts    integer     not null default 1,
    traceparent text,
    answered_at timestamptz,
    status_code integer,
    error       text
);
comment on table private.deliveries is
    'One row a wake-up, with its newest answer; unanswered while answered_at is null. The sweep '
    'keeps the newest ten thousand.';
create index if not exists deliveries_request_id_idx on private.deliveries (request_id);
create index if not exists deliveries_unanswered_idx on private.deliveries (sent_at)
    where answered_at is null;
alter table private.deliveries enable row level security;   -- deny-all: no policy

-- What pg_net knows and the ledger does not yet. One that the server forgot in a crash, or whose
-- sender died, is never answered: that counts once it has left the queue.
create or replace function private.new_answers()
    returns table (id bigint, answered_at timestamptz, status_code integer, error text)
    language sql stable security invoker set search_path = '' as $$
    select d.id, coalesce(r.created, clock_timestamp()), r.status_code,
           case when r.id is null then 'lost'
                else coalesce(r.error_msg, case when r.timed_out then 'timed out' end) end
    from private.deliveries d
    -- numbers start anew after a crash: then the newest has this one
    cross join lateral (
        select not exists (
            select from private.deliveries n
            where n.request_id = d.request_id and n.sent_at > d.sent_at) as is_newest) n
    left join net._http_response r on r.id = d.request_id and n.is_newest
    where d.answered_at is null
      and (r.id is not null
           or not stats.is_recent(d.sent_at, interval '1 minute')
              and not (n.is_newest and exists (
                  select from net.http_request_queue q where q.id = d.request_id)));
$$;

create or replace function private.collect_answers() returns integer
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_answered integer;
begin
    update private.deliveries d
    set answered_at = a.answered_at, status_code = a.status_code, error = a.error
    from private.new_answers() a
    where a.id = d.id;
    get diagnostics v_answered = row_count;
    delete from private.deliveries d
    where d.id <= (select max(m.id) - 10000 from private.deliveries m);
    return v_answered;
end $$;
comment on function private.collect_answers() is
    'Notes what became of wake-ups, and keeps the newest ten thousand; the number of new answers.';

-- PostgREST tells a transaction the headers of its request.
create or replace function private.traceparent() returns text
    language sql stable security invoker set search_path = ''
    return substring(
        nullif(current_setting('request.headers', true), '')::jsonb ->> 'traceparent',
        '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');
comment on function private.traceparent() is
    'The W3C trace context of the request that this transaction serves, or null.';

revoke all on private.deliveries from public, anon, authenticated, service_role;
revoke all on sequence private.deliveries_id_seq from public, anon, authenticated, service_role;
revoke execute on function
    private.new_answers(), private.collect_answers(), private.traceparent()
    from public, anon, authenticated, service_role;
