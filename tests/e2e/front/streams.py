"""Opens a WebSocket or a call of gRPC, says what it is told on its input, and prints what comes:
streams.py websocket|grpc PORT HOST"""

import queue
import socket
import sys

kind, port, host = sys.argv[1:]


def show(*words):
    print(*words, flush=True)


def websocket():
    from websockets.sync.client import connect

    there = socket.create_connection(("127.0.0.1", int(port)))
    with connect(f"ws://{host}/", sock=there, subprotocols=["chat"], proxy=None, open_timeout=60) as talk:
        talk.recv()
        show("open")
        for line in sys.stdin:
            talk.send(line.strip())
            show(talk.recv())
    show(talk.close_code)


def grpc():
    import grpc

    options = [("grpc.default_authority", host), ("grpc.enable_retries", 0)]
    words = queue.Queue()
    with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        answers = channel.stream_stream("/test.Kinds/Talk")(iter(words.get, None))
        words.put(b"open")
        show(next(answers).decode().lower())
        for line in sys.stdin:
            words.put(line.strip().encode())
            show(next(answers).decode().lower())
        words.put(None)
        show(list(answers), answers.code().name)


globals()[kind]()
