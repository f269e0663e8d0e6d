/** What happens on the server, for logs and metrics. `node` is the node's name, or its id if it told no name. */
export type XdsEvent =
  | { readonly kind: "connected"; readonly node: string; readonly peer: string }
  | { readonly kind: "disconnected"; readonly node: string; readonly peer: string }
  | {
      readonly kind: "push";
      readonly node: string;
      readonly typeUrl: string;
      readonly version: string;
      readonly added: number;
      readonly removed: number;
      readonly bytes: number;
      /** Time that making and sending it took. */
      readonly seconds: number;
    }
  /** A node that held an earlier version was sent all that it lacked of this one; `version` is the snapshot's number. */
  | { readonly kind: "brought"; readonly node: string; readonly version: string }
  | {
      readonly kind: "ack";
      readonly node: string;
      readonly typeUrl: string;
      readonly version: string;
      /** Something of the type that was sent earlier is still rejected. */
      readonly stillRejects?: true;
    }
  | {
      readonly kind: "nack";
      readonly node: string;
      readonly typeUrl: string;
      readonly version: string;
      readonly message: string;
    }
  | {
      readonly kind: "report";
      readonly node: string;
      readonly typeUrl: string;
      /** What the client says is wrong; undefined: nothing is. */
      readonly error: string | undefined;
    }
  | {
      readonly kind: "refused";
      readonly node: string;
      readonly peer: string;
      readonly reason: string;
      /** The server has as many streams as it may. */
      readonly full?: true;
    };
