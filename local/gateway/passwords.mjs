// Wrong passwords are limited, by account and by address, as Supabase Auth limits sign-ins. The database keeps count.

/**
 * Build the limit on `sql`, which has the functions of sql/50_auth.sql.
 *
 * attempt(email, address) → null, or how many seconds to wait. It counts as a wrong one until succeeded(email, address)
 * says otherwise: of many attempts at once, none slips through.
 */
export function createPasswordLimit(sql) {
  async function attempt(email, address) {
    const [{ seconds }] = await sql`select auth.count_password_attempt(${email}, ${address}) as seconds`;
    return seconds;
  }
  const succeeded = (email, address) => sql`select auth.forget_password_attempt(${email}, ${address})`;
  return { attempt, succeeded };
}

/** The e-mail address in the body of a sign-in; empty where there is none. */
export function emailIn(body) {
  try {
    const { email } = JSON.parse(body);
    return typeof email === "string" ? email : "";
  } catch {
    return "";
  }
}
