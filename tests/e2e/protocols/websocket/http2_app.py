"""WebSocket over HTTP/2 alone (RFC 8441), which says what it was asked, then the same as it is told."""

import os
import socketserver

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived
from h2.settings import SettingCodes, Settings


def answer(kind, payload):
    length = len(payload)
    size = bytes([length]) if length < 126 else bytes([126]) + length.to_bytes(2, "big")
    return bytes([0x80 | kind]) + size + payload


def frames(buffer):
    """Takes whole frames of fewer than 64 KiB out of a buffer."""
    while len(buffer) >= 2:
        length, start = buffer[1] & 127, 2
        if length == 126:
            length, start = int.from_bytes(buffer[2:4], "big"), 4
        if len(buffer) < start + 4 + length:
            return
        mask, masked = buffer[start:start + 4], buffer[start + 4:start + 4 + length]
        kind = buffer[0] & 15
        del buffer[:start + 4 + length]
        yield kind, bytes(byte ^ mask[place % 4] for place, byte in enumerate(masked))


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.local_settings = Settings(False, {SettingCodes.ENABLE_CONNECT_PROTOCOL: 1})
        connection.initiate_connection()
        buffers = {}
        while True:
            self.request.sendall(connection.data_to_send())
            data = self.request.recv(65536)
            if not data:
                return
            for event in connection.receive_data(data):
                if isinstance(event, RequestReceived):
                    self.begin(connection, event.stream_id, dict(event.headers), buffers)
                elif isinstance(event, DataReceived):
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    buffers[event.stream_id] += event.data
                    if not self.goes_on(connection, event.stream_id, buffers[event.stream_id]):
                        connection.end_stream(event.stream_id)

    def begin(self, connection, stream, head, buffers):
        if head[":path"] == "/refused" or head.get(":protocol") != "websocket":
            connection.send_headers(stream, [(":status", "403")])
            return connection.send_data(stream, b"not here\n", end_stream=True)
        buffers[stream] = bytearray()
        connection.send_headers(stream, [(":status", "200"), ("sec-websocket-protocol", "chat")])
        said = f"{head[':authority']} {head['x-forwarded-proto']} {head[':path']} chat"
        connection.send_data(stream, answer(1, said.encode()))

    def goes_on(self, connection, stream, buffer):
        for kind, payload in frames(buffer):
            if payload == b"leave":
                connection.send_data(stream, answer(8, (4321).to_bytes(2, "big") + b"as asked"))
            elif kind == 8:
                if payload[:2] != (4321).to_bytes(2, "big"):
                    connection.send_data(stream, answer(8, payload))
                return False
            else:
                connection.send_data(stream, answer(kind, payload))
        return True


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128
    daemon_threads = True


Server(("127.0.0.1", int(os.environ["PORT"])), Connection).serve_forever()
