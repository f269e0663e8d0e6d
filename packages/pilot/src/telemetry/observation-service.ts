import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { applierIdPrefix } from "@keelson/model/names";
import {
  type ObserveRequestsRequest,
  ObserveRequestsRequestSchema,
  type ObserveRequestsResponse,
  ObserveRequestsResponseSchema,
  TelemetryService,
} from "@keelson/protos/telemetry";
import type { PeerGuard } from "../auth/peer-guard.ts";
import type { JoinedNode, ObservationHub } from "./observation-hub.ts";

const method = TelemetryService.method.observeRequests;

const definition = {
  observeRequests: {
    path: `/${TelemetryService.typeName}/${method.name}`,
    requestStream: true,
    responseStream: true,
    requestSerialize: (request: ObserveRequestsRequest) =>
      Buffer.from(toBinary(ObserveRequestsRequestSchema, request)),
    requestDeserialize: (bytes: Buffer) => fromBinary(ObserveRequestsRequestSchema, bytes),
    responseSerialize: (response: ObserveRequestsResponse) =>
      Buffer.from(toBinary(ObserveRequestsResponseSchema, response)),
    responseDeserialize: (bytes: Buffer) => fromBinary(ObserveRequestsResponseSchema, bytes),
  },
} as const;

type Call = grpc.ServerDuplexStream<ObserveRequestsRequest, ObserveRequestsResponse>;

/** Lets nodes tell of their requests, each of its own, to whoever asks the hub. */
export function registerObservation(server: grpc.Server, hub: ObservationHub, guard: PeerGuard): void {
  server.addService(definition, {
    observeRequests(call: Call) {
      let node: JoinedNode | undefined;
      const refuse = (code: grpc.status, details: string): void => {
        node?.end(details);
        call.emit("error", { code, details });
      };
      const gone = (): void => node?.end("it is not connected any more");
      call.on("error", gone);
      call.on("cancelled", gone);
      guard.authenticate(call).then(
        (caller) => {
          call.on("data", (request: ObserveRequestsRequest) => {
            if (node !== undefined) {
              node.take(request.observation, request.requests, Number(request.lost));
              return;
            }
            const id = `${applierIdPrefix}${request.node}`;
            const claim = { id, namespace: "", serviceAccount: "", nodeName: request.node };
            const verdict = guard.authorize(caller, claim);
            if (!verdict.allowed) return refuse(grpc.status.PERMISSION_DENIED, verdict.reason);
            try {
              node = join(hub, request.node, call);
            } catch (error) {
              refuse(grpc.status.RESOURCE_EXHAUSTED, (error as Error).message);
            }
          });
          call.on("end", () => {
            gone();
            call.end();
          });
        },
        (error: Error) => refuse(grpc.status.UNAUTHENTICATED, error.message),
      );
    },
  });
}

/** @throws RangeError if the hub has no room, or the node no name */
function join(hub: ObservationHub, name: string, call: Call): JoinedNode {
  if (name === "") throw new RangeError("whoever tells of requests names no node");
  const want = (observations: ObserveRequestsResponse["observations"]): void => {
    call.write(create(ObserveRequestsResponseSchema, { observations }));
  };
  const node = hub.join(name, { want: (observations) => want([...observations]) });
  want([]); // the node knows from it that it is heard
  return node;
}
