"""policy plan with figures worked out on paper: what the contact policy stopped then is stopped under the new pack too, and a
pack that the log activates in those days does not take over from the planned one.

The old pack always chooses a deposit, the new one a credit card. Three of eight customers have banned themselves from credit:
for them the card was stopped (SU-07, stored with the decision), so the new pack would have chosen the deposit as well, with
certainty, and their outcomes count; the other five say nothing about it.
"""
import pathlib, re, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *

findings, root = Findings(), scratch()
DAY = 86_400_000_000
start_us = 1_788_000_000_000_000 // DAY * DAY + 9 * 3_600_000_000


def pack(name, wanted):
    daemon.ctl("policy", "copy", "default", root / name)
    action = lambda one, more: f'[[action]]\nname = "{one}"\ntype = "{one}"\nname_ru = "{one}"\npriority = 5\ndays_valid = 7\nissue = "grow"\ngroup = "{one}"\npurpose = "marketing"\nchannels = ["call"]\nbase_minor = 50000\nmandatory = {"true" if one == wanted else "false"}\n{more}\n'
    (root / name / "actions.toml").write_text('salt = "s"\nrounds = 16\nagain_days = 7\n[cost_minor]\ncall = 1000\nmessage = 100\n' + action("deposit", "") + action("card", 'credit = "unsecured"'))
    contact = root / name / "contact.toml"
    contact.write_text(re.sub(r"^(random|holdout)_percent = \d+", r"\1_percent = 0", contact.read_text(encoding="utf-8"), flags=re.M), encoding="utf-8")
    return root / name


daemon = Daemon(root / "data", "--clock", "event")
old, new = pack("old", "deposit"), pack("new", "card")
daemon.config.write_text(f'[policy]\npack = "{old}"\n')
daemon.options += ["--config", str(daemon.config)]
daemon.start()
peer = Producer(daemon, "bank")
banned, free = [f"B{n}" for n in range(3)], [f"F{n}" for n in range(5)]
peer.send([event("profile", None, who, start_us, registered_on="2020-01-02") for who in banned + free])
then = start_us + 40 * DAY
told = [event("restriction", f"r{who}", who, then, type="self_ban", active=True, source="bureau") for who in banned]
told += [event("consent", f"c{who}", who, then + 1000 + n, purpose="marketing", channel="all", granted=True, evidence="form") for n, who in enumerate(banned + free)]
daemon.derived(peer.send(told).commit)
daemon.ctl("policy", "activate", old)                            # in the days that are planned: the same pack again
offers = {o["customer_key"]: o for o in daemon.rows("select * from mart_offer where state = 'READY'")}
findings.same("the old pack has chosen deposits, with certainty", {(o["action"], o["choice_probability"]) for o in offers.values()}, {("deposit", 1.0)})
findings.same("for everybody", sorted(offers), sorted(banned + free))
fell = lambda who: json.loads(daemon.ctl("why-not", who, "card", "--decision", daemon.rows(f"select number from mart_decision where customer_key = '{who}' and offer_id <> ''")[0]["number"], "--json").stdout)["candidates"][0]
findings.same("who is banned from credit has it stored", {(fell(who)["lost_at"], fell(who)["reasons"]) for who in banned}, {("constraints", "SU-07")})
findings.same("for the others it fell behind what is mandatory", {fell(who)["lost_at"] for who in free}, {"final"})
# Two of the three banned accept, and all five of the others.
code = {who: "PRICE" if who == "B2" else "ACCEPTED" for who in banned + free}
daemon.derived(peer.send([event("outcome", f"o{who}", who, then + DAY + n, offer_id=offers[who]["offer_id"], code=code[who]) for n, who in enumerate(banned + free)]).commit)

worth = 50000 - 1000                                             # less the call
findings.same("the worth of each on paper", {r["v_minor"] for r in daemon.rows("select v_minor from mart_decision where action = 'deposit'")}, {worth})
planned = json.loads(daemon.ctl("policy", "plan", new, "--days", "10", "--json").stdout)
estimate = planned["off_policy"]
findings.same("eight outcomes are known", estimate["outcomes"], 8)
near = lambda a, b: abs(a - b) < 1e-6 * max(1, abs(b))
findings.true("as it was: seven of eight accepted", near(estimate["as_it_was"]["value_minor"], 7 * worth / 8), estimate)
findings.true("IPS: the three that the new pack would repeat, of eight", near(estimate["ips"]["value_minor"], 2 * worth / 8), estimate)
findings.true("SNIPS: two of those three accepted", near(estimate["snips"]["value_minor"], 2 * worth / 3), estimate)
moves = {m["action"]: m for m in planned["moves"]}
findings.same("and who is free would have the card", (moves["card"]["gained"], moves["card"]["lost"]), (5, 0))
daemon.stop()
findings.end("plan", "8 customers, 3 of them blocked")
