"""kill -9 at each named step of the code, early and late, and again at a step of the recovery: the end is a calm run's.

The steps are those that daemon/ names; one that no crash reached fails the test. time limit: 300"""
import pathlib, re, sys, threading
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *
from desk import Desk

KNOWN = {"after_recv", "before_begin", "after_begin", "before_commit", "after_commit", "after_ack", "before_flush_commit", "after_flush_commit"}
steps = set()
for file in (ROOT / "daemon").rglob("*.cpp"): steps |= set(re.findall(r'core::crash_step\("(\w+)"\)', file.read_text()))
findings, root = Findings(), scratch()
findings.true("the steps that are known are all there", KNOWN <= steps, sorted(KNOWN - steps))
options = ("--policy", "original", "--clock", "event", "--http", "0")
source = root / "source"
subprocess.run([BIN / "tellerctl", "generate", source, "--profile", "broker", "--clients", os.environ.get("TELLERD_CLIENTS", "150"), "--seed", "5", "--until", "2026-06-30"], check=True, capture_output=True)

calm = Daemon(root / "calm", *options).start()
calm.ctl("load", source)
want, records = calm.marts(), len(calm.records("select seq from record"))
calm.ctl("verify")
calm.stop()
findings.true("the calm run has offers", want["mart_offer"][0] > 100, want["mart_offer"])


def crash(at, then=None):
    """Loads through a crash at step:n, and where asked through a second one in the recovery."""
    name = at.replace(":", "-") + (then or "").replace(":", "-")
    daemon = Daemon(root / name, *options).spawn(TELLERD_CRASH_AT=at)       # a step may be reached while it starts
    done = []
    loader = threading.Thread(target=lambda: done.append(daemon.ctl("load", source, "--retry", 60, check=False, timeout=100)))
    loader.start()
    crashes = 0
    waits = [at, then]
    while loader.is_alive():
        if daemon.process.poll() is not None:
            findings.same(f"{at} {then or ''}: ended as kill -9 ends it", daemon.process.returncode, -9)
            crashes += 1
            environment = {"TELLERD_CRASH_AT": then} if crashes == 1 and then else {}
            daemon.spawn(**environment)
        time.sleep(.01)
    loader.join()
    findings.same(f"{at} {then or ''}: the load is done", (done[0].returncode, done[0].stderr[-300:]) if done[0].returncode else 0, 0)
    if not daemon.is_running(): daemon.start()
    daemon.ctl("status", "--wait", 20)
    findings.true(f"{at} {then or ''}: marts of the calm run", daemon.marts() == want, {k: (v, want[k]) for k, v in daemon.marts().items() if v != want[k]})
    findings.same(f"{at} {then or ''}: records", len(daemon.records("select seq from record")), records)
    check_bronze(daemon, findings, at)
    daemon.ctl("verify")
    daemon.stop()
    shutil.rmtree(daemon.data)
    return crashes


def crash_before_reply():
    """A grant is on disk and its reply is not sent: asked again, the same desk gets the same offers, once."""
    daemon = Daemon(root / "desk", *options).start()
    daemon.ctl("load", source)
    daemon.stop()
    daemon.spawn(TELLERD_CRASH_AT="before_desk_reply:2")                    # the first reply is to HELLO
    daemon.ctl("status", "--wait", 20)
    desk, pull = Desk(daemon, "one"), dict(queue="marketing", credit=2, wait_ms=100)
    desk.hello()
    desk.send("PULL", **pull)
    asked = desk.count
    findings.same("before_desk_reply: ended as kill -9 ends it", daemon.process.wait(20), -9)
    daemon.spawn()
    daemon.ctl("status", "--wait", 20)
    desk.count = asked + 100
    desk.hello()
    desk.count = asked - 1
    offers = desk.ask("PULL", **pull)["offers"]
    findings.same("before_desk_reply: the grant of before", [o["epoch"] for o in offers], [1, 1])
    daemon.ctl("verify")
    daemon.stop()
    leased = {r["offer_id"] for r in daemon.rows("select offer_id from mart_offer where state='LEASED'")}
    findings.same("before_desk_reply: leased are those and no others", leased, {o["offer_id"] for o in offers})
    return 1


crashes = crash_before_reply()
for step in sorted(steps - {"before_desk_reply"}):
    reached = 0
    for n in (1, 2, 7, 20):
        if "flush" in step and n > 2: continue
        reached += crash(f"{step}:{n}")
    findings.true(f"{step} was reached", reached >= 1, reached)
    crashes += reached
for first, second in (("before_commit:3", "after_begin:1"), ("after_commit:3", "before_flush_commit:1"), ("before_flush_commit:1", "after_flush_commit:1"),
                      ("after_commit:2", "before_commit:1"), ("after_ack:2", "after_recv:1")):
    both = crash(first, second)
    findings.true(f"{first} then {second}: both", both == 2, both)
    crashes += both
findings.end("crash_steps", f"{crashes} crashes at {len(steps)} steps, {records} records each")
