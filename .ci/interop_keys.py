"""imgtool against smpctl: each reads the other's keys, encrypted ones too, and exports them in the same bytes.

Usage: interop_keys.py FOLDER, with imgtool in this Python's environment. imgtool runs inside this process: starting it for each
of hundreds of exports would take minutes. OpenSSL, if it is there, writes the encrypted keys that imgtool does not.
"""

import getpass
import os
import shutil
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner
from imgtool import keys
from imgtool.main import imgtool as imgtool_command

from board import SMPCTL, TESTDATA, WAIT, done, equal, holds, run

FOLDER = Path(sys.argv[1])
PASSPHRASE = "päss phrase"
TYPES = ["rsa-2048", "rsa-3072", "ecdsa-p256", "ecdsa-p384", "ed25519", "x25519"]

# imgtool's command and its options, and smpctl's.
EXPORTS = [
    (["getpub"], ["key", "public"]),
    (["getpub", "-e", "lang-c", "--name-suffix", "_2"], ["key", "public", "-e", "lang-c", "--name-suffix", "_2"]),
    (["getpub", "-e", "lang-rust"], ["key", "public", "-e", "lang-rust"]),
    (["getpub", "-e", "lang-rust", "--name-suffix", "_b"], ["key", "public", "-e", "lang-rust", "--name-suffix", "_b"]),
    (["getpub", "-e", "pem"], ["key", "public", "-e", "pem"]),
    (["getpub", "-e", "raw"], ["key", "public", "-e", "raw"]),
    (["getpubhash"], ["key", "hash"]),
    (["getpubhash", "--name-suffix", "_2"], ["key", "hash", "--name-suffix", "_2"]),
    (["getpubhash", "-e", "raw"], ["key", "hash", "-e", "raw"]),
]

# What OpenSSL encrypts a key with, and imgtool and smpctl must both read.
OPENSSL = [
    ["-v2", cipher, "-v2prf", f"hmacWithSHA{prf}"]
    for cipher in ("aes128", "aes192", "aes256", "des3")
    for prf in (1, 224, 256, 384, 512)
] + [["-v2", "aes256", "-iter", "50000"]]


def imgtool(*arguments, passphrase=PASSPHRASE):
    """Gives what a command of imgtool writes to standard output, and what it raises."""
    getpass.getpass = lambda *_: passphrase
    r = CliRunner().invoke(imgtool_command, [str(a) for a in arguments])
    if r.exit_code and (r.exception is None or isinstance(r.exception, SystemExit)):
        print(f"FAIL imgtool {arguments}: exit code {r.exit_code}\n{r.output}", flush=True)
        sys.exit(1)
    return r.stdout_bytes, r.exception


def smpctl(*arguments, code=0, passphrase=PASSPHRASE):
    """Gives what smpctl writes to standard output, or to standard error if it has to fail."""
    environment = dict(os.environ, SMPCTL_PASSPHRASE=passphrase)
    command = [SMPCTL, *[str(a) for a in arguments]]
    p = subprocess.run(command, capture_output=True, timeout=WAIT, stdin=subprocess.DEVNULL, env=environment)
    if p.returncode != code:
        print(f"FAIL {command}: exit code {p.returncode}, want {code}\n{p.stdout}{p.stderr}", flush=True)
        sys.exit(1)
    return p.stderr if code else p.stdout


def same_exports(file, exports=EXPORTS):
    """The exports of a key file, printed and into files."""
    differ = []
    for theirs, ours in exports:
        want, problem = imgtool(*theirs, "-k", file)
        if problem or want != smpctl(*ours, file):
            differ.append((theirs, problem))
        out = [FOLDER / "imgtool.out", FOLDER / "smpctl.out"]
        imgtool(*theirs, "-k", file, "-o", out[0])
        smpctl(*ours, file, "-o", out[1])
        if out[0].read_bytes() != want or out[1].read_bytes() != want:
            differ.append((theirs, "in a file"))
    equal(f"{len(exports)} exports of {file.name}", differ, [])


def same_info(file):
    """Private or public. imgtool refuses to say it of an encrypted file."""
    if b"ENCRYPTED" in file.read_bytes():
        equal(f"keyinfo of {file.name}", smpctl("key", "info", file), b"private\n")
        return
    want, problem = imgtool("keyinfo", "-k", file)
    equal(f"imgtool takes {file.name}", problem, None)
    other = {b"private\n": "public", b"public\n": "private"}[want]
    equal(f"keyinfo of {file.name}", smpctl("key", "info", file), want)
    smpctl("key", "info", file, "--require", other, code=2)


def generated(keytype):
    """Keys of one type by each tool, plain and encrypted."""
    ours, ours_encrypted = FOLDER / f"ours-{keytype}.pem", FOLDER / f"ours-{keytype}.enc.pem"
    smpctl("key", "generate", "-k", ours, "--type", keytype)
    smpctl("key", "generate", "-k", ours_encrypted, "--type", keytype, "--password")
    theirs, theirs_encrypted = FOLDER / f"theirs-{keytype}.pem", FOLDER / f"theirs-{keytype}.enc.pem"
    imgtool("keygen", "-k", theirs, "-t", keytype)
    imgtool("keygen", "-k", theirs_encrypted, "-t", keytype, "-p")
    again = FOLDER / "again.pem"
    keys.load(ours).export_private(again)
    equal(f"imgtool writes {ours.name} as smpctl did", again.read_bytes(), ours.read_bytes())
    equal("only its owner can read it", ours.stat().st_mode & 0o777, 0o600)
    return [ours, ours_encrypted, theirs, theirs_encrypted]


def public_files(file):
    """The public half of a key, as each tool writes it."""
    for name, command in (("imgtool", imgtool), ("smpctl", smpctl)):
        out = file.with_suffix(f".{name}.pub.pem")
        if command is imgtool:
            imgtool("getpub", "-k", file, "-e", "pem", "-o", out)
        else:
            smpctl("key", "public", file, "-e", "pem", "-o", out)
        yield out


def test_type(keytype):
    print(f"keys: {keytype}", flush=True)
    for file in generated(keytype):
        encrypted = b"ENCRYPTED" in file.read_bytes()
        same_exports(file, EXPORTS[5:7] if encrypted else EXPORTS)  # each takes its time to decrypt
        same_info(file)
        for public in public_files(file):
            same_exports(public)
            same_info(public)
        if encrypted:
            _, problem = imgtool("getpub", "-k", file, passphrase="wrong")
            holds(f"imgtool refuses {file.name} with a wrong passphrase", problem is not None, "")
            message = smpctl("key", "public", file, code=6, passphrase="wrong")
            holds("smpctl too", b"the passphrase is wrong" in message, message)
            message = smpctl("key", "public", file, code=6, passphrase="")
            holds("and an empty one", b"the passphrase is empty" in message, message)


def test_testdata():
    """The vectors' keys in all their forms. A compressed point is a key of its own to imgtool, and refused here."""
    print("keys: testdata", flush=True)
    for file in sorted((TESTDATA / "image" / "keys").glob("*.pem")):
        if file.name.startswith("bad-"):
            _, problem = imgtool("getpub", "-k", file)
            holds(f"imgtool refuses {file.name}", problem is not None, "")
            smpctl("key", "public", file, code=2)
        elif ".compressed." in file.name:
            holds(f"smpctl refuses {file.name}", b"compressed" in smpctl("key", "public", file, code=2), "")
        elif ".enc." in file.name:
            want, problem = imgtool("getpub", "-k", file, passphrase="mcuboot-test")
            equal(f"public half of {file.name}", (smpctl("key", "public", file, passphrase="mcuboot-test"), problem), (want, None))
        else:
            same_exports(file)
            same_info(file)


def test_openssl():
    if not shutil.which("openssl"):
        print("SKIPPED keys encrypted by openssl: it is not installed", flush=True)
        return
    print("keys: openssl", flush=True)
    key, out = FOLDER / "ours-ecdsa-p256.pem", FOLDER / "openssl.pem"
    want = smpctl("key", "public", key)
    for options in OPENSSL:
        run("openssl", "pkcs8", "-topk8", "-in", key, "-out", out, "-passout", f"pass:{PASSPHRASE}", *options)
        theirs, problem = imgtool("getpub", "-k", out)
        equal(f"openssl pkcs8 {' '.join(options)}", (theirs, smpctl("key", "public", out), problem), (want, want, None))
    for keytype, program in (("ecdsa-p256", ["ec"]), ("rsa-2048", ["rsa", "-traditional"])):
        key = FOLDER / f"ours-{keytype}.pem"
        want = smpctl("key", "public", key)
        for cipher in ("-aes128", "-aes256", "-des3"):
            run("openssl", *program, "-in", key, "-out", out, "-passout", f"pass:{PASSPHRASE}", cipher)
            theirs, problem = imgtool("getpub", "-k", out)
            equal(f"openssl {' '.join(program)} {cipher}", (theirs, smpctl("key", "public", out), problem), (want, want, None))
    for keytype in TYPES:
        file = FOLDER / f"ours-{keytype}.enc.pem"
        p = run("openssl", "pkey", "-in", file, "-passin", f"pass:{PASSPHRASE}", "-pubout")
        equal(f"openssl reads {file.name}", p.stdout.encode(), smpctl("key", "public", file, "-e", "pem"))


FOLDER.mkdir(parents=True, exist_ok=True)
for t in TYPES:
    test_type(t)
test_testdata()
test_openssl()
done("keys")
