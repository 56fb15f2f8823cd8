-- Purpose: who may be named in an activity, and where it may take place.
-- Locks: brief, SHARE ROW EXCLUSIVE on activities. Data safety: new objects only.
--
-- Asked of whoever writes through the API, about what they write: what was right then stays, so
-- that an activity can be corrected after somebody has left. The owner brings what was true
-- elsewhere and before.

create or replace function private.check_activity() returns trigger
    -- DEFINER: a peer mentor may not read who works in the chapter
    language plpgsql security definer set search_path = '' as $$
declare
    v_placed  boolean := tg_op = 'INSERT' or new.unit_id <> old.unit_id;
    v_named   boolean := new.coordinator_id is not null
        and (tg_op = 'INSERT' or new.coordinator_id is distinct from old.coordinator_id);
    v_mentor  boolean := v_placed or new.peer_mentor_id <> old.peer_mentor_id;
    v_problem text;
begin
    if new.coordinator_id is null or v_placed and not v_named then
        new.coordinator_id := (
            select d.coordinator_id
            from stats.default_coordinators d
            where d.chapter_id = new.unit_id and d.organization_id = new.organization_id);
    end if;
    if nullif(current_setting('request.jwt.claims', true), '') is null then
        return new;
    end if;
    select case
        when u.kind <> 'local' then 'the unit is no chapter'
        when new.activity_date >= u.closed_on
            and (v_placed or new.activity_date > old.activity_date)
            then 'the chapter was closed by then'
        when v_named and not exists (
            select from stats.chapter_coordinators c
            where c.chapter_id = u.id and c.coordinator_id = new.coordinator_id)
            then 'the coordinator is no active coordinator of the chapter'
        -- of themselves, row-level security asks the same
        when v_mentor and new.peer_mentor_id is distinct from auth.uid() and not exists (
            select from public.chapter_assignments a
            join public.profiles p on p.id = a.profile_id and p.is_active
            where a.unit_id = u.id and a.profile_id = new.peer_mentor_id)
            then 'the peer mentor is not active in the chapter'
        end into v_problem
    from public.organization_units u
    where u.id = new.unit_id;
    -- Who may not write there at all is refused by row-level security, and learns nothing here.
    if v_problem is not null and (auth.uid() is null or new.unit_id in (
            select app.visible_chapter_ids() union all select app.assigned_chapter_ids())) then
        raise exception '%', v_problem using errcode = 'check_violation';
    end if;
    return new;
end $$;
revoke execute on function private.check_activity() from public, anon, authenticated, service_role;

-- After activities_3_judge, in the order of their names: that one finds the day.
create or replace trigger activities_people_inserted
    before insert on public.activities
    for each row execute function private.check_activity();
create or replace trigger activities_people_updated
    before update of unit_id, peer_mentor_id, coordinator_id, occurred_at, activity_date
    on public.activities
    for each row when (
        (old.unit_id, old.peer_mentor_id, old.coordinator_id)
            is distinct from (new.unit_id, new.peer_mentor_id, new.coordinator_id)
        or old.activity_date < new.activity_date)
    execute function private.check_activity();
