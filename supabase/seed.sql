-- One story for local use: four organisations and their people. Every password is `password`.
-- It ends today, or on the day that the setting fersk.seed_date names, and begins with the year
-- before. Deterministic and repeatable: ids are derived from names and days, and a second run of a
-- day changes nothing.

create function pg_temp.id(p_name text) returns uuid language sql immutable as $$
    select md5('fersk/' || p_name)::uuid
$$;
-- a number in [0, p_n) that depends on the name alone
create function pg_temp.pick(p_name text, p_n integer) returns integer language sql immutable as
    $$ select (('x' || substr(md5(p_name), 1, 7))::bit(28)::integer % p_n) $$;
create function pg_temp.today() returns date language sql stable as $$
    select coalesce(
        nullif(current_setting('fersk.seed_date', true), '')::date,
        (now() at time zone 'UTC')::date)
$$;

insert into public.organizations (id, slug, name)
select pg_temp.id(slug), slug, name
from (values ('nhf', 'Norges Handikapforbund'),
             ('hlf', 'Hørselshemmedes Landsforbund'),
             ('blindeforbundet', 'Norges Blindeforbund'),
             ('barnekreftforeningen', 'Barnekreftforeningen')) o (slug, name)
on conflict do nothing;
update public.organization_settings
set max_chapter_assignments = 5
where organization_id = pg_temp.id('nhf');
update public.organization_settings
set warm_up_enabled = false
where organization_id = pg_temp.id('barnekreftforeningen');
update public.organization_settings
set time_zone = 'Europe/Oslo'
where organization_id in (pg_temp.id('nhf'), pg_temp.id('hlf'), pg_temp.id('blindeforbundet'),
                          pg_temp.id('barnekreftforeningen'))
  and time_zone <> 'Europe/Oslo';

-- The trees. NHF: one national, nine regions, 36 chapters; the others: one national and their
-- chapters.
insert into public.organization_units (id, organization_id, parent_id, kind, name)
select pg_temp.id(slug || '/national'), pg_temp.id(slug), null, 'national', slug_name
from (values ('nhf', 'NHF'), ('hlf', 'HLF'), ('blindeforbundet', 'Blindeforbundet'),
             ('barnekreftforeningen', 'Barnekreftforeningen')) o (slug, slug_name)
on conflict do nothing;

create temporary table seed_chapters (slug text, region text, name text);
insert into seed_chapters
select 'nhf', region, unnest(string_to_array(chapters, ' '))
from (values ('Oslo', 'Oslo Grorud Nordstrand Frogner'),
             ('Akershus', 'Bærum Asker Lillestrøm Follo'),
             ('Buskerud', 'Drammen Kongsberg Ringerike Hallingdal'),
             ('Innlandet', 'Hamar Lillehammer Gjøvik Elverum'),
             ('Agder', 'Kristiansand Arendal Mandal Grimstad'),
             ('Rogaland', 'Stavanger Sandnes Haugesund Jæren'),
             ('Vestland', 'Bergen Voss Førde Stord'),
             ('Trøndelag', 'Trondheim Steinkjer Levanger Orkdal'),
             ('Nord', 'Bodø Tromsø Harstad Alta')) r (region, chapters)
union all
select 'hlf', null, unnest(string_to_array('Oslo Bergen Trondheim Tromsø', ' '))
union all
select 'blindeforbundet', null, unnest(string_to_array('Oslo Hordaland Trøndelag', ' '))
union all
select 'barnekreftforeningen', null, unnest(string_to_array('Østland Vestland', ' '));

insert into public.organization_units (id, organization_id, parent_id, kind, name)
select distinct pg_temp.id(slug || '/region/' || region), pg_temp.id(slug),
                pg_temp.id(slug || '/national'), 'region'::public.unit_kind, 'NHF ' || region
from seed_chapters
where region is not null
on conflict do nothing;
insert into public.organization_units (id, organization_id, parent_id, kind, name)
select pg_temp.id(slug || '/' || name), pg_temp.id(slug),
       pg_temp.id(slug || coalesce('/region/' || region, '/national')), 'local', name
from seed_chapters
on conflict do nothing;

-- The cast. Kari follows up five chapters of NHF: Oslo and Bærum among them, Bergen (Bjørn's) not.
create temporary table seed_people (
    slug text, first_name text, display_name text, role public.profile_role, chapters text
);
insert into seed_people values
    ('nhf', 'astrid',  'Astrid Administrator', 'org_admin',   ''),
    ('nhf', 'kari',    'Kari Koordinator',     'coordinator',
        'Oslo Bærum Asker Drammen Lillestrøm'),
    ('nhf', 'bjorn',   'Bjørn Koordinator',    'coordinator', 'Bergen Voss Førde'),
    ('nhf', 'tone',    'Tone Koordinator',     'coordinator', 'Trondheim Steinkjer Bodø Tromsø'),
    ('nhf', 'ola',     'Ola Likeperson',       'peer_mentor', 'Oslo'),
    ('nhf', 'liv',     'Liv Likeperson',       'peer_mentor', 'Oslo Bærum'),
    ('nhf', 'per',     'Per Likeperson',       'peer_mentor', 'Bærum'),
    ('nhf', 'ingrid',  'Ingrid Likeperson',    'peer_mentor', 'Asker'),
    ('nhf', 'nils',    'Nils Likeperson',      'peer_mentor', 'Drammen'),
    ('nhf', 'solveig', 'Solveig Likeperson',   'peer_mentor', 'Bergen'),
    ('nhf', 'leif',    'Leif Likeperson',      'peer_mentor', 'Bergen Voss'),
    ('nhf', 'berit',   'Berit Likeperson',     'peer_mentor', 'Trondheim'),
    ('nhf', 'arne',    'Arne Likeperson',      'peer_mentor', 'Tromsø'),
    ('hlf', 'hanne',   'Hanne Administrator',  'org_admin',   ''),
    ('hlf', 'gunnar',  'Gunnar Koordinator',   'coordinator', 'Oslo Bergen'),
    ('hlf', 'marit',   'Marit Koordinator',    'coordinator', 'Trondheim Tromsø'),
    ('hlf', 'tor',     'Tor Likeperson',       'peer_mentor', 'Oslo'),
    ('hlf', 'randi',   'Randi Likeperson',     'peer_mentor', 'Bergen'),
    ('hlf', 'odd',     'Odd Likeperson',       'peer_mentor', 'Trondheim'),
    ('blindeforbundet', 'einar',  'Einar Administrator', 'org_admin',   ''),
    ('blindeforbundet', 'sissel', 'Sissel Koordinator',  'coordinator', 'Oslo'),
    ('blindeforbundet', 'knut',   'Knut Koordinator',    'coordinator', 'Hordaland Trøndelag'),
    ('blindeforbundet', 'aud',    'Aud Likeperson',      'peer_mentor', 'Oslo'),
    ('blindeforbundet', 'geir',   'Geir Likeperson',     'peer_mentor', 'Hordaland'),
    ('barnekreftforeningen', 'mona',  'Mona Administrator', 'org_admin',   ''),
    ('barnekreftforeningen', 'trine', 'Trine Koordinator',  'coordinator', 'Østland'),
    ('barnekreftforeningen', 'stein', 'Stein Koordinator',  'coordinator', 'Vestland'),
    ('barnekreftforeningen', 'eva',   'Eva Likeperson',     'peer_mentor', 'Østland'),
    ('barnekreftforeningen', 'jon',   'Jon Likeperson',     'peer_mentor', 'Vestland');

insert into auth.users
    (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data,
     raw_user_meta_data, created_at, updated_at, confirmation_token, recovery_token,
     email_change_token_new, email_change)
select '00000000-0000-0000-0000-000000000000', pg_temp.id(slug || '/' || first_name || '@'),
       'authenticated', 'authenticated', first_name || '@' || slug || '.example',
       extensions.crypt('password', extensions.gen_salt('bf', 6)), now(),
       jsonb_build_object(
           'provider', 'email',
           'providers', jsonb_build_array('email'),
           'org_id', pg_temp.id(slug)),
       '{}', now(), now(), '', '', '', ''
from seed_people
on conflict do nothing;
insert into auth.identities
    (id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
select u.id, u.id::text, u.id,
       jsonb_build_object('sub', u.id, 'email', u.email, 'email_verified', true),
       'email', now(), now(), now()
from auth.users u
join seed_people p on u.email = p.first_name || '@' || p.slug || '.example'
on conflict do nothing;
insert into public.profiles (id, organization_id, role, display_name)
select pg_temp.id(slug || '/' || first_name || '@'), pg_temp.id(slug), role, display_name
from seed_people
on conflict do nothing;
insert into public.chapter_assignments (profile_id, unit_id, organization_id, is_primary)
select pg_temp.id(slug || '/' || first_name || '@'), pg_temp.id(slug || '/' || chapter),
       pg_temp.id(slug), position = 1
from seed_people, unnest(string_to_array(chapters, ' ')) with ordinality c (chapter, position)
where chapter <> ''
on conflict do nothing;

-- Kinds of activity and their Bufdir categories; social_cafe is mapped nowhere.
insert into public.activity_types (id, organization_id, code, label)
select pg_temp.id(o.slug || '/type/' || t.code), o.id, t.code, t.label
from public.organizations o,
     (values ('conversation', 'Likepersonsamtale'), ('home_visit', 'Hjemmebesøk'),
             ('group_meeting', 'Gruppemøte'), ('course', 'Kurs'),
             ('social_cafe', 'Sosial kafé')) t (code, label)
on conflict do nothing;
insert into public.bufdir_category_mappings
    (mapping_version, activity_type_id, bufdir_category_code)
select 1, t.id, m.category
from public.activity_types t
join (values ('conversation', 'INDIVIDUAL'), ('home_visit', 'INDIVIDUAL'),
             ('group_meeting', 'GROUP'), ('course', 'COURSE')) m (code, category)
    on m.code = t.code
on conflict do nothing;

insert into public.bufdir_mapping_versions (organization_id, mapping_version, valid_from_year)
select id, 1, 2000 from public.organizations
on conflict do nothing;

-- What the rules for peer support ask of a meeting: three people and 45 minutes; a course has two
-- parts of 45.
insert into public.counting_rules
    (organization_id, activity_type_id, valid_from, min_duration_minutes, min_participants, source)
select t.organization_id, t.id, '2000-01-01', r.minutes, r.participants,
       'https://likeperson.no/regler-for-rapportering'
from public.activity_types t
join (values ('group_meeting', 45, 3), ('course', 90, null)) r (code, minutes, participants)
    on r.code = t.code
where t.organization_id in (select pg_temp.id(slug) from seed_chapters)
on conflict do nothing;

insert into public.bufdir_thresholds
    (organization_id, valid_from_year, bufdir_category_code, minimum_activity_count)
select pg_temp.id(slug), extract(year from pg_temp.today()) - 1, category, minimum
from (values ('nhf', 'INDIVIDUAL', 100), ('nhf', 'GROUP', 70), ('nhf', 'COURSE', 90),
             ('hlf', 'INDIVIDUAL', 40)) t (slug, category, minimum)
on conflict do nothing;

-- From January of last year until today: an activity in every stretch of eleven days for each
-- assignment of a peer mentor, and one today; one in six registered by the coordinator on their
-- behalf, a few drafts and rejections. The days before today are the same all year. Today's began
-- at midnight: nothing lies in the future.
create temporary table seed_activities as
select pg_temp.id(k) as id, a.organization_id, a.unit_id, a.profile_id as peer_mentor_id,
       t.id as activity_type_id, at as occurred_at,
       least(at + interval '1 day', pg_temp.today()::timestamp at time zone 'UTC') as recorded_at,
       -- today's count by every rule
       greatest(15 * (1 + pg_temp.pick(k || 'd', 10)),
                case when day = pg_temp.today() then 90 end) as duration_minutes,
       case when is_talk then 1 else 3 + pg_temp.pick(k || 'p', 12) end as participant_count,
       case when is_talk then pg_temp.id(
           a.profile_id || '/contact/' || pg_temp.pick(k || 'c', 15)) end as contact_id,
       proxy as is_proxy_registered,
       case when proxy then coordinator.id else a.profile_id end as registered_by,
       coordinator.id as coordinator_id,
       (case when day = pg_temp.today() then 'registered'
             else case pg_temp.pick(k || 's', 25)
                      when 0 then 'draft' when 1 then 'rejected' else 'registered' end
        end)::public.activity_status as status
from public.chapter_assignments a
join public.profiles p on p.id = a.profile_id and p.role = 'peer_mentor'
cross join lateral (
    select stretch + pg_temp.pick(a.profile_id || '/' || a.unit_id || '/' || stretch, 11) as day
    from generate_series(0, (pg_temp.today() - date '2000-01-01') / 11) n,
         lateral (select date '2000-01-01' + 11 * n as stretch) s
    union
    select pg_temp.today()
) d
cross join lateral (select a.profile_id || '/' || a.unit_id || '/' || day) key (k)
cross join lateral (
    select day::timestamp at time zone 'UTC'
           + case when day < pg_temp.today()
                  then interval '9 hours' + pg_temp.pick(k || 'hour', 10) * interval '1 hour'
                  else interval '0' end
) moment (at)
join lateral (
    select y.id, y.code in ('conversation', 'home_visit') as is_talk
    from public.activity_types y
    where y.organization_id = a.organization_id
    order by md5(k || y.code)
    limit 1
) t on true
join lateral (
    select c.profile_id as id
    from public.chapter_assignments c
    join public.profiles cp on cp.id = c.profile_id
    where c.unit_id = a.unit_id and cp.role = 'coordinator'
    limit 1
) coordinator on true
cross join lateral (select pg_temp.pick(k || 'proxy', 6) = 0) px (proxy)
where day between date_trunc('year', pg_temp.today() - interval '1 year') and pg_temp.today();
insert into public.activities
    (id, organization_id, unit_id, peer_mentor_id, activity_type_id, occurred_at, recorded_at,
     inserted_at, duration_minutes, participant_count, contact_id, is_proxy_registered,
     registered_by, coordinator_id, status)
select id, organization_id, unit_id, peer_mentor_id, activity_type_id, occurred_at, recorded_at,
       recorded_at, duration_minutes, participant_count, contact_id, is_proxy_registered,
       registered_by, coordinator_id, status
from seed_activities
on conflict do nothing;

-- One activity was edited, one deleted.
update public.activities
set duration_minutes = 90
where id = (select id
            from seed_activities
            where peer_mentor_id = pg_temp.id('nhf/ola@')
              and status = 'registered'
            order by occurred_at
            limit 1)
  and duration_minutes <> 90;
delete from public.activities
where id = (select id
            from seed_activities
            where peer_mentor_id = pg_temp.id('nhf/per@')
            order by occurred_at
            limit 1);

-- Every third home visit has an expense: approved, pending or rejected, the newest still pending.
insert into public.expense_claims
    (id, organization_id, activity_id, amount_nok, status, decided_at, decided_by)
select pg_temp.id('expense/' || a.id),
       a.organization_id,
       a.id,
       100 + pg_temp.pick(a.id || 'nok', 90000) / 100.0,
       s.status,
       case when s.status <> 'pending' then a.recorded_at + interval '3 days' end,
       case when s.status <> 'pending' then a.coordinator_id end
from seed_activities a
join public.activities still on still.id = a.id
join public.activity_types t on t.id = a.activity_type_id and t.code = 'home_visit'
cross join lateral (
    select (case when a.recorded_at + interval '3 days' > pg_temp.today() then 'pending'
                 else (array['approved', 'approved', 'pending', 'rejected'])
                          [1 + pg_temp.pick(a.id || 'st', 4)]
            end)::public.expense_status
) s (status)
where a.status = 'registered'
  and pg_temp.pick(a.id || 'exp', 3) = 0
on conflict do nothing;

select stats.refresh(p_force := true);
