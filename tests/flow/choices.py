"""Choices of a running daemon: every decision has its probability, questions about them change nothing, outcomes teach,
another pack is lived through before it decides, and the log gives the same decisions again.
"""
import pathlib, random, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *

findings, root = Findings(), scratch()
SEED = int(os.environ.get("SEED", 5))
daemon = Daemon(root / "data", "--clock", "event", "--http", 0).start()
source = root / "source"
daemon.ctl("generate", source, "--clients", "300", "--seed", str(SEED), "--until", "2026-11-20", "--profile", "bank")
daemon.ctl("load", source)

decisions = daemon.rows("select * from mart_decision")
offers = {o["offer_id"]: o for o in daemon.rows("select * from mart_offer")}
findings.true("there are decisions, and silences among them", len(decisions) > 200 and any(not d["offer_id"] for d in decisions), len(decisions))
findings.same("a probability is never missing", [d for d in decisions if not d["choice_probability"] or not 0 < d["choice_probability"] <= 1], [])
findings.same("an offer a decision", sorted(d["offer_id"] for d in decisions if d["offer_id"]), sorted(offers))
findings.same("one offer a customer at most", [r for r in daemon.rows("select customer_key, count(*) n from mart_offer where state='READY' group by 1") if r["n"] > 1], [])
arms = {a: sum(d["arm"] == a for d in decisions) for a in ("rule", "random", "holdout")}
findings.true("every arm is drawn", all(arms.values()), arms)

# Questions, without effect.
def whole(): return {t: daemon.rows(f'select * from "{t}"') for (t,) in sqlite3.connect(f"file:{root}/data/teller.db?mode=ro", uri=True).execute("select name from sqlite_master where type='table'") if t != "cursor"}
before, asked = whole(), random.Random(SEED).sample(sorted(offers), 20)
for offer in asked:
    told = json.loads(daemon.ctl("explain", offer, "--json").stdout)
    findings.same(f"{offer}: as stored", (told["arm"], told["choice_probability"], told["reasons"], told["policy"]), tuple(offers[offer][c] for c in ("arm", "choice_probability", "reasons", "policy")))
    findings.true(f"{offer}: in words", told["reasons_ru"] and told["reasons_en"] and told["funnel"]["library"] >= told["funnel"]["arbitration"] >= told["funnel"]["final"] == 1, told)
lent = {r["display_key"] for r in daemon.rows("select l.display_key from gold_loan g join identity i on i.id = g.customer join identity l on l.id = i.leader")}
customer = sorted(o["customer_key"] for o in offers.values() if o["customer_key"] not in lent)[0]
told = json.loads(daemon.ctl("why-not", customer, "overdue_final_talk", "--json").stdout)
findings.same("why not: nothing is lent", told["candidates"][0]["lost_at"], "eligibility")
findings.true("in Russian", "не положено" in daemon.ctl("why-not", customer, "overdue_final_talk", "--lang", "ru").stdout)
empty = json.loads(daemon.ctl("why-empty", "marketing", "--json").stdout)
findings.true("why empty: by state and by reason", empty["offers"] and empty["without_an_offer"], empty)
findings.same("an offer nobody made: exit 1", daemon.ctl("explain", "00000000000000ff", check=False).returncode, 1)
findings.same("questions leave every table as it was", [t for t, rows in whole().items() if rows != before[t]], [])

# Outcomes.
ready = [o for o in offers.values() if o["state"] == "READY"]
key = {r["display_key"]: f"{r['name']}:{r['key']}" for r in daemon.rows("select i.display_key, i.key, s.name from identity i join system s on s.id = i.system")}
lines = [json.dumps({"kind": "outcome", "id": f"o{n}", "customer": key[o["customer_key"]], "occurred_at": "2026-11-20T10:00:00Z", "offer_id": o["offer_id"], "code": "ACCEPTED" if n % 3 == 0 else "PRICE"}) for n, o in enumerate(ready)]
(root / "outcomes.ndjson").write_text("\n".join(lines) + "\n")
daemon.ctl("load", root / "outcomes.ndjson", "--kind", "outcome")
counts = daemon.rows("select sum(positives) p, sum(negatives) n from mart_acceptance")[0]
findings.same("each outcome is learnt once", (counts["p"], counts["n"]), (sum(n % 3 == 0 for n in range(len(ready))), sum(n % 3 != 0 for n in range(len(ready)))))

# Another pack.
daemon.ctl("policy", "copy", "default", root / "pack")
actions = root / "pack" / "actions.toml"
text = actions.read_text(encoding="utf-8")
actions.write_text(text.replace('name = "cashback_category"', 'mandatory = true\nname = "cashback_category"'), encoding="utf-8")
planned = json.loads(daemon.ctl("policy", "plan", root / "pack", "--days", "28", "--json").stdout)
gained = sum(m["gained"] for m in planned["moves"] if m["action"] == "cashback_category")
findings.true("a plan shows who would have something else", gained > 0 and planned["moved_customers"] >= gained, planned["moves"][:3])
findings.true("and what outcomes tell about it", planned["off_policy"]["outcomes"] > 0, planned["off_policy"])
same = json.loads(daemon.ctl("policy", "plan", "default", "--days", "28", "--json").stdout)
findings.same("the pack that is active: the logged choices are worth what they were", same["off_policy"]["outcomes"], planned["off_policy"]["outcomes"])
findings.true("in words", "customers would have something else" in daemon.ctl("policy", "plan", root / "pack", "--days", "28").stdout)
findings.same("a plan changes nothing", len(daemon.rows("select 1 from policy_history")), 1)

daemon.stop()
verified = daemon.ctl("verify", check=False)
findings.same("the log gives the same decisions again", verified.returncode, 0)
findings.true("row for row", "0 differ" in verified.stdout, verified.stdout[-600:])
findings.end("choices", f"{len(decisions)} decisions, {len(asked)} explained")
