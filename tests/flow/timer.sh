#!/usr/bin/env bash
# The timer that hands churn over, under a live systemd: a clean Debian is booted in a container with the package and
# PostgreSQL in it, and what the timer brings there is read from the table. time limit: 600
# TELLER_BIN is the build directory; TELLERD_CACHE keeps the clean Debian between runs.
# Says SKIP with the reason where this machine cannot do that (no root, no network, no containers).
set -euo pipefail
repo=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
build=$(readlink -f "${TELLER_BIN:-$repo/build}")
cache=${TELLERD_CACHE:-/var/cache/tellerd-tests}
scratch=$(mktemp -d /var/tmp/tellerd-timer.XXXXXX)
root=$scratch/root
container=
# shellcheck source-path=SCRIPTDIR source=../support/clean_debian.sh
. "$repo/tests/support/clean_debian.sh"

end_container() {
  [ -n "$container" ] && kill -0 "$container" 2>/dev/null || return 0
  kill -TERM "$container" || true
  for _ in $(seq 100); do kill -0 "$container" 2>/dev/null || break; sleep 0.1; done
  kill -KILL "$container" 2>/dev/null || true
}
at_end=end_container

command -v systemd-nspawn >/dev/null || skip "booting: systemd-nspawn is not installed"
make_base
open_root
(cd "$build" && cpack -G DEB -B "$scratch/out") >"$scratch/cpack.log" 2>&1 || { cat "$scratch/cpack.log"; fail "cpack"; }
cp "$scratch"/out/*.deb "$root/tmp/tellerd.deb"
in_root apt-get -q -o Dpkg::Use-Pty=0 install --yes --no-install-recommends systemd-sysv dbus postgresql /tmp/tellerd.deb \
  >"$scratch/apt.log" 2>&1 || { tail -n 40 "$scratch/apt.log"; fail "installing"; }

# As the README says; only when the timer comes is changed, from each night to every other second.
echo 'EXPORT=--to postgresql://crm@127.0.0.1/crm --lang ru' >"$root/etc/tellerd/churn-export.env"
in_root systemctl enable tellerd-churn-export.timer 2>"$scratch/enable.log" || { cat "$scratch/enable.log"; fail "enabling the timer"; }
mkdir "$root/etc/systemd/system/tellerd-churn-export.timer.d"
printf '[Timer]\nOnCalendar=\nOnCalendar=*:*:0/2\nRandomizedDelaySec=0\nAccuracySec=100ms\n' \
  >"$root/etc/systemd/system/tellerd-churn-export.timer.d/often.conf"
sed -i '1i host crm crm 127.0.0.1/32 trust' "$root/etc/postgresql/15/main/pg_hba.conf"
rm -f "$root/usr/sbin/policy-rc.d"
close_root

# A systemd of its own needs a tree of control groups of its own.
# shellcheck disable=SC2016  # for the other shell
setsid unshare --mount --propagation private bash -c '
  mount -t tmpfs tmpfs /run && mkdir -p /run/systemd /run/lock && umount -R /sys/fs/cgroup &&
    mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit 77
  exec systemd-nspawn -q -D "$0" --machine=tellerd-timer --boot --private-network --register=no --keep-unit --console=read-only
' "$root" >"$scratch/boot.log" 2>&1 </dev/null &
container=$!
inside() { nsenter -t "$leader" -a /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"; }
leader=
for _ in $(seq 300); do
  kill -0 "$container" 2>/dev/null || break
  leader=$(pgrep -P "$container" | head -n 1 || true)
  [ -z "$leader" ] || ! inside systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded' || break
  sleep 0.2
done
if ! kill -0 "$container" 2>/dev/null; then
  tail -n 3 "$scratch/boot.log"
  skip "booting: this machine starts no container"
fi
echo "booted: $(inside systemctl is-system-running || true)"
# until SECONDS COMMAND...: tries again until it holds.
until_true() {
  local left=$(($1 * 5)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $((left -= 1)) -gt 0 ] || { inside journalctl --no-pager -n 40 -u 'tellerd*' || true; fail "$what"; }
    sleep 0.2
  done
}
until_true 60 "PostgreSQL is up" inside runuser -u postgres -- psql -Atc 'select 1'
inside runuser -u postgres -- psql -qc 'create role crm login' -c 'create database crm owner crm'
ask() { inside psql postgresql://crm@127.0.0.1/crm -Atc "$1"; }

# A bank of 120 clients is told to the daemon that systemd started.
until_true 30 "tellerd runs" inside systemctl is-active tellerd.service
inside runuser -u tellerd -- sh -c 'cd /tmp && tellerctl generate told --profile broker --clients 120 --seed 4 --until 2026-06-30 && tellerctl --data /var/lib/tellerd load told' \
  >"$scratch/load.log" 2>&1 || { cat "$scratch/load.log"; fail "loading"; }
held=$(inside runuser -u tellerd -- tellerctl --data /var/lib/tellerd export churn | tail -n +2 | wc -l)
[ "$held" -gt 50 ] || fail "the mart has $held customers: too few to tell anything"

is_there() { [ "$(ask 'select count(*), count(*) filter (where probability > 1) from churn')" = "$held|0" ]; }
until_true 30 "the timer has handed $held customers over" is_there
ask 'update churn set probability = 2' >/dev/null
until_true 30 "the timer comes again and puts right what was changed there" is_there
need "how the service ended" "$(inside systemctl show -p Result --value tellerd-churn-export.service)" success
need "who it ran as" "$(inside systemctl show -p User --value tellerd-churn-export.service)" tellerd
echo "handed over by the timer, twice: $held customers"

# Without the settings that say where to, it does not run, and that is no failure.
rm "$root/etc/tellerd/churn-export.env"
sleep 3
ask 'drop table churn' >/dev/null
sleep 5
need "tables after the settings were taken away" "$(ask "select count(*) from pg_tables where tablename = 'churn'")" 0
need "its condition" "$(inside systemctl show -p ConditionResult --value tellerd-churn-export.service)" no
need "what failed" "$(inside systemctl list-units --failed --plain --no-legend 'tellerd*')" ""
echo "not without its settings"
