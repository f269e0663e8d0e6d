import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";

/** A running agent refused, or gave no answer in time. */
const patienceMs = 30_000;

/** An agent's answer that is not what was asked for. */
export class AgentRefusal extends Error {
  /** Of HTTP; 503: it has not started yet. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/**
 * Asks the agent of this node, at its socket.
 * @returns its answer; undefined if none runs
 * @throws AgentRefusal with what it said instead of an answer
 */
export async function askAgent(
  socketPath: string,
  path: string,
  method: "GET" | "POST" = "GET",
): Promise<unknown> {
  try {
    const { status, body } = await exchange(socketPath, path, method);
    if (status === 200) return JSON.parse(body);
    throw new AgentRefusal(
      `the bpf-applier that runs here (${socketPath}) answered ${status}: ${body.trim()}`,
      status,
    );
  } catch (error) {
    return noneRuns(error);
  }
}

/**
 * As askAgent, but what it answers goes on until the stream is destroyed.
 * @returns undefined if none runs
 */
export async function openAtAgent(socketPath: string, path: string): Promise<IncomingMessage | undefined> {
  try {
    const asked = request({ socketPath, path }).end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    if (response.statusCode === 200) return response;
    throw new Error(
      `the bpf-applier that runs here (${socketPath}) answered: ${(await text(response)).trim()}`,
    );
  } catch (error) {
    return noneRuns(error);
  }
}

function noneRuns(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ECONNREFUSED") return undefined;
  throw error;
}

function exchange(
  socketPath: string,
  path: string,
  method: string,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(patienceMs);
    const asked = request({ socketPath, path, method, signal }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (piece: string) => {
        body += piece;
      });
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body }));
      response.once("error", reject);
    });
    asked.once("error", (error) =>
      reject(
        signal.aborted
          ? new Error(
              `the bpf-applier that runs here (${socketPath}) gave no answer in ${patienceMs / 1000} s`,
            )
          : error,
      ),
    );
    asked.end();
  });
}
