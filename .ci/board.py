"""A virtual board on a pseudo-terminal, and checks that say what they compared.

Shared by the interop scripts beside it. SMPCTL in the environment is the smpctl
under test; the current directory is the root of the repository.
"""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

SMPCTL = os.environ["SMPCTL"]
TESTDATA = Path("testdata").resolve()
WAIT = 60  # seconds for one command: far more than any needs, so that a hang ends

checks = 0


def equal(what, got, want):
    """Counts one check; ends the script if the two differ."""
    global checks
    if got != want:
        print(f"FAIL {what}\n got  {got!r}\n want {want!r}", flush=True)
        sys.exit(1)
    checks += 1
    print(f"  ok {what}", flush=True)


def holds(what, claim, text):
    """As equal, for a claim about a text, which is shown when it does not hold."""
    if not claim:
        print(f"FAIL {what}\n{text}", flush=True)
        sys.exit(1)
    equal(what, True, True)


def done(name):
    """The closing line of a script. A script without a check has failed."""
    print(f"{name}: {checks} checks passed", flush=True)
    sys.exit(0 if checks else 1)


def run(*command, code=0):
    """Runs a command to its end and gives its two outputs, which must come with this exit code."""
    command = [str(c) for c in command]
    p = subprocess.run(command, capture_output=True, text=True, timeout=WAIT, stdin=subprocess.DEVNULL)
    if p.returncode != code:
        print(f"FAIL {' '.join(command)}\n exit code {p.returncode}, want {code}\n{p.stdout}{p.stderr}", flush=True)
        sys.exit(1)
    return p


class Board:
    """smpctl sim on a pseudo-terminal, in a folder of its own: with Board(folder, "--key", …) as board."""

    def __init__(self, folder, *options):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = str(self.folder / "board")
        self.options = [str(o) for o in options]

    def __enter__(self):
        command = [SMPCTL, "sim", "--json", "--pty", self.port, "--flash", str(self.folder / "board.bin"), *self.options]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )
        self.events = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.wait_ready()
        return self

    def _listen(self):
        for line in self.process.stderr:
            self.events.put(line)
        self.events.put("")

    def wait_ready(self):
        """Waits until the port is there: at the start, and once after each reset."""
        line = self.events.get(timeout=WAIT)
        if not line or json.loads(line).get("event") != "ready":
            print(f"FAIL the board said {line!r} instead of being ready", flush=True)
            sys.exit(1)

    def __exit__(self, kind, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(WAIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        if kind is None:
            ended = (self.process.returncode, os.path.lexists(self.port))
            equal("the board ends when interrupted, and removes its port", ended, (0, False))

    def smpctl(self, *arguments, code=0):
        """One smpctl command on this board, with --json; gives its document."""
        p = run(SMPCTL, "--json", "-p", self.port, *arguments, code=code)
        return json.loads(p.stdout if code == 0 else p.stderr.splitlines()[-1])

    def text(self, *arguments):
        """One smpctl command on this board; gives what it prints for people."""
        return run(SMPCTL, "-p", self.port, *arguments).stdout

    def images(self):
        """The image list as smpctl has it, one dictionary per slot."""
        return self.smpctl("image", "list")["images"]

    def running(self):
        """Version of the running image, and whether it is confirmed."""
        active = [i for i in self.images() if i["active"]]
        return [(i["version"], i["confirmed"]) for i in active]


def inspect(file, code=0):
    """What smpctl inspect knows of an image file."""
    return json.loads(run(SMPCTL, "--json", "inspect", file, code=code).stdout)


def version(text):
    """A version as smpctl prints it: with the build number, which others leave out when it is 0."""
    return text if "+" in text else text + "+0"


def without_escapes(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
