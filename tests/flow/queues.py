"""Queues over the wire: every verb, who may do what, what a session's end and a kill leave, what is pushed."""
import pathlib, re, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *
from desk import Desk

findings, root = Findings(), scratch()
US = 1_780_000_000_000_000
daemon = Daemon(root / "data", "--policy", "original", "--clock", "event", "--http", "0").start()
producer = Producer(daemon)
CLIENTS = 12
events = [event("profile", f"P{n}", f"C{n}", US + n, name=f"Anna {n}", phone=f"7900{n:07d}", registeredOn="2020-01-01") for n in range(CLIENTS)]
ack = producer.send(events)
daemon.derived(ack.commit)
offers = {o["offer_id"]: o for o in daemon.rows("select * from mart_offer")}
findings.same("three offers a client", len(offers), 3 * CLIENTS)

a, b = Desk(daemon, "a"), Desk(daemon, "b")
findings.same("before HELLO nothing is answered", a.once("PULL", queue="marketing")["code"], "UNKNOWN_SESSION")
a.hello(), b.hello()
findings.same("no frame without a verb", a.once("")["code"], "UNKNOWN_VERB")
findings.same("no credit of none", a.once("PULL", queue="marketing", credit=0)["code"], "BAD_REQUEST")
findings.same("an unknown queue is empty", a.ask("PULL", queue="nowhere")["empty"], {"none": 1})

first = a.pull(5)
findings.same("five are granted", len(first), 5)
want = sorted(offers.values(), key=lambda o: (o["offer_priority"], o["created_us"]))
findings.same("by priority", sorted(offers[o["offer_id"]]["offer_priority"] for o in first), [o["offer_priority"] for o in want[:5]])
card = first[0]
findings.true("the card names the customer", card["customer"]["key"].startswith("C") and re.fullmatch("•••[0-9]{4}", card["customer"]["phone"]), card["customer"])
findings.same("and the action", (card["queue"], card["action"]["type"]), ("marketing", offers[card["offer_id"]]["offer_type"]))

x, y, z, v, w = first
findings.same("released", a.lease("RELEASE", x)["ok"], True)
findings.same("a released offer is first again", b.pull(1)[0]["offer_id"], x["offer_id"])
findings.same("the old lease is stale", a.lease("DISPOSE", x, code="PRICE")["code"], "STALE_LEASE")
findings.same("an unknown code is refused", a.lease("DISPOSE", y, code="MAYBE")["code"], "BAD_REQUEST")
findings.same("disposed", a.lease("DISPOSE", y, code="PRICE")["ok"], True)
findings.same("and again", a.lease("DISPOSE", y, code="PRICE")["ok"], True)
findings.same("not otherwise", a.lease("DISPOSE", y, code="ACCEPTED")["code"], "ALREADY_DONE")
findings.same("corrected", a.lease("CORRECT", y, code="ACCEPTED")["ok"], True)
findings.same("buried", a.lease("BURY", z, reason="no such street")["ok"], True)
findings.same("a dead offer is dead", [o["reason"] for o in b.ask("BROWSE", queue="marketing", state="DEAD")["offers"]], ["no such street"])
findings.same("kicked", b.lease("KICK", z)["ok"], True)
findings.same("not twice", b.lease("KICK", z)["code"], "NOT_DEAD")
findings.same("failed", a.lease("FAIL", v, reason="line broke")["ok"], True)
findings.same("extended", a.lease("EXTEND", w, ms=60_000)["ok"], True)
callback_us = int(time.time() * 1e6) + 2_500_000
findings.same("snoozed", a.lease("SNOOZE", w, at_us=callback_us, **{"for": "me"})["ok"], True)
scheduled = {o["offer_id"]: (o.get("not_before_us"), o["owner"]) for o in b.ask("BROWSE", queue="marketing", state="SCHEDULED")["offers"]}
findings.same("one looks until when, and whose it is", scheduled, {w["offer_id"]: (callback_us, a.name), v["offer_id"]: (None, None)})
rest = b.pull(100)
findings.same("the rest", len(rest), 3 * CLIENTS - 4)      # one done, one failed, one snoozed, one with b already
empty = a.ask("PULL", queue="marketing")
findings.same("then it is empty, and says why", empty["empty"], {"leased": 3 * CLIENTS - 3, "not_before": 2})
findings.same("with a code", empty["code"], "EMPTY")

back = a.ask("PULL", queue="marketing", wait_ms=8000)["offers"]
findings.same("a callback for me comes to me", [o["offer_id"] for o in back], [w["offer_id"]])

again = b.hello()
findings.same("HELLO of the same session says what is held", len(again["held"]), 3 * CLIENTS - 3)
daemon.kill()
daemon.start()
findings.same("after a kill nobody is known", b.once("RELEASE", offer_id=rest[0]["offer_id"], epoch=rest[0]["epoch"])["code"], "UNKNOWN_SESSION")
findings.same("but the leases stand", len(b.hello()["held"]), 3 * CLIENTS - 3)
b.count = b.last_pull - 1
findings.same("and the same pull has the same grant", sorted((o["offer_id"], o["epoch"]) for o in b.pull(100)), sorted((o["offer_id"], o["epoch"]) for o in rest))
b.count += 100

# The customer's state turns under a lease: the holder is told until it says that it knows.
held = next(o for o in rest if offers[o["offer_id"]]["offer_id"])
customer = held["customer"]["key"]
money = [transaction(f"T{n}", customer, US + 1000 + n, amount_minor=9_000_000_00) for n in range(3)]
producer.send(money)
b.expect_push("WITHDRAW", held["offer_id"])
push = next(p for p in b.pushed if p["offer_id"] == held["offer_id"])
findings.same("withdrawn, and why", (push["push"], push["epoch"], push["reason"]), ("WITHDRAW", held["epoch"], "SUPERSEDED"))
findings.same("a withdrawn lease is stale", b.lease("DISPOSE", held, code="ACCEPTED")["code"], "STALE_LEASE")
told = len([p for p in b.pushed if p["offer_id"] == held["offer_id"]])
b.expect_push("WITHDRAW", held["offer_id"], more_than=told)
findings.same("acknowledged", b.lease("ACK", held)["ok"], True)

# A new session: the old one's leases go back at once, and it is fenced for good.
young = Desk(daemon, "b", "2")
young.hello()
findings.same("fenced", b.ask("PULL", queue="marketing")["code"], "FENCED")
findings.same("fenced for good", b.once("HELLO", client="b", session="1")["code"], "FENCED")
findings.true("its leases are free", len(young.pull(3)) == 3)

# A long pull is answered when there is something, an empty one when its time is over.
everything = young.pull(100)
a.hello()
began = time.monotonic()
findings.same("a pull waits its time", a.ask("PULL", queue="marketing", wait_ms=700)["offers"], [])
findings.true("no shorter", .6 < time.monotonic() - began < 3, time.monotonic() - began)
a.send("PULL", queue="marketing", wait_ms=20_000)
time.sleep(.3)
young.lease("RELEASE", everything[0])
findings.same("and ends when one comes back", [o["offer_id"] for o in a.receive()["offers"]], [everything[0]["offer_id"]])

a.send("PULL", queue="marketing", wait_ms=50_000)
time.sleep(.3)
began = time.monotonic()
daemon.process.send_signal(signal.SIGTERM)
answer = a.receive()
findings.true("a stop answers who waits", answer["offers"] == [] and answer["empty"].get("draining") == 1, answer)
findings.same("and ends well", daemon.process.wait(30), 0)
findings.true("at once", time.monotonic() - began < 6)
findings.same("outcomes are facts", [r["code"] for r in daemon.rows("select code from silver_outcome where state=0 and offer_id=?", y["offer_id"])], ["ACCEPTED"])
findings.true("and late ones too", daemon.rows("select count(*) n from silver_outcome where offer_id=?", held["offer_id"])[0]["n"] == 1)
findings.same("verify", daemon.ctl("verify").returncode, 0)
findings.end("queues", f"{daemon.records('select count(*) n from record where kind % 256 between 110 and 119')[0]['n']} records of queues")
