"""A disk that is really full: intake waits and says so, readers go on, and with room again it resumes by itself.

Needs root for a small tmpfs."""
import pathlib, sys, urllib.request
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *

CYCLES = int(os.environ.get("TELLERD_CYCLES", 3))
findings, root = Findings(), scratch()
disk = root / "disk"
disk.mkdir()
mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={22 + 6 * CYCLES}m", "tmpfs", disk], capture_output=True, text=True)
if mounted.returncode:
    print(f"SKIP disk_full: a tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    sys.exit(0)
atexit.register(subprocess.run, ["umount", "-l", disk])

now_us = int(time.time() * 1e6) - 60_000_000
port = free_port()
daemon = Daemon(disk / "data", "--http", port, config="[limits]\ndisk_free_mb_stop = 0\n")
daemon.log_file = root / "log"                                          # else the log itself would find no room
daemon.start()
peer = Producer(daemon, "disk")
numbers = itertools.count(1)
batch = lambda: [event("sms", f"s{n}", f"C{n % 100}", now_us, sender="BANK", text="y" * 3000) for n in itertools.islice(numbers, 20)]
ballast, slowest, restarts, deaths = disk / "ballast", 0.0, 0, []


def revive():
    """A daemon that ended on the full disk is started again, as systemd would; how it ended is told."""
    global restarts
    if daemon.is_running(): return
    deaths.append((daemon.process.returncode, daemon.log().strip().splitlines()[-1][-200:]))
    restarts += 1
    daemon.spawn()


def page(path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer: return answer.status
    except OSError as error: return str(error)


for cycle in range(CYCLES):
    with open(ballast, "wb") as f:                                                                # freeing it makes room again
        while (room := os.statvfs(disk)).f_bavail * room.f_frsize > 3 << 20: f.write(b"b" * (64 << 10)), f.flush()   # beside a daemon that writes too
    pending, ack, refused = None, None, 0
    end = time.monotonic() + 60
    while time.monotonic() < end and refused < 3:
        pending = pending or batch()
        ack = peer.send(pending, timeout_s=5)
        if ack is None:
            revive()
            peer.connect()
            if (said := peer.hello(timeout_s=2)): peer.mark = max(peer.mark, said.through)
            refused += 1
            continue
        if ack.code == ACCEPTED: pending = None
        elif ack.code == RETRY_AFTER: refused += 1; time.sleep(ack.retry_ms / 1000)
        else: findings.same(f"cycle {cycle}: an answer on a full disk", str(ack), RETRY_AFTER); break
    findings.true(f"cycle {cycle}: RETRY_AFTER says that the disk is full", ack and ack.code == RETRY_AFTER and "disk is" in ack.text and ack.retry_ms > 0, ack)
    time.sleep(1.5)                                                      # also the engine has tried to write
    findings.true(f"cycle {cycle}: the daemon lives on", daemon.is_running())
    revive()
    findings.same(f"cycle {cycle}: /healthz", page("/healthz"), 200)
    findings.same(f"cycle {cycle}: the page", page("/api/v1/status"), 200)
    findings.same(f"cycle {cycle}: a mart", page("/api/v1/marts/mart_marketing_daily"), 200)
    answer = daemon.query("Status", timeout_s=5)
    findings.true(f"cycle {cycle}: the status is red", answer and answer["ok"] and answer["status"]["light"] == "red", answer and answer.get("status", {}).get("light"))
    lines = len(daemon.log().splitlines())
    time.sleep(1)
    findings.true(f"cycle {cycle}: the log is no flood", len(daemon.log().splitlines()) - lines < 20)

    freed = time.monotonic()
    ballast.unlink()
    while time.monotonic() - freed < 20:
        revive()
        pending = pending or batch()
        ack = peer.send(pending, timeout_s=2)
        if ack is None:
            peer.connect()
            if (said := peer.hello(timeout_s=2)):
                if said.through >= peer.mark + len(pending): pending = None
                peer.mark = max(peer.mark, said.through)
            continue
        if ack.code == ACCEPTED: pending = None; break
        time.sleep(.05)
    took = time.monotonic() - freed
    slowest = max(slowest, took)
    findings.true(f"cycle {cycle}: with room again intake resumes within 5 s", ack and ack.code == ACCEPTED and took < 5, f"{took:.2f} s")
    daemon.derived(peer.hello().commit, wait_s=20)

findings.same("how the daemon ended meanwhile", deaths, [])
findings.true("nothing acknowledged is lost", peer.hello().through >= peer.mark)
check_bronze(daemon, findings)
stored = daemon.records("select producer_seq from record where producer>0")
findings.same("as many as were acknowledged", len(stored), peer.mark)
found = daemon.ctl("verify", check=False)                                # its scratch copy needs room of its own
findings.true("verify", found.returncode == 0 or "full" in found.stderr, found.stderr[-300:])
findings.same("stops", daemon.stop(), 0)
findings.end("disk_full", f"{CYCLES} cycles, {peer.mark} events acknowledged, intake resumed after at most {slowest:.2f} s, {restarts} restarts")
