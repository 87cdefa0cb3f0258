#!/bin/sh
# Signs with Azure Key Vault or Managed HSM, through the Azure CLI as it is logged in.
#
#   smpctl sign … --signer 'exec:./azure-keyvault.sh https://myvault.vault.azure.net/keys/firmware'
#
# The key is an EC key on P-256 or P-384, or an RSA key of 2048 or 3072 bits. Key Vault has no Ed25519.
set -eu

case $SMPCTL_SIGN_ALGORITHM in
ecdsa-p256-sha256) algorithm=ES256 ;;
ecdsa-p384-sha384) algorithm=ES384 ;;
rsa-*-pss-sha256-*) algorithm=PS256 ;;
*)
	echo "Key Vault does not sign with $SMPCTL_SIGN_ALGORITHM" >&2
	exit 1
	;;
esac

digest=$(base64 | tr -d '\n')
az keyvault key sign --id "$1" --algorithm "$algorithm" --digest "$digest" --query signature --output tsv
