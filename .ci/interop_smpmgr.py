"""smpmgr against the virtual device: what it prints must be what smpctl says.

Usage: interop_smpmgr.py FOLDER, with smpmgr and smpclient in this Python's environment.
"""

import asyncio
import os
import re
import sys
from pathlib import Path

import cbor2
from smpclient import SMPClient
from smpclient.generics import success
from smpclient.requests import os_management as osm
from smpclient.transport.serial import SMPSerialTransport

from board import TESTDATA, Board, done, equal, holds, inspect, run, version, without_escapes

FOLDER = Path(sys.argv[1])
SMPMGR = Path(sys.executable).with_name("smpmgr")
APP2 = TESTDATA / "app-2.0.0.bin"
KEY = TESTDATA / "app.pub.pem"

# One value on one line, however long.
os.environ.update(COLUMNS="1000", NO_COLOR="1", TERM="dumb")


def smpmgr(board, *arguments):
    return without_escapes(run(SMPMGR, "--port", board.port, *arguments).stdout)


def smpmgr_images(board):
    """The image list as smpmgr prints it, in the words of smpctl."""
    images = []
    for fields in re.findall(r"^ImageState\((.*)\)$", smpmgr(board, "image", "state-read"), re.MULTILINE):
        said = dict(re.findall(r"(\w+)=(?:HashBytes\()?'?([\w.+]+)", fields))
        image = {name: said[name] == "True" for name in ("bootable", "pending", "confirmed", "active", "permanent")}
        image["image"] = 0 if said["image"] == "None" else int(said["image"])
        image["slot"] = int(said["slot"])
        image["version"] = version(said["version"])
        image["hash"] = said["hash"].lower()
        images.append(image)
    return images


def same_list(board, when, want):
    """Both tools' lists agree, and are what they must be: version and flags of each slot."""
    theirs, ours = smpmgr_images(board), board.images()
    equal(f"{when}: smpmgr and smpctl list the same", theirs, ours)
    flags = ("active", "confirmed", "pending", "permanent")
    equal(f"{when}: {want}", [(i["version"], *(f for f in flags if i[f])) for i in ours], want)


def no_error(what, output):
    holds(what, "Error" not in output and "rror:" not in output, output)


def reset(board):
    holds("smpmgr os reset is answered", "ResetWriteResponse(" in (out := smpmgr(board, "os", "reset")), out)
    board.wait_ready()


def test_by_hand(board):
    """Upload, test, reset, and back: the steps of smpmgr, one by one."""
    old, new = "1.0.0+0", "2.0.0+0"
    digest = inspect(APP2)["hash"]
    same_list(board, "new board", [(old, "active", "confirmed")])

    out = smpmgr(board, "os", "echo", "hello board")
    holds("smpmgr os echo", "r='hello board'" in out, out)
    equal("smpctl echo", board.text("echo", "hello board"), "hello board\n")

    no_error("smpmgr image upload", smpmgr(board, "image", "upload", APP2))
    same_list(board, "uploaded", [(old, "active", "confirmed"), (new,)])
    equal("the hash in slot 1 is the file's", board.images()[1]["hash"], digest)
    again = board.smpctl("image", "upload", APP2)
    equal("smpctl does not send it again", (again["already_present"], again["hash"]), (True, digest))

    no_error("smpmgr image state-write", smpmgr(board, "image", "state-write", digest))
    same_list(board, "marked", [(old, "active", "confirmed"), (new, "pending")])
    reset(board)
    same_list(board, "after the reset", [(new, "active"), (old, "confirmed")])
    reset(board)
    same_list(board, "after another one", [(old, "active", "confirmed"), (new,)])

    no_error("smpmgr image state-write --confirm HASH", smpmgr(board, "image", "state-write", "--confirm", digest))
    same_list(board, "marked for good", [(old, "active", "confirmed"), (new, "pending", "permanent")])
    reset(board)
    same_list(board, "after the reset", [(new, "active", "confirmed"), (old,)])

    no_error("smpmgr image erase 1", smpmgr(board, "image", "erase", "1"))
    same_list(board, "erased", [(new, "active", "confirmed")])


def test_upgrade(board):
    """smpmgr's own upgrade, confirmed after the reset. Only with a slot other than 0 does it mark the image."""
    out = smpmgr(board, "upgrade", "--slot", "1", APP2)
    holds("smpmgr upgrade says so", "Upgrade complete." in out, out)
    board.wait_ready()
    same_list(board, "upgraded", [("2.0.0+0", "active"), ("1.0.0+0", "confirmed")])
    no_error("smpmgr image state-write --confirm", smpmgr(board, "image", "state-write", "--confirm"))
    reset(board)
    equal("the confirmed image stays", board.running(), [("2.0.0+0", True)])


def test_refusals(board):
    """What the device refuses, smpmgr and smpctl name alike."""
    unknown = "11" * 32
    out = smpmgr(board, "image", "state-write", unknown)
    holds("smpmgr: no such hash", "HASH_NOT_FOUND: 8" in out, out)
    refusal = board.smpctl("image", "test", unknown, code=5)["error"]
    equal("smpctl: no such hash", (refusal["group"], refusal["code"], refusal["name"]), (1, 8, "HASH_NOT_FOUND"))
    out = smpmgr(board, "image", "erase", "0")
    holds("smpmgr: the running slot is not erased", "NO_FREE_SLOT: 9" in out, out)
    same_list(board, "nothing changed", [("1.0.0+0", "active", "confirmed")])


def test_wrong_key(board):
    """The bootloader of a board with a key does not start what was signed with another one."""
    file = TESTDATA / "app-2.0.0-otherkey.bin"
    no_error("smpmgr uploads an image with the wrong signature", smpmgr(board, "image", "upload", file))
    no_error("and marks it", smpmgr(board, "image", "state-write", inspect(file)["hash"]))
    reset(board)
    equal("it does not run", board.running(), [("1.0.0+0", True)])
    equal("both list the same", smpmgr_images(board), board.images())


async def ask(board, *requests):
    """Answers to requests that smpmgr has no command for, by the library that it is made of."""
    async with SMPClient(SMPSerialTransport(), board.port) as client:
        answers = [await client.request(r) for r in requests]
    for a in answers:
        holds(f"smpclient reads {type(a).__name__}", success(a), a)
    return answers


def test_os_group(board):
    params, tasks, pools, info, loader = asyncio.run(
        ask(
            board,
            osm.MCUMgrParametersRead(),
            osm.TaskStatisticsRead(),
            osm.MemoryPoolStatisticsRead(),
            osm.OSApplicationInfoRead(format="a"),
            osm.BootloaderInformationRead(),
        )
    )
    ours = board.smpctl("params")
    equal("params", ours, {"buf_size": params.buf_size, "buf_count": params.buf_count})
    want = [(n, t.prio, t.tid, t.state, t.stkuse * 4, t.stksiz * 4) for n, t in tasks.tasks.items()]
    names = ("name", "priority", "id", "state", "stack_used_bytes", "stack_bytes")
    got = [tuple(t[n] for n in names) for t in board.smpctl("taskstat")["tasks"]]
    equal(f"taskstat, {len(want)} tasks", (sorted(got), len(got) > 0), (sorted(want), True))
    names = ("name", "block_bytes", "blocks", "free", "least_free")
    got = [tuple(p[n] for n in names) for p in board.smpctl("mpstat")["pools"]]
    sent = cbor2.loads(pools.smp_data[8:])  # smpclient takes the pools without looking into them
    want = [(n, p["blksiz"], p["nblks"], p["nfree"], p["min"]) for n, p in sent.items()]
    equal(f"mpstat, {len(want)} pools", (sorted(got), len(got) > 0), (sorted(want), True))
    equal("os-info", board.smpctl("os-info", "--format", "a")["output"], info.output)
    # Without its mode: smpclient looks for that under a key that Zephyr does not send.
    equal("bootloader", board.smpctl("bootloader")["bootloader"], loader.bootloader)


async def upload_some(board, data, least):
    async with SMPClient(SMPSerialTransport(), board.port) as client:
        async for offset in client.upload(data):
            if offset >= least:
                return offset


def test_resume(board):
    """An upload that smpclient breaks off is taken up by smpctl."""
    data = APP2.read_bytes()
    offset = asyncio.run(upload_some(board, data, 8000))
    result = board.smpctl("image", "upload", APP2)
    equal(f"smpctl goes on at {offset}", (result["resumed_from"], result["bytes"]), (offset, len(data)))
    equal("the image is whole", board.images()[1]["hash"], inspect(APP2)["hash"])


BOARDS = [
    ("by hand", test_by_hand, ["--key", KEY]),
    ("upgrade", test_upgrade, ["--key", KEY]),
    ("upgrade of a small, noisy board", test_upgrade, ["--rx-lines", 2, "--noise"]),
    ("refusals", test_refusals, []),
    ("wrong key", test_wrong_key, ["--key", KEY]),
    ("os group", test_os_group, []),
    ("resume", test_resume, []),
]

for number, (name, test, options) in enumerate(BOARDS):
    print(f"smpmgr: {name}", flush=True)
    with Board(FOLDER / f"smpmgr-{number}", *options) as b:
        test(b)
done("smpmgr")
