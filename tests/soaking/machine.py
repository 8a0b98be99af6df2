"""The programs that a soak runs, and where they come from."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Missing(Exception):
    """What is not there, and how to get it."""


def programs():
    """The paths of what is run, built or installed if no variable names it."""
    h2load = shutil.which("h2load")
    if not h2load:
        raise Missing("h2load is needed: on Debian, apt-get install nghttp2-client")
    found = {"h2load": h2load}
    named = {"ebbtide": "EBBTIDE_BIN", "loadgen": "LOADGEN_BIN", "python": "CLIENTS_PYTHON"}
    for name, variable in named.items():
        if variable in os.environ:
            found[name] = os.environ[variable]
    if not {"ebbtide", "loadgen"} <= found.keys():
        step("cargo", "build", "--release", "--locked", "-p", "ebbtide", "-p", "ebbtide-loadgen")
        for name in ["ebbtide", "loadgen"]:
            found.setdefault(name, str(target() / "release" / name))
    if "python" not in found:
        found["python"] = step("tests/clients/install", str(target() / "clients"))
    for name, path in found.items():
        if not os.access(path, os.X_OK):
            raise Missing(f"{path} cannot be run: set {named.get(name, 'PATH')}")
    return found


def target():
    metadata = step("cargo", "metadata", "--format-version", "1", "--no-deps", "--locked")
    return Path(metadata.partition('"target_directory":"')[2].partition('"')[0])


def step(*command):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise Missing(f"{' '.join(command)} failed")
    return done.stdout.strip()
