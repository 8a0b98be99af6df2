"""A gRPC server with a method of each kind, whose messages are plain bytes."""

import os
import threading
from concurrent import futures

import grpc

cancelled = threading.Event()


def echo(message, context):
    context.send_initial_metadata([("x-initial", dict(context.invocation_metadata()).get("x-asked", ""))])
    context.set_trailing_metadata([("x-trailing", "end"), ("x-raw-bin", b"\x00\xff")])
    return message


def count(message, context):
    for number in range(int(message)):
        yield str(number).encode()


def total(messages, context):
    return str(sum(len(message) for message in messages)).encode()


def talk(messages, context):
    for message in messages:
        yield message.upper()


def fail(message, context):
    context.set_trailing_metadata([("x-why", "told")])
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not today, ä")


def fail_later(message, context):
    yield b"first"
    context.abort(grpc.StatusCode.DATA_LOSS, "lost")


def hold(message, context):
    context.add_callback(cancelled.set)
    yield b"held"
    cancelled.wait()


def was_cancelled(message, context):
    return str(cancelled.wait(60)).encode()


methods = {
    "Echo": grpc.unary_unary_rpc_method_handler(echo),
    "Count": grpc.unary_stream_rpc_method_handler(count),
    "Total": grpc.stream_unary_rpc_method_handler(total),
    "Talk": grpc.stream_stream_rpc_method_handler(talk),
    "Fail": grpc.unary_unary_rpc_method_handler(fail),
    "FailLater": grpc.unary_stream_rpc_method_handler(fail_later),
    "Hold": grpc.unary_stream_rpc_method_handler(hold),
    "WasCancelled": grpc.unary_unary_rpc_method_handler(was_cancelled),
}
server = grpc.server(futures.ThreadPoolExecutor(16), options=[("grpc.max_receive_message_length", -1)])
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.Kinds", methods)])
if not server.add_insecure_port("127.0.0.1:" + os.environ["PORT"]):
    raise SystemExit("cannot listen")
server.start()
server.wait_for_termination()
