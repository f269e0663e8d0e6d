import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { SecretSchema } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type { Server, ServerDuplexStream } from "@grpc/grpc-js";
import { makeCertificate, makeRoot } from "@keelson/pilot/testing";
import type { Resource } from "@keelson/protos";
import { envoyTypeUrls } from "@keelson/xds/envoy";

/** Names of secrets that are roots, as `xds/src/envoy/tls/secrets.ts` gives them. */
const rootName = /^ROOTCA$|^file-root:|-cacert$/;

/** A secret for every name: one real certificate and its root, as they come from pilot-agent and from credentials. */
export class Secrets {
  private readonly pem: { readonly certificate: string; readonly key: string; readonly root: string };

  private constructor(pem: Secrets["pem"]) {
    this.pem = pem;
  }

  static async make(): Promise<Secrets> {
    const issuer = await makeRoot();
    const { certificate, key } = await makeCertificate({ issuer, names: [{ type: "dns", value: "test" }] });
    return new Secrets({ certificate, key, root: issuer.certificate });
  }

  /** As a view's lookup: a secret for every name; undefined for other types. */
  lookup(typeUrl: string, name: string): Resource | undefined {
    return typeUrl === envoyTypeUrls.secret ? this.resource(name) : undefined;
  }

  private resource(name: string): Resource {
    const { certificate, key, root } = this.pem;
    const secret = create(SecretSchema, {
      name,
      type: rootName.test(name)
        ? { case: "validationContext", value: { trustedCa: inline(root) } }
        : {
            case: "tlsCertificate",
            value: { certificateChain: inline(certificate), privateKey: inline(key) },
          },
    });
    return { name, version: "1", body: toBinary(SecretSchema, secret) };
  }

  /** Serves them as pilot-agent does: over a service of their own, to the cluster `sds-grpc`. */
  register(server: Server): void {
    server.addService(secretDiscovery, { streamSecrets: (call: SecretCall) => this.serve(call) });
  }

  private serve(call: SecretCall): void {
    const answered = new Map<string, string>();
    call.on("data", ({ typeUrl, resourceNames }: DiscoveryRequest) => {
      const names = resourceNames.toSorted().join(" ");
      if (answered.get(typeUrl) === names) return;
      answered.set(typeUrl, names);
      const resources = resourceNames.map((name) =>
        create(AnySchema, { typeUrl, value: this.resource(name).body }),
      );
      call.write(create(DiscoveryResponseSchema, { typeUrl, versionInfo: "1", nonce: names, resources }));
    });
    call.on("end", () => call.end());
    // The Envoy has gone.
    call.on("error", () => undefined);
  }
}

type SecretCall = ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>;

const inline = (pem: string) => ({ specifier: { case: "inlineString" as const, value: pem } });

const secretDiscovery = {
  streamSecrets: {
    path: "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets",
    requestStream: true,
    responseStream: true,
    requestSerialize: (message: DiscoveryRequest) => Buffer.from(toBinary(DiscoveryRequestSchema, message)),
    requestDeserialize: (bytes: Buffer) => fromBinary(DiscoveryRequestSchema, bytes),
    responseSerialize: (message: DiscoveryResponse) =>
      Buffer.from(toBinary(DiscoveryResponseSchema, message)),
    responseDeserialize: (bytes: Buffer) => fromBinary(DiscoveryResponseSchema, bytes),
  },
} as const;
