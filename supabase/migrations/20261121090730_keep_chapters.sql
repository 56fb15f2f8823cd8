-- Purpose: a unit keeps its kind as long as anybody works there, or anything took place there.
-- Locks: brief, SHARE ROW EXCLUSIVE on organization_units. Data safety: new objects only.
--
-- Its numbers stand where a chapter's do. A chapter that is no longer worked in is closed
-- (closed_on), and goes on counting.

create or replace function private.check_unit_keeps_kind() returns trigger
    -- DEFINER: must see everything, whatever the caller may read
    language plpgsql security definer set search_path = '' as $$
begin
    if exists (select from public.activities a where a.unit_id = new.id) then
        raise exception 'unit % has activities and keeps its kind', new.id
            using errcode = 'check_violation', hint = 'Close it: organization_units.closed_on.';
    end if;
    if exists (select from public.chapter_assignments a where a.unit_id = new.id) then
        raise exception 'unit % has assignments and stays a chapter', new.id
            using errcode = 'check_violation';
    end if;
    return new;
end $$;
revoke execute on function private.check_unit_keeps_kind()
    from public, anon, authenticated, service_role;
create or replace trigger organization_units_check_kind
    before update of kind on public.organization_units
    for each row when (old.kind <> new.kind)
    execute function private.check_unit_keeps_kind();
