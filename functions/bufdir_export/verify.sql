-- Verifies a report, and that no version before or after it was changed, left out or put in. Run it
-- in the database as its owner (in a project: the SQL editor). It changes nothing, and needs none
-- of Fersk's functions: every formula is spelled out. Each line of the answer should say true.

begin;
create temporary table reported (
    activity_id uuid primary key, chapter_id uuid not null, minutes bigint not null,
    participants bigint not null) on commit drop;
-- :reported

with versions as (
    select v.*, row_number() over chain as place,
           lag(v.hash, 1, repeat('0', 64)) over chain as hash_before,
           encode(sha256(convert_to(jsonb_build_array(
               v.previous_hash, v.id, v.organization_id, v.position, v.period_start, v.period_end,
               v.version, v.snapshot_json, v.complete_hash, v.record_count, v.source_fingerprint,
               v.mapping_version, v.mapping, v.counting_rule, v.prepared_by,
               extract(epoch from v.prepared_at))::text, 'UTF8')), 'hex') as computed_hash,
           case when v.approved_at is not null then
               encode(sha256(convert_to(jsonb_build_array(
                   v.hash, v.approved_by, extract(epoch from v.approved_at), v.sent_by,
                   extract(epoch from v.sent_at))::text, 'UTF8')), 'hex') end as computed_signature
    from public.bufdir_report_versions v
    window chain as (partition by v.organization_id order by v.position)
), complete as (
    select c.version_id, c.report,
           encode(sha256(convert_to(c.report::text, 'UTF8')), 'hex') as computed_hash
    from stats.complete_versions c
), report as (
    select v.hash, v.record_count, c.report -> 'totals' as totals
    from versions v join complete c on c.version_id = v.id
    where v.id = :version_id
)
select 'the content of every version has the hash that it was given' as checked,
       not exists (select from versions v where v.hash <> v.computed_hash) as is_true
union all
select 'so have the figures of small groups',
       not exists (select from versions v left join complete c on c.version_id = v.id
                   where c.computed_hash is distinct from v.complete_hash)
union all
select 'and who signed when',
       not exists (select from versions v
                   where v.signed_hash is distinct from v.computed_signature)
       and not exists (select from stats.report_chains c
                       where c.signature_count <> (
                           select coalesce(sum(num_nonnulls(v.approved_at, v.sent_at)), 0)
                           from versions v where v.organization_id = c.organization_id))
union all
select 'every version follows the one before it',
       not exists (select from versions v
                   where v.position <> v.place or v.previous_hash <> v.hash_before)
union all
select 'every chain ends where it ended',
       not exists (select from stats.report_chains c
                   where not exists (
                       select from versions v
                       where (v.organization_id, v.position, v.hash)
                             = (c.organization_id, c.length, c.last_hash)))
union all
select 'this version is the one that was exported',
       coalesce((select r.hash = :hash from report r), false)
union all
select 'its activities are as many as are listed',
       (select count(*) from reported) = (select r.record_count from report r)
       and (select count(*) from reported) = (select (r.totals ->> 'activity_count')::bigint
                                              from report r)
union all
select 'their hours and participants add up to its totals',
       (select (round(coalesce(sum(m.minutes), 0) / 60.0, 2), coalesce(sum(m.participants), 0))
        from reported m)
       = (select ((r.totals ->> 'total_hours')::numeric,
                  (r.totals ->> 'participant_count')::numeric) from report r);
rollback;
