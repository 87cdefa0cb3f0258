"""mcumgr-cli beside smpctl: the same commands on two equal boards, and the same bytes on standard output.

Usage: interop_mcumgr.py FOLDER MCUMGR
"""

import os
import re
import sys
from pathlib import Path

from board import SMPCTL, TESTDATA, Board, done, equal, holds, inspect, run

FOLDER = Path(sys.argv[1]).resolve()
MCUMGR = sys.argv[2]
APP2 = TESTDATA / "app-2.0.0.bin"
HASH = inspect(APP2)["hash"]

# Both tools keep their connections below the home directory, and only there.
FOLDER.mkdir(parents=True, exist_ok=True)
os.environ.update(HOME=str(FOLDER), XDG_CONFIG_HOME=str(FOLDER / "config"))


class Pair:
    """Two boards in the same state: one for mcumgr, one for smpctl."""

    def __init__(self, theirs, ours):
        self.theirs, self.ours = theirs, ours

    def connection(self, board):
        return ["--conntype", "serial", "--connstring", f"dev={board.port},baud=115200,mtu=128"]

    def same(self, *command):
        """Runs the command with both tools, spelled alike; gives what both print."""
        want = run(MCUMGR, *self.connection(self.theirs), *command).stdout
        got = run(SMPCTL, *self.connection(self.ours), *command).stdout
        equal(f"{' '.join(command)}: {len(want)} bytes", got, want)
        return want

    def reset(self):
        equal("reset says", self.same("reset"), "Done\n")
        self.theirs.wait_ready()
        self.ours.wait_ready()


def flags(listing):
    return [line.removeprefix("    flags: ") for line in listing.splitlines() if line.startswith("    flags: ")]


def test_update(pair):
    """The lesson: upload, test, reset, back; then confirm. mcumgr and smpctl step by step beside each other."""
    equal("at first", flags(pair.same("image", "list")), ["active confirmed"])
    equal("echo", pair.same("echo", "hello"), "hello\n")
    upload = [str(APP2)]
    out = run(MCUMGR, *pair.connection(pair.theirs), "image", "upload", *upload).stdout
    holds("mcumgr uploads", out.endswith("Done\n"), out)
    run(SMPCTL, *pair.connection(pair.ours), "image", "upload", *upload)
    listing = pair.same("image", "list")
    holds("the list has the uploaded hash", HASH in listing, listing)

    equal("marked", flags(pair.same("image", "test", HASH)), ["active confirmed", "pending"])
    pair.reset()
    equal("swapped, not confirmed", flags(pair.same("image", "list")), ["active", "confirmed"])
    pair.reset()
    equal("back", flags(pair.same("image", "list")), ["active confirmed", ""])

    pair.same("image", "test", HASH)
    pair.reset()
    # Without a hash mcumgr sends null for it, which Zephyr refuses too.
    equal("mcumgr confirm", run(MCUMGR, *pair.connection(pair.theirs), "image", "confirm").stdout, "Error: 3\n")
    equal("confirmed", flags(pair.same("image", "confirm", HASH)), ["active confirmed", ""])
    pair.reset()
    listing = pair.same("image", "list")
    holds("it stays", listing.index(HASH) < listing.index("slot=1"), listing)
    equal("mcumgr erases", run(MCUMGR, *pair.connection(pair.theirs), "image", "erase").stdout, "Done\n")
    pair.ours.smpctl("image", "erase")
    equal("one slot is left", flags(pair.same("image", "list")), ["active confirmed"])


def test_mixed(pair):
    """One board, both tools: what one does the other sees."""
    board, connection = pair.ours, pair.connection(pair.ours)
    out = run(MCUMGR, *connection, "image", "upload", APP2).stdout
    holds("mcumgr uploads", out.endswith("Done\n"), out)
    equal("smpctl sees it", [i["hash"] for i in board.images()][1:], [HASH])
    board.smpctl("image", "test", HASH)
    out = run(MCUMGR, *connection, "image", "list").stdout
    equal("mcumgr sees smpctl's mark", flags(out), ["active confirmed", "pending"])
    equal("both list the same", run(SMPCTL, *connection, "image", "list").stdout, out)


def test_connections(pair):
    """The same conn commands give the same words, and conn import takes mcumgr's file as mcumgr wrote it."""
    setting = f"dev={pair.ours.port},baud=115200,mtu=128"
    add = ["conn", "add", "dk", "type=serial", f"connstring={setting}"]
    want = run(MCUMGR, *add).stdout
    holds("mcumgr knows the connection", setting in (out := run(MCUMGR, "conn", "show").stdout), out)

    run(SMPCTL, "conn", "import")
    listing = run(SMPCTL, "-c", "dk", "image", "list").stdout
    equal("an imported connection reaches the board", listing, run(MCUMGR, "-c", "dk", "image", "list").stdout)
    equal("conn show", run(SMPCTL, "conn", "show").stdout, out)

    words = ["conn", "delete", "dk"]
    equal("conn delete", run(SMPCTL, *words).stdout, run(MCUMGR, *words).stdout)
    equal("conn add", run(SMPCTL, *add).stdout, want)


WORDS = """
datetime 2026-11-21T10:30:00
taskstat
stat list
stat flash_sim_thresholds
config demo/name
log list
log module_list
log level_list
run list
run test
run test flash 20261121
log show reboot_log
log show reboot_log last
log show reboot_log 2
log show -a reboot_log
log clear
log show
"""


def test_words(pair):
    """The other groups, word for word. What differs: times, the end of a shell's lines, and its status, which mcumgr does not find."""
    for line in WORDS.split("\n")[1:-1]:
        words = line.split()
        want, got = (
            re.sub(r" +\d+us", " us", run(tool, *pair.connection(board), *words).stdout)
            for tool, board in ((MCUMGR, pair.theirs), (SMPCTL, pair.ours))
        )
        equal(line, got, want)
    words = ["shell", "exec", "kernel", "version"]
    want = run(MCUMGR, *pair.connection(pair.theirs), *words).stdout
    equal("shell exec", run(SMPCTL, *pair.connection(pair.ours), *words).stdout, want.replace("\r", ""))
    out = run(MCUMGR, *pair.connection(pair.theirs), "datetime").stdout
    holds("datetime", re.sub("[0-9]", "0", out) == re.sub("[0-9]", "0", pair.ours.text("datetime").split(".")[0].strip() + "\n"), out)


for test in (test_update, test_mixed, test_connections, test_words):
    print(f"mcumgr: {test.__name__.removeprefix('test_')}", flush=True)
    with Board(FOLDER / test.__name__ / "theirs") as a, Board(FOLDER / test.__name__ / "ours") as b:
        test(Pair(a, b))
done("mcumgr")
