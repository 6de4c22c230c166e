"""The contact policy at the desks: who may be called, when, how often; why a queue is empty; skills, a day's leases, a full queue; outcomes from a file. time limit: 200"""
import datetime, pathlib, shutil, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *
from desk import Desk

findings, root = Findings(), scratch()
US = int(datetime.datetime(2026, 5, 27, 12, tzinfo=datetime.timezone.utc).timestamp()) * 1_000_000     # noon of a Wednesday
HOUR = 3_600_000_000
pack = root / "pack"
shutil.copytree(ROOT / "systemd/policy/default", pack)
(pack / "actions.toml").unlink()                    # nothing is chosen: every newcomer is held three offers


def change(file, was, now):
    text = (pack / file).read_text()
    assert was in text, (file, was)
    (pack / file).write_text(text.replace(was, now, 1))


change("offers.toml", 'action = "welcome_bonus"', 'skills = ["english"]\naction = "welcome_bonus"')     # one of the three that a newcomer gets
daemon = Daemon(root / "data", "--policy", str(pack), "--clock", "event", "--http", "0").start()
producer, at = Producer(daemon), US


def tell(*events):
    global at
    at += 1000
    ack = producer.send(list(events))
    daemon.derived(ack.commit)


def profile(n, **more): return event("profile", f"P{n}-{at}", f"C{n}", at, name=f"Anna {n}", **more)
def consent(n, granted=True): return event("consent", "", f"C{n}", at, purpose="marketing", channel="all", granted=granted, evidence="form-7")
def customers(offers): return sorted(o["customer"]["key"] for o in offers)


def pass_time(us):
    global at
    at += us
    tell(event("login", f"L{at}", "nobody", at, success=True))


for n in range(6): tell(profile(n))
for n in (0, 1, 2, 3, 5): tell(consent(n))
tell(event("restriction", "", "C5", at, type="do_not_call", active=True))

a, b = Desk(daemon, "a"), Desk(daemon, "b")
a.hello(), b.hello()
first = a.pull(100)
findings.same("one offer of each who has consented and may be called", customers(first), ["C0", "C1", "C2", "C3"])
findings.same("none that needs a skill", [o for o in first if o["action"]["action"] == "welcome_bonus"], [])
empty = a.ask("PULL", queue="marketing")
why = empty["empty"]
findings.same("and says why", {k: v for k, v in why.items() if k != "skill"}, {"cap": 4, "do_not_call": 2, "consent": 2, "leased": 4})
findings.same("six more need a skill", why.get("skill"), 6)
opens = datetime.datetime.fromisoformat(empty["next_open_at"].replace("Z", "+00:00"))
findings.true("the next opening is fourteen days on", abs((opens - datetime.datetime(2026, 6, 10, 12, tzinfo=datetime.timezone.utc)).total_seconds()) <= 61, empty["next_open_at"])
skilled = Desk(daemon, "skilled")
skilled.ask("HELLO", client="skilled", session="1", skills=["english"])
findings.same("a desk with the skill is not let past the policy", skilled.pull(10), [])

by = {o["customer"]["key"]: o for o in first}
findings.same("given back", a.lease("RELEASE", by["C0"])["ok"], True)
findings.same("the contact is free again, and another takes the skilled offer", [o["action"]["action"] for o in skilled.pull(10)], ["welcome_bonus"])
findings.same("told", a.lease("DISPOSE", by["C1"], code="DO_NOT_CALL")["ok"], True)
findings.same("and counted at once", a.ask("PULL", queue="marketing")["empty"]["do_not_call"], 4)
tell(consent(2, granted=False))
a.expect_push("WITHDRAW", by["C2"]["offer_id"])
findings.true("a consent taken back is taken from the desk", True)
a.lease("ACK", by["C2"])

pass_time(9 * HOUR)
tell(profile(6)), tell(consent(6))
tell(profile(7, timezone="America/New_York")), tell(consent(7))
findings.same("at nine in the evening only where it is day", customers(b.pull(100)), ["C7"])
night = b.ask("PULL", queue="marketing")
findings.true("the others wait for the morning", night["empty"]["window"] >= 2, night["empty"])
findings.same("which comes at nine", night["next_open_at"][:16], "2026-05-28T09:00")
daemon.kill()
daemon.start()
for desk in (a, b): desk.hello()
findings.same("the same after a kill", b.ask("PULL", queue="marketing")["next_open_at"][:16], "2026-05-28T09:00")
pass_time(12 * HOUR)
findings.same("in the morning it comes", customers(b.pull(100)), ["C6"])

# Outcomes from a file: a contact like any other.
tell(profile(8)), tell(consent(8))
offer = next(r["offer_id"] for r in daemon.rows("select offer_id from mart_offer where customer_key like '%C8' and action <> 'welcome_bonus' and state = 'READY'"))
told = root / "outcomes.ndjson"
told.write_text(json.dumps({"kind": "outcome", "id": "O1", "customer": "main:C8", "occurred_us": at, "offer_id": offer, "code": "NOT_INTERESTED"}) + "\n")
findings.same("loaded", daemon.ctl("load", told, "--kind", "outcome").returncode, 0)
findings.same("the offer is done", daemon.rows("select state from mart_offer where offer_id = ?", offer), [{"state": "DONE"}])
findings.same("with a label", daemon.rows("select code, label from mart_offer_outcome where offer_id = ?", offer), [{"code": "NOT_INTERESTED", "label": 0}])
findings.same("and a contact: nobody calls again", customers(skilled.pull(100)) if skilled.hello() else None, [])
told.write_text(json.dumps({"kind": "outcome", "id": "O1", "customer": "main:C8", "occurred_us": at, "offer_id": offer, "code": "ACCEPTED", "version": 2}) + "\n")
findings.same("corrected from a file", daemon.ctl("load", told, "--kind", "outcome").returncode, 0)
findings.same("the label follows", daemon.rows("select code, label, is_corrected from mart_offer_outcome where offer_id = ?", offer), [{"code": "ACCEPTED", "label": 1, "is_corrected": 1}])

# REPLAY: what the queue has said, from a number or a time.
everything = a.ask("REPLAY", queue="marketing", **{"from": 1}, limit=1000)["messages"]
findings.same("gapless from the first", [m["seq"] for m in everything], list(range(1, len(everything) + 1)))
later = a.ask("REPLAY", queue="marketing", at_us=everything[20]["at_us"], limit=5)["messages"]
findings.same("from a time on", later[0]["seq"], next(m["seq"] for m in everything if m["at_us"] >= everything[20]["at_us"]))
findings.same("no more than asked", len(later), 5)
findings.same("an unknown queue is no topic", a.ask("REPLAY", queue="nowhere").get("code"), "NOT_FOUND")
findings.same("verify", daemon.ctl("verify").returncode, 0)
daemon.stop()

# A day's leases, and a queue that is full.
change("contact.toml", "refused; 0 is no limit\nmarketing = 0", "refused; 0 is no limit\nmarketing = 7")
change("contact.toml", "a day; 0 is no limit\nmarketing = 0", "a day; 0 is no limit\nmarketing = 2")
daemon = Daemon(root / "full", "--policy", str(pack), "--clock", "event", "--http", "0").start()
producer, at = Producer(daemon), US
for n in range(5): tell(profile(n)), tell(consent(n))
findings.same("seven wait, the rest found the queue full, each time it was decided", daemon.rows("select state, count(*) n from mart_offer group by state order by state"), [{"state": "QUEUE_FULL", "n": 16}, {"state": "READY", "n": 7}])
a = Desk(daemon, "a")
a.ask("HELLO", client="a", session="1", skills=["english"])
findings.same("two a day", len(a.pull(100)), 2)
spent = a.ask("PULL", queue="marketing")
findings.true("then the day is used up", spent["empty"].get("capacity", 0) > 0, spent["empty"])
findings.same("until the next begins", spent["next_open_at"][:16], "2026-05-28T00:00")
pass_time(24 * HOUR)
findings.same("tomorrow there is more", len(a.pull(100)), 1)
findings.same("verify", daemon.ctl("verify").returncode, 0)
daemon.stop()
findings.end("contact", f"{len(everything)} lines of the queue's feed")
