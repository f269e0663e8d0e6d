import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";

interface Kubeconfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly "certificate-authority": string };
  }[];
  readonly users: readonly { readonly user: { readonly token: string } }[];
}

export interface KubeAnswer {
  readonly status: number;
  readonly text: string;
}

type Method = "GET" | "POST" | "PUT" | "DELETE" | "PATCH";

/** Plain requests to an API server: where a test needs a thousand of them, kubectl takes too long. */
export class KubeClient {
  private readonly server: string;
  private readonly headers: Readonly<Record<string, string>>;
  private readonly agent: Agent;

  private constructor(server: string, token: string, ca: Buffer) {
    this.server = server;
    this.headers = { authorization: `Bearer ${token}`, accept: "application/json" };
    this.agent = new Agent({ keepAlive: true, maxSockets: 16, ca });
  }

  /** @param kubeconfig as the tests write it. */
  static async of(kubeconfig: string): Promise<KubeClient> {
    const { clusters, users } = JSON.parse(await readFile(kubeconfig, "utf8")) as Kubeconfig;
    const [cluster, user] = [clusters[0]?.cluster, users[0]?.user];
    if (cluster === undefined || user === undefined)
      throw new Error(`${kubeconfig} names no cluster or user`);
    return new KubeClient(cluster.server, user.token, await readFile(cluster["certificate-authority"]));
  }

  get(path: string): Promise<KubeAnswer> {
    return this.send("GET", path);
  }

  /** @throws Error with what the server said if it did not make it. */
  async create(path: string, object: object): Promise<void> {
    await this.must("POST", path, object);
  }

  async remove(path: string): Promise<void> {
    await this.must("DELETE", path);
  }

  /** JSON merge patch (RFC 7386). */
  async patch(path: string, change: object): Promise<void> {
    await this.must("PATCH", path, change);
  }

  close(): void {
    this.agent.destroy();
  }

  private async must(method: Method, path: string, body?: object): Promise<void> {
    const { status, text } = await this.send(method, path, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
  }

  private send(method: Method, path: string, body?: object): Promise<KubeAnswer> {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const headers = { ...this.headers, ...(body === undefined ? {} : { "content-type": type }) };
    return new Promise((resolve, reject) => {
      const call = request(`${this.server}${path}`, { method, headers, agent: this.agent }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (piece: string) => (text += piece));
        response.once("error", reject);
        response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
      });
      call.once("error", reject);
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
