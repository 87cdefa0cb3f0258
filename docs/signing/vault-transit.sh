#!/bin/sh
# Signs with the transit engine of HashiCorp Vault or OpenBao, through its CLI with VAULT_ADDR and VAULT_TOKEN.
#
#   smpctl sign … --signer 'exec:./vault-transit.sh transit/sign/firmware'
#
# The key has the type ecdsa-p256, ecdsa-p384, rsa-2048, rsa-3072 or ed25519.
set -eu

case $SMPCTL_SIGN_ALGORITHM in
ecdsa-p256-sha256) set -- "$1" prehashed=true hash_algorithm=sha2-256 marshaling_algorithm=asn1 ;;
ecdsa-p384-sha384) set -- "$1" prehashed=true hash_algorithm=sha2-384 marshaling_algorithm=asn1 ;;
rsa-*-pss-sha256-*) set -- "$1" prehashed=true hash_algorithm=sha2-256 signature_algorithm=pss salt_length=hash ;;
ed25519) ;;
*)
	echo "transit does not sign with $SMPCTL_SIGN_ALGORITHM" >&2
	exit 1
	;;
esac

input=$(base64 | tr -d '\n')
vault write -field=signature "$@" "input=$input"
