import { parseArgs } from "node:util";

/** What the node's agent may be told to do with callers' sockets (bpf-applier run --help). */
const socketModes = ["off", "count", "switch", "queue"] as const;

export interface DemoOptions {
  /** End after the main job instead of waiting for Ctrl-C. */
  readonly once: boolean;
  /** Pages asked for, before the rule and after it. */
  readonly requests: number;
  /** The SVG file; undefined for the usual place. */
  readonly picture?: string;
  /** Ports of the control plane on 127.0.0.1; 0 for any that is free. */
  readonly grpcPort: number;
  readonly httpPort: number;
  /** Name of the test world, so that several demos can run at once. */
  readonly world: string;
  /** Off: nothing is done with callers' sockets, the node has no relay, and no rule looks at requests. */
  readonly sockets: (typeof socketModes)[number];
}

export type DemoCommand =
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly message: string }
  | { readonly kind: "run"; readonly options: DemoOptions }
  | { readonly kind: "send"; readonly world: string; readonly requests: number }
  | {
      readonly kind: "exec";
      readonly world: string;
      readonly pod: string;
      readonly command: [string, ...string[]];
    };

export const help = `Routes bookinfo in the kernel of this machine: traffic, a rule for connections, one for requests.

usage: npm run demo -- [options]               the demo; Ctrl-C ends it and removes all it made
       npm run demo -- send [N]                N more pages (300) through a demo that runs
       npm run demo -- exec POD COMMAND …      run a command inside a pod of a demo that runs

options:
  --once              end after the main job instead of waiting for Ctrl-C
  --requests N        pages asked for before a rule and after it, and requests after the second one, 1 to 100000 (300)
  --picture FILE      draw the traffic here, as SVG (out/demo-traffic.svg)
  --grpc-port PORT    the control plane's xDS port on 127.0.0.1 (any that is free)
  --http-port PORT    its HTTP port on 127.0.0.1 (any that is free)
  --world NAME        another name for all that is made, to run a second demo beside the first (demo)
  --sockets MODE      what the node's programs do with requests (switch): carry them in the relay's place (switch, queue),
                      count them (count), or nothing, without a relay and the second rule (off; bpf-applier run --help)
  --help              this text

It needs root and a kernel with BPF; without them, the control plane alone runs and its policy is printed.
Exit code: 0 all as it should be (or what is missing was said), 1 failed, 2 wrong usage, 128 + n ended by signal n
before the main job was done.
`;

const defaults = { requests: "300", world: "demo", port: "0", sockets: "switch" };

const options = {
  once: { type: "boolean", default: false },
  requests: { type: "string", default: defaults.requests },
  picture: { type: "string" },
  "grpc-port": { type: "string", default: defaults.port },
  "http-port": { type: "string", default: defaults.port },
  world: { type: "string", default: defaults.world },
  sockets: { type: "string", default: defaults.sockets },
  help: { type: "boolean", short: "h", default: false },
} as const;

export function parseDemoArguments(args: readonly string[]): DemoCommand {
  try {
    return parse(args);
  } catch (error) {
    return { kind: "wrong", message: error instanceof Error ? error.message : String(error) };
  }
}

function parse(args: readonly string[]): DemoCommand {
  // What follows "exec POD" is the command's, dashes and all.
  const exec = args.indexOf("exec");
  const own = exec < 0 ? args : args.slice(0, exec + 2);
  const { values, positionals } = parseArgs({ args: [...own], options, allowPositionals: true });
  if (values.help) return { kind: "help" };
  const [name, argument, ...rest] = positionals;
  const { world } = values;
  if (name === "exec") {
    const [file, ...others] = args.slice(exec + 2).filter((word, i) => i > 0 || word !== "--");
    if (argument === undefined || file === undefined)
      throw new Error("exec needs a pod's name and a command");
    return { kind: "exec", world, pod: argument, command: [file, ...others] };
  }
  if (name === "send") {
    if (rest.length > 0) throw new Error(`send takes one number, found also "${rest.join(" ")}"`);
    return { kind: "send", world, requests: integer("N", argument ?? defaults.requests, 1, 100_000) };
  }
  if (name !== undefined) throw new Error(`there is no command "${name}"; there are send and exec`);
  return {
    kind: "run",
    options: {
      once: values.once,
      requests: integer("--requests", values.requests, 1, 100_000),
      ...(values.picture === undefined ? {} : { picture: values.picture }),
      grpcPort: integer("--grpc-port", values["grpc-port"], 0, 65_535),
      httpPort: integer("--http-port", values["http-port"], 0, 65_535),
      world,
      sockets: socketMode(values.sockets),
    },
  };
}

function socketMode(text: string): (typeof socketModes)[number] {
  const mode = socketModes.find((one) => one === text);
  if (mode === undefined) throw new Error(`--sockets is one of ${socketModes.join(", ")}; found "${text}"`);
  return mode;
}

function integer(name: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Error(`${name} is a whole number from ${least} to ${most}; found "${text}"`);
}
