#!/bin/sh
# Installs the binaries of a release build and the units of all services; starts nothing.
#   deploy/systemd/install.sh BUILD_FOLDER [ROOT]     such as .build/release; ROOT for packages
# Then: put the configuration into /etc/rapport, and
#   systemctl enable --now rapport-up                 everything in one process, or
#   systemctl enable --now rapport-ingest@1 rapport-profiles@1 rapport-retention@1 ...
set -eu
[ $# -ge 1 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
build=$1 root=${2:-}
here=$(dirname "$0")
services='ingest profiles retention pipeline kpi alerts gateway replay sources'

install -d "$root/usr/local/bin" "$root/etc/systemd/system" "$root/etc/rapport"
install "$build/services/rapport/rapport" "$root/usr/local/bin/"
install -m 644 "$here/rapport-up.service" "$root/etc/systemd/system/"
for service in $services; do
  install "$build/services/$service/rapport-$service" "$root/usr/local/bin/"
  install -m 644 "$here/rapport-service@.service" \
    "$root/etc/systemd/system/rapport-$service@.service"
done
for file in rapport.textproto up.textproto; do
  # What the operator has written stays.
  [ -e "$root/etc/rapport/$file" ] || install -m 644 "$here/../config/$file" "$root/etc/rapport/"
done
