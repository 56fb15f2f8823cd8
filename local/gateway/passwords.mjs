// Wrong passwords are limited, by account and by address, as Supabase Auth limits sign-ins. The database keeps count.

const LIMITED = { status: 429, error_code: "over_request_rate_limit", msg: "Request rate limit reached" };

/**
 * Build the limit on `sql`, which has the functions of auth.sql.
 *
 * attempt(email, address) → null, or { status, body, headers } of the refusal. It counts as a wrong one until
 * succeeded(email, address) says otherwise: of many attempts at once, none slips through.
 */
export function createPasswordLimit(sql) {
  async function attempt(email, address) {
    const [{ seconds }] = await sql`select auth.count_password_attempt(${email}, ${address}) as seconds`;
    if (seconds === null) return null;
    const { status, error_code, msg } = LIMITED;
    return { status, body: { code: status, error_code, msg }, headers: { "retry-after": String(seconds) } };
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
