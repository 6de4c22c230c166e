"""What a desk is shown beside the offer: what presses first, at most four, in both languages; when we last spoke."""
import datetime, pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *
from desk import Desk

findings, root = Findings(), scratch()
DAY = 86_400_000_000
NOW = 1_780_000_000_000_000
daemon = Daemon(root / "data", "--policy", "original", "--clock", "event", "--http", "0").start()
producer = Producer(daemon)


def day(from_now): return (datetime.datetime.fromtimestamp(NOW / 1e6 + 3 * 3600, datetime.timezone.utc) + datetime.timedelta(days=from_now)).strftime("%Y-%m-%d")


def loan(customer, name, *instalments):
    made = [event("loan", "", customer, NOW, loan_name=name, amount_minor=100_000_00, currency="RUB", start_date=day(-400), end_date=day(400), payment_count=24, planned_minor=5_000_00)]
    return made + [event("instalment_payment", "", customer, NOW, loan_name=name, payment_number=n + 1, payment_date=due, fact_date=paid, paid_minor=minor) for n, (due, paid, minor) in enumerate(instalments)]


facts = [event("profile", "", c, NOW - DAY, name=f"Anna {c}", registered_on="2020-01-01") for c in "ABC"]
facts += [event("login", f"L{n}", "A", NOW - n * DAY, success=True) for n in range(3)]
facts += [event("login", "LB", "B", NOW, success=True)]
facts += loan("B", "car", (day(5), "", 0)) + loan("C", "flat", (day(-100), day(-90), 2_000_00), (day(-40), "", 0), (day(7), "", 0))
facts += [event("transaction", "T1", "C", NOW, amount_minor=1_234_00, currency="RUB", direction="debit"), event("login", "LC", "C", NOW, success=True)]
ack = producer.send(facts)
findings.same("all are taken", (ack.code, ack.verdicts), (ACCEPTED, {}))
daemon.derived(ack.commit)
desk = Desk(daemon, "desk")
desk.hello()
cards = {}
for offer in desk.pull(100): cards.setdefault(offer["customer"]["key"], offer)


def said(card): return [(p["code"], p["args"]) for p in card["talking_points"]]


findings.same("what there is of a customer who only logs in", said(cards["A"]), [("SG-06", ["3"])])
findings.same("an instalment that comes within a week", said(cards["B"]), [("OV-02", ["5", "car"]), ("SG-06", ["1"])])
codes = dict(said(cards["C"]))
findings.same("late, paid in part, and the next one: not more than four, what presses first", [c for c, _ in said(cards["C"])], ["OV-01", "OV-04", "OV-02", "OV-03"])
findings.true("so many days on that loan", codes["OV-01"][1] == "flat" and int(codes["OV-01"][0]) > 60, codes["OV-01"])
findings.same("the last day of the week counts", codes["OV-02"], ["7", "flat"])
late = next(p for p in cards["B"]["talking_points"] if p["code"] == "OV-02")
findings.same("in both languages, each figure in its place", (late["ru"], late["en"]), ("Платёж по договору car через 5 дн.", "Instalment of loan car is due in 5 days"))
findings.same("how he is to be reached", cards["A"]["action"]["channel"], "call")
findings.same("nobody has spoken to him", cards["A"]["snapshot"]["last_contact_us"], None)
findings.same("no model, no reasons of one", cards["A"]["snapshot"]["churn_reasons"], [])
findings.same("he is spoken to", desk.lease("DISPOSE", cards["A"], code="NOT_NOW")["ok"], True)
other = next(o for o in desk.hello()["held"] if o["customer"]["key"] == "A")
findings.same("given back", desk.lease("RELEASE", other)["ok"], True)
again = next(o for o in desk.pull(100) if o["offer_id"] == other["offer_id"])
findings.true("then the card says when", abs((again["snapshot"]["last_contact_us"] or 0) - NOW) < DAY, again["snapshot"])
findings.same("verify", daemon.ctl("verify").returncode, 0)
findings.end("card", f"{len(cards)} customers")
