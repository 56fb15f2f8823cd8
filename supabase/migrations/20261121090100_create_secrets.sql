-- Purpose: one way to read a secret, from Vault where it exists and from a private table elsewhere.
-- Locks: none. Data safety: new objects only.

create table if not exists private.secrets (
    name       text        primary key,
    value      text        not null check (value <> ''),
    updated_at timestamptz not null default now()
);
comment on table private.secrets is
    'Secrets of installations without Vault. Deny-all: no policy, no grant.';
alter table private.secrets enable row level security;
revoke all on private.secrets from public, anon, authenticated, service_role;

-- In the table also where Vault exists: what came with the dump of a project without Vault.
create or replace function private.find_secret(p_name text) returns text
    language plpgsql stable security invoker set search_path = '' as $$
declare
    -- does not exist everywhere, hence dynamic
    v_vault regclass := to_regclass('vault.decrypted_secrets');
    v_value text;
begin
    if v_vault is not null then
        execute format('select decrypted_secret from %s where name = $1', v_vault)
            into v_value using p_name;
    end if;
    return coalesce(v_value, (select s.value from private.secrets s where s.name = p_name));
end $$;
comment on function private.find_secret(text) is 'The value of a secret, or null.';

create or replace function private.secret(p_name text) returns text
    language plpgsql stable security invoker set search_path = '' as $$
declare
    v_value text := private.find_secret(p_name);
begin
    -- never a silent NULL: a signature over NULL would be NULL, and the webhook lost unseen
    if v_value is null then
        raise exception 'secret "%" is not set', p_name
            using errcode = 'no_data_found', hint = 'Set it with private.set_secret(name, value).';
    end if;
    return v_value;
end $$;
comment on function private.secret(text) is
    'The value of a secret; raises P0002 when it is not set.';

create or replace function private.set_secret(p_name text, p_value text) returns void
    language plpgsql security invoker set search_path = '' as $$
declare
    v_vault regclass := to_regclass('vault.secrets');
    v_id    uuid;
begin
    if v_vault is not null then
        execute format('select id from %s where name = $1', v_vault) into v_id using p_name;
        execute case when v_id is null then 'select vault.create_secret($2, $3)'
                     else 'select vault.update_secret($1, $2)' end
            using v_id, p_value, p_name;
        delete from private.secrets s where s.name = p_name;   -- no old value may come back
    else
        insert into private.secrets as s (name, value) values (p_name, p_value)
        on conflict (name) do update set value = excluded.value, updated_at = now()
        where s.value <> excluded.value;
    end if;
end $$;
comment on function private.set_secret(text, text) is
    'Sets a secret, in Vault where it exists; idempotent.';

create or replace function private.forget_secret(p_name text) returns void
    language plpgsql security invoker set search_path = '' as $$
declare
    v_vault regclass := to_regclass('vault.secrets');
begin
    if v_vault is not null then
        execute format('delete from %s where name = $1', v_vault) using p_name;
    end if;
    delete from private.secrets s where s.name = p_name;
end $$;
comment on function private.forget_secret(text) is
    'Takes a secret away, wherever it is; idempotent.';

revoke execute on all functions in schema private from public, anon, authenticated, service_role;
