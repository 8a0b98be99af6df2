"""What changes meanwhile: revisions, traffic, restarts."""

import subprocess
import threading
from pathlib import Path

import documents


class Changes(threading.Thread):
    """A change every few seconds, each kind in turn, until they are to end."""

    PAUSE = 4

    def __init__(self, ebbtide, python, ending):
        super().__init__(name="changes")
        self.ebbtide, self.python, self.ending = ebbtide, python, ending
        self.web, self.echo = 1, 1
        self.made = {"deploys": 0, "traffic": 0, "restarts": 0}
        self.failed = []

    def run(self):
        kinds = [self.deploy, self.shift, self.restart, self.shift, self.deploy_echo, self.shift]
        number = 0
        while not self.ending.wait(self.PAUSE):
            kinds[number % len(kinds)](number)
            number += 1

    def deploy(self, _):
        self.web += 1
        self.apply("web", documents.web(self.web))

    def deploy_echo(self, _):
        self.echo += 1
        self.apply("echo", documents.echo(self.python, self.echo))

    def shift(self, number):
        one = [0, 100, 50, 10, 90][number % 5]
        self.call("traffic", "traffic", "set", "split", f"split--one={one}", f"split--two={100 - one}")

    def restart(self, number):
        name = ["one", "two"][number % 2]
        self.call("restarts", "revision", "restart", "split", f"split--{name}")

    def apply(self, name, document):
        file = Path(self.ebbtide.folder) / f"{name}.yaml"
        file.write_text(document)
        self.call("deploys", "apply", str(file))

    def call(self, kind, *arguments):
        done = self.ebbtide.call(*arguments)
        self.made[kind] += 1
        if done.returncode:
            self.failed.append(f"ebbtide {' '.join(arguments)}: {(done.stdout + done.stderr).strip()}")


def first(ebbtide, python):
    """The apps as they begin."""
    for name, document in {
        "web": documents.web(1),
        "narrow": documents.narrow(),
        "echo": documents.echo(python, 1),
        "split": documents.split("one", [("one", 100)]),
        "split, again": documents.split("two", [("one", 100), ("two", 0)]),
    }.items():
        file = Path(ebbtide.folder) / "first.yaml"
        file.write_text(document)
        done = ebbtide.call("apply", str(file))
        if done.returncode:
            raise subprocess.SubprocessError(f"{name} cannot be applied: {done.stdout}{done.stderr}")
