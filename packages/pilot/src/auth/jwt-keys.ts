import { readFile } from "node:fs/promises";
import { createLocalJWKSet, createRemoteJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import type { JwtRule } from "./jwt-rule.ts";

const fetchTimeoutMs = 5_000;
const largestDocument = 1024 * 1024;

/** Finds the key that a token names, wherever the issuer's keys are. Its errors say where the keys were looked for. */
export function jwtKeys({ issuer, jwks, jwksUri }: JwtRule): JWTVerifyGetKey {
  if (jwks !== undefined) return localKeys(jwks, "JWT_RULE's jwks");
  if (jwksUri === undefined) return discoveredKeys(issuer);
  return jwksUri.protocol === "file:" ? fileKeys(jwksUri) : remoteKeys(jwksUri);
}

function localKeys(json: string, where: string): JWTVerifyGetKey {
  try {
    return createLocalJWKSet(JSON.parse(json) as JSONWebKeySet);
  } catch (error) {
    throw new Error(`${where}: not a JSON Web Key Set: ${(error as Error).message}`, { cause: error });
  }
}

/** Looks for new keys when a token names one that is not known, at most every 30 s, and after 10 minutes in any case. */
const remoteKeys = (url: URL): JWTVerifyGetKey =>
  createRemoteJWKSet(url, {
    timeoutDuration: fetchTimeoutMs,
    cooldownDuration: 30_000,
    cacheMaxAge: 600_000,
  });

/** The file is small and local: reading it for each token is what makes a replaced key count at once. */
function fileKeys(url: URL): JWTVerifyGetKey {
  let known = { json: "", keys: undefined as JWTVerifyGetKey | undefined };
  return async (header, token) => {
    const json = await readFile(url, "utf8").catch((error: Error) => {
      throw new Error(`cannot read the issuer's keys: ${error.message}`, { cause: error });
    });
    if (known.keys === undefined || json !== known.json)
      known = { json, keys: localKeys(json, url.pathname) };
    return (known.keys as JWTVerifyGetKey)(header, token);
  };
}

/** OpenID Connect Discovery 1.0, section 4: asked for with the first token, and again after a failure. */
function discoveredKeys(issuer: string): JWTVerifyGetKey {
  let keys: Promise<JWTVerifyGetKey> | undefined;
  return async (header, token) => {
    keys ??= discover(issuer).catch((error: Error) => {
      keys = undefined;
      throw new Error(`cannot find the keys of ${issuer}: ${error.message}`, { cause: error });
    });
    return (await keys)(header, token);
  };
}

async function discover(issuer: string): Promise<JWTVerifyGetKey> {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const response = await fetch(url, { signal: AbortSignal.timeout(fetchTimeoutMs) });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  const text = await response.text();
  if (text.length > largestDocument)
    throw new Error(`${url} answers more than ${largestDocument} characters`);
  const found = JSON.parse(text) as { issuer?: unknown; jwks_uri?: unknown };
  if (found.issuer !== issuer) throw new Error(`${url} is about another issuer`);
  const keysUrl = typeof found.jwks_uri === "string" ? URL.parse(found.jwks_uri) : null;
  if (keysUrl === null) throw new Error(`${url} has no jwks_uri`);
  return remoteKeys(keysUrl);
}
