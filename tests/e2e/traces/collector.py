"""Takes spans by OTLP, over gRPC and over HTTP, and prints each as a line of JSON.

collector.py REFUSALS [CERTIFICATE KEY]: the first exports are refused, as if it were too busy.
"""
import http.server
import json
import ssl
import sys
import threading
from concurrent import futures

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as services

refusals, *files = sys.argv[1:]
refusals = int(refusals)
lock = threading.Lock()


def say(what):
    print(json.dumps(what), flush=True)


def attributes(pairs):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


def take(request, by, key):
    """Whether an export is taken."""
    global refusals
    with lock:
        if refusals > 0:
            refusals -= 1
            say({"refused": by})
            return False
        for sender in request.resource_spans:
            for scope in sender.scope_spans:
                for span in scope.spans:
                    say({
                        "by": by,
                        "key": key,
                        "resource": attributes(sender.resource.attributes),
                        "scope": scope.scope.name,
                        "trace": span.trace_id.hex(),
                        "span": span.span_id.hex(),
                        "parent": span.parent_span_id.hex(),
                        "state": span.trace_state,
                        "flags": span.flags,
                        "name": span.name,
                        "kind": span.kind,
                        "start": span.start_time_unix_nano,
                        "end": span.end_time_unix_nano,
                        "status": span.status.code,
                        "attributes": attributes(span.attributes),
                    })
        return True


class Service(services.TraceServiceServicer):
    def Export(self, request, context):
        metadata = dict(context.invocation_metadata())
        if not take(request, "grpc", metadata.get("x-key")):
            context.abort(grpc.StatusCode.UNAVAILABLE, "too busy")
        return messages.ExportTraceServiceResponse()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = messages.ExportTraceServiceRequest.FromString(body)
        expected = self.path == "/base/v1/traces"
        expected = expected and self.headers["Content-Type"] == "application/x-protobuf"
        status = 404
        if expected:
            status = 200 if take(request, "http", self.headers.get("X-Key")) else 503
        self.send_response(status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


by_grpc = grpc.server(futures.ThreadPoolExecutor(4))
services.add_TraceServiceServicer_to_server(Service(), by_grpc)
by_http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
if files:
    certificate, key = (open(file, "rb").read() for file in files)
    credentials = grpc.ssl_server_credentials([(key, certificate)])
    grpc_port = by_grpc.add_secure_port("127.0.0.1:0", credentials)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    by_http.socket = context.wrap_socket(by_http.socket, server_side=True)
else:
    grpc_port = by_grpc.add_insecure_port("127.0.0.1:0")
by_grpc.start()
say({"grpc": grpc_port, "http": by_http.server_port})
by_http.serve_forever()
