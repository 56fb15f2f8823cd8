-- Purpose: what the cells of a list mean: ids of words, and days.
-- Locks: none. Data safety: new objects only.

-- As uuid5 of Python, over words with a separator that no word has.
create or replace function app.stable_id(variadic p_words text[]) returns uuid
    language sql immutable security invoker set search_path = ''
    return (
        select encode(set_byte(set_byte(h, 6, get_byte(h, 6) & 15 | 80),
                               8, get_byte(h, 8) & 63 | 128), 'hex')::uuid
        from (select substr(extensions.digest(
                  decode('0d2c9a0e6f1b5d0e9a573f7f6c1d8b42', 'hex')
                  || convert_to(array_to_string(p_words, chr(31)), 'UTF8'), 'sha1'), 1, 16)) s (h));
comment on function app.stable_id(text[]) is 'The id that these words always have.';

-- Null for what is no day, such as the 30th of February.
create or replace function app.to_day(p_text text) returns date
    language sql immutable security invoker set search_path = ''
    return case when p_text ~ '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$' then (
        select case when to_char(d, 'YYYY-MM-DD') = p_text then d end
        from (select make_date(left(p_text, 4)::integer, substr(p_text, 6, 2)::integer, 1)
                     + right(p_text, 2)::integer - 1) s (d)) end;

revoke execute on function app.stable_id(text[]), app.to_day(text)
    from public, anon, authenticated, service_role;
grant execute on function app.stable_id(text[]), app.to_day(text) to authenticated;
