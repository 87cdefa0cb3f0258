#!/bin/sh
# Signs with OpenSSL 3 and a key file, to try the exec: contract, or as a start for a signer of your own.
#
#   smpctl sign … --signer 'exec:./openssl.sh release.pem'
set -eu

case $SMPCTL_SIGN_ALGORITHM in
ecdsa-*)
	exec openssl pkeyutl -sign -inkey "$1"
	;;
rsa-*)
	exec openssl pkeyutl -sign -inkey "$1" -pkeyopt digest:sha256 -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:32
	;;
ed25519) # wants a file
	message=$(mktemp)
	trap 'rm -f "$message"' EXIT
	cat >"$message"
	openssl pkeyutl -sign -rawin -in "$message" -inkey "$1"
	;;
*)
	echo "unknown algorithm $SMPCTL_SIGN_ALGORITHM" >&2
	exit 1
	;;
esac
