"""Signing where the key is: SoftHSM through smpctl-pkcs11, the scripts of docs/signing/ with OpenSSL and against fakes of cloud services,
and the examples of docs/signing.md as they stand. imgtool verifies what comes out.

Usage: interop_vaults.py FOLDER, with imgtool in this Python's environment and smpctl-pkcs11 in SMPCTL_PKCS11.
"""

import base64
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

from board import SMPCTL, done, equal, holds, run

FOLDER = Path(sys.argv[1])
ROOT = Path.cwd()
IMGTOOL = Path(sys.executable).with_name("imgtool")
IMAGE = ["--version", "1.2.3+4", "--header-size", "0x200", "--pad-header", "--slot-size", "0x20000", "--align", "4"]
KINDS = ["rsa-2048", "rsa-3072", "ecdsa-p256", "ecdsa-p384", "ed25519"]
MODULES = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"]


def make_keys():
    for kind in [*KINDS, "other-ecdsa-p256"]:
        run(IMGTOOL, "keygen", "-k", FOLDER / f"{kind}.pem", "-t", kind.removeprefix("other-"))
        run(IMGTOOL, "getpub", "-k", FOLDER / f"{kind}.pem", "-e", "pem", "-o", FOLDER / f"{kind}.pub.pem")


def sign(kind, signer, *options, code=0, public=None):
    """Has smpctl sign the firmware; gives the image, which must not exist after a failure, and what was said."""
    out = FOLDER / "out.bin"
    out.unlink(missing_ok=True)
    public = public or FOLDER / f"{kind}.pub.pem"
    p = run(SMPCTL, "sign", FOLDER / "app.bin", "-o", out, *IMAGE, "--public-key", public, "--signer", signer, *options, code=code)
    equal(f"an image exists: {code == 0}", (out.exists(), list(FOLDER.glob("out.bin.*"))), (code == 0, []))
    return out, p.stderr


def good(what, kind, signer, *options, pure=False):
    """The image must verify with imgtool and smpctl, and equal imgtool's own where signatures do not depend on chance."""
    out, _ = sign(kind, signer, *options)
    text = run(IMGTOOL, "verify", "-k", FOLDER / f"{kind}.pub.pem", out).stdout
    holds(f"{what}: imgtool verifies {kind} {' '.join(options)}", "Image was correctly validated" in text, text)
    if kind == "ed25519":
        direct = FOLDER / "direct.bin"
        run(IMGTOOL, "sign", *IMAGE, *(["--pure"] if pure else []), "-k", FOLDER / "ed25519.pem", FOLDER / "app.bin", direct)
        equal(f"{what}: the same bytes as imgtool's", out.read_bytes(), direct.read_bytes())


def bad(what, words, kind, signer, *options, code=1, public=None):
    _, text = sign(kind, signer, *options, code=code, public=public)
    holds(f"{what}: {words}", words in text, text)
    return text


def softhsm():
    """A token with all keys, and one without."""
    module = next((m for m in MODULES if Path(m).exists()), None)
    if not module or not shutil.which("softhsm2-util"):
        print("SKIPPED vaults/softhsm: softhsm2 is not installed", flush=True)
        return
    print("vaults: SoftHSM", flush=True)
    (FOLDER / "tokens").mkdir()
    (FOLDER / "softhsm2.conf").write_text(f"directories.tokendir = {FOLDER / 'tokens'}\n")
    os.environ["SOFTHSM2_CONF"] = str(FOLDER / "softhsm2.conf")
    os.environ["SMPCTL_PKCS11_MODULE"] = module
    for label in ("ci", "empty"):
        run("softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "8765", "--pin", "1234")
    for n, kind in enumerate([*KINDS, "other-ecdsa-p256"], start=1):
        run("softhsm2-util", "--import", FOLDER / f"{kind}.pem", "--token", "ci", "--label", kind, "--id", f"0{n}", "--pin", "1234")
    (FOLDER / "pin").write_text("1234\n")
    (FOLDER / "badpin").write_text("9999\n")
    pin = f"?pin-source=file:{FOLDER / 'pin'}"
    for n, kind in enumerate(KINDS, start=1):
        good("SoftHSM", kind, f"pkcs11:token=ci;object={kind}{pin}")
        good("SoftHSM by id", kind, f"pkcs11:token=ci;id=%0{n}{pin}&module-path={module}")
    good("SoftHSM", "ed25519", f"pkcs11:token=ci;object=ed25519{pin}", "--pure", pure=True)
    good("SoftHSM hashes", "rsa-2048", f"pkcs11:token=ci;object=rsa-2048{pin}", "--signer-input", "payload")
    softhsm_refuses(pin)


def softhsm_refuses(pin):
    key = "pkcs11:token=ci;object=ecdsa-p256"
    kind = "ecdsa-p256"
    text = bad("wrong PIN", "the PIN is wrong (CKR_PIN_INCORRECT)", kind, f"{key}?pin-source=file:{FOLDER / 'badpin'}")
    holds("the PIN is not shown", "9999" not in text, text)
    bad("wrong slot", "no token with slot-id=7: there is ", kind, f"pkcs11:slot-id=7;object={kind}{pin}")
    bad("wrong token", 'no token with token="nope": there is ', kind, f"pkcs11:token=nope;object={kind}{pin}")
    bad("no token named", "there are 2 tokens, and none is named: ", kind, f"pkcs11:object={kind}{pin}")
    bad("no key on it", 'token "empty": has no private key', kind, f"pkcs11:token=empty;object={kind}{pin}")
    bad("missing object", 'no private key with object="nokey": there is ', kind, f"pkcs11:token=ci;object=nokey{pin}")
    bad("no object named", "has 6 private keys, and none is named: ", kind, f"pkcs11:token=ci{pin}")
    other = FOLDER / "other-ecdsa-p256.pub.pem"
    bad("other public key", "is not the private half of the given public key: it is ", kind, key + pin, code=6, public=other)
    bad("other kind of key", "is not the private half of the given public key: it is ", "ed25519", key + pin, code=6)
    bad("missing module", "module /nowhere.so: no such file or directory", kind, f"{key}{pin}&module-path=/nowhere.so")
    bad("not a module", "is not a PKCS#11 module that this system can load", kind, f"{key}{pin}&module-path=/dev/null")
    bad("a PIN on the command line", "use pin-source=file:PATH", kind, key + "?pin-value=1234", code=2)
    bad("a token that cannot hash so", "CKR_MECHANISM_INVALID", "ecdsa-p384", f"pkcs11:token=ci;object=ecdsa-p384{pin}", "--signer-input", "payload")


def scripts():
    """The signing scripts of the documentation, with OpenSSL and with fakes of aws, az and vault."""
    print("vaults: scripts", flush=True)
    fakes = FOLDER / "bin"
    fakes.mkdir()
    for name in ("aws", "az", "vault"):
        fake = fakes / name
        fake.write_text(f"#!{sys.executable}\n" + (ROOT / ".ci" / "fake_vaults.py").read_text())
        fake.chmod(0o755)
    os.environ["PATH"] = f"{fakes}:{os.environ['PATH']}"
    here = ROOT / "docs" / "signing"
    for kind in KINDS:
        os.environ["FAKE_KEY"] = str(FOLDER / f"{kind}.pem")
        good("OpenSSL", kind, f"exec:{here}/openssl.sh {FOLDER / kind}.pem")
        good("AWS KMS", kind, f"exec:{here}/aws-kms.sh alias/firmware")
        good("Vault transit", kind, f"exec:{here}/vault-transit.sh transit/sign/firmware")
        azure = f"exec:{here}/azure-keyvault.sh https://myvault.vault.azure.net/keys/firmware"
        if kind == "ed25519":
            bad("Azure has no Ed25519", "Key Vault does not sign with ed25519", kind, azure)
        else:
            good("Azure Key Vault", kind, azure)
    good("OpenSSL", "ed25519", f"exec:{here}/openssl.sh {FOLDER}/ed25519.pem", "--pure", pure=True)
    bad("AWS KMS takes 4096 bytes", "ValidationException", "ed25519", f"exec:{here}/aws-kms.sh alias/firmware", "--pure")
    other = FOLDER / "other-ecdsa-p256.pem"
    bad("another key", "it is by another key than", "ecdsa-p256", f"exec:{here}/openssl.sh {other}", code=6)
    return fakes


def two_steps():
    """A request goes to another machine, which has nothing but OpenSSL."""
    print("vaults: two steps", flush=True)
    request, sig, out = FOLDER / "request.json", FOLDER / "request.sig", FOLDER / "two.bin"
    for kind in KINDS:
        run(SMPCTL, "sign", "prepare", FOLDER / "app.bin", "-o", request, *IMAGE, "--public-key", FOLDER / f"{kind}.pub.pem")
        wanted = json.loads(request.read_text())
        digest = base64.b64decode(wanted["digest_base64"])
        equal(f"the digest of {kind} in hex", digest.hex(), wanted["digest"])
        env = {**os.environ, "SMPCTL_SIGN_ALGORITHM": wanted["algorithm"]}
        script = [str(ROOT / "docs" / "signing" / "openssl.sh"), str(FOLDER / f"{kind}.pem")]
        made = subprocess.run(script, input=digest, env=env, capture_output=True, check=True).stdout
        sig.write_bytes(base64.urlsafe_b64encode(made))
        run(SMPCTL, "sign", "attach", request, "--signature", sig, "-o", out)
        text = run(IMGTOOL, "verify", "-k", FOLDER / f"{kind}.pub.pem", out).stdout
        holds(f"imgtool verifies {kind} in two steps", "Image was correctly validated" in text, text)


def documented(fakes):
    """Runs every example of docs/signing.md, in order, in a folder that has what they name."""
    print("vaults: docs/signing.md", flush=True)
    text = (ROOT / "docs" / "signing.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    folder = FOLDER / "documented"
    folder.mkdir()
    for script in (ROOT / "docs" / "signing").glob("*.sh"):
        shutil.copy(script, folder)
    shutil.copy(FOLDER / "ecdsa-p256.pem", folder / "release.pem")
    shutil.copy(FOLDER / "ecdsa-p256.pub.pem", folder / "release.pub.pem")
    (folder / "zephyr.bin").write_bytes(bytes(0x200) + (FOLDER / "app.bin").read_bytes())
    run(IMGTOOL, "sign", "--version", "1.2.3", "--header-size", "0x200", "--slot-size", "0xe8000", folder / "zephyr.bin", folder / "zephyr.signed.bin")
    if "SOFTHSM2_CONF" not in os.environ:
        blocks = [b for b in blocks if "softhsm" not in b]
    os.environ["FAKE_KEY"] = str(folder / "release.pem")
    os.environ["PATH"] = f"{fakes}:{Path(SMPCTL).parent}:{os.environ['PATH']}"
    verify = f"{IMGTOOL} verify -k release.pub.pem app.signed.bin && rm app.signed.bin"
    lines = [line for block in blocks for line in block.splitlines()]
    makes = [line.startswith("smpctl sign") and "app.signed.bin" in line for line in lines]
    script = "\n".join(f"{line}\n{verify}" if image else line for line, image in zip(lines, makes, strict=True))
    p = subprocess.run(["bash", "-euxc", script], cwd=folder, capture_output=True, text=True, timeout=120)
    holds(f"{len(blocks)} examples run", p.returncode == 0, p.stdout + p.stderr)
    equal(f"imgtool verifies their {sum(makes)} images", p.stdout.count("Image was correctly validated"), sum(makes))
    holds("there are some", sum(makes) >= 6, text)


FOLDER.mkdir(parents=True, exist_ok=True)
FOLDER = FOLDER.resolve()
(FOLDER / "app.bin").write_bytes(struct.pack("<II", 0x20008000, 0x401) + bytes(range(256)) * 40)
make_keys()
softhsm()
documented(scripts())
two_steps()
done("vaults")
