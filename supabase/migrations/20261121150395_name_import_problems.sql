-- Purpose: what is wrong with a line of a list: a code, the cells that it is about, a sentence.
-- Locks: none. Data safety: new objects only.
--
-- A page has words of its own for each code (console/texts); the sentence is for who has none.

-- The first word is the code, the others are the cells.
create or replace function app.import_sentence(p_problem text[]) returns text
    language sql immutable security invoker set search_path = ''
    return case p_problem[1]
        when 'unit_unnamed' then 'the unit has no name'
        when 'unit_twice' then 'the list names this unit more than once'
        when 'unit_ambiguous' then 'several units have this name'
        when 'kind_unknown' then 'the kind must be national, region, district or local'
        when 'parent_of_national' then 'the national unit alone has no parent'
        when 'parent_missing' then 'the national unit alone has no parent'
        when 'parent_unknown' then 'there is no unit of the parent''s name'
        when 'parent_ambiguous' then 'several units have the parent''s name'
        when 'parent_not_above' then 'the parent is not above a unit of this kind'
        when 'closing_day' then 'closed_on must be a day such as 2026-12-31'
        when 'not_invited' then 'nobody was invited with this address'
        when 'role_unknown' then 'the role must be peer_mentor, coordinator or org_admin'
        when 'active_unclear' then 'active must be yes or no'
        when 'person_unnamed' then 'the person has no name'
        when 'name_too_long' then 'the name is longer than 200 characters'
        when 'region_numbered'
            then 'the name of a region has six digits in a row, which reports do not show'
        when 'chapter_unknown' then format('there is no chapter "%s"', p_problem[2])
        when 'chapter_ambiguous' then format('several chapters are called "%s"', p_problem[2])
        when 'reference_missing' then 'the activity has no reference'
        when 'reference_twice' then 'the list names this reference more than once'
        when 'date_unclear' then 'date must be a day such as 2026-12-31'
        when 'time_unclear' then 'time must be a time such as 18:30'
        when 'type_unknown' then 'there is no type of this code'
        when 'chapter_unclear' then 'there is no chapter, or several, of this name'
        when 'mentor_unknown' then 'nobody has the peer mentor''s address'
        when 'minutes_outside' then 'minutes must be a number from 1 to 1440'
        when 'participants_outside' then 'participants must be a number from 0 to 10000'
        when 'status_unknown' then 'the status must be draft, registered or rejected'
        when 'otherwise_there' then
            'it is there and says something else: correct the activity itself'
        when 'chapter_closed' then 'the chapter was closed by then'
        when 'yet_to_come' then 'what has not taken place yet can only be a draft'
        when 'year_locked' then 'the year is locked'
        when 'mentor_not_active' then 'the peer mentor is not active in the chapter'
        when 'day_full' then 'more than 24 hours of one person on one day'
        else p_problem[2] end;   -- the code is an SQLSTATE: what the database says itself

create or replace function app.import_line(
    p_line integer, p_name text, p_outcome text, p_problem text[])
    returns jsonb
    language sql immutable security invoker set search_path = ''
    return jsonb_build_object(
        'line', p_line, 'name', p_name, 'outcome', p_outcome,
        'problem', app.import_sentence(p_problem),
        'code', p_problem[1], 'values', to_jsonb(p_problem[2:]));
comment on function app.import_line(integer, text, text, text[]) is
    'What a preview or an import says of a line.';

revoke execute on function app.import_sentence(text[]), app.import_line(integer, text, text, text[])
    from public, anon, authenticated, service_role;
grant execute on function app.import_sentence(text[]), app.import_line(integer, text, text, text[])
    to authenticated;
