# A clean Debian to install into, for the scripts that source this: they have `scratch`, an empty folder; `root`, where
# the Debian shall be; `cache`, which keeps one between runs; `at_end`, what is to be done first when they end, or "".
# shellcheck shell=bash disable=SC2154  # the script's own variables

fresh=
at_end=

fail() { echo "FAILED: $*" >&2; exit 1; }
skip() { echo "SKIP $*"; exit 0; }
need() { [ "$2" = "$3" ] || fail "$1: '$2', expected '$3'"; }

clean_up() {
  local code=$?
  trap - EXIT
  $at_end
  close_root
  rm -rf --one-file-system -- "$scratch" ${fresh:+"$fresh"}
  exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# base: made once from the mirror this machine is set up with. fresh is gone when this is through.
make_base() {
  [ "$(id -u)" -eq 0 ] || skip "installing: needs root"
  command -v debootstrap >/dev/null || skip "installing: debootstrap is not installed"
  # shellcheck disable=SC2016  # the dollars are for apt and dpkg-query
  mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT) $(CREATED_BY)' 2>/dev/null |
    awk '($2 == "bookworm" || $2 == "stable") && $3 == "main" && $4 == "Packages" { print $1; exit }')
  [ -n "$mirror" ] || skip "installing: apt on this machine has no source for bookworm main"
  base=$cache/bookworm-$(dpkg --print-architecture)
  [ ! -e "$base/.complete" ] || return 0
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
}

# root: a copy of `base` in which packages can be installed.
open_root() {
  cp -a --reflink=auto "$base" "$root"
  printf 'deb %s bookworm main\n' "$mirror" >"$root/etc/apt/sources.list"
  apt-config dump Acquire | grep -E '^Acquire::(http|https|Check-)' >"$root/etc/apt/apt.conf.d/00host" || true
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/" || true
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  if ! mount -t proc proc "$root/proc" 2>"$scratch/mount.log" || ! mount --bind /dev "$root/dev" 2>>"$scratch/mount.log"; then
    skip "installing: this machine allows no mounts ($(tail -n 1 "$scratch/mount.log"))"
  fi
  in_root apt-get -q update >"$scratch/apt.log" 2>&1 || { tail -n 5 "$scratch/apt.log"; skip "installing: the package lists cannot be fetched"; }
}

in_root() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }

# Of the scratch folder; once more is as good as once.
close_root() {
  local place
  for place in "$root/proc" "$root/dev" ${fresh:+"$fresh/proc" "$fresh/sys"}; do
    if mountpoint -q "$place"; then umount "$place" || umount --lazy "$place"; fi
  done
}
