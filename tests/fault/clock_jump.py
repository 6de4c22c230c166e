"""The wall clock jumps a day on, three days back and to 2038 under leases: none ends early, each ends when the steady clock says. time limit: 120"""
import mmap, pathlib, shutil, struct, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *
from desk import Desk

# The world's wall clock with an offset that a file holds; the steady clock stays as it is.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
static volatile int64_t *offset_s;
static void __attribute__((constructor)) begin(void) {
  int file = open(getenv("CLOCK_OFFSET"), O_RDONLY);
  offset_s = mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
}
int clock_gettime(clockid_t clock, struct timespec *at) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int code = real(clock, at);
  if (clock == CLOCK_REALTIME && offset_s) at->tv_sec += *offset_s;
  return code;
}
int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec; at->tv_usec = now.tv_nsec / 1000;
  return 0;
}
time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
"""
findings, root = Findings(), scratch()
DAY, LEASE_S = 86_400, 14
(root / "shim.c").write_text(SHIM)
subprocess.run(["cc", "-shared", "-fPIC", "-o", root / "shim.so", root / "shim.c", "-ldl"], check=True)
(root / "offset").write_bytes(struct.pack("q", 0))
clock = mmap.mmap(os.open(root / "offset", os.O_RDWR), 8)


def jump_to(offset_s): clock[:8] = struct.pack("q", offset_s)


pack = root / "pack"
shutil.copytree(ROOT / "systemd/policy/original", pack)
rules = (pack / "contact.toml").read_text()
(pack / "contact.toml").write_text(rules.replace("seconds = 120", f"seconds = {LEASE_S}"))
daemon = Daemon(root / "data", "--policy", str(pack), "--http", "0")
daemon.start(LD_PRELOAD=str(root / "shim.so"), CLOCK_OFFSET=str(root / "offset"))
now_us = int(time.time() * 1e6)
ack = Producer(daemon).send([event("profile", f"P{n}", f"C{n}", now_us, name=f"Anna {n}") for n in range(2)])
daemon.derived(ack.commit)
desk, other = Desk(daemon, "desk"), Desk(daemon, "other")
desk.hello(), other.hello()
granted = time.monotonic()
mine = desk.pull(6)
findings.same("all six are held", len(mine), 6)
findings.same("one is snoozed for a day", desk.lease("SNOOZE", mine[5], at_us=now_us + DAY * 1_000_000)["ok"], True)
def ends(): return daemon.records("select count(*) n from record where kind % 256 = 114")[0]["n"]


for name, offset_s in [("a day on", DAY), ("three days back", -3 * DAY), ("2038", 2_147_483_600 - now_us // 1_000_000), ("back to what it is", 0), ("a day on again", DAY)]:
    jump_to(offset_s)
    time.sleep(1.2)
    said = desk.hello()
    left = [o["lease_ms"] / 1000 for o in said["held"]]
    expected = LEASE_S - (time.monotonic() - granted)
    findings.true(f"{name}: five leases, none shorter or longer", len(left) == 5 and all(abs(l - expected) < 1 for l in left), (left, expected))
    findings.same(f"{name}: nobody else gets them", other.pull(10), [])
    findings.same(f"{name}: nothing has ended", ends(), 0)
findings.same("disposed in between", desk.lease("DISPOSE", mine[0], code="PRICE")["ok"], True)
findings.same("extended", desk.lease("EXTEND", mine[1], ms=60_000)["ok"], True)
time.sleep(max(0, LEASE_S + 1 - (time.monotonic() - granted)))
findings.same("three end by the steady clock", ends(), 3)
findings.same("and are lent again", len(other.pull(10)), 3)
held = [(o["offer_id"], o["lease_ms"] > 50_000) for o in desk.hello()["held"]]
findings.same("the extended one stands", held, [(mine[1]["offer_id"], True)])
findings.same("the callback waits, whatever the clock has said", len([o for o in other.ask("BROWSE", queue="marketing", state="SCHEDULED")["offers"]]), 1)
findings.same("verify", daemon.ctl("verify").returncode, 0)
daemon.stop()
findings.end("clock_jump", "five jumps under six leases")
