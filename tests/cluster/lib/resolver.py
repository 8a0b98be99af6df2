"""A name server for one name, as a cluster's is for a headless Service.

resolver.py PORT ADDRESS...: every name has these IPv4 addresses and no others.
"""

import socket
import struct
import sys

A, IN = 1, 1


def answer(query, addresses):
    """The answer to a query: its header and question again, and a record for each address."""
    end = query.index(b"\0", 12) + 5
    kind, _ = struct.unpack("!HH", query[end - 4 : end])
    found = addresses if kind == A else []
    header = query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(found), 0, 0)
    name = b"\xc0\x0c"
    record = name + struct.pack("!HHIH", A, IN, 1, 4)
    return header + query[12:end] + b"".join(record + socket.inet_aton(one) for one in found)


def main():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", int(sys.argv[1])))
    while True:
        query, sender = server.recvfrom(512)
        server.sendto(answer(query, sys.argv[2:]), sender)


main()
