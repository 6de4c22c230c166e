"""The feed: every topic's sequence is gapless, outlives kill -9, a gap is filled by Replay, and what a load itself supersedes never leaves."""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *

TOPICS = ["offer.marketing", "segment", "churn", "overdue"]
findings, root = Findings(), scratch()
start_us = 1_780_000_000_000_000
daemon = Daemon(root / "data", "--policy", "original", "--clock", "event", "--http", "0").start()


def subscribe():
    socket = Producer.context.socket(zmq.SUB)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RCVHWM, 0)
    socket.setsockopt(zmq.RECONNECT_IVL, 20)
    for topic in TOPICS: socket.setsockopt(zmq.SUBSCRIBE, topic.encode())
    socket.connect(daemon.endpoint("feed"))
    time.sleep(.3)
    return socket


def hear(socket, quiet_s=.7):
    """topic -> messages, in the order they came, until it is quiet."""
    heard = {topic: [] for topic in TOPICS}
    while socket.poll(quiet_s * 1000):
        topic, body = socket.recv_multipart()
        message = json.loads(body)
        findings.same("a message names its topic", message["topic"], topic.decode())
        heard[topic.decode()].append(message)
    return heard


def replay(topic, from_seq=1):
    """Everything of a topic, in pages."""
    found = []
    while True:
        page = daemon.query("Replay", topic=topic, from_seq=from_seq + len(found), limit=1000)
        if not page["messages"]: return found
        found += page["messages"]


def gapless(what, messages, first):
    findings.same(f"{what}: gapless from {first}", [m["seq"] for m in messages], list(range(first, first + len(messages))))


def day(n): return start_us + n * DAY_US


# Live, event by event: a profile, then transactions that lift the tier, then new offers in place of the old.
socket, peer = subscribe(), Producer(daemon, "till")
events = [event("profile", None, f"C{n}", day(0), name=f"Name {n}", registered_on="2024-01-02") for n in range(20)]
events += [transaction(f"t{n}-{k}", f"C{n}", day(1) + k, amount_minor=30_000_00) for k in range(8) for n in range(20)]
for one in events: ack = peer.send([one])
daemon.derived(ack.commit)
live = hear(socket)
for topic in TOPICS:
    gapless(topic, live[topic], 1)
    findings.same(f"{topic}: Replay says the same", replay(topic), live[topic])
findings.true("offers came live", len(live["offer.marketing"]) > 60, len(live["offer.marketing"]))
findings.true("segments came live", len(live["segment"]) >= 40, len(live["segment"]))
offers = daemon.rows("select * from mart_offer")
said = {m["offer_id"]: m for m in live["offer.marketing"] if m["what"] == "offer"}
findings.same("each offer was said once", sorted(said), sorted(o["offer_id"] for o in offers))
for o in offers:
    m = said.get(o["offer_id"], {})
    findings.same(f"offer {o['offer_id']}", [m.get(k) for k in ("customer_key", "action", "offer_type", "expected_revenue_minor")], [o[k] for k in ("customer_key", "action", "offer_type", "expected_revenue_minor")])
ended = {m["offer_id"] for m in live["offer.marketing"] if m["what"] == "offer_end"}
findings.same("each end too", ended, {o["offer_id"] for o in offers if o["state"] != "READY"})
findings.true("some were superseded", len(ended) > 0)

# kill -9 while events flow, again and again: the sequences go on from the log, and Replay is what a calm listener would have.
known = {topic: {m["seq"]: m for m in live[topic]} for topic in TOPICS}
for kill in range(5):
    for n in range(30): peer.send([transaction(f"k{kill}-{n}", f"C{n % 20}", day(2 + kill) + n, amount_minor=90_000_00)])
    time.sleep(.05 * kill)
    for topic, messages in hear(socket, .1).items(): known[topic].update({m["seq"]: m for m in messages})
    daemon.kill()
    daemon.start()
    socket.close()
    socket = subscribe()
    peer.connect()
    findings.true("HELLO tells no less than was acknowledged", (hello := peer.hello()).through >= peer.mark)
    peer.mark = hello.through
daemon.derived(peer.hello().commit)
before = {topic: replay(topic) for topic in TOPICS}
for topic in TOPICS:
    gapless(f"{topic} after kills", before[topic], 1)
    by_seq = {m["seq"]: m for m in before[topic]}
    findings.same(f"{topic}: what was heard before a kill is what Replay says", [m for seq, m in known[topic].items() if by_seq.get(seq) != m], [])
hear(socket, .2)
ack = peer.send([event("profile", None, "C900", day(9), name="Late", registered_on="2024-01-02"), transaction("last", "C900", day(9), amount_minor=300_000_00)])
daemon.derived(ack.commit)
for topic, messages in hear(socket).items():
    if topic in ("offer.marketing", "segment"): findings.true(f"{topic} goes on", messages)
    gapless(f"{topic} goes on", messages, len(before[topic]) + 1)

# A load: what it supersedes itself never leaves.
source = root / "source"
subprocess.run([BIN / "tellerctl", "generate", source, "--profile", "broker", "--clients", "120", "--seed", "3", "--until", "2026-06-30"], check=True, capture_output=True)
loaded = Daemon(root / "loaded", "--policy", "original", "--clock", "event", "--http", "0").start()
daemon_before, daemon = daemon, loaded
socket.close()
socket = subscribe()
watcher = subprocess.Popen([BIN / "tellerctl", "--data", loaded.data, "watch", "marketing", "--from", "1"], stdout=open(root / "watched", "w"), stderr=subprocess.DEVNULL)
atexit.register(watcher.kill)
for file in sorted(source.glob("*.csv"), key=lambda f: f.name != "clients.csv"): loaded.ctl("load", file)
heard = hear(socket, 1.5)["offer.marketing"]
gapless("a load", heard, 1)
offers = {o["offer_id"]: o for o in loaded.rows("select * from mart_offer")}
left = {m["offer_id"] for m in heard if m["what"] == "offer"}
findings.true("a load made offers", len(left) > 100, len(left))
findings.same("every open offer left", {i for i, o in offers.items() if o["state"] == "READY"} - left, set())
findings.same("an end is said only of what has left", {m["offer_id"] for m in heard if m["what"] == "offer_end"} - left, set())
findings.same("of what left, each that is not open has its end", {i for i in left if offers[i]["state"] != "READY"}, {m["offer_id"] for m in heard if m["what"] == "offer_end"})
silent = [o for i, o in offers.items() if i not in left]
findings.same("what never left was superseded or ran out within its load", {o["state"] for o in silent}, {"SUPERSEDED", "EXPIRED"})
end = time.monotonic() + 10
while time.monotonic() < end and len((root / "watched").read_text().splitlines()) < len(heard): time.sleep(.1)
watcher.terminate()
findings.same("tellerctl watch says the same", [json.loads(line) for line in (root / "watched").read_text().splitlines()], heard)
# A queue that is not there is said, with those that are; one to which nothing has come yet is waited for.
for extra in ([], ["--from", "1"]):
    nowhere = loaded.ctl("watch", "nowhere", *extra, check=False, timeout=20)
    findings.true(f"watch of no queue {extra}", nowhere.returncode == 1 and "there is no topic offer.nowhere" in nowhere.stderr and "offer.marketing" in nowhere.stderr, (nowhere.returncode, nowhere.stderr))
findings.same("Replay of no topic", loaded.query("Replay", topic="offer.nowhere").get("code"), "NOT_FOUND")
findings.same("Replay of a topic without a message", (loaded.query("Replay", topic="overdue")["ok"], loaded.query("Replay", topic="overdue")["messages"]), (True, []))
loaded.ctl("verify")
findings.same("stop", [daemon_before.stop(), loaded.stop()], [0, 0])
findings.end("feed", f"{sum(map(len, before.values())) + len(heard)} messages over 5 kills and a load, {len(silent)} offers superseded in silence")
