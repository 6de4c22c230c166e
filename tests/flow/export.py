"""tellerctl export: the aliases and every mart, as CSV and NDJSON, say what the marts hold, whatever the text."""
import csv, io, pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *

findings, root = Findings(), scratch()
source = root / "source"
now_us = 1_782_000_000_000_000
subprocess.run([BIN / "tellerctl", "generate", source, "--profile", "broker", "--clients", "150", "--seed", "4", "--until", "2026-06-30"], check=True, capture_output=True)
loans = root / "loans"
subprocess.run([BIN / "tellerctl", "generate", loans, "--profile", "loans", "--clients", "150", "--seed", "4", "--until", "2026-06-30"], check=True, capture_output=True)
daemon = Daemon(root / "data", "--policy", "original", "--clock", "event", "--http", "0").start()
daemon.ctl("load", source)
daemon.ctl("load", loans)
peer = Producer(daemon, "odd")
ack = peer.send([event("profile", None, key, now_us, name="N", city=city, registered_on="2024-01-02")
                 for key, city in [('quote"d', 'Ro"me, "Italy"'), ("com,ma", "one,two"), ("line", "first\nsecond"), ("return", "a\r\nb"), ("=1+1", "@formula"), ("кириллица", "Нижний Новгород"), ("spaces", "  edge  ")]])
findings.same("odd texts are taken", (ack.code, ack.verdicts), (ACCEPTED, {}))
daemon.derived(ack.commit)

ALIASES = {"churn": "select customer_key as customer,probability,state,as_of,horizon_weeks,reasons,model from mart_churn", "segments": None, "offers": "select * from mart_offer",
           "overdue": "select * from mart_loan_overdue_month", "marketing": "select * from mart_marketing_daily"}
names = [r["name"] for r in daemon.rows("select name from sqlite_master where type='view' and name like 'mart_%'")]
text = lambda value: "" if value is None else repr(value) if isinstance(value, float) else str(value)
rows_total = 0


def same_value(got, want):
    """CSV has only text: a number is compared as one."""
    if isinstance(want, float): return got != "" and abs(float(got) - want) < 1e-9
    return got == text(want)


for name in [*ALIASES, *names]:
    whole = daemon.ctl("export", name, "--format", "ndjson").stdout
    objects = [json.loads(line) for line in whole.splitlines()]
    sql = ALIASES.get(name, f"select * from {name}")
    want = daemon.rows(sql) if sql else [{k: r[k] for k in objects[0]} for r in daemon.rows("select key as customer,* from mart_customer")] if objects else []
    key = lambda r: json.dumps(r, sort_keys=True, default=str)
    findings.same(f"{name}: rows as NDJSON", len(objects), len(want))
    got, held = sorted(map(key, objects)), sorted(map(key, want))
    findings.same(f"{name}: NDJSON", [pair for pair in zip(got, held) if pair[0] != pair[1]][:1], [])
    out = root / f"{name}.csv"
    daemon.ctl("export", name, "--out", out)
    raw = out.read_bytes().decode("utf-8")
    table = list(csv.reader(io.StringIO(raw, newline="")))
    findings.same(f"{name}: rows as CSV", len(table) - 1, len(want))
    if want: findings.same(f"{name}: columns", table[0], list(want[0]))
    rows_total += len(want)
    if len(table) - 1 == len(objects):
        differing = [(got, o) for got, o in zip(table[1:], objects) if not all(same_value(g, o[c]) for g, c in zip(got, table[0]))]
        findings.same(f"{name}: CSV says what NDJSON says", differing[:1], [])
for name in ("segments", "offers", "overdue", "marketing", "mart_loan_payment"):
    findings.true(f"{name} is not empty", len((root / f"{name}.csv").read_text().splitlines()) > 1)
cities = {r["city"] for r in daemon.rows("select city from mart_customer")}
findings.true("odd texts came through", {'Ro"me, "Italy"', "first\nsecond", "a\r\nb", "Нижний Новгород"} <= cities)

findings.same("an unknown mart: exit 1", daemon.ctl("export", "mart_of_darkness", check=False).returncode, 1)
findings.same("no mart by another name: exit 1", daemon.ctl("export", "customer; drop table offer", check=False).returncode, 1)
findings.same("an unknown format: exit 2", daemon.ctl("export", "churn", "--format", "xml", check=False).returncode, 2)
findings.same("no mart: exit 2", daemon.ctl("export", check=False).returncode, 2)
missing = daemon.ctl("export", "offers", "--out", root / "no" / "such" / "folder.csv", check=False)
findings.true("a folder that is not there: exit 1 and a sentence", missing.returncode == 1 and missing.stderr.count("\n") == 1, missing.stderr)
findings.same("stops", daemon.stop(), 0)
findings.same("a stopped daemon's marts can be exported", len(daemon.ctl("export", "offers", "--format", "ndjson").stdout.splitlines()), len(daemon.rows("select 1 from mart_offer")))
findings.end("export", f"{len(ALIASES) + len(names)} marts, {rows_total} rows in two formats")
