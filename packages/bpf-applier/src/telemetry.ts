import { create } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { grpcMethod } from "@keelson/protos";
import {
  type ReportEdgesRequest,
  ReportEdgesRequestSchema,
  TelemetryService,
} from "@keelson/protos/telemetry";
import { reconnection } from "./reconnection.ts";

const { path, requestSerialize, responseDeserialize } = grpcMethod(TelemetryService.method.reportEdges);

export interface TelemetryOptions {
  readonly address: string;
  readonly credentials: grpc.ChannelCredentials;
  /** Time between two reports. */
  readonly intervalMs: number;
  readonly report: () => Promise<Omit<ReportEdgesRequest, "$typeName" | "$unknown">>;
  readonly onError: (error: Error) => void;
}

/**
 * Sends the node's counters to the control plane. Counters are cumulative, so a report that cannot be sent is
 * simply followed by the next one on a new stream.
 */
export class TelemetryReporter {
  private readonly options: TelemetryOptions;
  private readonly client: grpc.Client;
  private stream: grpc.ClientWritableStream<ReportEdgesRequest> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(options: TelemetryOptions) {
    this.options = options;
    this.client = new grpc.Client(options.address, options.credentials, reconnection);
  }

  start(): void {
    this.schedule();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.stream?.end();
    this.client.close();
  }

  private schedule(): void {
    if (this.closed) return;
    this.timer = setTimeout(() => {
      this.send()
        .catch(this.options.onError)
        .finally(() => this.schedule());
    }, this.options.intervalMs);
  }

  private async send(): Promise<void> {
    const report = create(ReportEdgesRequestSchema, await this.options.report());
    if (this.closed) return;
    const stream = this.stream ?? this.open();
    // A control plane that reads slowly gets fewer reports, not a longer queue here.
    if (!stream.writableNeedDrain) stream.write(report);
  }

  private open(): grpc.ClientWritableStream<ReportEdgesRequest> {
    const stream = this.client.makeClientStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      (error) => {
        if (this.stream === stream) this.stream = undefined;
        if (error !== null && !this.closed) this.options.onError(error);
      },
    );
    this.stream = stream;
    return stream;
  }
}
