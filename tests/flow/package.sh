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
fresh=

clean_up() {
  local code=$?
  trap - EXIT
  local place
  for place in "$root/proc" "$root/dev" ${fresh:+"$fresh/proc" "$fresh/sys"}; do
    if mountpoint -q "$place"; then umount "$place" || umount --lazy "$place"; fi
  done
  rm -rf --one-file-system -- "$scratch" ${fresh:+"$fresh"}
  exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() { echo "FAILED: $*" >&2; exit 1; }
skip() { echo "SKIP $*"; exit 0; }
need() { [ "$2" = "$3" ] || fail "$1: '$2', expected '$3'"; }

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

# A clean Debian, made once from the mirror this machine is set up with.
[ "$(id -u)" -eq 0 ] || skip "installing: needs root"
command -v debootstrap >/dev/null || skip "installing: debootstrap is not installed"
# shellcheck disable=SC2016  # the dollars are for apt and dpkg-query
mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT) $(CREATED_BY)' 2>/dev/null |
  awk '($2 == "bookworm" || $2 == "stable") && $3 == "main" && $4 == "Packages" { print $1; exit }')
[ -n "$mirror" ] || skip "installing: apt on this machine has no source for bookworm main"
base=$cache/bookworm-$(dpkg --print-architecture)
if [ ! -e "$base/.complete" ]; then
  mkdir -p "$cache"
  fresh=$(mktemp -d /var/tmp/tellerd-debian.XXXXXX)  # debootstrap allows no space in the path
  if ! debootstrap --variant=minbase bookworm "$fresh" "$mirror" >"$scratch/debootstrap.log" 2>&1; then
    tail -n 5 "$scratch/debootstrap.log"
    skip "installing: debootstrap could not make a clean Debian"
  fi
  rm -f "$fresh"/var/cache/apt/archives/*.deb
  chmod 755 "$fresh"
  touch "$fresh/.complete"
  rm -rf --one-file-system -- "$base"
  mv "$fresh" "$base"
  fresh=
fi

cp -a --reflink=auto "$base" "$root"
printf 'deb %s bookworm main\n' "$mirror" >"$root/etc/apt/sources.list"
apt-config dump Acquire | grep -E '^Acquire::(http|https|Check-)' >"$root/etc/apt/apt.conf.d/00host" || true
cp -L /etc/resolv.conf /etc/hosts "$root/etc/" || true
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
if ! mount -t proc proc "$root/proc" 2>"$scratch/mount.log" || ! mount --bind /dev "$root/dev" 2>>"$scratch/mount.log"; then
  skip "installing: this machine allows no mounts ($(tail -n 1 "$scratch/mount.log"))"
fi
in_root() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }

in_root apt-get -q update >"$scratch/apt.log" 2>&1 || { tail -n 5 "$scratch/apt.log"; skip "installing: the package lists cannot be fetched"; }
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
