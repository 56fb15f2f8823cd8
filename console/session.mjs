// Who is signed in, and what they are: read once after signing in, and again when the session is renewed.

import { ask, client } from "./api.mjs";

/**
 * @typedef {{ id: string, email: string, name: string, role: "peer_mentor" | "coordinator" | "org_admin",
 *   organization: { id: string, name: string }, settings: any }} Me
 */

/** Null when nobody is signed in; `problem` where somebody is, and belongs nowhere. */
export async function readMe() {
  const { data } = await client.auth.getSession();
  if (!data.session) return null;
  const user = data.session.user;
  const [profiles, organizations] = await Promise.all([
    ask(client.from("profiles").select("id,role,display_name,is_active").eq("id", user.id)),
    ask(client.from("organizations").select("id,name")),
  ]);
  const profile = profiles[0];
  const problem = !profile
    ? "newcomer"
    : !profile.is_active
      ? "inactive"
      : organizations.length === 0
        ? "elsewhere"
        : null;
  return {
    id: user.id,
    email: user.email,
    name: profile?.display_name ?? user.email,
    role: profile?.role,
    organization: organizations[0],
    settings: {},
    problem,
  };
}

export async function signIn(email, password) {
  const { error } = await client.auth.signInWithPassword({ email, password });
  if (error) throw error;
}

/** Also where the server is gone: here at least, the session ends. */
export async function signOut() {
  const { error } = await client.auth.signOut({ scope: "local" });
  if (error) for (const key of Object.keys(localStorage)) if (key.startsWith("fersk")) localStorage.removeItem(key);
}

/** Renew the session; false when it cannot be. */
export async function renew() {
  const { data, error } = await client.auth.refreshSession();
  return !error && data.session !== null;
}
