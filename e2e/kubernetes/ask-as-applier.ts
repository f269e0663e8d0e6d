import * as grpc from "@grpc/grpc-js";
import { applierIdPrefix } from "@keelson/model/names";
import { policyTypeUrls } from "@keelson/protos";
import { DeltaXdsClient } from "@keelson/xds";

export interface ApplierCall {
  /** host:port of xDS with TLS. */
  readonly address: string;
  /** PEM of the mesh's root. */
  readonly root: string;
  /** That the control plane's certificate must have. */
  readonly serverName: string;
  readonly token: string;
  /** The Kubernetes node that it says it acts for. */
  readonly node: string;
}

/** Opens a stream as a node's applier does. @returns names of the services it is told. @throws Error with gRPC's status if it is told nothing */
export async function askAsApplier({
  address,
  root,
  serverName,
  token,
  node,
}: ApplierCall): Promise<string[]> {
  const { promise, resolve, reject } = Promise.withResolvers<string[]>();
  const client = new DeltaXdsClient({
    address,
    credentials: credentialsOf(root, serverName, token),
    node: { id: `${applierIdPrefix}${node}`, metadata: { NODE_NAME: node } },
    typeUrls: [policyTypeUrls.service],
    onUpdate: async ({ added }) => resolve(added.map(({ name }) => name)),
    onState: ({ error }) => error !== undefined && reject(new Error(error)),
  });
  client.start();
  try {
    return await promise;
  } finally {
    await client.close();
  }
}

function credentialsOf(root: string, serverName: string, token: string): grpc.ChannelCredentials {
  const tls = grpc.credentials.createSsl(Buffer.from(root), null, null, {
    checkServerIdentity: (_, { subjectaltname = "" }) =>
      subjectaltname.split(", ").includes(`DNS:${serverName}`)
        ? undefined
        : new Error(`the certificate is for ${subjectaltname}`),
  });
  const metadata = new grpc.Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  return tls.compose(grpc.credentials.createFromMetadataGenerator((_, callback) => callback(null, metadata)));
}
