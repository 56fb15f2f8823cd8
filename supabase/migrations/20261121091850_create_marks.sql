-- Purpose: what a fold leaves behind for others: marks for the hierarchy, a count for the refresh.
-- Locks: none. Data safety: new objects only.

-- Counted up whenever a fold outdates a unit's summary of a year; period_year 0 stands for every
-- year. A table apart from the summaries: whoever computes one waits for no fold, and no fold for
-- them.
create table if not exists stats.marks (
    unit_id        uuid        not null,
    period_year    integer     not null,
    marks          bigint      not null default 1,
    invalidated_at timestamptz not null default clock_timestamp(),
    primary key (unit_id, period_year)
) with (fillfactor = 80);
comment on table stats.marks is
    'How often each unit''s summary of a year was outdated; only ever grows.';
alter table stats.marks enable row level security;   -- deny-all: no policy

create table if not exists stats.unrefreshed_changes (
    organization_id uuid        primary key,
    change_count    bigint      not null,
    oldest_at       timestamptz not null
);
comment on table stats.unrefreshed_changes is
    'Changes that are folded, but not yet in mv_*; emptied by the refresh.';
alter table stats.unrefreshed_changes enable row level security;   -- deny-all: no policy

revoke all on stats.marks, stats.unrefreshed_changes from public, anon, authenticated, service_role;
