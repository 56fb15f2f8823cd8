-- Schema auth, as much of Supabase Auth's database as the local stack needs.
-- Run as the superuser supabase_admin, before the migrations, after the platform's roles. Idempotent.
--
-- Columns carry GoTrue's names and types, so that ordinary Supabase seeds and foreign keys work unchanged.
-- The service signs in as supabase_auth_admin, which owns nothing here: the library behind it has code paths
-- that replace functions and widen grants, and without ownership it cannot.

begin;
set local client_min_messages = warning; -- a second run has nothing to announce

create schema if not exists auth authorization supabase_admin;

-- Who is calling: the claims that PostgREST verified and put into request.jwt.claims ------------------------

create or replace function auth.jwt() returns jsonb
    language sql stable parallel safe
    as $$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb $$;

create or replace function auth.uid() returns uuid
    language sql stable parallel safe
    as $$ select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;

create or replace function auth.role() returns text
    language sql stable parallel safe
    as $$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role' $$;

create or replace function auth.email() returns text
    language sql stable parallel safe
    as $$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email' $$;

comment on function auth.jwt() is 'Claims of the verified access token of this request; null outside a request.';
comment on function auth.uid() is 'Claim sub: id of the signed-in user; null for a key without a user.';
comment on function auth.role() is 'Claim role: anon, authenticated or service_role.';
comment on function auth.email() is 'Claim email of the signed-in user.';

-- Tables ---------------------------------------------------------------------------------------------------

create table if not exists auth.users (
    instance_id                 uuid,
    id                          uuid         primary key,
    aud                         varchar(255),
    role                        varchar(255),
    email                       varchar(255),
    encrypted_password          varchar(255),
    email_confirmed_at          timestamptz,
    invited_at                  timestamptz,
    confirmation_token          varchar(255),
    confirmation_sent_at        timestamptz,
    recovery_token              varchar(255),
    recovery_sent_at            timestamptz,
    email_change_token_new      varchar(255),
    email_change                varchar(255),
    email_change_sent_at        timestamptz,
    last_sign_in_at             timestamptz,
    raw_app_meta_data           jsonb,
    raw_user_meta_data          jsonb,
    is_super_admin              boolean,
    created_at                  timestamptz  default now(),
    updated_at                  timestamptz  default now(),
    phone                       text         unique,
    phone_confirmed_at          timestamptz,
    phone_change                text         default '',
    phone_change_token          varchar(255) default '',
    phone_change_sent_at        timestamptz,
    confirmed_at                timestamptz  generated always as (least(email_confirmed_at, phone_confirmed_at)) stored,
    email_change_token_current  varchar(255) default '',
    email_change_confirm_status smallint     default 0 check (email_change_confirm_status between 0 and 2),
    banned_until                timestamptz,
    reauthentication_token      varchar(255) default '',
    reauthentication_sent_at    timestamptz,
    is_sso_user                 boolean      not null default false,
    deleted_at                  timestamptz,
    is_anonymous                boolean      not null default false
);
create unique index if not exists users_email_partial_key on auth.users (email) where not is_sso_user;

create table if not exists auth.identities (
    id              uuid        primary key default gen_random_uuid(),
    provider_id     text        not null,
    user_id         uuid        not null references auth.users (id) on delete cascade,
    identity_data   jsonb       not null,
    provider        text        not null,
    last_sign_in_at timestamptz,
    created_at      timestamptz default now(),
    updated_at      timestamptz default now(),
    email           text        generated always as (lower(identity_data ->> 'email')) stored,
    unique (provider_id, provider)
);
create index if not exists identities_user_id_idx on auth.identities (user_id);

create table if not exists auth.sessions (
    id                     uuid        primary key,
    user_id                uuid        not null references auth.users (id) on delete cascade,
    created_at             timestamptz default now(),
    updated_at             timestamptz default now(),
    factor_id              uuid,
    aal                    text        check (aal in ('aal1', 'aal2', 'aal3')),
    not_after              timestamptz,
    refreshed_at           timestamp,
    user_agent             text,
    ip                     inet,
    tag                    text,
    refresh_token_hmac_key text,
    refresh_token_counter  bigint,
    scopes                 text
);
create index if not exists sessions_user_id_idx on auth.sessions (user_id);

-- id is text here, bigserial in GoTrue: the library makes its own ids.
create table if not exists auth.refresh_tokens (
    id         text         primary key,
    token      varchar(255) not null unique,
    user_id    uuid         not null references auth.users (id) on delete cascade,
    revoked    boolean      not null default false,
    created_at timestamptz  default now(),
    updated_at timestamptz  default now(),
    parent     varchar(255),
    session_id uuid         references auth.sessions (id) on delete cascade
);
create index if not exists refresh_tokens_session_id_idx on auth.refresh_tokens (session_id);
create index if not exists refresh_tokens_user_id_idx on auth.refresh_tokens (user_id);

create table if not exists auth.audit_log_entries (
    id         uuid        primary key,
    payload    json,
    created_at timestamptz default now(),
    ip_address varchar(64) not null default ''
);

-- Wrong passwords ------------------------------------------------------------------------------------------

-- Not GoTrue's: it keeps its limits in memory. Whose they are stands here as a hash. Unlogged: a crash may forget them.
create unlogged table if not exists auth.password_attempts (
    whose      text        primary key,
    paid_until timestamptz not null
);

-- From one address ten for an account and sixty in all, then one more every half minute and every two seconds. Of the
-- address, too, for the account: nobody locks somebody else out.
create or replace function auth.password_limits(p_email text, p_address text)
    returns table (whose text, burst integer, pace interval) language sql immutable set search_path = '' as $$
    select encode(sha256(convert_to(w.whose, 'UTF8')), 'hex'), w.burst, w.pace
    from (values ('account ' || lower(p_email) || p_address, 10, interval '30 seconds'),
                 ('address ' || p_address, 60, interval '2 seconds')) w (whose, burst, pace);
$$;

-- Counts an attempt and returns null, or returns how many seconds to wait.
create or replace function auth.count_password_attempt(p_email text, p_address text) returns integer
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: the service may not forgive itself
declare
    v_now   timestamptz := clock_timestamp();
    v_limit record;
    v_until timestamptz;
begin
    delete from auth.password_attempts where paid_until < v_now;
    for v_limit in select * from auth.password_limits(p_email, p_address) loop
        insert into auth.password_attempts as a values (v_limit.whose, v_now + v_limit.pace)
        on conflict (whose) do update set paid_until = v_limit.pace + case
            when a.paid_until <= v_now + v_limit.burst * v_limit.pace then a.paid_until
            else v_now end   -- too far ahead: the clock was set back
        returning paid_until into v_until;
        if v_until > v_now + v_limit.burst * v_limit.pace then
            raise exception using errcode = 'PT429';
        end if;
    end loop;
    return null;
exception when sqlstate 'PT429' then   -- nothing is counted
    return ceil(extract(epoch from v_until - v_now - v_limit.burst * v_limit.pace));
end $$;

create or replace function auth.forget_password_attempt(p_email text, p_address text) returns void
    language plpgsql security definer set search_path = '' as $$   -- DEFINER: as above
declare
    v_limit record;
begin
    for v_limit in select * from auth.password_limits(p_email, p_address) loop
        -- the account's are all forgotten, of the address's this one
        update auth.password_attempts
        set paid_until = case v_limit.burst when 10 then '-infinity' else paid_until - v_limit.pace end
        where whose = v_limit.whose;
    end loop;
end $$;

-- Privileges: stated in full, so that a second run also takes back what is no longer listed -----------------

revoke all on schema auth from public, anon, authenticated, service_role, postgres, supabase_auth_admin;
revoke all on all tables in schema auth from public, anon, authenticated, service_role, postgres, supabase_auth_admin;
revoke all on all functions in schema auth from public, anon, authenticated, service_role, postgres, supabase_auth_admin;

grant usage on schema auth to anon, authenticated, service_role, postgres, supabase_auth_admin;
grant execute on function auth.jwt(), auth.uid(), auth.role(), auth.email()
    to anon, authenticated, service_role, postgres;

-- postgres runs migrations and seeds: it creates users, refers to them, and hangs triggers on them.
grant select, insert, update, delete, references, trigger on auth.users, auth.identities to postgres;
grant select, insert, update, delete on auth.sessions, auth.refresh_tokens, auth.audit_log_entries to postgres;  -- restores

-- The service: rows only. It never deletes a user, and never reads the audit log back.
grant select, insert, update on auth.users, auth.identities to supabase_auth_admin;
grant select, insert, update, delete on auth.sessions, auth.refresh_tokens to supabase_auth_admin;
grant insert on auth.audit_log_entries to supabase_auth_admin;
grant usage on schema extensions to supabase_auth_admin;   -- hashes the passwords that the secret key sets
grant execute on function auth.count_password_attempt(text, text), auth.forget_password_attempt(text, text)
    to supabase_auth_admin;

commit;
