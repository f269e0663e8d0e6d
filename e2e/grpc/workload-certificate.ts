import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeCertificate, type TestCertificate } from "@keelson/pilot/testing";
import { peerRunFolder } from "../peers/peer-process.ts";

export const makeRoot = (): Promise<TestCertificate> =>
  makeCertificate({ ca: true, subject: [{ O: ["test"] }] });

/** A folder with a workload's certificate as istio's agent writes it. */
export async function workloadCertificate(root: TestCertificate, spiffeId: string): Promise<string> {
  const names = [{ type: "url" as const, value: spiffeId }];
  const { certificate, key } = await makeCertificate({ issuer: root, names });
  const folder = join(await peerRunFolder("certificates"), "certs");
  await mkdir(folder);
  const files = { "cert-chain.pem": certificate, "key.pem": key, "root-cert.pem": root.certificate };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}
