-- Purpose: undo embed_names.
-- Locks: none. Data safety: nothing is lost.

drop function if exists public.children(public.organization_units),
    public.parent(public.organization_units),
    public.activity_types(public.coordinator_monthly_stats),
    public.profiles(public.coordinator_monthly_stats),
    public.profiles(public.mv_peer_mentor_stats), public.profiles(public.peer_mentor_stats),
    public.chapters(public.mv_activity_time_series), public.chapters(public.mv_peer_mentor_stats),
    public.chapters(public.mv_chapter_stats), public.chapters(public.activity_time_series),
    public.chapters(public.peer_mentor_stats), public.chapters(public.chapter_stats);
