"""Sends a request to Azure Storage, signed with the account's key, and prints the answer.

    request.py PORT ACCOUNT METHOD PATH [BODY [TIMES]]

The key is in AZURE_STORAGE_KEY. The path begins with the queue's name and may have a query. The
last answer is printed: its status, its headers and, after an empty line, its body.
"""

import base64
import email.utils
import hashlib
import hmac
import http.client
import os
import sys
import urllib.parse

VERSION = "2021-12-02"


def signature(key, account, method, url, length, headers):
    """Shared Key signs eleven standard headers, of which only the length is sent here."""
    standard = ["", "", str(length or ""), "", "", "", "", "", "", "", ""]
    own = [f"{name}:{value}" for name, value in sorted(headers.items())]
    resource = [f"/{account}{url.path}"]
    query = urllib.parse.parse_qsl(url.query, keep_blank_values=True)
    resource += [f"{name}:{value}" for name, value in sorted(query)]
    text = "\n".join([method, *standard, *own, *resource])
    digest = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def send(port, account, method, path, body):
    target = f"/{account}/{path}"
    headers = {"x-ms-date": email.utils.formatdate(usegmt=True), "x-ms-version": VERSION}
    key = os.environ["AZURE_STORAGE_KEY"]
    signed = signature(key, account, method, urllib.parse.urlsplit(target), len(body), headers)
    headers["Authorization"] = f"SharedKey {account}:{signed}"
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=30)
    connection.request(method, target, body or None, headers)
    answer = connection.getresponse()
    return answer.status, answer.getheaders(), answer.read().decode()


port, account, method, path, *rest = sys.argv[1:]
body = rest[0].encode() if rest else b""
for _ in range(int(rest[1]) if len(rest) > 1 else 1):
    status, headers, text = send(port, account, method, path, body)
    if status >= 400:
        break
print(status)
for name, value in headers:
    print(f"{name.lower()}: {value}")
print()
print(text)
