-- One story for local use: four organisations and their people. Every password is `password`.
-- Deterministic and repeatable: ids are derived from names, and a second run changes nothing.

create function pg_temp.id(p_name text) returns uuid language sql immutable as $$ select md5('fersk/' || p_name)::uuid $$;
-- a number in [0, p_n) that depends on the name alone
create function pg_temp.pick(p_name text, p_n integer) returns integer language sql immutable as
    $$ select (('x' || substr(md5(p_name), 1, 7))::bit(28)::integer % p_n) $$;

insert into public.organizations (id, slug, name)
select pg_temp.id(slug), slug, name
from (values ('nhf', 'Norges Handikapforbund'), ('hlf', 'Hørselshemmedes Landsforbund'),
             ('blindeforbundet', 'Norges Blindeforbund'), ('barnekreftforeningen', 'Barnekreftforeningen')) o (slug, name)
on conflict do nothing;
update public.organization_settings set max_chapter_assignments = 5 where organization_id = pg_temp.id('nhf');
update public.organization_settings set warm_up_enabled = false where organization_id = pg_temp.id('barnekreftforeningen');

-- The trees. NHF: one national, nine regions, 36 chapters; the others: one national and their chapters.
insert into public.organization_units (id, organization_id, parent_id, kind, name)
select pg_temp.id(slug || '/national'), pg_temp.id(slug), null, 'national', slug_name
from (values ('nhf', 'NHF'), ('hlf', 'HLF'), ('blindeforbundet', 'Blindeforbundet'),
             ('barnekreftforeningen', 'Barnekreftforeningen')) o (slug, slug_name)
on conflict do nothing;

create temporary table seed_chapters (slug text, region text, name text);
insert into seed_chapters
select 'nhf', region, unnest(string_to_array(chapters, ' '))
from (values
    ('Oslo', 'Oslo Grorud Nordstrand Frogner'), ('Akershus', 'Bærum Asker Lillestrøm Follo'),
    ('Buskerud', 'Drammen Kongsberg Ringerike Hallingdal'), ('Innlandet', 'Hamar Lillehammer Gjøvik Elverum'),
    ('Agder', 'Kristiansand Arendal Mandal Grimstad'), ('Rogaland', 'Stavanger Sandnes Haugesund Jæren'),
    ('Vestland', 'Bergen Voss Førde Stord'), ('Trøndelag', 'Trondheim Steinkjer Levanger Orkdal'),
    ('Nord', 'Bodø Tromsø Harstad Alta')) r (region, chapters)
union all select 'hlf', null, unnest(string_to_array('Oslo Bergen Trondheim Tromsø', ' '))
union all select 'blindeforbundet', null, unnest(string_to_array('Oslo Hordaland Trøndelag', ' '))
union all select 'barnekreftforeningen', null, unnest(string_to_array('Østland Vestland', ' '));

insert into public.organization_units (id, organization_id, parent_id, kind, name)
select distinct pg_temp.id(slug || '/region/' || region), pg_temp.id(slug), pg_temp.id(slug || '/national'), 'region'::public.unit_kind,
       'NHF ' || region
from seed_chapters where region is not null
on conflict do nothing;
insert into public.organization_units (id, organization_id, parent_id, kind, name)
select pg_temp.id(slug || '/' || name), pg_temp.id(slug),
       pg_temp.id(slug || coalesce('/region/' || region, '/national')), 'local', name
from seed_chapters
on conflict do nothing;

-- The cast. Kari follows up five chapters of NHF: Oslo and Bærum among them, Bergen (Bjørn's) not.
create temporary table seed_people (slug text, first_name text, display_name text, role public.profile_role, chapters text);
insert into seed_people values
    ('nhf', 'astrid',  'Astrid Administrator', 'org_admin',   ''),
    ('nhf', 'kari',    'Kari Koordinator',     'coordinator', 'Oslo Bærum Asker Drammen Lillestrøm'),
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

insert into auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data, raw_user_meta_data,
                        created_at, updated_at, confirmation_token, recovery_token, email_change_token_new, email_change)
select '00000000-0000-0000-0000-000000000000', pg_temp.id(slug || '/' || first_name || '@'), 'authenticated', 'authenticated',
       first_name || '@' || slug || '.example', extensions.crypt('password', extensions.gen_salt('bf', 6)), now(),
       jsonb_build_object('provider', 'email', 'providers', jsonb_build_array('email'), 'org_id', pg_temp.id(slug)),
       '{}', now(), now(), '', '', '', ''
from seed_people
on conflict do nothing;
insert into auth.identities (id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
select u.id, u.id::text, u.id, jsonb_build_object('sub', u.id, 'email', u.email, 'email_verified', true), 'email', now(), now(), now()
from auth.users u join seed_people p on u.email = p.first_name || '@' || p.slug || '.example'
on conflict do nothing;
insert into public.profiles (id, organization_id, role, display_name)
select pg_temp.id(slug || '/' || first_name || '@'), pg_temp.id(slug), role, display_name from seed_people
on conflict do nothing;
insert into public.chapter_assignments (profile_id, unit_id, organization_id, is_primary)
select pg_temp.id(slug || '/' || first_name || '@'), pg_temp.id(slug || '/' || chapter), pg_temp.id(slug), position = 1
from seed_people, unnest(string_to_array(chapters, ' ')) with ordinality c (chapter, position)
where chapter <> ''
on conflict do nothing;

-- Kinds of activity and their Bufdir categories; social_cafe is mapped nowhere.
insert into public.activity_types (id, organization_id, code, label)
select pg_temp.id(o.slug || '/type/' || t.code), o.id, t.code, t.label
from public.organizations o,
     (values ('conversation', 'Likepersonsamtale'), ('home_visit', 'Hjemmebesøk'), ('group_meeting', 'Gruppemøte'),
             ('course', 'Kurs'), ('social_cafe', 'Sosial kafé')) t (code, label)
on conflict do nothing;
insert into public.bufdir_category_mappings (mapping_version, activity_type_id, bufdir_category_code)
select 1, t.id, m.category
from public.activity_types t
join (values ('conversation', 'INDIVIDUAL'), ('home_visit', 'INDIVIDUAL'), ('group_meeting', 'GROUP'), ('course', 'COURSE'))
     m (code, category) on m.code = t.code
on conflict do nothing;

insert into public.bufdir_thresholds (organization_id, period_year, bufdir_category_code, minimum_activity_count)
select pg_temp.id(slug), year, category, minimum
from (values ('nhf', 'INDIVIDUAL', 100), ('nhf', 'GROUP', 70), ('nhf', 'COURSE', 90), ('hlf', 'INDIVIDUAL', 40)) t (slug, category, minimum),
     generate_series(2025, 2026) year
on conflict do nothing;

-- January 2025 to October 2026: about sixty activities for each assignment of a peer mentor, one in six registered by
-- the coordinator on their behalf, a few drafts and rejections.
insert into public.activities (id, organization_id, unit_id, peer_mentor_id, activity_type_id, occurred_at, recorded_at,
                               duration_minutes, participant_count, contact_id, is_proxy_registered, registered_by, coordinator_id, status, summary)
select pg_temp.id(k), a.organization_id, a.unit_id, a.profile_id, t.id, at, at + interval '1 day',
       15 * (1 + pg_temp.pick(k || 'd', 10)),
       case when t.code in ('conversation', 'home_visit') then 1 else 3 + pg_temp.pick(k || 'p', 12) end,
       case when t.code in ('conversation', 'home_visit') then pg_temp.id(a.profile_id || '/contact/' || pg_temp.pick(k || 'c', 15)) end,
       proxy, case when proxy then coordinator.id else a.profile_id end, coordinator.id,
       case pg_temp.pick(k || 's', 25) when 0 then 'draft' when 1 then 'rejected' else 'registered' end::public.activity_status,
       null
from public.chapter_assignments a
join public.profiles p on p.id = a.profile_id and p.role = 'peer_mentor'
cross join generate_series(1, 60) n
cross join lateral (select a.profile_id || '/' || a.unit_id || '/' || n) key (k)
cross join lateral (select timestamptz '2025-01-01 09:00Z' + pg_temp.pick(k || 'day', 669) * interval '1 day'
                           + pg_temp.pick(k || 'hour', 10) * interval '1 hour') moment (at)
join lateral (select ty.id, ty.code from public.activity_types ty where ty.organization_id = a.organization_id
              order by md5(k || ty.code) limit 1) t on true
join lateral (select c.profile_id as id from public.chapter_assignments c join public.profiles cp on cp.id = c.profile_id
              where c.unit_id = a.unit_id and cp.role = 'coordinator' limit 1) coordinator on true
cross join lateral (select pg_temp.pick(k || 'proxy', 6) = 0) px (proxy)
where exists (select from seed_people)
on conflict do nothing;

-- One activity was edited, one deleted.
update public.activities set duration_minutes = 90
where id = (select id from public.activities where peer_mentor_id = pg_temp.id('nhf/ola@') and status = 'registered' order by occurred_at limit 1)
  and duration_minutes <> 90;
delete from public.activities
where id = (select a.id from public.activities a where a.peer_mentor_id = pg_temp.id('nhf/per@') order by occurred_at limit 1)
  and not exists (select from public.expense_claims);

-- Every tenth home visit has an expense: approved, pending or rejected.
insert into public.expense_claims (id, organization_id, activity_id, amount_nok, status, decided_at, decided_by)
select pg_temp.id('expense/' || a.id), a.organization_id, a.id, 100 + pg_temp.pick(a.id || 'nok', 90000) / 100.0, s.status,
       case when s.status <> 'pending' then a.recorded_at + interval '3 days' end, case when s.status <> 'pending' then a.coordinator_id end
from public.activities a
join public.activity_types t on t.id = a.activity_type_id and t.code = 'home_visit'
cross join lateral (select (array['approved', 'approved', 'pending', 'rejected'])[1 + pg_temp.pick(a.id || 'st', 4)]::public.expense_status) s (status)
where a.status = 'registered' and pg_temp.pick(a.id || 'exp', 3) = 0
on conflict do nothing;

select stats.refresh(p_force := true);
