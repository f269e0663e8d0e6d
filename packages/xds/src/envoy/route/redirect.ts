import {
  type RedirectActionSchema,
  RedirectAction_RedirectResponseCode as ResponseCode,
} from "@envoyproxy/xds-protos/envoy/config/route/v3/route_components_pb.js";
import type { Redirect } from "@keelson/protos/route";
import type { Init } from "../wire.ts";

const responseCodes: Readonly<Record<number, ResponseCode>> = {
  301: ResponseCode.MOVED_PERMANENTLY,
  302: ResponseCode.FOUND,
  303: ResponseCode.SEE_OTHER,
  307: ResponseCode.TEMPORARY_REDIRECT,
  308: ResponseCode.PERMANENT_REDIRECT,
};

/** The ports that URLs leave out. */
const standardPorts: Readonly<Record<string, number>> = { http: 80, https: 443 };

export interface Listening {
  readonly port: number;
  readonly isTls: boolean;
}

export function redirectAction(
  redirect: Redirect,
  { port, isTls }: Listening,
): Init<typeof RedirectActionSchema> {
  const wanted = redirect.portFromRequest ? port : redirect.port;
  const scheme = redirect.scheme || (isTls ? "https" : "http");
  return {
    hostRedirect: redirect.authority,
    portRedirect: standardPorts[scheme] === wanted ? 0 : wanted,
    ...(redirect.scheme !== "" && {
      schemeRewriteSpecifier: { case: "schemeRedirect" as const, value: redirect.scheme },
    }),
    ...(redirect.prefixRewrite !== ""
      ? { pathRewriteSpecifier: { case: "prefixRewrite" as const, value: redirect.prefixRewrite } }
      : redirect.uri !== "" && {
          pathRewriteSpecifier: { case: "pathRedirect" as const, value: redirect.uri },
        }),
    responseCode: responseCodes[redirect.code] ?? ResponseCode.MOVED_PERMANENTLY,
  };
}
