-- The design that suggests itself: a deferred constraint trigger refreshes both views in the writer's own commit, at
-- most every ten seconds. As the task words it: check the log, FOR UPDATE SKIP LOCKED, refresh inside an exception
-- block, update the log. Applied after bare.sql.

create schema naive;
create materialized view naive.mv_peer_mentor_stats as
    select organization_id, unit_id as chapter_id, peer_mentor_id, count(*) as activity_count,
           round(sum(duration_minutes) / 60.0, 2) as total_hours
    from public.activities where is_counted group by 1, 2, 3;
create unique index on naive.mv_peer_mentor_stats (peer_mentor_id, chapter_id);
create materialized view naive.mv_activity_time_series as
    select organization_id, unit_id as chapter_id, activity_date as bucket_date,
           count(*) as activity_count, round(sum(duration_minutes) / 60.0, 2) as total_hours
    from public.activities where is_counted group by 1, 2, 3;
create unique index on naive.mv_activity_time_series (chapter_id, bucket_date);

create table naive.stats_refresh_log (only_row boolean primary key default true check (only_row), last_refreshed_at timestamptz);
insert into naive.stats_refresh_log default values;

create function naive.refresh() returns trigger language plpgsql as $$
begin
    if (select now() - l.last_refreshed_at < interval '10 seconds' from naive.stats_refresh_log l) then
        return new;
    end if;
    perform from naive.stats_refresh_log for update skip locked;
    if not found then
        return new;
    end if;
    begin
        refresh materialized view concurrently naive.mv_peer_mentor_stats;
        refresh materialized view concurrently naive.mv_activity_time_series;
    exception when others then
        raise warning 'refresh failed: %', sqlerrm;
    end;
    update naive.stats_refresh_log set last_refreshed_at = clock_timestamp() where true;
    return new;
end $$;
create constraint trigger activities_refresh after insert on public.activities
    deferrable initially deferred for each row execute function naive.refresh();
