import { get } from "node:http";
import type { ClientTask } from "../traffic.ts";
import type { Exchange } from "./client.ts";
import { fieldOf } from "./field-of.ts";
import { formatPeer } from "./format-peer.ts";

/** One GET on a connection of its own. @throws Error, with the system's code if there is one. */
export function oneHttpRequest({ host, port, path, answer, timeoutMs }: ClientTask): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const call = get({ host, port, path, agent: false, timeout: timeoutMs }, (response) => {
      const peer = formatPeer(response.socket.remoteAddress, response.socket.remotePort);
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.once("error", reject);
      response.once("end", () => {
        if (response.statusCode === 200) resolve({ answeredBy: fieldOf(text, answer), peer });
        else reject(new Error(`HTTP ${response.statusCode}`));
      });
    });
    call.once("timeout", () => call.destroy(new Error("timeout")));
    call.once("error", reject);
  });
}
