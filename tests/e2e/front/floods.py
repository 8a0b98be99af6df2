"""Floods a connection of HTTP/2, and says with what error it was ended: floods.py PORT HOST KIND"""

import socket
import sys

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated

port, host, kind = sys.argv[1:]
connection = H2Connection(H2Configuration(header_encoding="utf-8"))
connection.initiate_connection()
there = socket.create_connection(("127.0.0.1", int(port)), timeout=60)
head = [(":method", "GET"), (":scheme", "http"), (":path", "/who"), (":authority", host)]


def reset():
    stream = connection.get_next_available_stream_id()
    connection.send_headers(stream, head, end_stream=True)
    connection.reset_stream(stream, 8)


floods = {
    "resets": reset,
    "pings": lambda: connection.ping(bytes(8)),
    "settings": lambda: connection.update_settings({4: 65535}),
    "priorities": lambda: connection.prioritize(1, weight=16),
}


def came():
    """What the other side has sent so far, without waiting for it."""
    there.setblocking(False)
    try:
        while data := there.recv(65536):
            yield from connection.receive_data(data)
        yield None
    except BlockingIOError:
        pass
    finally:
        there.settimeout(60)


for _ in range(4000):
    for _ in range(50):
        floods[kind]()
    try:
        there.sendall(connection.data_to_send())
        events = list(came())
    except OSError:
        # Closed while this was still sending.
        print("closed")
        break
    ended = [event for event in events if event is None or isinstance(event, ConnectionTerminated)]
    if ended:
        print(int(ended[0].error_code) if ended[0] else "closed")
        break
else:
    print("went on")
