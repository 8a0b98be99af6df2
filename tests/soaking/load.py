"""Load of each kind, in rounds. A round says how much was sent and how much was answered well."""

import json
import re
import subprocess
import threading
import time
from pathlib import Path

SHOWN = 20


class Load(threading.Thread):
    """Rounds of one kind until they are to end."""

    def __init__(self, name, command, read, pause, ending):
        super().__init__(name=name)
        self.command, self.read, self.pause, self.ending = command, read, pause, ending
        self.found = {"rounds": 0, "sent": 0, "answered": 0, "lost": 0, "errors": []}

    def run(self):
        number = 0
        while not self.ending.is_set():
            command = self.command(number)
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
            try:
                self.add(*self.read(done.stdout))
            except (ValueError, KeyError, AttributeError):
                said = (done.stdout + done.stderr)[-500:]
                self.add(1, 0, [f"{command[0]} ended with {done.returncode}: {said}"])
            number += 1
            self.ending.wait(self.pause)

    def add(self, sent, answered, errors):
        found = self.found
        found["rounds"] += 1
        found["sent"] += sent
        found["answered"] += answered
        found["lost"] += sent - answered
        clock = time.strftime("%H:%M:%S")
        errors = [f"{clock} {error}" for error in errors] if sent != answered else []
        found["errors"] = (found["errors"] + errors)[:SHOWN]


def by_loadgen(said):
    found = json.loads(said)["total"]
    errors = [f"{kind}: {text}" for kind, text in found["errorSamples"].items()]
    if found["failed"]:
        errors.append(f"statuses {found['statusCodes']}, errors {found['errors']}")
    return found["sent"], found["succeeded"], errors


def by_h2load(said):
    line = re.search(r"requests: (\d+) total, .*", said)
    succeeded = re.search(r"(\d+) 2xx", said)
    statuses = re.search(r"status codes: .*", said)
    return int(line[1]), int(succeeded[1]), [line[0], statuses[0]]


def by_talk(said):
    found = json.loads(said)
    # A socket that breaks has lost what it had still to say.
    return found["sent"] + found["broken"], found["answered"], found["errors"]


def all_of(programs, port, folder, ending):
    """The loads of a soak."""
    body = Path(folder) / "body"
    body.write_bytes(b"x" * 65_536)
    url = f"http://127.0.0.1:{port}/"

    def loadgen(host, *arguments):
        command = [programs["loadgen"], "run", url, "--host", f"{host}.localhost", "--output", "json", "--quiet"]
        return [*command, "--timeout", "120s", *map(str, arguments)]

    def h2load(host, *arguments):
        address = f"127.0.0.1:{port}"
        return [programs["h2load"], f"--connect-to={address}", *arguments, f"http://{host}.localhost:{port}/"]

    def waves(number):
        return loadgen("web", "--rate", [30, 250][number % 2], "--duration", "8s", "--arrival", "poisson",
                       "--seed", number)

    talk = [programs["python"], str(Path(__file__).parent / "talk.py"), str(port), "echo.localhost"]
    kinds = {
        "HTTP/1.1, in waves": (waves, by_loadgen, 0),
        "HTTP/2, one connection": (lambda number: loadgen("split", "--http2", "--rate", 60, "--duration", "10s",
                                                          "--seed", number), by_loadgen, 0),
        "POST of 64 KiB": (lambda number: loadgen("web", "-X", "POST", "--body-file", body, "--rate", 20,
                                                  "--duration", "10s"), by_loadgen, 0),
        "bursts from zero": (lambda _: loadgen("zero", "--burst", 150), by_loadgen, 9),
        "queue at the door": (lambda _: loadgen("narrow", "--burst", 100), by_loadgen, 3),
        "h2load, HTTP/2": (lambda _: h2load("split", "-n", "600", "-c", "10", "-m", "10"), by_h2load, 2),
        "h2load, HTTP/1.1": (lambda _: h2load("web", "--h1", "-n", "400", "-c", "40"), by_h2load, 2),
        "WebSocket": (lambda _: talk, by_talk, 5),
    }
    return [Load(name, *kind, ending) for name, kind in kinds.items()]
