-- Purpose: the totals: what the change log has been folded into, as ordinary tables.
-- Locks: none. Data safety: new objects only.
--
-- Live = totals + log, read in one statement. Only stats.fold() and stats.rebuild() write here, one
-- at a time. Room on each page (fillfactor) and no index on a measure: adding to a row moves
-- nothing and touches no index.

create table if not exists stats.daily_totals (
    organization_id uuid not null,
    chapter_id      uuid not null,
    bucket_date     date not null,
    primary key (chapter_id, bucket_date)
) inherits (stats.measures) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
create index if not exists daily_totals_organization_id_bucket_date_idx
    on stats.daily_totals (organization_id, bucket_date);
comment on table stats.daily_totals is 'Per chapter and day, up to the last fold.';

create table if not exists stats.monthly_totals (
    organization_id uuid not null,
    activity_month  date not null,
    chapter_id      uuid not null,
    primary key (organization_id, activity_month, chapter_id)
) inherits (stats.measures) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
create index if not exists monthly_totals_chapter_id_idx on stats.monthly_totals (chapter_id);
comment on table stats.monthly_totals is
    'Per organisation, month and chapter, up to the last fold.';

create table if not exists stats.peer_mentor_totals (
    organization_id uuid not null,
    chapter_id      uuid not null,
    peer_mentor_id  uuid not null,
    primary key (chapter_id, peer_mentor_id)
) inherits (stats.measures) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
create index if not exists peer_mentor_totals_peer_mentor_id_idx
    on stats.peer_mentor_totals (peer_mentor_id);
create index if not exists peer_mentor_totals_organization_id_idx
    on stats.peer_mentor_totals (organization_id);
comment on table stats.peer_mentor_totals is 'Per chapter and peer mentor, up to the last fold.';

create table if not exists stats.yearly_totals (
    organization_id  uuid    not null,
    chapter_id       uuid    not null,
    period_year      integer not null,
    peer_mentor_id   uuid    not null,
    activity_type_id uuid    not null,
    primary key (chapter_id, period_year, peer_mentor_id, activity_type_id)
) inherits (stats.measures) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
create index if not exists yearly_totals_organization_id_period_year_idx
    on stats.yearly_totals (organization_id, period_year);
comment on table stats.yearly_totals is
    'Per chapter, year, peer mentor and activity type, up to the last fold: what the '
    'hierarchy sums.';

alter table stats.daily_totals enable row level security;         -- deny-all: no policy
alter table stats.monthly_totals enable row level security;       -- as above
alter table stats.peer_mentor_totals enable row level security;   -- as above
alter table stats.yearly_totals enable row level security;        -- as above

-- Which totals there are: the keys of each, as they are found in a row of the log or of
-- stats.contributions.
create or replace view stats.totals as
    select t.name::name, t.keys, t.key_values, t.conflict
    from (values
        ('daily_totals',
         'organization_id, chapter_id, bucket_date',
         'organization_id, chapter_id, bucket_date',
         'chapter_id, bucket_date'),
        ('monthly_totals',
         'organization_id, activity_month, chapter_id',
         'organization_id, date_trunc(''month'', bucket_date::timestamp)::date, chapter_id',
         'organization_id, activity_month, chapter_id'),
        ('peer_mentor_totals',
         'organization_id, chapter_id, peer_mentor_id',
         'organization_id, chapter_id, peer_mentor_id',
         'chapter_id, peer_mentor_id'),
        ('yearly_totals',
         'organization_id, chapter_id, period_year, peer_mentor_id, activity_type_id',
         'organization_id, chapter_id, date_part(''year'', bucket_date)::integer, '
         'peer_mentor_id, activity_type_id',
         'chapter_id, period_year, peer_mentor_id, activity_type_id')
    ) t (name, keys, key_values, conflict);
comment on view stats.totals is
    'The totals, and how the fold, the rebuild and the audit find the keys of each.';

revoke all on stats.daily_totals, stats.monthly_totals, stats.peer_mentor_totals,
    stats.yearly_totals, stats.totals
    from public, anon, authenticated, service_role;
