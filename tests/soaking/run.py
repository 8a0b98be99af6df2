"""One soak, from the start to what is found."""

import os
import platform
import shutil
import sys
import tempfile
import threading
import time

import changes
import documents
import load
from process import Ebbtide, Memory
from report import growth


def run(seconds, programs):
    """Runs everything for so long, and returns what came of it. What is left of a bad run is kept."""
    folder = tempfile.mkdtemp(prefix="ebbtide-soak-")
    ebbtide = Ebbtide(programs["ebbtide"], folder, documents.zero())
    ending = threading.Event()
    try:
        changes.first(ebbtide, programs["python"])
        loads = load.all_of(programs, ebbtide.ingress, folder, ending)
        changing = changes.Changes(ebbtide, programs["python"], ending)
        memory = Memory(ebbtide, ending)
        threads = [*loads, changing, memory]
        for thread in threads:
            thread.start()
        elapsed = wait(seconds, ebbtide, loads)
    finally:
        ending.set()
        for thread in threading.enumerate():
            if thread is not threading.main_thread() and not thread.daemon:
                thread.join()
        left = ebbtide.process.poll() is None and in_flight(ebbtide)
        status = ebbtide.stop()
    log = ebbtide.log.read_text()
    found = {
        "date": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "seconds": round(elapsed),
        "loads": {one.name: one.found for one in loads},
        "changes": changing.made,
        "memory": growth(memory.samples),
        "log": str(ebbtide.log),
    }
    found["problems"] = problems(found, changing.failed, status, log, left)
    if not found["problems"]:
        shutil.rmtree(folder)
    return found


def wait(seconds, ebbtide, loads):
    """Waits until the time is up, Ebbtide ends, or somebody presses Ctrl-C."""
    start = time.monotonic()
    told = start
    try:
        while (elapsed := time.monotonic() - start) < seconds and ebbtide.process.poll() is None:
            time.sleep(1)
            if time.monotonic() - told >= 30:
                told = time.monotonic()
                sent, lost = (sum(one.found[key] for one in loads) for key in ["sent", "lost"])
                print(f"{elapsed:.0f} s: {sent} sent, {lost} lost, {ebbtide.resident_kib() // 1024} MiB",
                      file=sys.stderr)
    except KeyboardInterrupt:
        print("Ending early.", file=sys.stderr)
    return time.monotonic() - start


def in_flight(ebbtide):
    """Requests that still count when all have been answered, after a moment for the last to be counted."""
    for _ in range(50):
        left = ebbtide.in_flight(["web", "split", "zero", "narrow", "echo"])
        if not left:
            break
        time.sleep(0.1)
    return left


def problems(found, failed, status, log, left):
    """What is not as it ought to be, a sentence each."""
    lost = {name: one["lost"] for name, one in found["loads"].items() if one["lost"]}
    said = [f"{many} lost: {name}" for name, many in lost.items()]
    said += [f"nothing was sent: {name}" for name, one in found["loads"].items() if not one["sent"]]
    said += [f"a change failed: {one}" for one in failed[:5]]
    if status != 0:
        said.append(f"ebbtide ended with {status}")
    if left:
        said.append(f"{left} requests count as in flight when none is")
    if "panicked" in log:
        said.append("something panicked: see the log")
    if found["memory"]["grows"]:
        said.append("memory grows")
    return said
