import { get } from "node:http";
import { setDefaultAutoSelectFamily } from "node:net";
import type { Answer } from "./roles.ts";

// One address, one connect: trying another one after a refusal would be a second decision.
setDefaultAutoSelectFamily(false);

/**
 * Asks a service for its JSON, on a TCP connection that is opened for this call: an endpoint is chosen each time.
 * @throws Error naming the service, if it gives no answer within 20 s, or one other than 200.
 */
export function upstream(service: string, port: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => reject(new Error(`${service}: ${reason}`));
    const call = get({ host: service, port, path: "/", agent: false, timeout: 20_000 }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.once("error", (error) => fail(error.message));
      response.once("end", () => {
        if (response.statusCode === 200) resolve(JSON.parse(text) as Answer);
        else fail(`HTTP ${response.statusCode}: ${text.trim()}`);
      });
    });
    call.once("timeout", () => call.destroy(new Error("no answer within 20 s")));
    call.once("error", (error) => fail(error.message));
  });
}
