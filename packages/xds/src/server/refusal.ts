import { status } from "@grpc/grpc-js";
import { messageOf } from "../message-of.ts";

/** Why somebody is not served, as the name of a gRPC status. */
export type RefusalCode = "UNAUTHENTICATED" | "PERMISSION_DENIED" | "INVALID_ARGUMENT" | "NOT_FOUND";

/** Why the server ends a stream; the peer gets `code` and the message as the gRPC status. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: status;
  /** The server has as many streams as it may; it is not this peer's fault. */
  readonly isFull: boolean;

  private constructor(code: status, message: string, isFull = false) {
    super(message);
    this.code = code;
    this.isFull = isFull;
  }

  static overLimit(message: string): Refusal {
    return new Refusal(status.RESOURCE_EXHAUSTED, message);
  }

  static full(message: string): Refusal {
    return new Refusal(status.RESOURCE_EXHAUSTED, message, true);
  }

  static malformed(message: string): Refusal {
    return new Refusal(status.INVALID_ARGUMENT, message);
  }

  static tooLate(message: string): Refusal {
    return new Refusal(status.DEADLINE_EXCEEDED, message);
  }

  /** The peer may come again, here or elsewhere. */
  static goingAway(): Refusal {
    return new Refusal(status.UNAVAILABLE, "the control plane is going away");
  }

  /** The peer may come again, here or elsewhere. */
  static notReady(): Refusal {
    return new Refusal(status.UNAVAILABLE, "the control plane has no configuration to serve yet");
  }

  static because(code: RefusalCode, reason: string): Refusal {
    return new Refusal(status[code], reason);
  }

  /** Whatever was thrown; what is no refusal is a fault of the server's own. */
  static from(error: unknown): Refusal {
    return error instanceof Refusal ? error : new Refusal(status.INTERNAL, messageOf(error));
  }
}
