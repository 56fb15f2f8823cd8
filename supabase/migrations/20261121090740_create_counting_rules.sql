-- Purpose: what of each kind of activity counts, from a day on.
-- Locks: none. Data safety: new objects only.

create table if not exists public.counting_rules (
    organization_id      uuid    not null,
    activity_type_id     uuid    not null,
    valid_from           date    not null
        check (valid_from >= '1900-01-01' and valid_from < '2100-01-01'),
    counts               boolean not null default true,
    min_duration_minutes integer check (min_duration_minutes between 1 and 1440),
    min_participants     integer check (min_participants between 1 and 10000),
    source               text    not null check (source ~ '\S' and length(source) <= 500),
    primary key (organization_id, activity_type_id, valid_from),
    constraint counting_rules_activity_type_fkey foreign key (activity_type_id, organization_id)
        references public.activity_types (id, organization_id) on delete cascade
);
comment on table public.counting_rules is
    'What of a type counts, from a day on until the next rule''s. Without a rule, everything that '
    'is registered counts. A change is applied at once: docs/howto/change-the-counting-rule.md.';
comment on column public.counting_rules.valid_from is
    'The first activity_date that it is about.';
comment on column public.counting_rules.counts is 'False: nothing of this type counts.';
comment on column public.counting_rules.source is 'Where the rule stands, for whoever asks why.';
create index if not exists counting_rules_activity_type_id_organization_id_idx
    on public.counting_rules (activity_type_id, organization_id);
alter table public.counting_rules enable row level security;

drop policy if exists "members read their organisation's counting rules"
    on public.counting_rules;
create policy "members read their organisation's counting rules" on public.counting_rules
    for select to authenticated using (organization_id = (select app.member_org_id()));

revoke all on public.counting_rules from public, anon, authenticated, service_role;
grant select on public.counting_rules to authenticated;
grant select, insert, update, delete on public.counting_rules to service_role;
