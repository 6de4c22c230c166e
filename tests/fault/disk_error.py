"""A disk that fails at a sync: the truth is unknown, so the daemon stops with 74 and says so; the next start has everything
that was acknowledged. strace makes the calls fail.
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *

if not shutil.which("strace"):
    print("SKIP disk_error: strace is not installed")
    sys.exit(0)
findings, root, acked = Findings(), scratch(), 0
now_us = int(time.time() * 1e6) - 60_000_000

for at in (12, 20, 35):                                   # the n-th sync and all after it
    daemon = Daemon(root / f"at{at}", "--http", "0").start()   # what is made once is made, so that the syncs are those of events
    daemon.stop()
    with open(daemon.log_file, "ab") as log:
        daemon.process = subprocess.Popen(["strace", "-f", "-qq", "-o", root / "trace", "-e", "trace=fdatasync", "-e", f"inject=fdatasync:error=EIO:when={at}+",
                                           BIN / "tellerd", "--data", daemon.data, "--http", "0"], stdout=log, stderr=log)
    atexit.register(daemon.kill)
    daemon.ctl("status", "--wait", 30)
    peer = Producer(daemon, "disk")
    for n in range(200):
        ack = peer.send([transaction(f"{at}-{n}-{k}", f"C{k}", now_us) for k in range(10)], timeout_s=3)
        if ack is None or ack.code != ACCEPTED: break
    acked += peer.mark
    try: code = daemon.process.wait(timeout=20)
    except subprocess.TimeoutExpired: code = "goes on"
    findings.same(f"sync {at} fails: the daemon ends", code, 74)
    last = daemon.log().strip().splitlines()[-1]
    findings.true("its last line says which file", last.startswith("tellerd: ") and "disk I/O error" in last and ".db" in last, last)
    daemon.start()
    peer.connect()
    findings.true("nothing acknowledged is lost", peer.hello().through >= peer.mark, (peer.hello().through, peer.mark))
    daemon.derived(peer.hello().commit)
    check_bronze(daemon, findings, f"at {at}")
    findings.true("what is derived is what the log gives", " 0 differ" in daemon.ctl("verify").stdout)
    findings.same("it stops in good order", daemon.stop(), 0)

findings.true("something was acknowledged before", acked > 0, acked)
findings.end("disk_error", f"3 failing disks, {acked} events acknowledged before")
