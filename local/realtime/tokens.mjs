// Access tokens: HS256 with the project's secret, not expired, for this project's users or one of its keys.

import { errors, jwtVerify } from "jose";

import { Refusal } from "./protocol.mjs";

const AUDIENCE = "authenticated";

function explain(error) {
  if (error instanceof errors.JWTExpired) {
    const seconds = Math.floor(Date.now() / 1000) - Number(error.payload.exp);
    return new Refusal("InvalidJWTToken", `Token has expired ${seconds} seconds ago`);
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new Refusal("InvalidJWTToken", `Claim ${error.claim} is not valid`);
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    const hint = "check your JWT secret or JWKS configuration";
    return new Refusal("JwtSignerError", `Failed to generate JWT signer, ${hint}`);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return new Refusal("JwtSignatureError", "Failed to validate JWT signature");
  }
  if (error instanceof errors.JOSEError) return new Refusal("MalformedJWT", "The token provided is not a valid JWT");
  return error;
}

/** Build (token) → claims, which throws a Refusal for a token that is not valid now. */
export function createTokenVerifier(jwtSecret) {
  const key = new TextEncoder().encode(jwtSecret);
  return async function verify(token) {
    const { payload: claims } = await jwtVerify(token, key, { algorithms: ["HS256"] }).catch((error) => {
      throw explain(error);
    });
    if (!claims.role || !claims.exp) {
      throw new Refusal("InvalidJWTToken", "Fields `role` and `exp` are required in JWT");
    }
    // Legacy API keys name no audience; a user's token does.
    if (claims.aud !== undefined && ![claims.aud].flat().includes(AUDIENCE)) {
      throw new Refusal("InvalidJWTToken", "Claim aud is not valid");
    }
    return claims;
  };
}
