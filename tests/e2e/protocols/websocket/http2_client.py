"""WebSocket over HTTP/2 by TLS (RFC 8441), several at once on one connection: http2_client.py PORT HOST ROOT"""

import socket
import ssl
import sys

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset
from h2.settings import SettingCodes

port, host, root = sys.argv[1:]
trust = ssl.create_default_context(cafile=root)
trust.set_alpn_protocols(["h2"])
tls = trust.wrap_socket(socket.create_connection(("127.0.0.1", int(port)), timeout=60), server_hostname=host)
connection = H2Connection(H2Configuration(header_encoding="utf-8"))
connection.initiate_connection()
answers, came, ended = {}, {}, set()


def wait(condition):
    while True:
        tls.sendall(connection.data_to_send())
        if condition():
            return
        data = tls.recv(65536)
        if not data:
            raise SystemExit("the connection ended")
        for event in connection.receive_data(data):
            if isinstance(event, ResponseReceived):
                answers[event.stream_id] = dict(event.headers)
            elif isinstance(event, DataReceived):
                came[event.stream_id] = came.get(event.stream_id, b"") + event.data
                connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, (StreamEnded, StreamReset)):
                ended.add(event.stream_id)


def ask(path, protocol="websocket"):
    stream = connection.get_next_available_stream_id()
    head = {
        ":method": "CONNECT", ":protocol": protocol, ":scheme": "https", ":path": path, ":authority": host,
        "sec-websocket-version": "13", "sec-websocket-protocol": "other, chat",
    }
    connection.send_headers(stream, list(head.items()))
    return stream


def frame(kind, payload):
    """A frame of fewer than 126 bytes, masked with zeros."""
    return bytes([0x80 | kind, 0x80 | len(payload), 0, 0, 0, 0]) + payload


def take(stream):
    """The next frame's payload."""
    wait(lambda: len(came.get(stream, b"")) > 1 and len(came[stream]) >= 2 + came[stream][1])
    length = 2 + came[stream][1]
    payload, came[stream] = came[stream][2:length], came[stream][length:]
    return payload


wait(lambda: connection.remote_settings[SettingCodes.ENABLE_CONNECT_PROTOCOL] == 1)
# All at once, while the app is at zero.
streams = [ask("/talk?a=b") for _ in range(3)]
for stream in streams:
    wait(lambda: stream in answers)
    print("answer", answers[stream][":status"], answers[stream]["sec-websocket-protocol"], take(stream).decode())
for word in [b"one", b"two"]:
    for number, stream in enumerate(streams):
        connection.send_data(stream, frame(1, word + b" %d" % number))
    print("echo", *(take(stream).decode() for stream in streams))
connection.send_data(streams[0], frame(8, (4000).to_bytes(2, "big")))
print("closed", int.from_bytes(take(streams[0])[:2], "big"))
wait(lambda: streams[0] in ended)
connection.send_data(streams[1], frame(1, b"leave"))
print("left", int.from_bytes(take(streams[1])[:2], "big"))
connection.send_data(streams[1], frame(8, (4321).to_bytes(2, "big")))
wait(lambda: streams[1] in ended)
connection.reset_stream(streams[2])
for path, protocol in [("/refused", "websocket"), ("/talk", "other")]:
    stream = ask(path, protocol)
    wait(lambda: stream in ended)
    print("refused", answers[stream][":status"], came[stream].decode().strip())
