"""An echo client and an echo server on grpcio.

e2e/peers/echo.ts starts it and says what the arguments and the lines on its standard input and output mean.
"""

import argparse
import json
import os
import sys
import threading
from collections import Counter
from concurrent import futures

import grpc
from grpc.experimental import insecure_channel_credentials

# The messages come straight from the schema, which lies one folder above.
sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
messages, services = grpc.protos_and_services("echo.proto")

output_lock = threading.Lock()


def print_line(value):
    with output_lock:
        print(json.dumps(value), flush=True)


class EchoServicer(services.EchoServicer):
    def __init__(self, name):
        self.name = name

    def Say(self, request, context):
        return messages.SayReply(server=self.name, text=request.text)


def run_server(args):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8), xds=args.xds)
    services.add_EchoServicer_to_server(EchoServicer(args.name), server)
    if args.xds:
        # By xDS where it says so, else in the clear.
        credentials = grpc.xds_server_credentials(grpc.insecure_server_credentials())
        port = server.add_secure_port(args.listen, credentials)
    else:
        port = server.add_insecure_port(args.listen)
    server.start()
    host = args.listen.rsplit(":", 1)[0]
    print_line({"listening": f"{host}:{port}"})
    server.wait_for_termination()


def run_client(args):
    # By xDS where it says so, else in the clear.
    credentials = grpc.xds_channel_credentials(insecure_channel_credentials())
    # One channel for all batches, so that they see it change.
    with grpc.secure_channel(args.target, credentials) as channel:
        stub = services.EchoStub(channel)
        for line in sys.stdin:
            print_line(send(stub, json.loads(line)))


def send(stub, batch):
    answers, failures, first_failure = Counter(), Counter(), ""

    def send_one(_):
        try:
            reply = stub.Say(
                messages.SayRequest(text=batch["text"]),
                timeout=batch["deadlineMs"] / 1000,
                metadata=list(batch["headers"].items()),
            )
            return reply.server, None
        except grpc.RpcError as error:
            return None, error

    with futures.ThreadPoolExecutor(max_workers=max(batch["concurrency"], 1)) as senders:
        for server, error in senders.map(send_one, range(batch["count"])):
            if error is None:
                answers[server] += 1
                continue
            first_failure = first_failure or error.details()
            failures[error.code().name] += 1
    return {"answers": answers, "failures": failures, "firstFailure": first_failure}


def main():
    parser = argparse.ArgumentParser()
    roles = parser.add_subparsers(dest="role", required=True)
    client = roles.add_parser("client")
    client.add_argument("--target", required=True)
    client.set_defaults(run=run_client)
    server = roles.add_parser("server")
    server.add_argument("--name", required=True)
    server.add_argument("--listen", default="127.0.0.1:0")
    server.add_argument("--xds", action="store_true")
    server.set_defaults(run=run_server)
    args = parser.parse_args()
    args.run(args)


main()
