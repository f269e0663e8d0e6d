import type { RequestHead } from "@keelson/bpf-applier/relay-policy";
import { until } from "../world/until.ts";
import type { Echo, EchoServer } from "./echo.ts";
import { meaning } from "./headers.ts";
import { mirrorAddress } from "./mesh.ts";
import { echoText, type Seen } from "./seen.ts";
import type { Send } from "./sender.ts";

const isMirrored = ({ address }: Echo): boolean => address === mirrorAddress;

/** A copy comes when it comes; one that does not is a difference. */
const mirrorTimeoutMs = 5_000;

/** A question as it is sent. */
export interface Asked {
  readonly head: RequestHead;
  readonly content: string;
  /** By which the echo finds it. */
  readonly id: string;
  /** Whether a mirror is to be waited for. */
  readonly awaitsMirror: boolean;
}

/** Asks what stands before an echo: an Envoy, the relay, or a node. */
export class HttpSide {
  private readonly send: Send;
  private readonly echo: EchoServer;

  constructor(send: Send, echo: EchoServer) {
    this.send = send;
    this.echo = echo;
  }

  /** @throws Error if there is no answer at all */
  async ask({ head: { method, path, rawHeaders }, content, id, awaitsMirror }: Asked): Promise<Seen> {
    const { status, headers, body } = await this.send({ method, path, headers: rawHeaders, content });
    const mirror = (): Echo | undefined => this.echo.echoes(id).find(isMirrored);
    const first = this.echo.echoes(id).find((echo) => !isMirrored(echo));
    if (awaitsMirror && first !== undefined) {
      await until(mirror, { what: "a mirror", timeoutMs: mirrorTimeoutMs }).catch(() => undefined);
    }
    const copy = mirror();
    return {
      status,
      headers: meaning(headers),
      body,
      echo: first === undefined ? "" : echoText(first),
      address: first?.address ?? "",
      mirrored: copy === undefined ? "" : echoText(copy),
    };
  }
}
