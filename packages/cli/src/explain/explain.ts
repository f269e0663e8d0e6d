import { Compiler, type ServiceExplanation } from "@keelson/compiler";
import { ModelBuilder, type Problem } from "@keelson/model";
import { DirectorySource } from "@keelson/sources";
import type { ControlPlaneClient } from "../control-plane/client.ts";
import { exitCodes, UserError } from "../exit-codes.ts";
import { readFailure } from "../read-failure.ts";
import { isNamed, unknownService } from "./find-services.ts";

export interface Explained {
  /** Sorted by hostname. */
  readonly services: readonly ServiceExplanation[];
  /** Of the whole configuration. */
  readonly problems: readonly Problem[];
}

/**
 * Asks a running control plane.
 * @param service absent: all
 * @throws UserError if it is unknown, or there is no proper answer
 */
export async function explainRemote(client: ControlPlaneClient, service?: string): Promise<Explained> {
  const [services, { problems }] = await Promise.all([client.explanations(service), client.status()]);
  if (services.length > 0 || service === undefined) return { services, problems };
  const all = await client.explanations();
  throw unknownService(
    service,
    all.map(({ hostname }) => hostname),
  );
}

/**
 * Reads and compiles a directory as a control plane would.
 * @param service absent: all
 * @throws UserError if it is unknown, or the directory cannot be read
 */
export async function explainDirectory(
  directory: string,
  domain: string,
  service?: string,
): Promise<Explained> {
  const { objects, problems: sourceProblems } = await readDirectory(directory);
  const { model, problems: modelProblems } = new ModelBuilder(domain).build(objects);
  const compiled = new Compiler().compile(model);
  const hostnames = [...model.services.keys()];
  const chosen = service === undefined ? hostnames : hostnames.filter((name) => isNamed(name, service));
  if (chosen.length === 0 && service !== undefined) throw unknownService(service, hostnames);
  return {
    services: chosen.map((hostname) => compiled.explain(hostname)).filter((found) => found !== undefined),
    problems: [...sourceProblems, ...modelProblems, ...compiled.problems],
  };
}

async function readDirectory(directory: string): Promise<DirectorySource["snapshot"]> {
  const source = new DirectorySource(directory);
  try {
    await source.start();
    return source.snapshot;
  } catch (error) {
    throw new UserError(readFailure(directory, error), exitCodes.usage, { cause: error });
  } finally {
    await source.close();
  }
}
