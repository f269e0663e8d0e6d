import { join } from "node:path";
import { ownVariables } from "../peers/peer-process.ts";
import type { Container } from "./pod-spec.ts";

export interface Mount {
  readonly folder: string;
  /** Where the container sees it, as a path of this machine. */
  readonly at: string;
  readonly readOnly: boolean;
}

export interface ContainerPlan {
  /** The image's files. */
  readonly root: string;
  readonly mounts: readonly Mount[];
  /** File that becomes /etc/hosts: what Services' names would be resolved to. */
  readonly hostsFile: string;
  readonly user: number;
  readonly group: number;
  readonly workingDirectory: string;
  readonly securityContext: Container["securityContext"];
  readonly environment: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** A shell script that becomes the container's process; to be run in a mount namespace of its own. */
export function containerScript(plan: ContainerPlan): string {
  const { root, mounts, hostsFile, securityContext } = plan;
  const bind = ({ folder, at, readOnly }: Mount): string[] => [
    `mkdir -p ${quote(at)}`,
    `mount --rbind ${quote(folder)} ${quote(at)}`,
    ...(readOnly ? [`mount -o remount,bind,ro ${quote(at)}`] : []),
  ];
  return [
    "set -e",
    `mount --bind ${quote(root)} ${quote(root)}`,
    `mount -t proc proc ${quote(join(root, "proc"))}`,
    `mount -t sysfs -o ro sysfs ${quote(join(root, "sys"))}`,
    `mount --rbind /dev ${quote(join(root, "dev"))}`,
    `touch ${quote(join(root, "etc/hosts"))}`,
    `mount --bind ${quote(hostsFile)} ${quote(join(root, "etc/hosts"))}`,
    ...mounts.flatMap(bind),
    ...(securityContext.readOnlyRootFilesystem ? [`mount -o remount,bind,ro ${quote(root)}`] : []),
    // Whoever started it finds it by these.
    `exec env -i ${ownVariables.map((name) => `${name}="$${name}"`).join(" ")} ${processOf(plan)}`,
  ].join("\n");
}

/** Changes the root first: afterwards there is no right left to do so. */
function processOf({
  root,
  user,
  group,
  workingDirectory,
  securityContext,
  environment,
  command,
}: ContainerPlan): string {
  const capabilities = [
    "-all",
    ...securityContext.capabilities.add.map((name) => `+${name.toLowerCase()}`),
  ].join(",");
  const variables = Object.entries(environment).map(([name, value]) => quote(`${name}=${value}`));
  const rights = [
    `--reuid=${user}`,
    `--regid=${group}`,
    "--clear-groups",
    `--bounding-set=${capabilities}`,
    `--inh-caps=${capabilities}`,
    "--no-new-privs",
  ];
  const enter = `cd ${quote(workingDirectory)} && exec "$@"`;
  return [
    ...variables,
    "chroot",
    quote(root),
    "setpriv",
    ...rights,
    "sh",
    "-c",
    quote(enter),
    "container",
    ...command.map(quote),
  ].join(" ");
}
