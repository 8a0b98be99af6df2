"""Answers each request with its process's number after the seconds given, at PORT of ADDRESS, which is
that of loopback if it is not set. Dies at once at SIGTERM, so that a request which it still has then is
lost."""

import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        time.sleep(float(sys.argv[1]))
        body = str(os.getpid()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


address = os.environ.get("ADDRESS", "127.0.0.1"), int(os.environ["PORT"])
ThreadingHTTPServer(address, Handler).serve_forever()
