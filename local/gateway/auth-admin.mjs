// /auth/v1/invite and /auth/v1/admin/users: sign-ins made with the secret key, as Supabase Auth makes them.
//
// @supabase/lite has none of it. Nothing is mailed here: an invited person gets in once a password is set for them.

import { jwtVerify } from "jose";

const NO_INSTANCE = "00000000-0000-0000-0000-000000000000";
const MIN_PASSWORD = 10; // as supabase/config.toml says
const ADDRESS = /^[^@\s]{1,64}@[^@\s]+\.[^@\s]+$/;
const USER = /^\/admin\/users\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** A refusal, in the words of Supabase Auth. */
export class AdminError extends Error {
  constructor(status, code, message, more = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.more = more;
  }
}

/**
 * What is answered here: the methods of an endpoint, and the user that it names; null for all others.
 * @returns {null | {methods: string[], id?: string}}
 */
export function adminEndpoint(endpoint) {
  if (endpoint === "/invite" || endpoint === "/admin/users") return { methods: ["POST"] };
  const [, id] = USER.exec(endpoint) ?? [];
  return id ? { methods: ["GET", "PUT"], id } : null;
}

/** What is given to be stored, or a refusal before anything is. */
function checked(body) {
  let given;
  try {
    given = JSON.parse(body || "{}");
  } catch {
    throw new AdminError(400, "bad_json", "Could not parse request body as JSON");
  }
  const [app_metadata, user_metadata, data] = [given.app_metadata, given.user_metadata, given.data].map(
    (it) => it ?? {},
  );
  const { password } = given;
  if ([app_metadata, user_metadata, data].some((value) => value.constructor !== Object)) {
    throw new AdminError(400, "validation_failed", "Metadata must be JSON objects");
  }
  if (password !== undefined && (typeof password !== "string" || password.length < MIN_PASSWORD)) {
    throw new AdminError(422, "weak_password", `Password should be at least ${MIN_PASSWORD} characters.`, {
      weak_password: { reasons: ["length"] },
    });
  }
  return { ...given, app_metadata, user_metadata, data, password };
}

const asUser = (row) => ({ ...row, identities: [], phone: "", is_anonymous: false });

/** Build answer(endpoint, method, authorization, body) → the user; throws AdminError. */
export function createAdmin(sql, jwtSecret) {
  const key = new TextEncoder().encode(jwtSecret);

  async function requireService(authorization) {
    const token = authorization.replace(/^Bearer /, "");
    const { payload } = await jwtVerify(token, key, { algorithms: ["HS256"] }).catch(() => {
      throw new AdminError(403, "bad_jwt", "invalid JWT");
    });
    if (payload.role !== "service_role") throw new AdminError(403, "not_admin", "User not allowed");
  }

  async function find(id) {
    const [user] = await sql`
      select id, aud, role, email, email_confirmed_at, invited_at, last_sign_in_at, created_at, updated_at,
             raw_app_meta_data as app_metadata, raw_user_meta_data as user_metadata
      from auth.users where id = ${id}`;
    if (!user) throw new AdminError(404, "user_not_found", "User not found");
    return asUser(user);
  }

  async function create(given, isInvited) {
    const email = String(given.email ?? "").toLowerCase();
    if (!ADDRESS.test(email)) {
      throw new AdminError(400, "validation_failed", "Unable to validate email address: invalid format");
    }
    const app = { provider: "email", providers: ["email"], ...(isInvited ? {} : given.app_metadata) };
    const data = isInvited ? given.data : given.user_metadata;
    const isConfirmed = !isInvited && given.email_confirm === true;
    const [made] = await sql`
      with person as (
        insert into auth.users (instance_id, id, aud, role, email, encrypted_password, invited_at,
                                email_confirmed_at, raw_app_meta_data, raw_user_meta_data, confirmation_token,
                                recovery_token, email_change_token_new, email_change)
        values (${NO_INSTANCE}, gen_random_uuid(), 'authenticated', 'authenticated', ${email}, '',
                case when ${isInvited} then now() end, case when ${isConfirmed} then now() end,
                ${JSON.stringify(app)}::jsonb, ${JSON.stringify(data)}::jsonb, '', '', '', '')
        on conflict do nothing
        returning id, email
      )
      insert into auth.identities (provider_id, user_id, identity_data, provider)
      select id::text, id, jsonb_build_object('sub', id, 'email', email, 'email_verified', ${isConfirmed}::boolean),
             'email'
      from person returning user_id`;
    if (!made) {
      throw new AdminError(422, "email_exists", "A user with this email address has already been registered");
    }
    return isInvited ? find(made.user_id) : change(made.user_id, given);
  }

  async function change(id, { app_metadata, user_metadata, email_confirm, password }) {
    await sql`
      update auth.users set updated_at = now(),
        raw_app_meta_data =
          jsonb_strip_nulls(coalesce(raw_app_meta_data, '{}') || ${JSON.stringify(app_metadata)}::jsonb),
        raw_user_meta_data =
          jsonb_strip_nulls(coalesce(raw_user_meta_data, '{}') || ${JSON.stringify(user_metadata)}::jsonb),
        email_confirmed_at = coalesce(email_confirmed_at, case when ${email_confirm === true} then now() end),
        encrypted_password = coalesce(
          extensions.crypt(${password ?? null}, extensions.gen_salt('bf')), encrypted_password)
      where id = ${id}`;
    return find(id);
  }

  return async function answer(endpoint, method, authorization, body) {
    await requireService(authorization);
    const { id } = adminEndpoint(endpoint) ?? {};
    if (id && method === "GET") return find(id);
    const given = checked(body);
    return id ? change(id, given) : create(given, endpoint === "/invite");
  };
}
