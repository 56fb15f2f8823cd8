// Access tokens: HS256 with the project's secret, not expired, for this project's users or one of its keys.

import { errors, jwtVerify } from "jose";

import { Refusal } from "./protocol.mjs";

const SIGNER = "Failed to generate JWT signer, check your JWT secret or JWKS configuration";

function explain(error) {
  if (error instanceof errors.JWTExpired) {
    const seconds = Math.floor(Date.now() / 1000) - Number(error.payload.exp);
    return new Refusal("InvalidJWTToken", `Token has expired ${seconds} seconds ago`);
  }
  switch (error.code) {
    case "ERR_JWT_CLAIM_VALIDATION_FAILED":
      return new Refusal("InvalidJWTToken", `Claim ${error.claim} is not valid`);
    case "ERR_JOSE_ALG_NOT_ALLOWED":
      return new Refusal("JwtSignerError", SIGNER);
    case "ERR_JWS_SIGNATURE_VERIFICATION_FAILED":
      return new Refusal("JwtSignatureError", "Failed to validate JWT signature");
    default:
      return new Refusal("MalformedJWT", "The token provided is not a valid JWT");
  }
}

/** Build (token) → claims, which throws a Refusal for a token that is not valid now. */
export function createTokenVerifier(jwtSecret) {
  const key = new TextEncoder().encode(jwtSecret);
  return async function verify(token) {
    const { payload: claims } = await jwtVerify(token, key, { algorithms: ["HS256"] }).catch((error) => {
      throw explain(error);
    });
    const missing = new Refusal("InvalidJWTToken", "Fields `role` and `exp` are required in JWT");
    if (!claims.role || !claims.exp) throw missing;
    // Legacy API keys name no audience; a user's token does.
    if (![claims.aud ?? "authenticated"].flat().includes("authenticated")) {
      throw new Refusal("InvalidJWTToken", "Claim aud is not valid");
    }
    return claims;
  };
}
