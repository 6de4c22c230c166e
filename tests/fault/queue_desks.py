"""Desks that die on every offer, that never read, that ask everything twice, and kills between any two steps of a lease. time limit: 300"""
import pathlib, random, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *
from desk import Desk

findings, root = Findings(), scratch()
US = 1_780_000_000_000_000
CLIENTS = 60
daemon = Daemon(root / "data", "--policy", "original", "--clock", "event", "--http", "0").start()
ack = Producer(daemon).send([event("profile", f"P{n}", f"C{n}", US + n, name=f"Anna {n}") for n in range(CLIENTS)])
daemon.derived(ack.commit)
granted = {}


def note(offers):
    for offer in offers:
        key = (offer["offer_id"], offer["epoch"])
        findings.same("one epoch to one grant", granted.setdefault(key, offer["session"]), offer["session"])


def pulled(desk, credit):
    offers = desk.pull(credit)
    note([dict(o, session=(desk.name, desk.session, desk.last_pull)) for o in offers])
    return offers


# A desk that dies on its offer five times: the offer is dead, and the queue flows on.
poison = None
for life in range(5):
    dying = Desk(daemon, "dying", str(life))
    dying.hello()
    offer = pulled(dying, 1)[0]
    poison = poison or offer["offer_id"]
    findings.same("the same offer comes back", offer["offer_id"], poison)
    dying.socket.close()
after = Desk(daemon, "dying", "last")
after.hello()
findings.true("then another", pulled(after, 1)[0]["offer_id"] != poison)
findings.same("and it is dead", [o["offer_id"] for o in after.ask("BROWSE", queue="marketing", state="DEAD")["offers"]], [poison])

# One that never reads: memory stays flat, another's answers come.
silent = Desk(daemon, "silent")
silent.hello()
silent.socket.setsockopt(zmq.RCVHWM, 1)
before, slow = daemon.rss_kb(), 0
for n in range(20_000):
    try: silent.socket.send(json.dumps({"id": 10_000 + n, "verb": "BROWSE", "queue": "marketing", "limit": 50}).encode(), zmq.DONTWAIT)
    except zmq.Again: time.sleep(.001)
    if n % 2000 == 0:
        began = time.monotonic()
        after.ask("BROWSE", queue="marketing", limit=1)
        slow = max(slow, time.monotonic() - began)
findings.true("a desk that never reads costs no memory", daemon.rss_kb() - before < 40_000, daemon.rss_kb() - before)
findings.true("nor others their answers", slow < 2, slow)
silent.socket.close()

# Killed at each step of a lease; everything is asked twice, and every question has one answer.
rng, done = random.Random(5), {}
worker = Desk(daemon, "worker")
for step in ["before_commit", "after_commit", "before_desk_reply", "before_flush_commit", "after_flush_commit"] * 2:
    daemon.kill()
    daemon.spawn(TELLERD_CRASH_AT=f"{step}:{rng.randrange(2, 9)}")
    for _ in range(6):
        if daemon.process.poll() is not None: break
        worker.count += 1
        for question in [{"verb": "HELLO", "client": "worker", "session": "1"}, {"verb": "PULL", "queue": "marketing", "credit": 2}]:
            worker.socket.send(json.dumps({"id": worker.count, **question}).encode())
        end = time.monotonic() + 1.5
        while time.monotonic() < end and daemon.process.poll() is None:
            if not worker.socket.poll(50): continue
            answer = json.loads(worker.socket.recv())
            if not answer.get("offers"): continue
            note([dict(o, session=("worker", "1", answer["id"])) for o in answer["offers"]])
            for offer in answer["offers"]:
                for twice in range(2): worker.socket.send(json.dumps({"id": f"d{offer['offer_id']}{twice}", "verb": "DISPOSE", "offer_id": offer["offer_id"], "epoch": offer["epoch"], "code": "PRICE"}).encode())
                done[offer["offer_id"]] = offer["epoch"]
            break
daemon.kill()
daemon.start()
worker.hello()
for offer_id, epoch in done.items():
    findings.same("disposed once, whenever it was", worker.ask("DISPOSE", offer_id=offer_id, epoch=epoch, code="PRICE").get("ok"), True)
findings.same("verify", daemon.ctl("verify").returncode, 0)
check_bronze(daemon, findings)
daemon.stop()
findings.same("each outcome once", daemon.rows("select count(*) n from silver_outcome")[0]["n"], len(done))
findings.end("queue_desks", f"{len(granted)} grants, {len(done)} outcomes")
