"""Churn on line: train, score, hand over as files and into a real PostgreSQL, roll back, refuse a damaged model; verify."""
import csv, io, os, pathlib, random, shutil, sys, time
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *

findings, root = Findings(), scratch()
WEEK, NOW = 7 * 86_400_000_000, 1_782_000_000_000_000
chance = random.Random(5)
daemon = Daemon(root / "data", "--clock", "event", "--http", "0").start()

short = daemon.ctl("train", check=False)
findings.true("nothing known: a sentence and exit 1", short.returncode == 1 and "no model is trained" in short.stderr, short.stderr)

# 600 customers over 60 weeks, each with a rate; half stop for good at some week.
facts = []
for number in range(600):
    rate, stops = 0.1 + 0.6 * chance.random(), chance.choice([60, chance.randrange(10, 60)])
    for week in range(60):
        if week < stops and (week == 0 or chance.random() < rate):
            facts.append((NOW - (60 - week) * WEEK + chance.randrange(WEEK // 2), f"C{number:04}"))
facts.sort()
peer, sent, ack = Producer(daemon, "cards"), 0, None
for start in range(0, len(facts), 1000):
    ack = peer.send([event("transaction", f"t{start + at}", key, us, amount_minor=150_000, currency="RUB", direction="debit") for at, (us, key) in enumerate(facts[start:start + 1000])])
    findings.same("facts are taken", (ack.code, ack.verdicts), (ACCEPTED, {}))
daemon.derived(ack.commit)
findings.same("no model: no probability", daemon.rows("select count(*) n from mart_churn where probability is not null")[0]["n"], 0)

said = daemon.ctl("train").stdout
findings.true("it says what it made", "trained in" in said and "ROC-AUC" in said and "; activated: " in said, said)
findings.same("what it read of is gone", [file.name for file in daemon.data.iterdir() if file.name.startswith("training")], [])
model = daemon.rows("select model from mart_model where is_active")[0]["model"]
rows = daemon.rows("select * from mart_model where is_active")
findings.true("the card judges by week, beside the recency rule", len(rows) == 2 and all(r["roc_auc"] > r["recency_roc_auc"] and r["log_loss"] < r["majority_log_loss"] for r in rows), rows)
findings.same("trained by time", {r["validated_by"] for r in rows}, {"time"})
scored = daemon.rows("select * from mart_churn where probability is not null")
findings.true("the living are scored, with the model's name", len(scored) > 100 and {r["model"] for r in scored} == {model}, len(scored))
again = daemon.ctl("train").stdout
findings.true("the same data and seed give the same model", model in again, again)
findings.same("and it is recorded again, not mixed up", len({r["model"] for r in daemon.rows("select model from mart_model")}), 1)

# A fact changes a score in its own turn, and the reasons say why before.
risky = daemon.rows("select * from mart_churn where state='at_risk' and reasons<>'' order by probability desc")
findings.true("somebody is at risk, with reasons", len(risky) > 0 and all(r["reasons"].startswith("CH-") and len(r["reasons"].split()) <= 4 for r in risky), risky[:2])
key, before = risky[0]["customer_key"], risky[0]["probability"]
told = daemon.ctl("customer", key).stdout
findings.true("the customer's page in words, two languages", "Leaves within 12 weeks" in told and "weeks, usually" in told and "нед., обычно" in told, told)
ack = peer.send([event("transaction", "fresh", key, NOW, amount_minor=150_000, currency="RUB", direction="debit")])
daemon.derived(ack.commit)
after = daemon.rows(f"select * from mart_churn where customer_key='{key}'")[0]
findings.true("who pays again is less at risk, at once", after["probability"] < before and after["state"] != "at_risk" and after["reasons"] == "", after)

# Hand-over.
table = list(csv.DictReader(io.StringIO(daemon.ctl("export", "churn", "--top", "7", "--lang", "ru").stdout)))
findings.same("top-K: columns", list(table[0]), ["customer", "probability", "state", "as_of", "horizon_weeks", "reasons", "model"])
held = daemon.rows("select probability from mart_churn order by probability desc limit 7")
findings.same("top-K: the most likely first", [float(r["probability"]) for r in table], [r["probability"] for r in held])
findings.true("reasons in Russian", any("Нет операций" in r["reasons"] for r in table), table[0])
over = list(csv.DictReader(io.StringIO(daemon.ctl("export", "churn", "--min-probability", "0.5").stdout)))
findings.same("threshold", len(over), daemon.rows("select count(*) n from mart_churn where probability>=0.5")[0]["n"])
findings.same("top is for churn alone: exit 1", daemon.ctl("export", "offers", "--top", "3", check=False).returncode, 1)

# Models as records: out, damaged, back, off.
file = root / "churn.model"
daemon.ctl("model", "show", "--out", file)
whole = file.read_bytes()
refused = 0
for at in random.Random(1).sample(range(len(whole)), 40):
    (root / "bad.model").write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1:])
    refused += daemon.ctl("model", "activate", root / "bad.model", check=False).returncode == 1
findings.same("flipped bytes are refused", refused, 40)
findings.same("and scoring goes on", daemon.rows("select count(*) n from mart_churn where probability is not null")[0]["n"], len(scored))
findings.same("an unknown id: exit 1", daemon.ctl("model", "activate", "ffffffff", check=False).returncode, 1)
daemon.ctl("model", "activate", "none")
findings.same("none: nobody is scored", daemon.rows("select count(*) n from mart_churn where probability is not null")[0]["n"], 0)
findings.same("none: nobody is at risk", daemon.rows("select count(*) n from mart_churn where state='at_risk'")[0]["n"], 0)
daemon.ctl("model", "activate", file)
findings.same("from a file: everybody again", daemon.rows("select count(*) n from mart_churn where probability is not null")[0]["n"], len(scored))
findings.true("the list marks it", "* " + model in daemon.ctl("model", "list").stdout)

# Into PostgreSQL: made, upserted, unchanged by a repeat, untouched by a failure.
binaries = pathlib.Path("/usr/lib/postgresql/15/bin")
place = root / "pg"
place.mkdir()
as_user = []
if os.geteuid() == 0:
    shutil.chown(place, "postgres")
    for folder in (root, *root.parents):
        if folder in (pathlib.Path("/"), pathlib.Path("/tmp")): break
        folder.chmod(folder.stat().st_mode | 0o011)
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
subprocess.run([*as_user, binaries / "initdb", "-D", place / "cluster", "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--no-locale"], check=True, capture_output=True, cwd="/")
server = subprocess.Popen([*as_user, binaries / "postgres", "-D", place / "cluster", "-k", place, "-c", "listen_addresses="], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
try:
    where = f"postgresql://postgres@/postgres?host={place}"
    ask = lambda sql: subprocess.run(["psql", where, "-Atc", sql], check=True, capture_output=True, text=True).stdout.strip()
    for _ in range(200):
        if subprocess.run(["psql", where, "-Atc", "select 1"], capture_output=True).returncode == 0: break
        time.sleep(0.05)
    daemon.ctl("export", "churn", "--to", where)
    want = daemon.rows("select count(*) n, sum(probability) s from mart_churn")[0]
    got = ask("select count(*), round(sum(probability)::numeric, 4) from churn").split("|")
    findings.same("PostgreSQL holds every customer", (int(got[0]), float(got[1])), (want["n"], round(want["s"], 4)))
    ask("update churn set probability = 2 where customer = 'C0001'; insert into churn(customer) values ('gone')")
    daemon.ctl("export", "churn", "--to", where)
    findings.same("a second export upserts, and who is no longer named goes", ask("select count(*), count(*) filter (where probability > 1) from churn"), f"{want['n']}|0")
    daemon.ctl("export", "churn", "--to", where, "--table", "said", "--lang", "ru")
    findings.true("reasons in words there too", "Нет операций" in ask("select string_agg(reasons, ' ') from said"))
    # On schedule: what was changed there is put right again, and a server that is away is waited for.
    keeping = subprocess.Popen([BIN / "tellerctl", "--data", daemon.data, "export", "churn", "--to", where, "--every", "1s"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for wrong in (3, 4):
        ask(f"update churn set probability = {wrong} where customer = 'C0001'")
        for _ in range(200):
            if ask("select count(*) from churn where probability > 1") == "0": break
            time.sleep(0.05)
        findings.same(f"on schedule, time {wrong - 2}", ask("select count(*), count(*) filter (where probability > 1) from churn"), f"{want['n']}|0")
    keeping.terminate()
    said = keeping.communicate(timeout=10)
    findings.true("each time it says what it did", said[0].count(f"{want['n']} rows are in the table churn.") >= 2, said)
    away = subprocess.Popen([BIN / "tellerctl", "--data", daemon.data, "export", "churn", "--to", "postgresql://postgres@/postgres?host=/nowhere", "--every", "1s"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    heard = [away.stderr.readline() for _ in range(2)]
    findings.true("a server that is away: said, and tried again", all("cannot be reached" in line and "again in 1 s" in line for line in heard) and away.poll() is None, heard)
    away.kill()
    away.communicate()
    findings.same("a schedule without a place: exit 2", daemon.ctl("export", "churn", "--every", "1h", check=False).returncode, 2)
    ask("create table other(customer text primary key, probability double precision check (probability < 0))")
    failed = daemon.ctl("export", "churn", "--to", where, "--table", "other", check=False)
    findings.true("a table that does not fit: exit 1, one sentence", failed.returncode == 1 and failed.stderr.count("\n") == 1, failed.stderr)
    findings.same("and nothing was written", ask("select count(*) from other"), "0")
    daemon.ctl("export", "overdue", "--to", where)
    findings.same("a mart without rows makes its table", ask("select count(*) from overdue"), "0")
    nobody = daemon.ctl("export", "churn", "--to", "postgresql://postgres@/postgres?host=/nowhere", check=False)
    findings.true("nobody there: exit 1, one sentence", nobody.returncode == 1 and nobody.stderr.count("\n") == 1, nobody.stderr)
finally:
    server.terminate()
    server.wait()

# A restart keeps the model and the scores; the log alone gives the same again.
sums = daemon.rows("select count(*) n, sum(churn_ppm) s from gold_customer where churn_ppm>=0")
findings.same("stops", daemon.stop(), 0)
daemon.start()
findings.same("a restart changes no score", daemon.rows("select count(*) n, sum(churn_ppm) s from gold_customer where churn_ppm>=0"), sums)
verified = daemon.ctl("verify", check=False)
findings.true("verify: the log gives the same", verified.returncode == 0, verified.stdout + verified.stderr)
findings.same("stops again", daemon.stop(), 0)
findings.end("churn", f"{len(facts)} facts, {len(scored)} scored")
