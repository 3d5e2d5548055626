#!/bin/bash
# Both commands of the README in a bare Debian 12, with nothing but what they install themselves:
# debootstrap makes it, and the machine's own settings of package indexes are handed in.
# Usage: clean_root.sh [FOLDER], as root; tests/run.sh --clean-root says more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
fail() {
  echo "clean_root.sh: $*" >&2
  exit 2
}
[[ $(id -u) == 0 ]] || fail "making a root folder and changing into it needs root"
command -v debootstrap >/dev/null ||
  fail "there is no debootstrap: deploy/install.sh --tests installs it"

root=${1:-$(mktemp -d /var/tmp/rapport-root-XXXXXX)}
if [[ -e $root ]] && [[ -n $(ls -A "$root") ]]; then fail "$root is not empty"; fi
mkdir -p "$root"
root=$(realpath "$root")
finish() {
  for place in dev/shm dev/pts dev proc sys; do
    if mountpoint -q "$root/$place"; then umount -l "$root/$place"; fi
  done
  [[ -n ${kept:-} ]] || rm -rf --one-file-system "$root"
}
kept=${1:-}
trap finish EXIT

# Where this machine gets its packages from: the first Debian source that it has.
mirror=$(cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null |
  sed -nE 's/^(URIs:|deb( \[[^]]*\])?) +([^ ]+).*/\3/p' | sed 1q) || true
[[ -n $mirror ]] || fail "no Debian package source in /etc/apt"
echo "== a bare Debian 12 in $root"
debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$mirror" \
  >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; fail "debootstrap failed"; }
rm "$root.log"
for place in /etc/apt /etc/pip.conf /etc/resolv.conf /etc/hosts \
  /usr/local/share/ca-certificates "${HOME:-/root}/.m2/settings.xml" \
  "${HOME:-/root}/.config/pip" "${HOME:-/root}/.npmrc" "${PIP_FIND_LINKS:-/nowhere}"; do
  [[ -e $place ]] || continue
  mkdir -p "$root$(dirname "$place")"
  cp -aL "$place" "$root$(dirname "$place")/"
done
mount --bind /proc "$root/proc"
mount --bind /sys "$root/sys"
mount --bind /dev "$root/dev"
mount --bind /dev/pts "$root/dev/pts"
mount --bind /dev/shm "$root/dev/shm"

mkdir "$root/rapport"
tar --exclude=./.build --exclude=./.git -cf - . | tar -xf - -C "$root/rapport"
inside=(chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin
  ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"}
  ${PIP_CERT:+PIP_CERT="$PIP_CERT"} ${PIP_FIND_LINKS:+PIP_FIND_LINKS="$PIP_FIND_LINKS"}
  ${PIP_INDEX_URL:+PIP_INDEX_URL="$PIP_INDEX_URL"})
"${inside[@]}" update-ca-certificates >/dev/null 2>&1

echo "== deploy/demo.sh, up to its first alert and its address"
start=$SECONDS
alert=
served=
"${inside[@]}" /rapport/deploy/demo.sh > >(tee "$root/demo.log") 2>&1 &
demo=$!
while kill -0 "$demo" 2>/dev/null; do
  if [[ -z $alert ]] && grep -q ' raised ' "$root/demo.log" 2>/dev/null; then
    alert=$((SECONDS - start))
  fi
  if grep -q 'Rapport is up at' "$root/demo.log" 2>/dev/null; then
    served=$((SECONDS - start))
    kill "$demo"
    break
  fi
  sleep 1
done
wait "$demo" || true
[[ -n $alert && -n $served ]] || fail "deploy/demo.sh did not come up"

echo "== tests/run.sh"
start=$SECONDS
"${inside[@]}" /rapport/tests/run.sh || fail "tests/run.sh failed in the bare root"
echo "== in a bare Debian 12: the first alert after $alert s, the address after $served s;" \
  "tests/run.sh $((SECONDS - start)) s"
