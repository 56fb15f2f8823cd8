-- Purpose: what was registered more than once counts once.
-- Locks: brief, SHARE ROW EXCLUSIVE on activities. Data safety: new objects only.
--
-- Duplicates name the activity that counts in their place (duplicate_of), and that one names none.
-- Should it go, or no longer be registered, one of them takes its place.

create or replace function private.check_duplicate() returns trigger
    -- DEFINER: who decides may read neither of them from here
    language plpgsql security definer set search_path = '' as $$
declare
    v_original public.activities;
begin
    if auth.uid() is not null and new.unit_id not in (select app.visible_chapter_ids()) then
        raise exception 'only who follows up the chapter decides on duplicates'
            using errcode = 'insufficient_privilege';
    end if;
    if new.duplicate_of is null then
        return new;
    end if;
    -- Locked, so that two who name each other do not both find an original.
    select * into v_original from public.activities a where a.id = new.duplicate_of for share;
    if not found or v_original.organization_id <> new.organization_id
        or auth.uid() is not null
           and v_original.unit_id not in (select app.visible_chapter_ids()) then
        raise exception 'the original is not among the activities that you follow up'
            using errcode = 'insufficient_privilege';
    end if;
    if v_original.duplicate_of is not null then
        raise exception 'the original is itself a duplicate'
            using errcode = 'check_violation', hint = 'Name the activity that it names.';
    end if;
    if not v_original.is_counted then
        raise exception 'the original does not count' using errcode = 'check_violation';
    end if;
    if exists (select from public.activities a where a.duplicate_of = new.id) then
        raise exception 'other activities are duplicates of this one'
            using errcode = 'check_violation', hint = 'Resolve those first.';
    end if;
    return new;
end $$;
create or replace trigger activities_check_duplicate
    before update of duplicate_of on public.activities
    -- not what pass_on_duplicates writes
    for each row when (old.duplicate_of is distinct from new.duplicate_of
                       and pg_trigger_depth() = 0)
    execute function private.check_duplicate();

-- Of an activity and those that name it, the first one that is registered takes the place of the
-- others: itself before them, if it is still there.
create or replace function private.pass_on_duplicates(p_original_id uuid) returns void
    language sql volatile security invoker set search_path = ''
begin atomic
    with members as (
        select a.id, a.duplicate_of, a.status, a.inserted_at
        from public.activities a
        where a.duplicate_of = p_original_id or a.id = p_original_id
    ), heir as (
        select m.id from members m
        order by m.status = 'registered' desc, m.duplicate_of is null desc, m.inserted_at, m.id
        limit 1
    )
    update public.activities a
    set duplicate_of = nullif(h.id, a.id)
    from members m
    cross join heir h
    where a.id = m.id and a.duplicate_of is distinct from nullif(h.id, a.id);
end;

create or replace function private.pass_on() returns trigger
    -- DEFINER: whose duplicates they are does not matter
    language plpgsql security definer set search_path = '' as $$
declare
    v_original_id uuid := coalesce(old.duplicate_of, old.id);
begin
    if exists (select from public.activities a where a.duplicate_of = v_original_id) then
        perform private.pass_on_duplicates(v_original_id);
    end if;
    return null;
end $$;
-- In upper case, because triggers go by their names: it comes before that of the foreign key.
create or replace trigger "A_pass_on_deleted" after delete on public.activities
    for each row execute function private.pass_on();
create or replace trigger activities_pass_on_changed after update of status on public.activities
    for each row when (old.status <> new.status) execute function private.pass_on();

revoke execute on function private.check_duplicate(), private.pass_on_duplicates(uuid),
    private.pass_on()
    from public, anon, authenticated, service_role;
