"""Calls each method and prints what comes: client.py ADDRESS AUTHORITY [ROOT]"""

import queue
import sys
from concurrent import futures

import grpc

address, authority, *root = sys.argv[1:]
options = [("grpc.max_receive_message_length", -1), ("grpc.enable_retries", 0)]
if root:
    with open(root[0], "rb") as file:
        trust = grpc.ssl_channel_credentials(file.read())
    options.append(("grpc.ssl_target_name_override", authority))
    channel = grpc.secure_channel(address, trust, options)
else:
    options.append(("grpc.default_authority", authority))
    channel = grpc.insecure_channel(address, options)


def unary(name):
    return channel.unary_unary("/test.Kinds/" + name)


def stream(name):
    return channel.unary_stream("/test.Kinds/" + name)


def show(name, *values):
    print(name, *values, flush=True)


# All at once, while the app is at zero.
with futures.ThreadPoolExecutor(50) as pool:
    answers = pool.map(lambda number: unary("Echo")(b"%d" % number, timeout=60), range(50))
    show("zero", sum(int(answer) for answer in answers))

answer, call = unary("Echo").with_call(b"hello", timeout=60, metadata=[("x-asked", "asked")])
initial, trailing = dict(call.initial_metadata()), dict(call.trailing_metadata())
show("unary", answer.decode(), initial["x-initial"], trailing["x-trailing"], trailing["x-raw-bin"].hex(), call.code().name)
large = bytes(range(256)) * 16384
show("large", unary("Echo")(large, timeout=60) == large)
show("empty", unary("Echo")(b"", timeout=60))
show("server", b" ".join(stream("Count")(b"5", timeout=60)).decode())
show("many", sum(1 for _ in stream("Count")(b"20000", timeout=60)))
total = channel.stream_unary("/test.Kinds/Total")
show("client", total((bytes(1000) for _ in range(1000)), timeout=60).decode())

# Each message is sent when the answer to the one before has come.
words = queue.Queue()
said = []
answers = channel.stream_stream("/test.Kinds/Talk")(iter(words.get, None), timeout=60)
for word in ["one", "two", "three"]:
    words.put(word.encode())
    said.append(next(answers).decode())
words.put(None)
show("both", *said, list(answers), answers.code().name)

try:
    unary("Fail")(b"", timeout=60)
except grpc.RpcError as error:
    show("fail", error.code().name, error.details(), dict(error.trailing_metadata())["x-why"])
came = []
try:
    for message in stream("FailLater")(b"", timeout=60):
        came.append(message.decode())
    show("ended without an error")
except grpc.RpcError as error:
    show("later", *came, error.code().name, error.details())
try:
    unary("Missing")(b"", timeout=60)
except grpc.RpcError as error:
    show("missing", error.code().name)

held = stream("Hold")(b"")
show("held", next(held).decode())
held.cancel()
show("cancelled", unary("WasCancelled")(b"", timeout=90).decode())
