"""An Ebbtide of the soak's own, and its memory."""

import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.request
from pathlib import Path


class Ebbtide:
    """`ebbtide up` on ports that the system chooses. What it logs is in `log` in its folder."""

    def __init__(self, program, folder, document):
        self.program, self.folder = program, folder
        self.log = Path(folder) / "log"
        file = Path(folder) / "zero.yaml"
        file.write_text(document)
        listen = ["--listen", "127.0.0.1:0", "--status-listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            [program, "up", *listen, "--listen-tls", "off", "--keda-listen", "off", str(file)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log.open("w"), text=True,
            env={**os.environ, "XDG_STATE_HOME": folder}, cwd=folder, start_new_session=True,
        )
        said = ""
        for line in self.process.stdout:
            said += line
            if line.startswith("Listening on "):
                break
        status = re.search(r"live page\s+(http://\S+?)/?\s", said)
        ingress = re.search(r"Listening on \S*?:(\d+)\. ", said)
        if not status or not ingress:
            raise subprocess.SubprocessError(f"ebbtide did not say where it listens: {said}{self.log.read_text()}")
        self.status, self.ingress = status[1], int(ingress[1])
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def call(self, *arguments):
        """`ebbtide …` against this one."""
        environment = {**os.environ, "EBBTIDE_SERVER": self.status}
        return subprocess.run([self.program, *arguments], env=environment, capture_output=True, text=True)

    def in_flight(self, apps):
        """Requests that count as being answered, of all revisions."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        many = 0
        for app in apps:
            answer = opener.open(f"{self.status}/api/v1/apps/{app}/revisions", timeout=30)
            many += sum(one["inFlightRequests"] for one in json.load(answer)["value"])
        return many

    def resident_kib(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def stop(self):
        """Ends it as Ctrl-C does, and says how it ended."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "killed: it did not end within two minutes"


class Memory(threading.Thread):
    """Looks at the memory every few seconds."""

    def __init__(self, ebbtide, ending, every=2):
        super().__init__(name="memory")
        self.ebbtide, self.ending, self.every = ebbtide, ending, every
        self.samples = []

    def run(self):
        start = time.monotonic()
        while not self.ending.is_set():
            try:
                sample = self.ebbtide.resident_kib()
            except (OSError, TypeError):
                return
            self.samples.append((round(time.monotonic() - start), sample))
            self.ending.wait(self.every)
