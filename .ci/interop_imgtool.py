"""imgtool against smpctl and the virtual device: the same files are accepted and refused, with the same hashes.

Usage: interop_imgtool.py FOLDER, with imgtool in this Python's environment.
"""

import json
import random
import re
import struct
import sys
from pathlib import Path

from board import SMPCTL, TESTDATA, Board, done, equal, holds, inspect, run

FOLDER = Path(sys.argv[1])
IMGTOOL = Path(sys.executable).with_name("imgtool")
APP_KEY = TESTDATA / "app.pub.pem"
OTHER_KEY = "No signature found for the given key"
OTHER_KIND = "Key type does not match TLV record"
DAMAGED, WRONG_KEY, WRONG_TYPE = "the file was damaged", "not by the given", "not one by an ECDSA P-256 key"
WRONG_HASH = "does not go with an ECDSA P-256 key"

# Each file of testdata, and why it is refused with app.pub.pem, in the words of each tool.
TESTDATA_FILES = {
    "app-1.0.0.bin": None,
    "app-2.0.0.bin": None,
    "app-3.0.0.bin": None,
    "app-2.0.0-otherkey.bin": (OTHER_KEY, WRONG_KEY),
    "app-2.0.0-corrupt.bin": ("Image has an invalid hash", DAMAGED),
}

# Kind of key, what imgtool is asked for besides, and why each tool refuses the image with a P-256 key that is not its own.
FRESH = [
    ("ecdsa-p256", [], OTHER_KEY, WRONG_KEY),
    ("ecdsa-p256", ["--pad", "--confirm"], OTHER_KEY, WRONG_KEY),
    ("ecdsa-p256", ["--security-counter", "7", "--dependencies", "(1, 1.2.3+4)"], OTHER_KEY, WRONG_KEY),
    ("ecdsa-p256", ["--public-key-format", "full"], OTHER_KEY, WRONG_KEY),
    ("ecdsa-p384", [], OTHER_KIND, WRONG_HASH),
    ("rsa-2048", [], OTHER_KEY, WRONG_TYPE),
    ("rsa-3072", ["--boot-record", "app"], OTHER_KEY, WRONG_TYPE),
    ("ed25519", [], OTHER_KEY, WRONG_TYPE),
    ("ed25519", ["--sha", "512"], OTHER_KEY, WRONG_TYPE),
    ("ed25519", ["--pure"], None, WRONG_TYPE),  # imgtool verify ends in a Python traceback
]


def imgtool(*arguments, code=0):
    return run(IMGTOOL, *arguments, code=code).stdout


def smpctl_verifies(file, key, why=None):
    """Has smpctl check hash and signature; the reason is its word when it refuses."""
    command = [SMPCTL, "--json", "verify", "--key", key, file]
    p = run(*command, code=6 if why else 0)
    if why:
        message = json.loads(p.stderr.splitlines()[-1])["error"]["message"]
        holds(f"smpctl refuses {file.name}: {why}", why in message, message)
    else:
        holds(f"smpctl accepts {file.name}", '"verified":true' in p.stdout, p.stdout)


def imgtool_verifies(file, key, why=None):
    out = imgtool("verify", "-k", key, file, code=1 if why else 0)
    want = why or "Image was correctly validated"
    holds(f"imgtool {'refuses' if why else 'accepts'} {file.name}: {want}", want in out, out)
    return out


def same_content(file, damaged=False):
    """imgtool dumpinfo and smpctl inspect read the same from a file."""
    theirs = json.loads(imgtool("dumpinfo", "--format", "json", file))
    ours = inspect(file, code=6 if damaged else 0)
    h = theirs["header"]
    got = [ours["header"][k] for k in ("version", "header_bytes", "body_bytes", "protected_bytes", "load_address", "flag_bits")]
    want = [h[k] for k in ("version", "hdr_size", "img_size", "protected_tlv_size", "load_addr", "flags")]
    equal(f"header of {file.name}", got, want)
    area = theirs["tlv_area"]
    for name, entries in (("protected", area["tlvs_prot"]), ("unprotected", area["tlvs"])):
        want = [(t["type"], t["len"], t["data"]) for t in entries]
        got = [(t["type_id"], t["bytes"], t["value"]) for t in ours["tlvs"] if t["area"] == name]
        equal(f"{name} entries of {file.name}: {len(want)}", got, want)
    digest = next(t["data"] for t in area["tlvs"] if t["type_name"].startswith("SHA"))
    equal(f"hash of {file.name}", (ours["hash"], ours["hash_check"] == "ok"), (digest, not damaged))
    return digest


def test_testdata():
    equal("every app file has an entry here", {f.name for f in TESTDATA.glob("app*.bin")}, set(TESTDATA_FILES))
    for name, why in TESTDATA_FILES.items():
        file = TESTDATA / name
        theirs, ours = why or (None, None)
        out = imgtool_verifies(file, APP_KEY, theirs)
        smpctl_verifies(file, APP_KEY, ours)
        digest = same_content(file, damaged=ours == DAMAGED)
        if not why:
            equal("imgtool verify says the same hash", re.search(r"digest: (\w+)", out).group(1), digest)


def sign(number, kind, options):
    """A fresh key and a fresh image; gives its file and the public key's."""
    private, public = FOLDER / f"{number}.pem", FOLDER / f"{number}.pub.pem"
    imgtool("keygen", "-k", private, "-t", kind)
    imgtool("getpub", "-k", private, "-e", "pem", "-o", public)
    body = FOLDER / f"{number}.body"
    body.write_bytes(struct.pack("<II", 0x20008000, 0x401) + random.Random(number).randbytes(9000 + number))
    file = FOLDER / f"{number}-{kind}.bin"
    imgtool(
        "sign", "--version", f"9.8.7+{number}", "--header-size", "0x200", "--pad-header", "--slot-size", "0x20000",
        "--align", "4", "--key", private, *options, body, file,
    )  # fmt: skip
    return file, public


def test_fresh(number, kind, options, theirs, ours):
    print(f"imgtool: {kind} {' '.join(options)}", flush=True)
    file, public = sign(number, kind, options)
    imgtool_verifies(file, public)
    smpctl_verifies(file, public)
    same_content(file)
    if theirs:
        imgtool_verifies(file, APP_KEY, theirs)
    smpctl_verifies(file, APP_KEY, ours)


def boot(folder, key, file):
    """Uploads a file to a board with this key, marks it and resets; gives the running version."""
    with Board(folder, "--key", key) as board:
        uploaded = board.smpctl("image", "upload", file)
        equal("the board lists the file's hash", uploaded["hash"], inspect(file)["hash"])
        board.smpctl("image", "test", uploaded["hash"])
        board.smpctl("reset")
        board.wait_ready()
        return board.running()


def test_boot(number, kind):
    """The bootloader of a board runs what was signed with its key, and nothing else."""
    print(f"imgtool: boot {kind}", flush=True)
    file, public = sign(number, kind, [])
    equal("it runs with its key", boot(FOLDER / f"{number}-own", public, file), [(f"9.8.7+{number}", False)])
    equal("it does not with another", boot(FOLDER / f"{number}-app", APP_KEY, file), [("1.0.0+0", True)])


print("imgtool: testdata", flush=True)
FOLDER.mkdir(parents=True, exist_ok=True)
test_testdata()
for n, case in enumerate(FRESH):
    test_fresh(n, *case)
for n, kind_of_key in enumerate(("ecdsa-p256", "rsa-2048", "ed25519"), start=len(FRESH)):
    test_boot(n, kind_of_key)
done("imgtool")
