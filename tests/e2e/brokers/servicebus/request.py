"""Signed requests to Service Bus: request.py PORT CA METHOD PATH [BODY [TIMES]]; the key is in KEY."""

import base64
import hashlib
import hmac
import http.client
import os
import ssl
import sys
import time
import urllib.parse

port, authority, method, path, *rest = sys.argv[1:]
body, times = (rest + ["", "1"])[0], int((rest + ["", "1"])[1])
resource = urllib.parse.quote_plus(f"https://localhost:{port}/")
expiry = str(int(time.time()) + 600)
signed = f"{resource}\n{expiry}".encode()
signature = base64.b64encode(hmac.new(os.environ["KEY"].encode(), signed, hashlib.sha256).digest())
token = (
    f"SharedAccessSignature sr={resource}&sig={urllib.parse.quote_plus(signature)}"
    f"&se={expiry}&skn=root"
)
context = ssl.create_default_context(cafile=authority)
connection = http.client.HTTPSConnection("localhost", int(port), context=context)
for _ in range(times):
    connection.request(method, path, body or None, {"Authorization": token})
    answer = connection.getresponse()
    text = answer.read().decode()
print(answer.status)
print(text)
