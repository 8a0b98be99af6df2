"""A server that does what its path says, and whose answers say who gave them.

Files in its folder are how a test tells it to go on, and how it tells the test what has come.
"""

import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REVISION = os.environ["CONTAINER_APP_REVISION"]
REPLICA = os.environ["CONTAINER_APP_REPLICA_NAME"]
APP = os.environ["CONTAINER_APP_NAME"]
lock = threading.Lock()
now = most = 0


def read(name):
    try:
        with open(name) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def write(name, text, mode="a"):
    with open(name, mode) as file:
        file.write(text)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_any(self):
        kind, _, name = self.path.partition("?")[0][1:].partition("/")
        getattr(self, "do_" + kind, self.do_who)(name)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any

    def begin(self, length, kind="text/plain", status=200):
        self.send_response(status)
        self.send_header("X-Revision", REVISION)
        self.send_header("X-Replica", REPLICA)
        self.send_header("Content-Type", kind)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def tell(self, text, status=200):
        body = text.encode()
        self.begin(len(body), status=status)
        self.wfile.write(body)

    def piece(self, text):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text.encode()))

    def wait_for(self, *names):
        while not any(os.path.exists(name) for name in names):
            time.sleep(0.01)

    def do_who(self, name):
        self.tell(REPLICA)

    def do_head(self, name):
        """The request's head as it came."""
        self.tell(self.requestline + "\n" + "".join(f"{key}: {value}\n" for key, value in self.headers.items()))

    def do_length(self, name):
        """How long the body was."""
        self.tell(str(sum(self.pieces())))

    def pieces(self):
        """The lengths of the body's pieces, as they are read."""
        if "Content-Length" in self.headers:
            left = int(self.headers["Content-Length"])
            while left:
                length = len(self.rfile.read(min(65536, left)))
                left -= length
                yield length
        elif "Transfer-Encoding" in self.headers:
            while length := int(self.rfile.readline(), 16):
                yield len(self.rfile.read(length + 2)) - 2
            self.rfile.readline()

    def do_wait(self, name):
        """Answers once there is `go` or `go-NAME`."""
        write(APP + "-came", name + " ")
        self.wait_for("go", "go-" + name)
        self.tell(REPLICA)

    def do_busy(self, name):
        """Takes a moment. `/most` has how many did so at once."""
        global now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.01)
        with lock:
            now -= 1
        self.tell(REPLICA)

    def do_most(self, name):
        self.tell(str(most))

    def first(self, name):
        """Whether this is the first time that any replica is asked for this."""
        try:
            write(name, REPLICA, "x")
            return True
        except FileExistsError:
            return False

    def do_break(self, name):
        """Breaks off the first time."""
        if not self.first("broke-" + name):
            return self.tell(REPLICA)
        self.do_snap(name)

    def do_snap(self, name):
        """Breaks off each time."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def do_die(self, name):
        """Dies with its replica the first time."""
        if self.first("died-" + name):
            os._exit(1)
        self.tell(REPLICA)

    def do_ail(self, name):
        """Fails on the replica that `ailing` names."""
        self.tell(REPLICA, status=503 if read("ailing") == REPLICA else 200)

    def do_silent(self, name):
        """Never answers."""
        self.wait_for("never")

    def do_pause(self, name):
        """Answers the half."""
        self.begin(8)
        self.wfile.write(b"half")
        self.wait_for("never")

    def do_drip(self, name):
        """Answers a byte at a time, without an end."""
        self.begin(1_000_000_000)
        while True:
            self.wfile.write(b".")
            time.sleep(0.05)

    def do_events(self, name):
        """An event at once, and another one once there is `go-events`."""
        self.begin(None, kind="text/event-stream")
        self.piece("data: one\n\n")
        self.wait_for("go-events")
        self.piece("data: two\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def do_text(self, name):
        """Text of as many bytes."""
        self.tell(("again and again " * int(name))[: int(name)])

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 1024


Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
