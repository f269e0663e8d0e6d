import { create } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { applierIdPrefix } from "@keelson/model/names";
import { grpcMethod } from "@keelson/protos";
import {
  type ReportEdgesRequest,
  type ReportEdgesResponse,
  ReportEdgesResponseSchema,
  TelemetryService,
} from "@keelson/protos/telemetry";
import type { Caller } from "../auth/authenticator.ts";
import type { PeerGuard } from "../auth/peer-guard.ts";
import type { EdgeLedger } from "./edge-ledger.ts";

const definition = { reportEdges: grpcMethod(TelemetryService.method.reportEdges) };

type Call = grpc.ServerReadableStream<ReportEdgesRequest, ReportEdgesResponse>;

/** Lets nodes report their counters to `ledger`: each its own. */
export function registerTelemetry(server: grpc.Server, ledger: EdgeLedger, guard: PeerGuard): void {
  server.addService(definition, {
    reportEdges(call: Call, callback: grpc.sendUnaryData<ReportEdgesResponse>) {
      let answered = false;
      const answer: typeof callback = (...values) => {
        if (!answered) callback(...values);
        answered = true;
      };
      call.on("error", () => undefined); // the node went away; its last report stays
      guard.authenticate(call).then(
        (caller) => take(call, answer, (request) => takeReport(request, caller, { ledger, guard })),
        (error: Error) => answer({ code: grpc.status.UNAUTHENTICATED, details: error.message }),
      );
    },
  });
}

function take(
  call: Call,
  answer: grpc.sendUnaryData<ReportEdgesResponse>,
  takeOne: (request: ReportEdgesRequest) => void,
): void {
  let reports = 0n;
  call.on("data", (request: ReportEdgesRequest) => {
    try {
      takeOne(request);
      reports += 1n;
    } catch (error) {
      const code =
        error instanceof NotAllowed ? grpc.status.PERMISSION_DENIED : grpc.status.RESOURCE_EXHAUSTED;
      answer({ code, details: (error as Error).message });
    }
  });
  call.on("end", () => answer(null, create(ReportEdgesResponseSchema, { reports })));
}

class NotAllowed extends Error {}

function takeReport(
  request: ReportEdgesRequest,
  caller: Caller | undefined,
  { ledger, guard }: { readonly ledger: EdgeLedger; readonly guard: PeerGuard },
): void {
  const id = `${applierIdPrefix}${request.node}`;
  const verdict = guard.authorize(caller, { id, namespace: "", serviceAccount: "", nodeName: request.node });
  if (!verdict.allowed) throw new NotAllowed(verdict.reason);
  ledger.take(request);
}
