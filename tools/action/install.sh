#!/usr/bin/env bash
# Installs a release of smpctl for action.yml, once, and puts it on the path of the steps that follow. Nothing is unpacked before
# its checksum holds: that of the release's SHA256SUMS, and the given one too if there is one.
#
#   install.sh VERSION [SHA256]
#
# RELEASES is where releases are. The other variables are those of GitHub's runners, Linux, macOS and Windows.
set -euo pipefail
version=$1 want=${2:-}
releases=${RELEASES:-https://github.com/smpctl/smpctl/releases/download}

case ${RUNNER_OS:-$(uname -s)} in
Linux) system=linux ending=tar.gz ;;
macOS | Darwin) system=darwin ending=tar.gz ;;
Windows) system=windows ending=zip ;;
*) echo "smpctl: no release for ${RUNNER_OS:-$(uname -s)}" >&2 && exit 1 ;;
esac
case ${RUNNER_ARCH:-$(uname -m)} in
X64 | x86_64) architecture=amd64 ;;
ARM64 | aarch64 | arm64) architecture=arm64 ;;
ARM | armv7l) architecture=armv7 ;;
armv6l) architecture=armv6 ;;
riscv64) architecture=riscv64 ;;
*) echo "smpctl: no release for ${RUNNER_ARCH:-$(uname -m)}" >&2 && exit 1 ;;
esac

name=smpctl-$version-$system-$architecture
place=${RUNNER_TOOL_CACHE:-$HOME/.cache/smpctl-action}/smpctl/$version/$architecture

install() { # in a shell of its own, which removes its folder when it ends
	local sum
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	cd "$work"
	curl -fsSL --retry 3 --max-time 300 -o "$name.$ending" "$releases/$version/$name.$ending"
	curl -fsSL --retry 3 --max-time 300 -o SHA256SUMS "$releases/$version/SHA256SUMS"
	sum=$(checksum "$name.$ending")
	grep -qxF "$sum  $name.$ending" SHA256SUMS || wrong "$sum is not that of SHA256SUMS"
	[ -z "$want" ] || [ "$sum" = "$want" ] || wrong "$sum, want $want"
	if [ $ending = zip ]; then unzip -q "$name.zip"; else tar xzf "$name.tar.gz"; fi
	mkdir -p "$(dirname "$place")"
	rm -rf "$place"
	printf '%s\n' "$sum" >"$name/.sha256"
	mv "$name" "$place"
}

checksum() { if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1; }

wrong() {
	echo "smpctl: the checksum of $name.$ending is $*" >&2
	exit 1
}

# What an earlier job has left is good if it was the same archive.
if [ ! -s "$place/.sha256" ] || { [ -n "$want" ] && [ "$(cat "$place/.sha256")" != "$want" ]; }; then
	(install)
fi
if [ -n "${GITHUB_PATH:-}" ]; then printf '%s\n' "$place" >>"$GITHUB_PATH"; fi
"$place/smpctl" version
