// Access tokens with the claims that Supabase Auth puts in and the library leaves out: policies read app_metadata.

import { decodeJwt, SignJWT } from "jose";

/** Build (session) → session, with the access token issued anew: same subject, session and expiry, all claims. */
export function createTokenCompleter({ jwtSecret, issuer }) {
  const key = new TextEncoder().encode(jwtSecret);
  return async function complete(session) {
    const claims = decodeJwt(session.access_token);
    const { app_metadata, user_metadata, is_anonymous, phone } = session.user;
    const access_token = await new SignJWT({
      ...claims, iss: issuer, aal: "aal1", phone, is_anonymous, app_metadata, user_metadata,
    }).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(key);
    return { ...session, access_token, expires_at: claims.exp };
  };
}
