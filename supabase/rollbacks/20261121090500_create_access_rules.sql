-- Purpose: undo create_access_rules: nobody knows who is calling.
-- Locks: none. Data safety: nothing is lost.

-- latest first: the bodies refer to each other
drop function if exists app.statistics_chapter_ids();
drop function if exists app.statistics_org_id();
drop function if exists app.visible_chapter_ids();
drop function if exists app.assigned_chapter_ids();
drop function if exists app.profile_role();
drop function if exists app.profile_id();
drop function if exists app.member_org_id();
drop function if exists app.current_org_id();
