-- Purpose: the hashes that chain an organisation's versions.
-- Locks: none. Data safety: new objects only.

create or replace function stats.text_hash(p_text text) returns text
    language sql immutable security invoker set search_path = ''
    return encode(sha256(convert_to(p_text, 'UTF8')), 'hex');

-- Spelled out once more in what auditors get (functions/bufdir_export/verify.sql), so that they
-- need not believe these functions.
create or replace function stats.report_hash(p_version public.bufdir_report_versions) returns text
    language sql stable security invoker set search_path = ''
    return stats.text_hash(jsonb_build_array(
        p_version.previous_hash, p_version.id, p_version.organization_id, p_version.position,
        p_version.period_start, p_version.period_end, p_version.version, p_version.snapshot_json,
        p_version.complete_hash, p_version.record_count, p_version.source_fingerprint,
        p_version.mapping_version, p_version.mapping, p_version.counting_rule,
        p_version.prepared_by, extract(epoch from p_version.prepared_at))::text);

create or replace function stats.signature_hash(p_version public.bufdir_report_versions)
    returns text
    language sql stable security invoker set search_path = ''
    return case when p_version.approved_at is not null then
        stats.text_hash(jsonb_build_array(
            p_version.hash, p_version.approved_by, extract(epoch from p_version.approved_at),
            p_version.sent_by, extract(epoch from p_version.sent_at))::text) end;

-- Where each chain ends: without it, its last versions could be left out. Its row is also what two
-- who prepare at once queue for.
create table if not exists stats.report_chains (
    organization_id uuid   primary key references public.organizations (id),
    length          bigint not null default 0,
    last_hash       text   not null default repeat('0', 64),
    signature_count bigint not null default 0
);
comment on table stats.report_chains is
    'How long each organisation''s chain is, how it ends, and how often its versions were signed.';
alter table stats.report_chains enable row level security;   -- deny-all: no policy
revoke all on stats.report_chains from public, anon, authenticated, service_role;

create or replace function private.chain_report_version() returns trigger
    language plpgsql security invoker set search_path = '' as $$
declare
    v_chain stats.report_chains;
begin
    insert into stats.report_chains (organization_id) values (new.organization_id)
    on conflict do nothing;
    select * into strict v_chain from stats.report_chains c
    where c.organization_id = new.organization_id for update;
    new.position := v_chain.length + 1;
    new.previous_hash := v_chain.last_hash;
    new.version := 1 + (
        select coalesce(max(v.version), 0) from public.bufdir_report_versions v
        where v.organization_id = new.organization_id
          and v.period_start = new.period_start and v.period_end = new.period_end);
    new.hash := stats.report_hash(new);
    update stats.report_chains c set length = new.position, last_hash = new.hash
    where c.organization_id = new.organization_id;
    return new;
end $$;
create or replace trigger bufdir_report_versions_chain
    before insert on public.bufdir_report_versions
    for each row execute function private.chain_report_version();

create or replace function private.sign_report_version() returns trigger
    language plpgsql security invoker set search_path = '' as $$
begin
    if to_jsonb(new) - '{approved_by,approved_at,sent_by,sent_at}'::text[]
           <> to_jsonb(old) - '{approved_by,approved_at,sent_by,sent_at}'::text[]
       or (old.approved_at is not null
           and (new.approved_by, new.approved_at) is distinct from (old.approved_by,
                                                                    old.approved_at))
       or old.sent_at is not null
       or num_nonnulls(new.approved_at, new.sent_at)
          <> 1 + num_nonnulls(old.approved_at, old.sent_at) then
        raise exception '% is append-only', tg_table_name
            using errcode = 'insufficient_privilege';
    end if;
    new.signed_hash := stats.signature_hash(new);
    update stats.report_chains c set signature_count = c.signature_count + 1
    where c.organization_id = new.organization_id;
    return new;
end $$;
create or replace trigger bufdir_report_versions_sign
    before update on public.bufdir_report_versions
    for each row execute function private.sign_report_version();

revoke execute on function stats.text_hash(text),
    stats.report_hash(public.bufdir_report_versions),
    stats.signature_hash(public.bufdir_report_versions), private.chain_report_version(),
    private.sign_report_version()
    from public, anon, authenticated, service_role;
