-- Whose activities the writers insert: `spread` over all chapters as activity is, `hot` in the largest chapter alone.

create schema bench;
create table bench.slots as
    select row_number() over () as n, s.*
    from (select a.organization_id, a.unit_id, a.peer_mentor_id, a.coordinator_id, a.activity_type_id, a.occurred_at, a.activity_date
          from public.activities a
          join public.organizations o on o.id = a.organization_id and o.slug = 'nhf-large'
          where a.is_counted and a.occurred_at >= (select max(m.occurred_at) - interval '350 days' from public.activities m)
          order by md5(a.id::text) limit 20000) s;
alter table bench.slots add primary key (n);
create table bench.hot_slots as
    select row_number() over () as n, s.organization_id, s.unit_id, s.peer_mentor_id, s.coordinator_id, s.activity_type_id, s.occurred_at, s.activity_date
    from (select a.* from public.activities a
          where a.is_counted and a.unit_id = (select b.unit_id from bench.slots b group by 1 order by count(*) desc limit 1)
          order by md5(a.id::text) limit 2000) s;
alter table bench.hot_slots add primary key (n);
analyze bench.slots, bench.hot_slots;
