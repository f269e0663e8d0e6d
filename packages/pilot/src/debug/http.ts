import { debugPaths } from "@keelson/model";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type Authenticator, authenticate } from "../auth/authenticator.ts";
import type { Identity } from "../auth/identity.ts";
import type { ControlPlane } from "../control-plane.ts";
import { isLoopback } from "../servers/pages.ts";
import type { Debug } from "./debug.ts";
import { indexPage } from "./index-page.ts";
import { addKeelsonPages } from "./keelson-pages.ts";

/** Adds everything below /debug; all but the list of pages is for this machine and for callers with a token. */
export function addDebug(server: FastifyInstance, controlPlane: ControlPlane): void {
  const { debug } = controlPlane;
  if (!debug.settings.onHttp) return;
  const index = indexPage(debug.pages, Object.values(debugPaths));
  server.get("/debug", (_, reply) => reply.type("text/html; charset=utf-8").send(index));
  // In a scope of their own, so that its hook sees every request for one of them, however its path is written.
  server.register(async (scope) => {
    const doorman = new Doorman(debug, () => controlPlane.authenticators);
    scope.addHook("onRequest", (request, reply) => doorman.admit(request, reply));
    addKeelsonPages(scope, controlPlane);
    scope.all("/debug/*", (request, reply) => {
      const { status, type, body } = debug.pages.answer(pageName(request), {
        state: debug.state,
        query: new URL(request.url, "http://localhost").searchParams,
        namespace: doorman.namespaceOf(request),
      });
      return reply.code(status).type(type).send(body);
    });
  });
}

/** What stands after "/debug/"; "" for pages of Keelson's own. */
const pageName = ({ params }: FastifyRequest): string => (params as { readonly "*"?: string })["*"] ?? "";

/** Decides who gets in, and what they may see. */
class Doorman {
  private readonly debug: Debug;
  private readonly authenticators: () => readonly Authenticator[];
  /** Of callers that may see one namespace only. */
  private readonly namespaces = new WeakMap<FastifyRequest, string>();

  constructor(debug: Debug, authenticators: () => readonly Authenticator[]) {
    this.debug = debug;
    this.authenticators = authenticators;
  }

  namespaceOf(request: FastifyRequest): string | undefined {
    return this.namespaces.get(request);
  }

  async admit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (isLoopback(request)) return;
    const identity = await identityOf(request, this.authenticators());
    if (identity === undefined) {
      const error = "/debug answers callers on the same machine, and callers with a bearer token";
      await reply.code(401).send({ error });
      return;
    }
    const access = this.debug.access(identity, pageName(request));
    if (!access.allowed) {
      const error = `this page is not for callers of the namespace ${identity.namespace}`;
      await reply.code(403).send({ error });
    } else if (access.namespace !== undefined) {
      this.namespaces.set(request, access.namespace);
    }
  }
}

async function identityOf(
  { headers }: FastifyRequest,
  authenticators: readonly Authenticator[],
): Promise<Identity | undefined> {
  const [, token] = /^bearer +(\S{1,16384})$/i.exec(headers.authorization ?? "") ?? [];
  if (token === undefined) return undefined;
  const caller = await authenticate({ token }, authenticators).catch(() => undefined);
  return caller?.identity;
}
