-- The same table, indexes and foreign keys, without anything that keeps statistics: no rule, no log, no limit of a day.
-- The load gives the day itself.

do $$
declare
    v_trigger text;
begin
    for v_trigger in
        select t.tgname from pg_trigger t join pg_proc p on p.oid = t.tgfoid
        where t.tgrelid = 'public.activities'::regclass and not t.tgisinternal and p.pronamespace = 'stats'::regnamespace
    loop
        execute format('drop trigger %I on public.activities', v_trigger);
    end loop;
end $$;
