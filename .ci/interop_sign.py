"""imgtool's sign against smpctl's: combinations of options drawn from a seed, both ways.

Usage: interop_sign.py FOLDER [SEED [COUNT]], with imgtool in this Python's environment.

For each combination both tools sign the same input. The files are equal byte for byte where nothing is random; else they are equal
once signatures and encryption are taken off. imgtool verifies what smpctl signed, and smpctl what imgtool signed.
imgtool runs in this process: it takes longer to start than to sign.
"""

import contextlib
import io
import lzma
import random
import shlex
import struct
import subprocess
import sys
import time
from pathlib import Path

import click
from board import SMPCTL, done, holds
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from imgtool.image import Image, VerifyResult
from imgtool.keys import load
from imgtool.main import imgtool as commands
from intelhex import IntelHex

FOLDER = Path(sys.argv[1])
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
COUNT = int(sys.argv[3]) if len(sys.argv) > 3 else 320

LEAST_FACTOR = 15  # how much faster than imgtool whole processes are: 20 and more, but on a machine that has other work to do

KINDS = ["rsa-2048", "rsa-3072", "ecdsa-p256", "ecdsa-p384", "ed25519", "x25519"]
RANDOM_SIGNATURE = {"rsa-2048", "rsa-3072", "ecdsa-p256", "ecdsa-p384"}
# What imgtool lets a key sign and encrypt for. It wants both keys of one kind, except with Ed25519.
HASHES = {None: ["256", "384", "512"], "ecdsa-p384": ["384"], "ed25519": ["256", "512"]}
RECIPIENTS = {"ecdsa-p256": ["ecdsa-p256"], "rsa-2048": ["rsa-2048"], "rsa-3072": ["rsa-2048"], "ecdsa-p384": []}

ENCRYPTED, COMPRESSED, ARM_THUMB = 0x0C, 0x400, 0x800
SIGNATURES, ENCRYPTION_KEYS = (0x20, 0x22, 0x23, 0x24), (0x30, 0x32, 0x33, 0x34)
DECOMP_SIGNATURE, COMP_DEC_SIZE = 0x72, 0x73


class Difference(Exception):
    """What a combination shows that it should not."""


def imgtool(*arguments):
    """One imgtool command; gives None, or what it says against it."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            commands.main([str(a) for a in arguments], prog_name="imgtool", standalone_mode=False)
    except click.ClickException as e:
        return e.format_message()
    except (Exception, SystemExit) as e:  # a traceback, for a user
        return f"{type(e).__name__}: {e}"
    return None


def smpctl(*arguments):
    """One smpctl command; gives its exit code and what it says."""
    p = subprocess.run(
        [SMPCTL, *[str(a) for a in arguments]], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    return p.returncode, p.stdout + p.stderr


def make_keys():
    for kind in KINDS:
        private = FOLDER / f"{kind}.pem"
        imgtool("keygen", "-k", private, "-t", kind)
        imgtool("getpub", "-k", private, "-e", "pem", "-o", FOLDER / f"{kind}.pub.pem")


class Case:
    """One combination: its key, its options and its input."""

    def __init__(self, number):
        self.number = number
        self.rng = random.Random(f"{SEED}.{number}")
        self.key = self.rng.choice([None, *KINDS[:5], "ed25519"])  # most can be compared with Ed25519
        self.options = []
        self.encrypted_for = None
        self.compressed = False
        self.header = self.rng.choice([32, 0x100, 0x200, 0x200, 0x400, 0x800, 1000, 65535])
        self.pad_header = self.rng.random() < 0.7
        self.hex_in = self.rng.random() < 0.2
        self.hex_out = self.rng.random() < 0.25
        self.input = FOLDER / f"{number}.in.{'hex' if self.hex_in else 'bin'}"
        self.draw()
        self.write_input()

    def maybe(self, chance, *options):
        if self.rng.random() < chance:
            self.options += options
            return True
        return False

    def draw(self):
        rng = self.rng
        major, minor, revision = rng.randrange(256), rng.randrange(256), rng.randrange(65536)
        version = rng.choice([f"{major}", f"{major}.{minor}", f"{major}.{minor}.{revision}", f"{major}.{minor}.{revision}+{rng.randrange(1 << 32)}"])
        self.options += ["--version", version, "--header-size", rng.choice([str, hex])(self.header)]
        if self.pad_header:
            self.options.append("--pad-header")
        if self.key:
            self.options += ["--key", FOLDER / f"{self.key}.pem"]
            self.maybe(0.2, "--public-key-format", rng.choice(["hash", "full"]))
            self.maybe(0.15, "--pad-sig")
        if not (self.key == "ed25519" and self.maybe(0.3, "--pure")):
            self.maybe(0.3, "--sha", rng.choice(HASHES.get(self.key, ["256"])))
        self.draw_entries()
        self.draw_body()
        self.draw_slot()
        if self.hex_out and (not self.hex_in or rng.random() < 0.3):
            self.options += ["--hex-addr", hex(rng.choice([0, 0x200, 0xFE80, 0x10000, 0x0801_FF00, 0x9000_0000]))]

    def draw_entries(self):
        rng = self.rng
        self.maybe(0.3, "--security-counter", rng.choice(["auto", "0", "7", "0xffffffff"]))
        self.maybe(0.25, "--dependencies", rng.choice(["(0,1.2.3)", "(1, 2.3.4+5)", "(1,1.0),(2,255.255.65535+4294967295)", "(255, 0.0.0)"]))
        self.maybe(0.25, "--boot-record", rng.choice(["a", "SPE", "NSPE_and_12_c"[:12], "größer"]))
        if self.maybe(0.25, "--vid", rng.choice(["example.com", "12345678-1234-5678-1234-567812345678", "größe.example", "00FF" * 8])):
            self.maybe(0.6, "--cid", rng.choice(["sensor-v2", "ffeeddccbbaa99887766554433221100", " "]))
        for tag in rng.sample([0xA0, 0xA1, 0xFF, 0x1A1, 0xFFFE, 0x1000], rng.choice([0, 0, 0, 1, 2, 3])):
            self.options += ["--custom-tlv", rng.choice([str, hex])(tag), rng.choice(["0x", "0x01020304", "0xDEADbeef", "text", "0", "größe", "x" * 300])]
        if rng.random() < 0.15:
            content = FOLDER / f"{self.number}.tlv"
            content.write_bytes(rng.randbytes(rng.choice([0, 1, 99, 4000])))
            self.options += ["--custom-tlv-file", "0xe0", content]

    def draw_body(self):
        rng = self.rng
        if not self.maybe(0.1, "--load-addr", hex(rng.choice([0, 0x20000000, 0xFFFFFFFF]))):
            self.maybe(0.15, "--rom-fixed", hex(rng.choice([0, 0x82000, 0xFFFFFFFF])))
        recipients = RECIPIENTS.get(self.key, ["x25519", "ecdsa-p256", "rsa-2048"])
        if recipients and rng.random() < 0.25:
            self.encrypted_for = rng.choice(recipients)
            self.options += ["--encrypt", FOLDER / f"{self.encrypted_for}{rng.choice(['', '.pub'])}.pem"]
            self.maybe(0.5, "--encrypt-keylen", rng.choice(["128", "256"]))
            if self.encrypted_for == "x25519":
                self.maybe(0.5, "--hmac-sha", rng.choice(["auto", "256", "512"]))
            self.maybe(0.2, "--clear")
            self.maybe(0.2, "--save-enctlv")
        self.compressed = self.maybe(0.12, "--compression", rng.choice(["lzma2", "lzma2armthumb"]))
        if not self.compressed:  # imgtool forgets it then
            self.maybe(0.1, "--non-bootable")

    def draw_slot(self):
        rng = self.rng
        align = rng.choice([1, 2, 4, 8, 16, 32])
        self.maybe(0.5, "--align", align)
        self.maybe(0.2, "--max-align", rng.choice([n for n in (8, 16, 32) if n >= align]))
        self.maybe(0.2, "--max-sectors", rng.choice([1, 64, 512]))
        self.maybe(0.2, "--overwrite-only")
        self.maybe(0.3, "--erased-val", rng.choice(["0", "0xff"]))
        padded = False if self.compressed else rng.random() < 0.3
        if padded:
            for option in rng.sample(["--pad", "--test", "--confirm"], rng.choice([1, 1, 2])):
                self.options.append(option)
        # Room for the longest header and the largest trailer.
        self.options += ["--slot-size", rng.choice([hex, str])(rng.choice([0x40000, 200_000])) if padded or rng.random() < 0.7 else "0"]

    def write_input(self):
        rng = self.rng
        body = rng.randbytes(rng.choice([1, 15, 16, 1001, 4096, 20_000]))
        if self.compressed:  # so clearly smaller that both compress it
            body = bytes(rng.choice([b"\x00\xbf", b"\x70\x47", b"\x00\xf0\x01\xf8"]) * 500 + rng.randbytes(60)) * 20
        self.body = body
        data = body if self.pad_header else bytes(self.header) + body
        if not self.hex_in:
            self.input.write_bytes(data)
            return
        start = rng.choice([0, self.header, 0x10000, 0xFFF0 + self.header, 0x0800_0000])
        h = IntelHex()
        h.puts(start, data)
        if self.pad_header and len(body) > 1000:
            del h[start + 100 : start + 200]  # a gap
        h.write_hex_file(str(self.input), byte_count=rng.choice([16, 32]))

    def output(self, tool):
        return FOLDER / f"{self.number}.{tool}.{'hex' if self.hex_out else 'bin'}"

    def command(self, tool):
        return ["sign", *self.options, self.input, self.output(tool)]

    def run(self):
        complaint = imgtool(*self.command("imgtool"))
        if complaint:
            raise Difference(f"imgtool: {complaint}")
        code, text = smpctl(*self.command("smpctl"))
        if code:
            raise Difference(f"smpctl: exit code {code}: {text}")
        theirs, ours = (self.output(tool).read_bytes() for tool in ("imgtool", "smpctl"))
        if self.key not in RANDOM_SIGNATURE and not self.encrypted_for and not self.compressed:
            same("file", ours, theirs)
        else:
            self.compare(*(Parts(self.output(tool), self) for tool in ("smpctl", "imgtool")))
        self.verify()

    def compare(self, ours, theirs):
        same("flags", ours.flags, theirs.flags)
        same("header", ours.comparable_header(), theirs.comparable_header())
        same("body", ours.body(), theirs.body())
        same("entries", ours.entries(), theirs.entries())
        same("addresses", ours.segments(), theirs.segments())
        same("trailer", ours.trailer, theirs.trailer)

    def verify(self):
        """Each tool verifies the other's file."""
        theirs, ours = self.output("imgtool"), self.output("smpctl")
        private = FOLDER / f"{self.key}.pem"
        plain = ours
        if self.encrypted_for:
            plain = FOLDER / f"{self.number}.plain.bin"
            plain.write_bytes(Parts(ours, self).image)
        result = Image.verify(str(plain), load(str(private)) if self.key else None)[0]
        if result != VerifyResult.OK:
            raise Difference(f"imgtool verifies what smpctl signed: {result}")
        if not self.key:
            code, text = smpctl("inspect", theirs)
        else:
            code, text = smpctl("verify", "--key", FOLDER / f"{self.key}.pub.pem", *self.decryption(), theirs)
        if code:
            raise Difference(f"smpctl verifies what imgtool signed: exit code {code}: {text}")

    def decryption(self):
        return ["--decrypt", FOLDER / f"{self.encrypted_for}.pem"] if self.encrypted_for else []


class Parts:
    """An image file taken apart, and decrypted."""

    def __init__(self, file, case):
        self.case = case
        self.hex = IntelHex(str(file)) if file.suffix == ".hex" else None
        raw = self.hex.tobinstr() if self.hex else file.read_bytes()
        self.header_size, protected, size, self.flags = struct.unpack_from("<HHII", raw, 8)
        self.region_end = self.header_size + size + protected
        self.protected = list(walk(raw, self.header_size + size, protected)) if protected else []
        self.end = self.region_end + struct.unpack_from("<H", raw, self.region_end + 2)[0]
        self.unprotected = list(walk(raw, self.region_end, self.end - self.region_end))
        body = slice(self.header_size, self.header_size + size)
        image = bytearray(raw)
        keys = [value for kind, value in self.unprotected if kind in ENCRYPTION_KEYS]
        if self.flags & ENCRYPTED and "--clear" not in case.options:
            image[body] = aes_ctr(open_key(case, *keys), raw[body])
        self.image = bytes(image)
        self.stored = self.image[body]
        self.trailer = raw[self.end :].lstrip(raw[self.end : self.end + 1])

    def comparable_header(self):
        """The header without the sizes that depend on signatures and compression."""
        head = bytearray(self.image[: self.header_size])
        if self.case.compressed:
            head[10:16] = bytes(6)
        return bytes(head)

    def body(self):
        if not self.flags & COMPRESSED:
            return self.stored
        stored = self.stored
        for kind, value in self.protected:
            if kind == COMP_DEC_SIZE:
                stored = stored[: struct.unpack("<I", value)[0]]
        filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 131072}]
        if self.flags & ARM_THUMB:
            filters.insert(0, {"id": lzma.FILTER_ARMTHUMB})
        return lzma.decompress(stored[2:], lzma.FORMAT_RAW, filters=filters)

    def entries(self):
        """All entries, without the values that are random, and of the hash where it covers compressed bytes."""
        list_ = []
        for kind, value in self.protected + [("unprotected", b"")] + self.unprotected:
            masked = kind in SIGNATURES and (self.case.key in RANDOM_SIGNATURE or self.case.compressed)
            masked |= kind == DECOMP_SIGNATURE and self.case.key in RANDOM_SIGNATURE
            masked |= kind in ENCRYPTION_KEYS or kind == COMP_DEC_SIZE
            masked |= self.case.compressed and kind in (0x10, 0x11, 0x12)
            # A P-384 signature may be longer than imgtool pads it to.
            fixed = kind not in (0x22, DECOMP_SIGNATURE) or "--pad-sig" in self.case.options and self.case.key != "ecdsa-p384"
            length = len(value) if fixed else 0
            list_.append((kind, length, b"" if masked else value))
        return list_

    def segments(self):
        """Where an Intel HEX file has data, or how a binary is padded; the image ends where its signature does."""
        if not self.hex:
            return (len(self.image), self.image[self.end]) if self.trailer else None
        (first, _), *rest = self.hex.segments()
        return [first, *rest]


def walk(raw, start, total):
    at = start + 4
    while at < start + total:
        kind, length = struct.unpack_from("<HH", raw, at)
        yield kind, raw[at + 4 : at + 4 + length]
        at += 4 + length


def open_key(case, value):
    """The AES key of an image, from its entry."""
    key = serialization.load_pem_private_key((FOLDER / f"{case.encrypted_for}.pem").read_bytes(), None)
    sha = hashes.SHA256()
    if case.encrypted_for == "rsa-2048":
        return key.decrypt(value, padding.OAEP(padding.MGF1(sha), sha, None))
    size = 32 if option(case, "--encrypt-keylen") == "256" else 16
    if case.encrypted_for == "x25519":
        point = 32
        secret = key.exchange(x25519.X25519PublicKey.from_public_bytes(value[:32]))
        sha = hashes.SHA512() if option(case, "--hmac-sha") == "512" else sha
    else:
        point = 65
        secret = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), value[:65]))
    derived = HKDF(sha, size + sha.digest_size, None, b"MCUBoot_ECIES_v1").derive(secret)
    rest = value[point:]
    mac = hmac.HMAC(derived[size:], sha)
    mac.update(rest[sha.digest_size :])
    mac.verify(rest[: sha.digest_size])
    return aes_ctr(derived[:size], rest[sha.digest_size :])


def option(case, name):
    return case.options[case.options.index(name) + 1] if name in case.options else None


def aes_ctr(key, data):
    return Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor().update(data)


def same(what, ours, theirs):
    if ours != theirs:
        if isinstance(ours, bytes):
            at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
            ours, theirs = (f"{len(b)} bytes, from {at:#x} {b[at:at + 40].hex()}" for b in (ours, theirs))
        raise Difference(f"{what} differs\n smpctl  {ours}\n imgtool {theirs}")


def test_combinations():
    started = time.monotonic()
    kinds = {}
    for number in range(COUNT):
        case = Case(number)
        try:
            case.run()
        except Exception as e:
            command = shlex.join(str(a) for a in case.command("smpctl"))
            print(f"FAIL seed {SEED}, combination {number}: {type(e).__name__}: {e}\n smpctl {command}", flush=True)
            print(f"  again: interop_sign.py FOLDER {SEED} {number + 1}", flush=True)
            sys.exit(1)
        kinds[case.key or "unsigned"] = kinds.get(case.key or "unsigned", 0) + 1
        for file in FOLDER.glob(f"{number}.*"):
            file.unlink()
    counts = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
    holds(f"seed {SEED}: {COUNT} combinations in {time.monotonic() - started:.0f} s: {counts}", sum(kinds.values()) == COUNT, "")


# What neither tool does, in smpctl's words, and its exit code. imgtool ends in tracebacks for half of them.
REFUSED = [
    (["--security-counter", "-1"], 2, "want a number"),
    (["--security-counter", "0x100000000"], 2, "want a number"),
    (["--version", "256.0.0"], 2, "of up to 255"),
    (["--version", "1.2.3-rc1"], 2, "version"),
    (["--header-size", "31"], 2, "header size 31"),
    (["--header-size", "65536"], 2, "header size 65536"),
    (["--slot-size", "0x1000"], 6, "do not fit a slot of 4096"),
    (["--dependencies", "1, 1.2.3"], 2, "(IMAGE,VERSION)"),
    (["--dependencies", "(256,1.2.3)"], 2, "up to 255"),
    (["--boot-record", "thirteen_char"], 2, "up to 12 characters"),
    (["--cid", "no vendor"], 2, "vendor"),
    (["--load-addr", "4", "--rom-fixed", "4"], 2, "one or the other"),
    (["--custom-tlv", "0x9f", "a"], 2, "0xa0 to 0xfffe"),
    (["--custom-tlv", "0xa0", "a", "--custom-tlv", "0xa0", "b"], 2, "given twice"),
    (["--custom-tlv", "0xa0", "0x123"], 2, "hexadecimal"),
    (["--key", FOLDER / "missing.pem"], 2, "no such file"),
    (["--key", FOLDER / "ecdsa-p256.pub.pem"], 2, "public"),
    (["--key", FOLDER / "x25519.pem"], 2, "X25519"),
    (["--key", FOLDER / "ecdsa-p256.pem", "--sha", "384"], 2, "SHA256"),
    (["--key", FOLDER / "rsa-2048.pem", "--pure"], 2, "Ed25519"),
]

# What imgtool does and smpctl refuses, because the result is of no use to anybody.
HARMFUL = [
    (["--pure"], 2, "a key is needed"),
    (["--endian", "big"], 2, "not supported"),
    (["--pad", "--slot-size", "0"], 2, "a slot size is needed"),
    (["--encrypt", FOLDER / "ecdsa-p384.pub.pem"], 2, "MCUboot decrypts"),
    (["--encrypt", FOLDER / "ed25519.pem"], 2, "MCUboot decrypts"),
    (["--fix-sig-pubkey", FOLDER / "ed25519.pub.pem"], 2, "nothing that signs"),
]


def test_refusals():
    body, out = FOLDER / "body.bin", FOLDER / "out.bin"
    body.write_bytes(random.Random(SEED).randbytes(5000))
    plain = ["sign", "--version", "1.2.3", "--header-size", "0x200", "--pad-header", "--slot-size", "0x20000"]
    for refused, cases in ((True, REFUSED), (False, HARMFUL)):
        for options, want, why in cases:
            complaint = imgtool(*plain, *options, body, out)
            holds(f"imgtool {'refuses' if refused else 'takes'} {shlex.join(map(str, options))}", bool(complaint) == refused, complaint)
            out.unlink(missing_ok=True)
            code, text = smpctl(*plain, *options, body, out)
            holds(f"smpctl refuses it: {why}", code == want and why in text and not out.exists(), f"exit code {code}: {text}")


def fastest(theirs, ours, out=None):
    """Milliseconds of the fastest runs of two whole processes, which tell the least about who else is on the machine."""
    times = ([], [])
    for n in range(20):
        for command, list_ in ((theirs, times[0]), (ours, times[1])):
            if command is theirs and n % 4:
                continue
            if out:
                out.unlink(missing_ok=True)
            started = time.monotonic()
            subprocess.run([str(c) for c in command], check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
            list_.append((time.monotonic() - started) * 1000)
    return min(times[0]), min(times[1])


def test_speed():
    """Signs and verifies 1 MiB, process start included. Single numbers vary with the machine's other work, the sum hardly does."""
    body, out, script = FOLDER / "mebibyte.bin", FOLDER / "out.bin", Path(sys.executable).with_name("imgtool")
    body.write_bytes(random.Random(SEED).randbytes(1 << 20))
    options = ["--version", "1.2.3", "--header-size", "0x200", "--pad-header", "--slot-size", "0x200000"]
    total = [0, 0]
    for kind in ("ecdsa-p256", "rsa-2048", "ed25519"):
        private = FOLDER / f"{kind}.pem"
        sign, verify = ["sign", *options, "-k", private, body, out], ["verify", "--key"]
        for what, (theirs, ours) in (
            ("sign", fastest([script, *sign], [SMPCTL, *sign], out)),
            ("verify", fastest([script, *verify, private, out], [SMPCTL, *verify, FOLDER / f"{kind}.pub.pem", out])),
        ):
            print(f"     {what} 1 MiB with {kind}: smpctl {ours:.1f} ms, imgtool {theirs:.0f} ms, {theirs / ours:.0f} times faster")
            total = [total[0] + theirs, total[1] + ours]
    factor = total[0] / total[1]
    holds(f"sign and verify 1 MiB: {factor:.0f} times faster", factor >= LEAST_FACTOR, f"want {LEAST_FACTOR} times")


FOLDER.mkdir(parents=True, exist_ok=True)
print("sign: combinations", flush=True)
make_keys()
test_combinations()
print("sign: refusals", flush=True)
test_refusals()
print("sign: speed", flush=True)
test_speed()
done("sign")
