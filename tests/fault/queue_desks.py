"""Desks that die on every offer, that never read, that ask everything at once or twice, and kills between any two steps of a lease. time limit: 300"""
import pathlib, random, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *
from desk import Desk, Silent

findings, root = Findings(), scratch()
US = 1_780_000_000_000_000
CLIENTS = 600
daemon = Daemon(root / "data", "--policy", "original", "--clock", "event", "--http", "0").start()
producer = Producer(daemon)
for first in range(0, CLIENTS, 100):
    ack = producer.send([event("profile", f"P{n}", f"C{n}", US + n, name=f"Anna {n}") for n in range(first, first + 100)])
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
held = pulled(after, 1)[0]
findings.true("then another", held["offer_id"] != poison)
findings.same("and it is dead", [o["offer_id"] for o in after.ask("BROWSE", queue="marketing", state="DEAD")["offers"]], [poison])

# Two that ask for pages without end and never read one: memory stays flat, another's answers come, and a stop is a stop.
pages, said = Silent(daemon, "pages"), Silent(daemon, "said")
before, slow, end = daemon.rss_kb(), 0, time.monotonic() + 6
while time.monotonic() < end:
    for _ in range(500):
        pages.send("BROWSE", queue="marketing", limit=1000)
        said.send("REPLAY", queue="marketing", limit=1000)
    began = time.monotonic()
    after.ask("EXTEND", offer_id=held["offer_id"], epoch=held["epoch"], ms=1)
    slow = max(slow, time.monotonic() - began)
findings.true("they have asked more than is kept for them", min(pages.count, said.count) > 1000, (pages.count, said.count))
findings.true("a desk that never reads costs no memory", daemon.rss_kb() - before < 40_000, daemon.rss_kb() - before)
findings.true("nor others their answers", slow < 1, slow)
began = time.monotonic()
findings.same("a stop ends well", daemon.stop(), 0)
findings.true("and at once", time.monotonic() - began < 5, time.monotonic() - began)
daemon.start()
at_once = Desk(daemon, "at once")
at_once.hello()
for n in range(128): at_once.send("BROWSE", queue="marketing", limit=1)
codes = []
while len(codes) < 128 and at_once.socket.poll(5000): codes.append(json.loads(at_once.socket.recv()).get("code", "OK"))
findings.same("as many questions as may wait are answered, asked all at once", codes, ["OK"] * 128)
page, everything = {"next": 0}, []
while page["next"] or not everything:
    page = at_once.ask("BROWSE", queue="marketing", limit=1000, **{"from": page["next"]})
    everything += [o["number"] for o in page["offers"]]
findings.same("pages of BROWSE follow each other", everything, sorted(set(everything)))
findings.same("and leave nothing out", len(everything), 3 * CLIENTS)

# While the engine is far behind, an outcome is answered once it is on disk, and a kill right after takes nothing of it.
told = {}
producer = Producer(daemon, "burst")
producer.hello()
busy = Desk(daemon, "busy")
busy.hello()
bursts = [[transaction(f"B{burst}-{n}", f"D{n % 50}", US + 1000 * (2000 * burst + n)) for n in range(2000)] for burst in range(32)]
frames, seq = [], 1
for events in bursts:
    frames.append(producer.frame(events, first=seq))
    seq += len(events)
for round in range(2):
    for offer in pulled(busy, 4): told[offer["offer_id"]] = offer["epoch"]
for frame in frames: producer.socket.send_multipart([frame])
findings.same("the burst is taken", producer.answer().code, ACCEPTED)
for offer_id, epoch in told.items():
    findings.same("an outcome beside a burst", busy.ask("DISPOSE", offer_id=offer_id, epoch=epoch, code="PRICE").get("ok"), True)
daemon.kill()
promised = [r for r in daemon.records() if b'"promised":true' in bytes(r["payload"]) and b'"DISPOSE"' in bytes(r["payload"])]
daemon.start()
daemon.derived(daemon.records()[-1]["seq"])
outcomes = daemon.rows("select offer_id, code, count(*) n from mart_offer_outcome group by 1, 2")
findings.same("each is an outcome once", sorted((r["offer_id"], r["code"], r["n"]) for r in outcomes), sorted((offer_id, "PRICE", 1) for offer_id in told))
findings.true("some were told before their turn came", len(promised) > 0, len(promised))

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
findings.same("each outcome once", daemon.rows("select count(*) n from silver_outcome")[0]["n"], len(done) + len(told))
findings.end("queue_desks", f"{len(granted)} grants, {len(done) + len(told)} outcomes")
