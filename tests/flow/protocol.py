"""The front door under every malformed frame: a clear answer, the rest of a batch taken, what is refused kept, the daemon alive."""
import pathlib, random, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *

findings, root, rng = Findings(), scratch(), random.Random(1)
daemon = Daemon(root / "data", "--http", "0", config="[limits]\nlag_records_max = 4000000\n").start()
now_us = int(time.time() * 1e6) - 60_000_000
ids = itertools.count()
frames = 0


def good(**more): return transaction(f"t{next(ids)}", f"C{next(ids) % 50}", now_us, **more)


def hurt(peer, *parts):
    global frames
    frames += 1
    return peer.ask(*parts, timeout_s=10)


def invalid(what, peer, *parts):
    ack = hurt(peer, *parts)
    findings.true(f"{what}: INVALID with a sentence", ack and ack.code == INVALID and ack.text, ack)


# Frames that are no batch at all.
peer = Producer(daemon)
invalid("an empty frame", peer, b"")
invalid("one byte", peer, b"x")
invalid("another identifier", peer, peer.frame([good()]).replace(b"TLB1", b"NOPE"))
invalid("an event instead of a batch", peer, good())
invalid("no events", peer, peer.frame([]))
invalid("first_seq 0", peer, peer.frame([good()], first=0))
invalid("incarnation 0", peer, batch_frame("x", 0, 1, [good()]))
invalid("no producer name", peer, batch_frame("", 7, 1, [good()]))
invalid("a producer name of 201 bytes", peer, batch_frame("n" * 201, 7, 1, [good()]))
tiny = good()
invalid("9,000 events", peer, peer.frame([b"0123456789abcdef"] * 9000))
findings.same("8,193 events", hurt(peer, peer.frame([b"0123456789abcdef"] * 8193)).code, INVALID)
findings.same("none of these moved the mark", peer.hello().through, 0)

# A batch at the bounds is taken: a name of 200 bytes, 8,192 events of rubbish are 8,192 refusals.
full = Producer(daemon, "n" * 200)
ack = full.send([b"0123456789abcdef"] * 8192)
findings.same("8,192 events of rubbish: ACCEPTED", ack.code, ACCEPTED)
findings.same("each with its verdict", ack.verdicts, {n: ("MALFORMED", "event") for n in range(1, 8193)})
refused_rubbish = 8192

# Every truncation and 2,000 byte flips of a good batch: answered INVALID, or taken as the valid batch it then is.
peer = Producer(daemon, "golden")
whole = peer.frame([good(), event("profile", "", "C1", now_us, name="Name", city="Kazan"), event("sms", "s1", "C2", now_us, sender="BANK", text="code")])
for length in range(len(whole)):
    ack = hurt(peer, whole[:length])
    if not findings.true(f"truncated to {length}", ack and ack.code == INVALID, ack): break
answered = {}
for n in range(2000):
    flipped = bytearray(whole)
    flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    ack = hurt(peer, bytes(flipped))
    if not findings.true(f"flip {n} is answered", ack is not None): break
    answered[ack.code] = answered.get(ack.code, 0) + 1
findings.true("flips are told apart", answered.get(INVALID, 0) > 100 and sum(answered.values()) == 2000, answered)
findings.true("still alive", daemon.is_running())

# Over 1 MiB the peer is cut off; others and its next connection are not.
peer = Producer(daemon, "large")
findings.same("1 MiB + 1 is not answered", peer.ask(b"x" * ((1 << 20) + 1), timeout_s=.5), None)
peer.connect()
findings.same("the producer comes back", peer.send([good()]).code, ACCEPTED)
big = [event("sms", f"b{n}", "C1", now_us, sender="S", text="x" * 4000) for n in range(250)]
near = peer.frame(big)
findings.true("a frame just under 1 MiB", 1_000_000 < len(near) <= 1 << 20, len(near))
findings.same("is taken", peer.send(big).code, ACCEPTED)

# Messages of three parts and more are dropped and counted; the connection goes on.
rss_before = daemon.rss_kb()
for parts in range(2, 40):
    peer.socket.send_multipart([b"", *[b"x" * 100] * parts])
for _ in range(300): peer.socket.send_multipart([b"y" * 1000] * 100)
findings.same("after multipart bombs a batch is taken", peer.send([good()]).code, ACCEPTED)
findings.true("multipart bombs are not kept in memory", daemon.rss_kb() - rss_before < 40_000, daemon.rss_kb() - rss_before)

# One bad event never fails its batch: each kind of bad, in the middle of good ones.
BAD = {
    "no event": (b"0123456789abcdef", "MALFORMED", "event"),
    "nothing": (b"", "MALFORMED", "event"),
    "64 KiB + 1": (b"\x10\0\0\0TLE1" + b"x" * (65536 - 7), "TOO_LARGE", "event"),
    "unknown kind": (good()[:], None, None),
    "no body": (None, "UNKNOWN_KIND", "body"),
    "not UTF-8": (event("sms", "z1", "C1", now_us, sender=b"\xff\xfe", text="x"), "BAD_TEXT", "sender"),
    "half a character": (event("sms", "z2", "C1", now_us, sender="S", text=b"\xd0"), "BAD_TEXT", "text"),
    "a surrogate": (event("sms", "z3", "C1", now_us, sender="S", text=b"\xed\xa0\x80"), "BAD_TEXT", "text"),
    "NUL": (event("sms", "z4", "C1", now_us, sender="S", text="a\0b"), "BAD_TEXT", "text"),
    "NUL in a key": (transaction("z5", "C\0001", now_us), "BAD_TEXT", "customer"),
    "a text of 4,097": (event("sms", "z6", "C1", now_us, sender="S", text="x" * 4097), "BAD_TEXT", "text"),
    "an id of 129": (transaction("z" * 129, "C1", now_us), "BAD_TEXT", "id"),
    "10^15 + 1": (good(amount_minor=10**15 + 1), "BAD_AMOUNT", "amount_minor"),
    "-10^15 - 1": (good(amount_minor=-(10**15) - 1), "BAD_AMOUNT", "amount_minor"),
    "the least integer": (good(amount_minor=-(2**63)), "BAD_AMOUNT", "amount_minor"),
    "no currency": (good(currency=None), "BAD_AMOUNT", "currency"),
    "unknown currency": (good(currency="XQX"), "BAD_AMOUNT", "currency"),
    "an mcc of 10000": (good(mcc=10000), "BAD_VALUE", "mcc"),
    "the year 9999": (transaction("z7", "C1", 253_402_300_799_000_000), "BAD_TIME", "occurred_us"),
    "the year 9999 as a date": (event("loan", "z8", "C1", now_us, loan_name="L", start_date="9999-99-99", currency="RUB"), "BAD_TIME", "start_date"),
    "30 February": (event("loan", "z9", "C1", now_us, loan_name="L", start_date="2026-02-30", currency="RUB"), "BAD_TIME", "start_date"),
    "the year 1812": (transaction("z10", "C1", -4_986_316_800_000_000), "BAD_TIME", "occurred_us"),
    "ten minutes ahead": (transaction("z11", "C1", int(time.time() * 1e6) + 600_000_000), "FROM_FUTURE", "occurred_us"),
    "65 weeks old": (transaction("z12", "C1", now_us - 65 * 7 * DAY_US), "TOO_OLD", "occurred_us"),
    "no id": (transaction(None, "C1", now_us), "MISSING_FIELD", "id"),
    "no customer": (transaction("z13", None, now_us), "MISSING_FIELD", "customer"),
    "a rate of 0": (event("rate", "z14", None, now_us, base="USD", quote="RUB", value_micro=0), "BAD_AMOUNT", "value_micro"),
}
none = Event.EventT()
none.id, none.customer, none.occurredUs = "z15", "C1", now_us
builder = flatbuffers.Builder(64)
builder.Finish(none.Pack(builder), b"TLE1")
BAD["no body"] = (bytes(builder.Output()), "UNKNOWN_KIND", "body")
unknown = bytearray(event("sms", "z16", "C1", now_us, sender="S", text="x"))
type_at = Event.Event.GetRootAs(bytes(unknown))._tab
unknown[type_at.Pos + type_at.Offset(14)] = 200                         # the union's type byte
BAD["unknown kind"] = (bytes(unknown), ("MALFORMED", "UNKNOWN_KIND"), None)
assert Event.Event.GetRootAs(bytes(unknown)).BodyType() == 200

peer = Producer(daemon, "kinds of bad")
events, where = [good()], {}
for what, (data, *_rest) in BAD.items():
    events += [data, good()]
    where[len(events) - 1] = what
ack = peer.send(events)
findings.same("the batch is taken", (ack.code, ack.through), (ACCEPTED, len(events)))
findings.same("only the bad are refused", sorted(ack.verdicts), sorted(where))
daemon.derived(ack.commit)
kept = {r["producer_seq"]: r for r in daemon.rows("select * from quarantine where producer='kinds of bad'")}
for seq, what in where.items():
    data, code, field = BAD[what]
    got = ack.verdicts.get(seq)
    if what == "unknown kind": findings.true(what, got and got[0] in code, got)
    else: findings.same(what, got, (code, field))
    row = kept.get(seq, {})
    findings.same(f"{what}: kept with its reason", (row.get("reason"), row.get("field")), got)
    findings.same(f"{what}: kept word for word", bytes(row.get("payload") or b""), data)
edges = [good(amount_minor=10**15), good(amount_minor=-(10**15)), transaction("e" * 128, "C1", now_us), event("sms", "e1", "C1", now_us, sender="S", text="x" * 4096),
         transaction("e2", "C1", int(time.time() * 1e6) + 240_000_000), transaction("e3", "C1", int(time.time() * 1e6) - 63 * 7 * DAY_US)]
findings.same("just inside every bound nothing is refused", peer.send(edges).verdicts, {})

# One bad event in a thousand over 20,000.
peer = Producer(daemon, "one in a thousand")
templates = [transaction(f"m{n:04d}", f"D{n % 97:02d}", now_us) for n in range(1000)]
bad_at = set()
for batch in range(20):
    events = [data.replace(f"m{n:04d}".encode(), f"{chr(65 + batch)}{n:04d}".encode()) for n, data in enumerate(templates)]
    bad = rng.randrange(1000)
    events[bad] = events[bad].replace(b"RUB", b"QQQ")
    bad_at.add(batch * 1000 + bad + 1)
    ack = peer.send(events)
    findings.same(f"batch {batch}", (ack.code, ack.verdicts), (ACCEPTED, {batch * 1000 + bad + 1: ("BAD_AMOUNT", "currency")}))
daemon.derived(ack.commit)
findings.same("19,980 are derived", daemon.rows("select sum(transaction_count) n from mart_customer where key like 'D%'")[0]["n"], 19_980)
findings.same("20 are kept", {r["producer_seq"] for r in daemon.rows("select producer_seq from quarantine where producer='one in a thousand'")}, bad_at)

# Endless small batches from many peers.
peers = [Producer(daemon, f"small {n}") for n in range(40)]
rss_before = daemon.rss_kb()
for turn in range(50):
    for p in peers: p.socket.send(p.frame([templates[turn].replace(b"m", b"q")], first=turn + 1))
got = [p.answer() for _ in range(50) for p in peers]
findings.same("2,000 small batches are answered in order", [a.code for a in got if a], [ACCEPTED] * 2000)
findings.true("and hardly grow the daemon", daemon.rss_kb() - rss_before < 20_000, daemon.rss_kb() - rss_before)
for p in peers: p.close()

# Marks: GAP, DUPLICATE, CONFLICT, HELLO, a new incarnation.
peer = Producer(daemon, "marks")
first = [good(), good(), good()]
findings.same("a start beyond 1 is a gap", [peer.send(first, first=2).code, peer.send(first, first=2).expected], [GAP, 1])
findings.same("from 1 it is taken", (lambda a: (a.code, a.through))(peer.send(first)), (ACCEPTED, 3))
findings.same("HELLO gives the mark", (lambda a: (a.code, a.through))(peer.hello()), (HELLO, 3))
findings.same("the same again", (lambda a: (a.code, a.through))(peer.send(first, first=1)), (DUPLICATE, 3))
findings.same("a part of it again", peer.send(first[1:2], first=2).code, DUPLICATE)
findings.same("other bytes under a known seq", peer.send([first[0], good()], first=1).code, CONFLICT)
daemon.process.send_signal(signal.SIGSTOP)
for _ in range(5000): peer.socket.send(peer.frame([good()], first=9))
daemon.process.send_signal(signal.SIGCONT)
heard = sum(1 for _ in iter(lambda: peer.answer(timeout_s=3), None))
findings.same("each of 5,000 refusals at once is heard", heard, 5000)
findings.same("a gap names what is expected", (lambda a: (a.code, a.expected, a.through))(peer.send([good()], first=5)), (GAP, 4, 3))
again = Producer(daemon, "marks")
findings.same("a new incarnation begins at 1", [again.hello().through, again.send(first).code], [0, ACCEPTED])
findings.same("and the old one stands", peer.hello().through, 3)
daemon.derived(peer.hello().commit)
before = daemon.rows("select sum(transaction_count) n from mart_customer")[0]["n"]
daemon.derived(again.send([good()]).commit)
daemon.derived(peer.send([good()]).commit)
after = daemon.rows("select sum(transaction_count) n from mart_customer")[0]["n"]
findings.same("the same facts from both incarnations count once", after - before, 2)
check_bronze(daemon, findings, "log")
daemon.ctl("verify")
rss_end = daemon.rss_kb()
findings.true("memory stays small", rss_end < 300_000, rss_end)
findings.same("stops", daemon.stop(), 0)
daemon.start()
findings.same("the mark outlives a restart", peer.hello().through, 4)
daemon.stop()

# Producers are pushed back when the engine is too far behind, and only then.
slow = Daemon(root / "slow", "--http", "0", config="[limits]\nlag_records_max = 1000\n").start()
peers = [Producer(slow, f"flood {n}") for n in range(12)]
batch = [data.replace(b"m", b"w") for data in templates]
pushed, taken, round_ = 0, 0, 0
while pushed == 0 and round_ < 10:
    slow.process.send_signal(signal.SIGSTOP)                # so that all of it waits at the door at once
    for p in peers: p.socket.send(p.frame(batch))
    time.sleep(0.2)
    slow.process.send_signal(signal.SIGCONT)
    for p in peers:
        ack = p.answer()
        if ack.code == RETRY_AFTER:
            pushed += 1
            findings.true("RETRY_AFTER says when and why", ack.retry_ms > 0 and "lag_records_max" in ack.text, ack)
        elif ack.code == ACCEPTED: p.mark, taken = ack.through, taken + 1000
        else: findings.same("answer to a flood", ack.code, "ACCEPTED or RETRY_AFTER")
    round_ += 1
findings.true("a flood is pushed back", pushed > 0, taken)
end = time.monotonic() + 60
while time.monotonic() < end:
    ack = peers[0].send(batch)
    if ack.code == ACCEPTED: break
    time.sleep(ack.retry_ms / 1000)
findings.same("and taken once the engine has caught up", ack.code, ACCEPTED)
check_bronze(slow, findings, "flood")
slow.stop()
findings.end("protocol", f"{frames} malformed frames, {sum(answered.values())} flips {answered}, {pushed} pushed back")
