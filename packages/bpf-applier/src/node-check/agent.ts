import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { SocketStatus } from "../request-programs.ts";
import { codeOf, messageOf } from "./errors.ts";
import { error, type Finding, ok, warning } from "./finding.ts";

/** What the agent says at /status (ApplierStatus), as JSON. */
export interface AgentStatus {
  readonly cgroup: string;
  readonly connected: boolean;
  readonly connectionError?: string;
  readonly rejected: Readonly<Record<string, string>>;
  readonly types: Readonly<Record<string, { readonly version: string }>>;
  readonly services: number;
  readonly unsavedBecause?: string;
  readonly displaced?: true;
  /** Of type bigint there. */
  readonly flips: string;
  readonly workloadsWithoutCgroup: readonly string[];
  readonly pods: readonly { readonly decided: boolean }[];
  readonly sockets: SocketStatus;
  readonly relay?: { readonly pid?: number; readonly networks: number; readonly endedBecause?: string };
}

/** What an agent says there that does nothing (IdleStatus). */
export interface IdleAgentStatus {
  readonly idleBecause: string;
  readonly connected: boolean;
  readonly connectionError?: string;
}

/** What the agent answered, or why there is no answer. */
export interface AgentAnswer {
  readonly socket: string;
  readonly status?: AgentStatus | IdleAgentStatus;
  readonly failure?: string;
}

/** What an agent says that serves the node; undefined: none does. */
export const servingStatus = ({ status }: AgentAnswer): AgentStatus | undefined =>
  status === undefined || "idleBecause" in status ? undefined : status;

/** An agent that does not answer for this time is as good as none. */
const timeoutMs = 5_000;

export async function askAgent(runFolder: string, node: string): Promise<AgentAnswer> {
  const socket = join(runFolder, `${node}.sock`);
  try {
    const { status, body } = await get(socket, "/status");
    if (status !== 200) return { socket, failure: `it answers ${status}: ${body.trim()}` };
    return { socket, status: JSON.parse(body) as AgentStatus | IdleAgentStatus };
  } catch (cause) {
    return { socket, failure: codeOf(cause) ?? messageOf(cause) };
  }
}

function get(socketPath: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, timeout: timeoutMs }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    call.on("timeout", () => call.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    call.on("error", reject);
    call.end();
  });
}

export function judgeAgent({ socket, status, failure }: AgentAnswer): Finding[] {
  if (status === undefined) {
    const advice =
      "see whether its pod runs on this node, and its log; traffic goes on under the last policy meanwhile. Another node's " +
      "name is given with --node-name, another folder of sockets with --run-dir";
    return [error("agent", `none answers at ${socket} (${failure})`, advice)];
  }
  if ("idleBecause" in status) {
    const found = `answers at ${socket}, and leaves the node alone: ${status.idleBecause}`;
    const advice =
      "see to the reason, then start the agent again; until then connections go as without Keelson";
    return [error("agent", found, advice), judgeConnection(status)];
  }
  return [
    judgePlace(socket, status),
    judgeConnection(status),
    ...judgePolicy(status),
    ...judgeSaving(status),
    judgeWorkloads(status.workloadsWithoutCgroup),
    judgeRelay(status),
    ...judgeSockets(status),
  ];
}

function judgePlace(socket: string, { cgroup, displaced }: AgentStatus): Finding {
  const check = "agent";
  if (displaced === undefined) return ok(check, `answers at ${socket}, serves callers below ${cgroup}`);
  return error(
    check,
    `answers at ${socket}, but its programs do not hang any more where it has put them`,
    "somebody has removed or replaced their pins below /sys/fs/bpf; start it again",
  );
}

function judgeConnection({
  connected,
  connectionError,
}: Pick<AgentStatus, "connected" | "connectionError">): Finding {
  const check = "control plane";
  if (connected) return ok(check, "connected");
  return error(
    check,
    `not connected: ${connectionError ?? "no reason known yet"}`,
    "the node goes on with the policy it has; the reason says whether it is the address, the certificate or the token",
  );
}

const shortType = (type: string): string => type.split(".").at(-1) ?? type;

function judgePolicy({ rejected, types, services }: AgentStatus): Finding[] {
  const check = "policy";
  const refused = Object.entries(rejected).map(([type, reason]) =>
    error(
      check,
      `${shortType(type)} refused: ${reason.split("\n")[0]}`,
      "mend what is named; the node keeps the rest",
    ),
  );
  const held = Object.entries(types).map(([type, { version }]) => `${shortType(type)} ${version}`);
  if (held.length > 0) return [...refused, ok(check, `${services} services; ${held.join(", ")}`)];
  // After a start without a control plane, tables are those of the last policy on the node's disk.
  const found = `${services} services of the last policy on this node's disk; nothing from a control plane since the start`;
  return [...refused, warning(check, found, "wait until it is connected")];
}

function judgeSaving({ unsavedBecause }: AgentStatus): Finding[] {
  if (unsavedBecause === undefined) return [];
  const advice =
    "make room in the agent's --state-dir, or make it writable: a node that boots while the control plane is away has no policy";
  return [warning("saved policy", `not what the tables hold: ${unsavedBecause}`, advice)];
}

function judgeWorkloads(without: readonly string[]): Finding {
  const check = "pods";
  if (without.length === 0) return ok(check, "each has its cgroup");
  const shown = without.slice(0, 5).join(", ") + (without.length > 5 ? ", …" : "");
  return warning(
    check,
    `${without.length} without a cgroup: ${shown}`,
    "pods that start or end pass by this; if it stays, the agent's --cgroup is not above the kubelet's pods",
  );
}

function judgeRelay({ relay, pods }: AgentStatus): Finding {
  const check = "relay";
  if (relay === undefined) return ok(check, "none: every connection is decided once");
  const { pid, networks, endedBecause } = relay;
  if (pid === undefined)
    return error(
      check,
      `it does not run: ${endedBecause ?? "it starts"}`,
      "see the agent's log; it is started again",
    );
  const found = `process ${pid} listens in ${networks} networks`;
  if (networks > 0 || !pods.some(({ decided }) => decided)) return ok(check, found);
  const advice =
    "pods that start pass by this; if it stays, the agent does not see the node's processes (hostPID), or lacks SYS_ADMIN or " +
    "SYS_PTRACE";
  return warning(check, `${found}, though there are pods`, advice);
}

function judgeSockets({ sockets: { mode, lowerBecause } }: AgentStatus): Finding[] {
  const check = "sockets";
  if (lowerBecause === undefined) return mode === "off" ? [] : [ok(check, `as with --sockets=${mode}`)];
  const advice =
    "give the agent what is named (in the chart bpfApplier.sockets does), or ask for this mode; nothing is lost by it";
  return [warning(check, `treated as with --sockets=${mode}: ${lowerBecause}`, advice)];
}
