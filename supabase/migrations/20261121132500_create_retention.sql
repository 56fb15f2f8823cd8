-- Purpose: how long an organisation keeps texts and contacts, and the night that erases older ones.
-- Locks: brief, ACCESS EXCLUSIVE on organization_settings. Data safety: nothing is erased until an
-- organisation says how long it keeps something.

alter table public.organization_settings
    add column if not exists text_retention interval
        constraint organization_settings_text_retention_check
        check (text_retention between interval '1 day' and interval '100 years'),
    add column if not exists contact_retention interval
        constraint organization_settings_contact_retention_check
        check (contact_retention between interval '1 day' and interval '100 years');
comment on column public.organization_settings.text_retention is
    'How long a summary is kept after the activity took place; null: as long as the activity.';
comment on column public.organization_settings.contact_retention is
    'How long a contact is kept after the last activity with them; null: as long as that.';

-- One batch, so that nobody waits long for its rows; the number of what it erased, 0 when there is
-- no more. A contact goes in all of its activities at once, and so still counts once in each year.
create or replace function private.apply_retention(p_now timestamptz default now(),
    p_limit integer default 1000) returns bigint
    language plpgsql volatile security invoker set search_path = '' set lock_timeout = '5s' as $$
declare
    v_settings public.organization_settings;
    v_texts    bigint;
    v_contacts uuid[];
    v_erased   bigint := 0;
begin
    lock table public.activities in row exclusive mode;   -- before the snapshot: see create_audit
    for v_settings in
        select * from public.organization_settings s
        where num_nonnulls(s.text_retention, s.contact_retention) > 0
        order by s.organization_id
    loop
        perform private.lock_erasures(v_settings.organization_id);
        update public.activities a set summary = null
        where a.id in (
            select b.id from public.activities b
            where b.organization_id = v_settings.organization_id and b.summary is not null
              and b.occurred_at < p_now - v_settings.text_retention
            limit p_limit);
        get diagnostics v_texts = row_count;
        v_contacts := array(
            select a.contact_id from public.activities a
            where a.organization_id = v_settings.organization_id and a.contact_id is not null
              and not exists (select from private.contact_pseudonyms p
                              where p.contact_id = a.contact_id)
            group by 1
            having max(a.occurred_at) < p_now - v_settings.contact_retention
            limit p_limit);
        perform private.pseudonymize_contacts(v_settings.organization_id, v_contacts);
        perform private.record_erasure(v_settings.organization_id, e.kind, e.number)
        from (values ('texts', v_texts), ('contacts', cardinality(v_contacts))) e (kind, number)
        where e.number > 0;
        v_erased := v_erased + v_texts + cardinality(v_contacts);
        exit when v_erased >= p_limit;
    end loop;
    return v_erased;
end $$;
comment on function private.apply_retention(timestamptz, integer) is
    'Erases a batch of the texts and contacts that are older than their organisation keeps them.';

revoke execute on function private.apply_retention(timestamptz, integer)
    from public, anon, authenticated, service_role;
