#!/bin/sh
# Makes the app-* files of this folder again; see README.md.
#
# usage: make.sh KEY.pem OTHERKEY.pem
#
# Both are private ECDSA P-256 keys, kept outside the repository. Needs imgtool
# (pip install imgtool) and python3.
set -eu
key=$(realpath "$1")
other=$(realpath "$2")
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# 24 KiB that look like firmware to a checker: a Cortex-M vector table entry
# for stack and reset, then bytes from a generator seeded with the version.
payload() { # seed
	python3 - "$1" >"$tmp/payload.bin" <<-'EOF'
		import random, struct, sys
		rest = random.Random(int(sys.argv[1])).randbytes(24 * 1024 - 8)
		sys.stdout.buffer.write(struct.pack("<II", 0x20008000, 0x00000401) + rest)
	EOF
}

sign() { # key version output
	imgtool sign --version "$2" --header-size 0x200 --pad-header --slot-size 0x20000 \
		--align 4 --key "$1" "$tmp/payload.bin" "$3"
}

payload 1
sign "$key" 1.0.0 app-1.0.0.bin
payload 2
sign "$key" 2.0.0 app-2.0.0.bin
sign "$other" 2.0.0 app-2.0.0-otherkey.bin
payload 3
sign "$key" 3.0.0 app-3.0.0.bin
imgtool getpub --key "$key" --encoding pem --output app.pub.pem

# One bit of the body, in the middle: only the hash can tell.
python3 - <<-'EOF'
	image = bytearray(open("app-2.0.0.bin", "rb").read())
	image[0x200 + 12 * 1024] ^= 0x10
	open("app-2.0.0-corrupt.bin", "wb").write(image)
EOF
