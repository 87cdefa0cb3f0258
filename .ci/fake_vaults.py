"""aws, az and vault as interop_vaults.py has them on its path: what they sign with is the key file in FAKE_KEY, what they answer is what the
services document.

AWS: https://docs.aws.amazon.com/cli/latest/reference/kms/sign.html
Azure: https://learn.microsoft.com/cli/azure/keyvault/key#az-keyvault-key-sign
Vault: https://developer.hashicorp.com/vault/api-docs/secret/transit#sign-data
"""

import base64
import json
import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, utils

KEY = serialization.load_pem_private_key(Path(os.environ["FAKE_KEY"]).read_bytes(), None)
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def refuse(message):
    print(message, file=sys.stderr)
    sys.exit(254)


def ecdsa(digest, bits, raw=False):
    if not isinstance(KEY, ec.EllipticCurvePrivateKey) or KEY.curve.key_size != int(bits):
        refuse("the key is not of this kind")
    der = KEY.sign(digest, ec.ECDSA(utils.Prehashed(HASHES[bits])))
    if not raw:
        return der
    r, s = utils.decode_dss_signature(der)
    return r.to_bytes(int(bits) // 8, "big") + s.to_bytes(int(bits) // 8, "big")


def pss(digest, salt):
    pad = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
    return KEY.sign(digest, pad, utils.Prehashed(hashes.SHA256()))


def options(words, *known):
    """--name value pairs, all of which must be known and there."""
    given = dict(zip(words[::2], words[1::2], strict=True))
    if set(given) != set(known):
        refuse(f"unrecognized or missing arguments: {sorted(set(given) ^ set(known))}")
    return given


def pick(answer, query):
    """What --query with a single name leaves of a JSON answer."""
    print(json.loads(json.dumps(answer))[query])


def aws(words):
    if words[:2] != ["kms", "sign"]:
        refuse("aws: unknown command")
    o = options(words[2:], "--key-id", "--signing-algorithm", "--message-type", "--message", "--query", "--output")
    kind, message = o["--signing-algorithm"], Path(o["--message"].removeprefix("fileb://")).read_bytes()
    if len(message) > 4096 or o["--output"] != "text":
        refuse("ValidationException")
    if kind == "ED25519_SHA_512" and o["--message-type"] == "RAW":
        signature = KEY.sign(message)
    elif o["--message-type"] != "DIGEST":
        refuse("ValidationException: this is not what the script is to ask for")
    elif kind.startswith("ECDSA_SHA_"):
        signature = ecdsa(message, kind.removeprefix("ECDSA_SHA_"))
    elif kind == "RSASSA_PSS_SHA_256":
        signature = pss(message, 32)
    else:
        refuse("ValidationException")
    key = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    answer = {"KeyId": key, "Signature": base64.b64encode(signature).decode(), "SigningAlgorithm": kind}
    pick(answer, o["--query"])


def az(words):
    if words[:3] != ["keyvault", "key", "sign"]:
        refuse("az: unknown command")
    o = options(words[3:], "--id", "--algorithm", "--digest", "--query", "--output")
    kind, digest = o["--algorithm"], base64.b64decode(o["--digest"], validate=True)
    if o["--output"] != "tsv":
        refuse("unexpected output format")
    if kind in ("ES256", "ES384"):
        signature = ecdsa(digest, kind[2:], raw=True)
    elif kind == "PS256":
        signature = pss(digest, 32)
    else:
        refuse("BadParameter: the algorithm is not supported")
    answer = {"algorithm": kind, "keyId": o["--id"] + "/0123", "signature": base64.b64encode(signature).decode()}
    pick(answer, o["--query"])


def vault(words):
    if words[:3] != ["write", "-field=signature", "transit/sign/firmware"]:
        refuse("vault: unknown command")
    o = dict(w.split("=", 1) for w in words[3:])
    data = base64.b64decode(o.pop("input"), validate=True)
    if isinstance(KEY, ed25519.Ed25519PrivateKey):
        expected, signature = {}, KEY.sign(data)
    elif isinstance(KEY, ec.EllipticCurvePrivateKey):
        bits = str(KEY.curve.key_size)
        expected = {"prehashed": "true", "hash_algorithm": f"sha2-{bits}", "marshaling_algorithm": "asn1"}
        signature = ecdsa(data, bits)
    else:
        expected = {"prehashed": "true", "hash_algorithm": "sha2-256", "signature_algorithm": "pss", "salt_length": "hash"}
        signature = pss(data, 32)
    if o != expected:
        refuse(f"Error writing data: got {o}, want {expected}")
    answer = {"data": {"key_version": 1, "signature": "vault:v1:" + base64.b64encode(signature).decode()}}
    pick(answer["data"], "signature")


{"aws": aws, "az": az, "vault": vault}[Path(sys.argv[0]).name](sys.argv[1:])
