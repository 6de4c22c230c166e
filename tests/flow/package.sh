#!/usr/bin/env bash
# The Debian package: built, checked, installed into a clean Debian and purged again. time limit: 600
# TELLER_BIN is the build directory; TELLERD_CACHE keeps the clean Debian between runs.
# Says SKIP with the reason for a part this machine cannot do (no root, no network, no mounts).
set -euo pipefail
repo=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
build=$(readlink -f "${TELLER_BIN:-$repo/build}")
cache=${TELLERD_CACHE:-/var/cache/tellerd-tests}
units=(tellerd.service tellerd-churn-export.service)
scratch=$(mktemp -d)
root=$scratch/root
# shellcheck source-path=SCRIPTDIR source=../support/clean_debian.sh
. "$repo/tests/support/clean_debian.sh"

# The package itself.
version=$(sed -n 's/^project(.* VERSION \([0-9.]*\).*/\1/p' "$repo/CMakeLists.txt")
(cd "$build" && cpack -G DEB -B "$scratch/out") >"$scratch/cpack.log" 2>&1 || { cat "$scratch/cpack.log"; fail "cpack"; }
deb=$(find "$scratch/out" -maxdepth 1 -name '*.deb')
[ -f "$deb" ] || fail "cpack left no single package: $deb"
need "version of the package" "$(dpkg-deb -f "$deb" Version)" "$version"
need "conffiles" "$(dpkg-deb --info "$deb" conffiles)" /etc/tellerd/tellerd.toml
for library in libc6 libsqlite3-0 libzmq5 libsystemd0; do
  dpkg-deb -f "$deb" Depends | grep -q "$library" || fail "the package does not depend on $library"
done
echo "built: $(basename "$deb"), $(stat -c %s "$deb") bytes"

lintian --allow-root --fail-on error "$deb" || fail "lintian"
echo "lintian: no errors"

# The units. The comparison shows that the threshold can fail: without one line the same unit scores worse.
exposed() { systemd-analyze security --offline=true --threshold="$2" "$1" >"$scratch/security.log" 2>&1; }
score() { sed -n 's/.*exposure level for [^ ]*: \([0-9.]*\).*/\1/p' "$scratch/security.log"; }
mkdir "$scratch/weaker"
for name in "${units[@]}"; do
  unit=$repo/systemd/$name
  exposed "$unit" 12 || { cat "$scratch/security.log"; fail "$name is exposed more than 1.2"; }
  whole=$(score)
  [ -n "$whole" ] || fail "systemd-analyze security gave no figure for $name"
  for line in CapabilityBoundingSet= RestrictNamespaces=yes User=tellerd; do
    grep -vxF -- "$line" "$unit" >"$scratch/weaker/$name"
    cmp -s "$unit" "$scratch/weaker/$name" && fail "$name has no line $line"
    exposed "$scratch/weaker/$name" 12 && fail "without $line $name still passes"
    awk -v a="$whole" -v b="$(score)" 'BEGIN { exit !(b > a) }' || fail "without $line $name scores no worse"
  done
  echo "exposure of $name: $whole, and worse without any of three lines"
done

make_base
open_root
cp "$deb" "$root/tmp/tellerd.deb"
chmod 644 "$root/tmp/tellerd.deb"
in_root apt-get -q -o Dpkg::Use-Pty=0 install --yes --no-install-recommends /tmp/tellerd.deb >"$scratch/apt.log" 2>&1 || { tail -n 40 "$scratch/apt.log"; fail "installing"; }
grep -iE '^(E|W|dpkg: (warning|error)):' "$scratch/apt.log" | grep -v '^W: Download is performed unsandboxed' && fail "apt complained while installing"

# shellcheck disable=SC2016
need "state" "$(in_root dpkg-query -W -f '${db:Status-Status} ${Version}' tellerd)" "installed $version"
for file in /usr/sbin/tellerd /usr/bin/tellerctl /lib/systemd/system/tellerd.service \
  /lib/systemd/system/tellerd-churn-export.service /lib/systemd/system/tellerd-churn-export.timer /usr/lib/sysusers.d/tellerd.conf \
  /etc/tellerd/tellerd.toml /usr/share/tellerd/policy/default/pack.toml /usr/share/doc/tellerd/copyright \
  /etc/systemd/system/multi-user.target.wants/tellerd.service; do
  in_root test -s "$file" || fail "$file is not installed"
done
need "user" "$(in_root getent passwd tellerd | cut -d: -f1,6,7)" tellerd:/var/lib/tellerd:/usr/sbin/nologin
need "owner and mode of the settings" "$(in_root stat -c '%U %a' /etc/tellerd/tellerd.toml)" "root 644"
in_root /usr/sbin/tellerd --version | grep -qF "$version" || fail "tellerd --version does not say $version"
in_root /usr/bin/tellerctl --version | grep -qF "$version" || fail "tellerctl --version does not say $version"
echo "installed: files, user, versions"

if in_root systemd-analyze verify --man=no /lib/systemd/system/tellerd{.service,-churn-export.service,-churn-export.timer} >"$scratch/verify.log" 2>&1 && [ ! -s "$scratch/verify.log" ]; then
  echo "systemd-analyze verify: clean"
else
  cat "$scratch/verify.log"
  fail "systemd-analyze verify"
fi

# What a running daemon, and an operator who hands churn over, would have left behind goes too.
in_root systemctl enable tellerd-churn-export.timer >"$scratch/enable.log" 2>&1 || { cat "$scratch/enable.log"; fail "enabling the timer"; }
in_root test -L /etc/systemd/system/timers.target.wants/tellerd-churn-export.timer || fail "the timer is not enabled"
in_root install -d -o tellerd -g tellerd -m 700 /var/lib/tellerd/bronze
in_root install -d -m 700 /etc/tellerd/credentials
in_root apt-get -q -o Dpkg::Use-Pty=0 purge --yes tellerd >"$scratch/apt.log" 2>&1 || { tail -n 40 "$scratch/apt.log"; fail "purging"; }
left=$(in_root find / -xdev \( -path /proc -o -path /dev -o -path /tmp -o -path /var/log \) -prune -o -name '*tellerd*' -print -o -name '*tellerctl*' -print)
need "left after the purge" "$left" ""
echo "purged: nothing left"
