#!/bin/sh
# Signs with AWS KMS, through the AWS CLI with the credentials that it finds.
#
#   smpctl sign … --signer 'exec:./aws-kms.sh alias/firmware'
#
# The key has the usage SIGN_VERIFY and the spec ECC_NIST_P256, ECC_NIST_P384, RSA_2048, RSA_3072 or ECC_NIST_EDWARDS25519. KMS signs up
# to 4096 bytes, so a pure Ed25519 image does not go.
set -eu

type=DIGEST
case $SMPCTL_SIGN_ALGORITHM in
ecdsa-p256-sha256) algorithm=ECDSA_SHA_256 ;;
ecdsa-p384-sha384) algorithm=ECDSA_SHA_384 ;;
rsa-*-pss-sha256-*) algorithm=RSASSA_PSS_SHA_256 ;;
ed25519) algorithm=ED25519_SHA_512 type=RAW ;;
*)
	echo "KMS does not sign with $SMPCTL_SIGN_ALGORITHM" >&2
	exit 1
	;;
esac

message=$(mktemp)
trap 'rm -f "$message"' EXIT
cat >"$message"
aws kms sign --key-id "$1" --signing-algorithm "$algorithm" --message-type "$type" --message "fileb://$message" \
	--query Signature --output text
