import { create } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { applierIdPrefix } from "@keelson/model/names";
import { grpcMethod } from "@keelson/protos";
import {
  type Observation,
  type ObserveRequestsRequest,
  type ObserveRequestsResponse,
  ObserveRequestsResponseSchema,
  TelemetryService,
} from "@keelson/protos/telemetry";
import type { Caller } from "../auth/authenticator.ts";
import type { PeerGuard } from "../auth/peer-guard.ts";
import type { JoinedNode, ObservationHub } from "./observation-hub.ts";

const definition = { observeRequests: grpcMethod(TelemetryService.method.observeRequests) };

type Call = grpc.ServerDuplexStream<ObserveRequestsRequest, ObserveRequestsResponse>;

/** Lets nodes tell of their requests, each of its own, to whoever asks the hub. */
export function registerObservation(server: grpc.Server, hub: ObservationHub, guard: PeerGuard): void {
  server.addService(definition, {
    observeRequests(call: Call) {
      guard.authenticate(call).then(
        (caller) => new NodeStream(call, caller, { hub, guard }).follow(),
        (error: Error) => refuse(call, grpc.status.UNAUTHENTICATED, error.message),
      );
      call.on("error", () => undefined); // it went away
    },
  });
}

const refuse = (call: Call, code: grpc.status, details: string): void => {
  call.emit("error", { code, details });
};

/** One node's stream. */
class NodeStream {
  private readonly call: Call;
  private readonly caller: Caller | undefined;
  private readonly hub: ObservationHub;
  private readonly guard: PeerGuard;
  private node: JoinedNode | undefined;

  constructor(
    call: Call,
    caller: Caller | undefined,
    { hub, guard }: { readonly hub: ObservationHub; readonly guard: PeerGuard },
  ) {
    this.call = call;
    this.caller = caller;
    this.hub = hub;
    this.guard = guard;
  }

  follow(): void {
    if (this.call.cancelled) return;
    const gone = (): void => this.node?.end("it is not connected any more");
    this.call.on("error", gone);
    this.call.on("cancelled", gone);
    this.call.on("data", (request: ObserveRequestsRequest) => this.take(request));
    this.call.on("end", () => {
      gone();
      this.call.end();
    });
  }

  private take({ node, observation, requests, lost }: ObserveRequestsRequest): void {
    if (this.node === undefined) this.join(node);
    else this.node.take(observation, requests, Number(lost));
  }

  private join(name: string): void {
    const claim = { id: `${applierIdPrefix}${name}`, namespace: "", serviceAccount: "", nodeName: name };
    const verdict = this.guard.authorize(this.caller, claim);
    if (!verdict.allowed) return refuse(this.call, grpc.status.PERMISSION_DENIED, verdict.reason);
    if (name === "")
      return refuse(this.call, grpc.status.INVALID_ARGUMENT, "the first message names no node");
    const want = (observations: readonly Observation[]): void => {
      this.call.write(create(ObserveRequestsResponseSchema, { observations: [...observations] }));
    };
    try {
      this.node = this.hub.join(name, { want });
      want([]); // the node knows from it that it is heard
    } catch (error) {
      refuse(this.call, grpc.status.RESOURCE_EXHAUSTED, (error as Error).message);
    }
  }
}
