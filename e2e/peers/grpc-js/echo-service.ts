import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import type { MethodDefinition } from "@grpc/grpc-js";

/** SayRequest or SayReply of echo.proto: both have strings only, so a message is its strings by field number. */
export type Message = Readonly<Record<number, string>>;

export const field = { requestText: 1, replyServer: 1, replyText: 2 } as const;

function encode(message: Message): Buffer {
  const writer = new BinaryWriter();
  for (const [number, text] of Object.entries(message)) writer.uint32((Number(number) << 3) | 2).string(text);
  return Buffer.from(writer.finish());
}

function decode(bytes: Buffer): Message {
  const reader = new BinaryReader(bytes);
  const message: Record<number, string> = {};
  while (reader.pos < reader.len) {
    const [number] = reader.tag();
    message[number] = reader.string();
  }
  return message;
}

/** The service of echo.proto, as grpc-js wants it. */
export const echoService = {
  say: {
    path: "/keelson.echo.v1.Echo/Say",
    requestStream: false,
    responseStream: false,
    requestSerialize: encode,
    requestDeserialize: decode,
    responseSerialize: encode,
    responseDeserialize: decode,
  } satisfies MethodDefinition<Message, Message>,
} as const;
