"""An app with an answer of a gibibyte, that takes bodies of any length, and says how far it is."""

import http.server
import os

CHUNK = b"x" * 65536


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sent = 0
    received = 0

    def do_GET(self):
        if self.path != "/large":
            self.answer(f"{Handler.sent} {Handler.received}".encode())
            return
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 30))
        self.end_headers()
        for _ in range((1 << 30) // len(CHUNK)):
            self.wfile.write(CHUNK)
            Handler.sent += len(CHUNK)

    def do_POST(self):
        for _ in range(int(self.headers["Content-Length"])):
            if not self.rfile.read(1):
                return
            Handler.received += 1
        self.answer(b"all of it")

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def handle_error(self, request, client_address):
        """That clients go away is what they are for."""


Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
