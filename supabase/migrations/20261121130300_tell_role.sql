-- Purpose: what the functions ask before they act for somebody with the secret key.
-- Locks: none. Data safety: new objects only.

create or replace function public.get_role() returns public.profile_role
    language sql stable security invoker set search_path = ''
    return app.profile_role();
comment on function public.get_role() is
    'The caller''s role now, if they are an active member of the organisation of their token; else '
    'null.';
revoke execute on function public.get_role() from public, anon, authenticated, service_role;
grant execute on function public.get_role() to authenticated;
