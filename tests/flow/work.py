"""A person's desk in a terminal: what is shown of an offer, what each key tells, what is left when the desk goes."""
import pathlib, re, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *

findings, root = Findings(), scratch()
US = 1_780_000_000_000_000
daemon = Daemon(root / "data", "--policy", "original", "--clock", "event", "--http", "0").start()
producer = Producer(daemon)
ack = producer.send([event("profile", f"P{n}", f"C{n}", US + n, name=f"Anna {n}", phone=f"+7900{n:07d}", registeredOn="2020-01-01") for n in range(4)])
daemon.derived(ack.commit)


def work(keys, *more):
    done = subprocess.run([BIN / "tellerctl", "--data", daemon.data, "work", "marketing", "--as", "anna", *more], input=keys, text=True, capture_output=True, timeout=60)
    findings.same(f"keys {keys!r} end well", (done.returncode, done.stderr), (0, ""))
    return done.stdout


said = work("e1nq")
first = said.split("→")[0]
findings.true("the card names the customer and the end of the telephone, not the whole", "Anna 0" in first and "•••0000" in first and "79000000000" not in said, first)
findings.true("it says what to offer and why, and has the keys", "why: " in first and "1 accepted" in first and "s call back in an hour" in first, first)
findings.same("each key is answered", re.findall("→ (.*)", said), ["a minute more", "accepted", "no answer", "given back"])
findings.true("and counted", said.endswith("2 outcomes told. Goodbye.\n"), said[-80:])
time.sleep(1.5)                              # a flush at ordinary load
outcomes = [(r["code"], r["desk"]) for r in daemon.rows("select code, desk from mart_offer_outcome order by occurred_us, code")]
findings.same("the marts have both", outcomes, [("ACCEPTED", "anna"), ("NO_ANSWER", "anna")])
findings.same("nothing is held any more", daemon.rows("select count(*) as n from mart_offer where state = 'LEASED'")[0]["n"], 0)
said = work("sSfB3", "--limit", "1")
findings.same("a callback for me, one for anyone, a fault, a burial, and the limit ends it", re.findall("→ (.*)", said),
              ["to be called back in an hour", "to be called back in an hour", "given back, as something broke", "buried", "not interested"])
time.sleep(1.5)
states = {r["state"]: r["n"] for r in daemon.rows("select state, count(*) as n from mart_offer group by state")}
findings.same("and so they stand", states, {"DONE": 3, "SCHEDULED": 3, "DEAD": 1, "READY": 5})
findings.same("stops", daemon.stop(), 0)
findings.end("work", "ten keys pressed")
