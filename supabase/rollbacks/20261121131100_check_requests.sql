-- Purpose: undo check_requests: PostgREST asks nobody before a request.
-- Locks: none. Data safety: nothing is lost.

-- first, or every request would fail for want of the function
do $$
begin
    alter role authenticator reset pgrst.db_pre_request;
    alter role authenticator reset pgrst.db_tx_end;
    alter role authenticator reset pgrst.db_plan_enabled;
    notify pgrst, 'reload config';
exception when insufficient_privilege then
    null;   -- then they were never set
end $$;

drop function if exists private.install_request_checks();
drop function if exists app.check_request();
drop function if exists app.wait_for_place(text, integer);
drop function if exists app.take_place(text, integer);
do $$
begin
    if to_regnamespace('app') is not null then
        revoke usage on schema app from anon;
    end if;
end $$;
