import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import {
  type ReportEdgesRequest,
  ReportEdgesRequestSchema,
  type ReportEdgesResponse,
  ReportEdgesResponseSchema,
  TelemetryService,
} from "@keelson/protos/telemetry";
import type { EdgeLedger } from "./edge-ledger.ts";

const method = TelemetryService.method.reportEdges;

const definition = {
  reportEdges: {
    path: `/${TelemetryService.typeName}/${method.name}`,
    requestStream: true,
    responseStream: false,
    requestSerialize: (request: ReportEdgesRequest) =>
      Buffer.from(toBinary(ReportEdgesRequestSchema, request)),
    requestDeserialize: (bytes: Buffer) => fromBinary(ReportEdgesRequestSchema, bytes),
    responseSerialize: (response: ReportEdgesResponse) =>
      Buffer.from(toBinary(ReportEdgesResponseSchema, response)),
    responseDeserialize: (bytes: Buffer) => fromBinary(ReportEdgesResponseSchema, bytes),
  },
} as const;

/** Lets nodes report their counters to `ledger`. */
export function registerTelemetry(server: grpc.Server, ledger: EdgeLedger): void {
  server.addService(definition, {
    reportEdges(
      call: grpc.ServerReadableStream<ReportEdgesRequest, ReportEdgesResponse>,
      callback: grpc.sendUnaryData<ReportEdgesResponse>,
    ) {
      let reports = 0n;
      let answered = false;
      const answer: typeof callback = (...values) => {
        if (!answered) callback(...values);
        answered = true;
      };
      call.on("data", (request: ReportEdgesRequest) => {
        try {
          ledger.take(request);
          reports += 1n;
        } catch (error) {
          answer({ code: grpc.status.RESOURCE_EXHAUSTED, details: (error as Error).message });
        }
      });
      call.on("end", () => answer(null, create(ReportEdgesResponseSchema, { reports })));
      call.on("error", () => undefined); // the node went away; its last report stays
    },
  });
}
