#!/usr/bin/env bash
# Makes the images of this folder again: bash make.sh IMGTOOL KEYS, with private keys of the names used here in the folder KEYS.
# imgtool 2.5.0. Except for Ed25519 without encryption the bytes differ each time.
set -euo pipefail
cd "$(dirname "$0")"
imgtool=$1 keys=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Something like code: words that repeat, and calls of a few functions from many places.
python3 - "$tmp/code.bin" <<'PYTHON'
import random, struct, sys
r = random.Random(4)
words, code = [r.randbytes(2) for _ in range(40)], bytearray()
while len(code) < 6001:
    if r.random() < 0.15:
        target = (r.choice([0x100, 0x8f0, 0x1234, 0x4000]) - len(code) - 4) >> 1 & 0x3fffff
        code += struct.pack("<HH", 0xf000 | target >> 11, 0xf800 | target & 0x7ff)
    else:
        code += r.choice(words)
open(sys.argv[1], "wb").write(code[:6001])
PYTHON
(head -c 512 /dev/zero && cat "$tmp/code.bin") >"$tmp/roomy.bin"

sign() { # OUT KEY OPTIONS...
	"$imgtool" sign -S 0x8000 -v 1.2.3+4 -H 512 -k "$keys/$2.pem" "${@:3}" --pad-header "$tmp/code.bin" "$1" >/dev/null
}

rsa="-E $keys/enc-rsa-2048.pub.pem" ec="-E $keys/enc-ecdsa-p256.pub.pem" x="-E $keys/enc-x25519.pub.pem"
all="-s 9 --boot-record app -d (1,2.3.4+5) --custom-tlv 0xa0 0x0102 --vid example.com --cid board"
# shellcheck disable=SC2086 # each is several words
{
	sign enc-rsa2048-aes128.bin rsa-2048 $rsa
	sign enc-rsa2048-aes256.bin rsa-2048 $rsa --encrypt-keylen 256
	sign enc-x25519-pure.bin ed25519 $x --pure
	sign comp-all.bin ecdsa-p384 $all --compression lzma2armthumb
	sign comp-lzma2-rsa3072.bin rsa-3072 --compression lzma2
	sign comp-pure.bin ed25519 --pure --compression lzma2armthumb
	sign comp-non-bootable.bin ed25519 --non-bootable --compression lzma2
	sign enc-comp-ec256.bin ecdsa-p256 $ec $all --compression lzma2armthumb
	sign enc-comp-clear.bin ed25519 $x --clear --compression lzma2
	sign enc-comp-x25519-sha512-aes256.bin ed25519 $x --sha 512 --hmac-sha 512 --encrypt-keylen 256 --compression lzma2
}
"$imgtool" sign -S 0x8000 -v 1.2.3+4 -H 512 -k "$keys/ecdsa-p256.pem" --compression lzma2armthumb "$tmp/roomy.bin" comp-zero-padding.bin >/dev/null
