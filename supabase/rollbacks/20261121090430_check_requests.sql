-- Purpose: undo check_requests.
-- Locks: none. Data safety: nothing is lost.

drop function if exists app.check_request();
drop function if exists app.wait_for_place(text, integer);
drop function if exists app.take_place(text, integer);
do $$
begin
    if to_regnamespace('app') is not null then
        revoke usage on schema app from anon;
    end if;
end $$;
