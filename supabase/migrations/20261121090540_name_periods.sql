-- Purpose: one convention for periods: the first day is in, the last is not; or a year is named.
-- Locks: none. Data safety: reads only.

create or replace function app.first_day(p_day date, p_year integer) returns date
    language plpgsql immutable security invoker set search_path = '' as $$
begin
    if p_year is null then
        return p_day;
    elsif p_day is not null then
        raise exception 'name a period or a year, not both'
            using errcode = 'invalid_parameter_value';
    elsif p_year not between 2000 and 2100 then
        raise exception 'the year must be between 2000 and 2099'
            using errcode = 'invalid_parameter_value';
    end if;
    return make_date(p_year, 1, 1);
end $$;
comment on function app.first_day(date, integer) is
    'An edge of a period: the day, or the first one of the year where that is named instead.';

-- Whoever thinks that the end is in, leaves out what it begins with.
create or replace function app.period_warnings(p_end date) returns text[]
    language sql immutable security invoker set search_path = ''
    return array_remove(array[
        case when extract(month from p_end + 1) = 1 and extract(day from p_end + 1) = 1
             then 'last_day_of_year_left_out'
             when extract(day from p_end + 1) = 1 then 'last_day_of_month_left_out'
             when extract(month from p_end) = 12 and extract(day from p_end) = 1
             then 'last_month_of_year_left_out' end], null);
comment on function app.period_warnings(date) is
    'Whether the day that a period ends before looks like one that was meant to be in it.';

-- A series is a list of numbers; what there is to say about it goes into a header.
create or replace function app.warn_of_end(p_end date) returns void
    language plpgsql volatile security invoker set search_path = '' as $$
begin
    if app.period_warnings(p_end) <> '{}' then
        perform set_config('response.headers', jsonb_build_array(jsonb_build_object(
            'Warning', format('299 fersk "%s: %s is not in it"',
                              (app.period_warnings(p_end))[1], p_end)))::text, true);
    end if;
end $$;
comment on function app.warn_of_end(date) is
    'Has PostgREST answer with a header Warning, if there is something to warn of.';

revoke execute on function app.first_day(date, integer), app.period_warnings(date),
    app.warn_of_end(date)
    from public, anon, authenticated, service_role;
grant execute on function app.first_day(date, integer), app.period_warnings(date),
    app.warn_of_end(date)
    to authenticated;
