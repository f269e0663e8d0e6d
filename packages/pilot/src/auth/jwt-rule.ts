import { z } from "zod";

/** Which tokens are accepted: the fields of Istio's JWTRule that Pilot reads from the variable JWT_RULE. */
export interface JwtRule {
  readonly issuer: string;
  /** One of them must be among the token's. */
  readonly audiences: readonly string[];
  /** The issuer's keys as JSON; or where they are: an http(s) or file URL. Neither: by OpenID discovery at the issuer. */
  readonly jwks?: string;
  readonly jwksUri?: URL;
}

const schema = z.object({
  issuer: z.string().min(1),
  audiences: z.array(z.string().min(1)).optional(),
  jwks: z.string().optional(),
  jwks_uri: z.string().optional(),
  jwksUri: z.string().optional(),
});

/**
 * @param text JSON, such as {"issuer": "https://example.com", "jwks_uri": "https://example.com/keys", "audiences": ["istio-ca"]}
 * @param defaultAudiences for a rule without audiences (TOKEN_AUDIENCES)
 * @throws Error saying what is wrong with the rule
 */
export function parseJwtRule(text: string, defaultAudiences: readonly string[]): JwtRule {
  const { data: rule, error } = schema.safeParse(parseJson(text));
  if (error !== undefined) throw new Error(`JWT_RULE is not right: ${z.prettifyError(error)}`);
  const uri = rule.jwks_uri ?? rule.jwksUri;
  if (uri !== undefined && rule.jwks !== undefined) {
    throw new Error("JWT_RULE has both jwks and jwks_uri; one of them is enough");
  }
  const audiences = rule.audiences ?? defaultAudiences;
  if (audiences.length === 0) throw new Error("JWT_RULE has no audiences; name one, such as istio-ca");
  return {
    issuer: rule.issuer,
    audiences,
    ...(rule.jwks === undefined ? {} : { jwks: rule.jwks }),
    ...(uri === undefined ? {} : { jwksUri: keysUrl(uri) }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Error(`JWT_RULE is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

function keysUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:", "file:"].includes(url.protocol)) {
    throw new Error(`JWT_RULE: jwks_uri "${text}" is not an http, https or file URL`);
  }
  return url;
}
