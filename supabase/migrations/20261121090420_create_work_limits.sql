-- Purpose: limits on expensive work, by person and by organisation, in the database: so they hold
-- for any number of processes, and for who calls PostgREST past all functions of ours.
-- Locks: none. Data safety: new objects only.

-- PostgREST makes of SQLSTATE PGRST the answer that the message and the detail describe.
create or replace function app.refuse(p_status integer, p_code text, p_message text,
    p_retry_after interval default null)
    returns void
    language plpgsql stable security invoker set search_path = '' as $$
begin
    raise sqlstate 'PGRST' using
        message = json_build_object('code', p_code, 'message', p_message,
                                    'details', null, 'hint', null),
        detail = json_build_object('status', p_status, 'headers', case
            when p_retry_after is null then '{}'::json
            else json_build_object('Retry-After',
                     greatest(ceil(extract(epoch from p_retry_after)), 1)::integer::text) end);
end $$;
comment on function app.refuse(integer, text, text, interval) is
    'Ends the request with this status and code, and with Retry-After where waiting helps.';

create table if not exists private.work_limits (
    work                  text     primary key,
    person_burst          integer  not null check (person_burst > 0),
    person_interval       interval not null check (person_interval > interval '0'),
    organization_burst    integer  not null check (organization_burst > 0),
    organization_interval interval not null check (organization_interval > interval '0')
);
comment on table private.work_limits is
    'How much expensive work may be asked for: a burst at once, and one more after each interval.';
alter table private.work_limits enable row level security;   -- deny-all: no policy
insert into private.work_limits values
    ('report',  60,  '1 second',         120, '500 milliseconds'),
    ('summary', 40,  '100 milliseconds', 120, '50 milliseconds'),
    ('refresh', 6,   '10 seconds',       12,  '5 seconds')
on conflict (work) do nothing;

-- One time says how much of a burst is used: the burst is whole when it has passed. Unlogged, since
-- a crash may forget it; a row for each person and organisation, so it does not grow.
create unlogged table if not exists private.work_done (
    work       text        not null references private.work_limits (work) on delete cascade,
    subject_id uuid        not null,   -- a person or an organisation
    paid_until timestamptz not null,
    primary key (work, subject_id)
);
comment on table private.work_done is 'Until when each person and organisation has used its limit.';
alter table private.work_done enable row level security;   -- deny-all: no policy

-- A time further ahead than a burst reaches counts as none: the clock was set back.
create or replace function private.use_limit(p_work text, p_subject_id uuid, p_burst integer,
    p_interval interval)
    returns interval
    language plpgsql volatile security invoker set search_path = '' as $$
declare
    v_now  timestamptz := clock_timestamp();
    v_full timestamptz := v_now + p_burst * p_interval;
begin
    insert into private.work_done as w (work, subject_id, paid_until)
    values (p_work, p_subject_id, v_now + p_interval)
    on conflict (work, subject_id) do update
        set paid_until = p_interval + case when w.paid_until between v_now and v_full
                                           then w.paid_until else v_now end
        where w.paid_until not between v_full - p_interval + interval '1 microsecond' and v_full;
    if found then
        return null;
    end if;
    return (select w.paid_until + p_interval - v_full from private.work_done w
            where w.work = p_work and w.subject_id = p_subject_id);
end $$;
comment on function private.use_limit(text, uuid, integer, interval) is
    'Uses a part of the limit, if it is not used up; else how long until there is one.';

revoke all on private.work_limits, private.work_done from public, anon, authenticated, service_role;
revoke execute on function app.refuse(integer, text, text, interval),
    private.use_limit(text, uuid, integer, interval)
    from public, anon, authenticated, service_role;
