import { Agent, request } from "node:http";
import type { RequestHead } from "@keelson/bpf-applier/relay-policy";
import { until } from "../world/until.ts";
import type { Echo, EchoServer } from "./echo.ts";
import { meaning } from "./headers.ts";
import { mirrorAddress } from "./mesh.ts";
import { echoText, type Seen } from "./seen.ts";

const isMirrored = ({ address }: Echo): boolean => address === mirrorAddress;

/** A copy comes when it comes; one that does not is a difference. */
const mirrorTimeoutMs = 5_000;

/** Asks what stands before an echo: an Envoy, or the relay. */
export class HttpSide {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 8 });
  private readonly port: number;
  private readonly echo: EchoServer;

  constructor(port: number, echo: EchoServer) {
    this.port = port;
    this.echo = echo;
  }

  /**
   * @param id of the question
   * @param awaitsMirror whether a mirror is to be waited for
   */
  async ask({ method, path, rawHeaders }: RequestHead, id: string, awaitsMirror: boolean): Promise<Seen> {
    const { status, headers, body } = await this.send({ method, path, headers: [...rawHeaders] });
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

  close(): void {
    this.agent.destroy();
  }

  private send(question: { method: string; path: string; headers: string[] }): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      const options = { agent: this.agent, host: "127.0.0.1", port: this.port, ...question };
      const call = request(options, (response) => {
        let body = "";
        response.setEncoding("latin1").on("data", (piece: string) => (body += piece));
        response.once("error", reject).once("end", () => {
          resolve({ status: response.statusCode ?? 0, headers: response.rawHeaders, body });
        });
      });
      call.once("error", reject).end();
    });
  }
}

interface RawAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
}
