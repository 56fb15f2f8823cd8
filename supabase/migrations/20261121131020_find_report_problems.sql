-- Purpose: what finds a version that was changed, left out or put in.
-- Locks: none. Data safety: reads only.

create or replace view stats.report_problems as
    select v.organization_id, v.id as version_id, p.problem
    from (select r, r.id, r.organization_id, r.position, r.previous_hash, r.signed_hash, r.hash,
                 row_number() over chain as place,
                 lag(r.hash, 1, repeat('0', 64)) over chain as hash_before
          from public.bufdir_report_versions r
          window chain as (partition by r.organization_id order by r.position)) v
    cross join lateral (values
        (v.hash <> stats.report_hash(v.r)
         or not exists (select from stats.complete_versions c
                        where c.version_id = v.id
                          and stats.text_hash(c.report::text) = (v.r).complete_hash),
         'was changed'),
        (v.signed_hash is distinct from stats.signature_hash(v.r), 'signatures were changed'),
        (v.position <> v.place or v.previous_hash <> v.hash_before,
         'does not follow the one before')
    ) p (is_found, problem)
    where p.is_found
    union all
    select c.organization_id, null, 'the chain does not end where it ended'
    from stats.report_chains c
    where not exists (
        select from public.bufdir_report_versions r
        where (r.organization_id, r.position, r.hash)
              = (c.organization_id, c.length, c.last_hash))
    union all
    select c.organization_id, null, 'a signature is missing'
    from stats.report_chains c
    where c.signature_count > (
        select coalesce(sum(num_nonnulls(r.approved_at, r.sent_at)), 0)
        from public.bufdir_report_versions r where r.organization_id = c.organization_id);
comment on view stats.report_problems is
    'Versions that are not as they were written; no row when all is well.';

revoke all on stats.report_problems from public, anon, authenticated, service_role;
