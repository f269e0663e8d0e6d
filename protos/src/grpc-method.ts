import {
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";

/** A method of a generated service. */
export type DescribedMethod<Request extends DescMessage, Response extends DescMessage> = DescMethod & {
  readonly input: Request;
  readonly output: Response;
};

/** The method as `@grpc/grpc-js` wants it, of servers and of clients. */
export function grpcMethod<Request extends DescMessage, Response extends DescMessage>(
  method: DescribedMethod<Request, Response>,
) {
  const { input, output, methodKind } = method;
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: methodKind === "client_streaming" || methodKind === "bidi_streaming",
    responseStream: methodKind === "server_streaming" || methodKind === "bidi_streaming",
    requestSerialize: (message: MessageShape<Request>): Buffer => Buffer.from(toBinary(input, message)),
    requestDeserialize: (bytes: Buffer): MessageShape<Request> => fromBinary(input, bytes),
    responseSerialize: (message: MessageShape<Response>): Buffer => Buffer.from(toBinary(output, message)),
    responseDeserialize: (bytes: Buffer): MessageShape<Response> => fromBinary(output, bytes),
  };
}
