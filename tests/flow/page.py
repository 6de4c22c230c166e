"""The page's addresses: health, metrics that promtool accepts, open marts, and no personal data in any of them nor in the log."""
import http.client, pathlib, re, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *

CANARIES = {"name": "Zaphod Beeblebroxski", "phone": "+7 900 5550123", "email": "zaphod@canary.example", "address": "Lane of Canaries 42", "passport": "4509 123987", "birth_date": "1971-03-04"}
KEY, SMS, EVIDENCE = "CANARYKEY77", "canary password is swordfish", "canary evidence text"
findings, root = Findings(), scratch()
port, now_us = free_port(), int(time.time() * 1e6) - 60_000_000
daemon = Daemon(root / "data", "--http", port).start()


def get(path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers={"Host": f"127.0.0.1:{port}", **headers})
    answer = connection.getresponse()
    return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), answer.read()


peer = Producer(daemon, "till")
ack = peer.send([event("profile", None, KEY, now_us, city="Kazan", registered_on="2024-01-02", **CANARIES),
                 *[transaction(f"t{n}", KEY, now_us + n, amount_minor=300_000_00) for n in range(5)], transaction("bad", KEY, now_us, currency="ZZZ"),
                 event("sms", "s1", KEY, now_us, sender="BANK", text=SMS), event("consent", None, KEY, now_us, purpose="marketing", granted=True, evidence=EVIDENCE),
                 event("sms", "s2", KEY, now_us, sender="BANK", text=(SMS + "\xff").encode("latin-1"))])
findings.same("two are refused", len(ack.verdicts), 2)
peer.send([event("sms", "s3", KEY, now_us, sender="BANK", text=SMS)], first=ack.through)      # a conflict
peer.ask(peer.frame([event("profile", None, KEY, now_us, **CANARIES)])[:-9])                  # a torn frame
daemon.derived(ack.commit)
daemon.query("Customer", key=KEY)
daemon.query(CANARIES["name"])

status, _, body = get("/healthz")
findings.same("/healthz", (status, body), (200, b"ok\n"))
findings.same("/readyz", get("/readyz")[::2], (200, b"ok\n"))
end = time.monotonic() + 15
while True:                                                                                   # sums are counted each second or so
    status, headers, metrics = get("/metrics")
    waiting = daemon.rows("select count(*) n from mart_offer where queue = 'marketing' and state = 'READY'")[0]["n"]   # a pack that chooses may hold back: arms are drawn by the month
    if b'tellerd_queue_ready{queue="marketing"} %d' % waiting in metrics or time.monotonic() > end: break
    time.sleep(.2)
findings.true("/metrics", status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4"), headers.get("content-type"))
if shutil.which("promtool"):
    checked = subprocess.run(["promtool", "check", "metrics"], input=metrics, capture_output=True)
    findings.same("promtool check metrics", (checked.returncode, checked.stdout + checked.stderr), (0, b""))
else: print("SKIP promtool is not installed: the metrics were not checked by it")
# The dashboard: each panel asks for a metric that is there, in PromQL that promtool accepts, and none that is there is left out.
families = {line.split()[2] for line in metrics.decode().splitlines() if line.startswith("# TYPE")}
asked = [target["expr"] for panel in json.loads((ROOT / "systemd/grafana.json").read_text())["panels"] for target in panel["targets"]]
named = {re.sub("_(bucket|sum|count)$", "", name) for expr in asked for name in re.findall(r"tellerd_\w+", expr)}
LATER = {"tellerd_churn_score_psi", "tellerd_churn_realised_auc", "tellerd_churn_predicted_ratio", "tellerd_churn_realised_ratio"}   # once a model has been watched
findings.same("the dashboard asks for what there is", named - families - LATER, set())
findings.same("and leaves nothing out", families - named, set())
if shutil.which("promtool"):
    rules = root / "rules.yml"
    rules.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": [{"record": f"panel:{n}", "expr": expr} for n, expr in enumerate(asked)]}]}))
    checked = subprocess.run(["promtool", "check", "rules", rules], capture_output=True, text=True)
    findings.same("its questions are PromQL", checked.returncode, 0)
findings.true("names as they are documented", {f"tellerd_{name}" for name in ("ack_seconds", "commit_seconds", "fsync_seconds", "wal_bytes", "queue_ready", "oldest_ready_seconds", "lease_expired_total", "dead_letter", "disk_free_bytes", "build_info")} <= families, families)
values = {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in metrics.decode().splitlines() if not line.startswith("#")}
findings.same("events", values["tellerd_events_total"] >= 10, True)
findings.same("refused", values["tellerd_events_refused_total"], 2)
findings.same("malformed", values["tellerd_frames_malformed_total"], 1)
findings.same("duplicates", values["tellerd_batches_duplicate_total"], 1)
findings.same("ready", values["tellerd_ready"], 1)
for name, value in {'tellerd_queue_ready{queue="marketing"}': waiting, 'tellerd_segment_customers{segment="Premium Passive"}': 1, 'tellerd_churn_customers{state="active"}': 1,
                    'tellerd_quarantine_open{reason="BAD_AMOUNT"}': 1, 'tellerd_quarantine_open{reason="BAD_TEXT"}': 1, "tellerd_loans": 0, "tellerd_loans_overdue": 0}.items():
    findings.same(name, values.get(name), value)

status, headers, body = get("/api/v1/status")
findings.same("/api/v1/status", (status, headers["content-type"]), (200, "application/json; charset=utf-8"))
findings.same("is JSON and ready", json.loads(body)["ready"], True)
for name in ("content-security-policy", "x-content-type-options", "referrer-policy"): findings.true(f"header {name}", name in headers)
findings.true("no foreign origin is allowed", "access-control-allow-origin" not in headers)

names = [r["name"] for r in daemon.rows("select name from sqlite_master where type='view' and name like 'mart_%'")]
open_marts, closed = [], []
bodies = {"/api/v1/status": body, "/metrics": metrics}
for name in names:
    status, _, body = get(f"/api/v1/marts/{name}")
    bodies[name] = body
    if status == 200:
        open_marts.append(name)
        rows = json.loads(body)["rows"]
        want = daemon.rows(f"select * from {name}")[:1000]
        findings.same(f"{name} over HTTP", sorted(map(lambda r: json.dumps(r, sort_keys=True), rows)), sorted(map(lambda r: json.dumps(r, sort_keys=True), want)))
        bodies[name + ".csv"] = get(f"/api/v1/marts/{name}?format=csv")[2]
        findings.same(f"{name} with limit", len(json.loads(get(f"/api/v1/marts/{name}?limit=1")[2])["rows"]), min(1, len(want)))
    else:
        closed.append(name)
        findings.same(f"{name} needs signing in", status, 401)
about_one = [name for name in names if {"key", "customer_key"} & {column["name"] for column in daemon.rows(f"pragma table_info({name})")}]
findings.true("marts about single customers are there", {"mart_customer", "mart_offer", "mart_churn", "mart_loan_payment"} <= set(about_one), about_one)
findings.same("they are closed, and all others open", sorted(closed), sorted(about_one))

for what, path, method, headers, want in [
        ("an unknown address", "/secret", "GET", {}, 404), ("an unknown mart", "/api/v1/marts/offer", "GET", {}, 401), ("a wrong parameter", "/api/v1/marts/mart_marketing_daily?limit=0", "GET", {}, 400),
        ("an injected name", "/api/v1/marts/mart_customer%20--", "GET", {}, 400), ("DELETE", "/healthz", "DELETE", {}, 405), ("a foreign host", "/healthz", "GET", {"Host": "evil.example"}, 421),
        ("a POST from elsewhere", "/api/v1/status", "POST", {}, 403), ("a climb", "/../../etc/passwd", "GET", {}, 404), ("HEAD", "/healthz", "HEAD", {}, 200)]:
    status, _, body = get(path, method, **headers)
    findings.true(what, status == want or (what == "a climb" and status in (400, 404)), status)
    bodies[what] = body
for path in ("/", "/app.js", "/app.css"):
    status, _, body = get(path)
    findings.same(path, status, 200)
    bodies[path] = body

connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
connection.request("GET", "/api/v1/live")
answer = connection.getresponse()
bodies["/api/v1/live"] = answer.read1(65536)
findings.true("/api/v1/live is a stream of events", answer.getheader("content-type").startswith("text/event-stream"), answer.getheader("content-type"))
connection.close()

daemon.kill()                                                               # also the log of a recovery
daemon.start()
findings.same("ready again", get("/readyz")[0], 200)
end = time.monotonic() + 10                                                   # ready is accepting; what is stored is read meanwhile
while json.loads(get("/api/v1/status")[2])["state"] != "running" and time.monotonic() < end: time.sleep(.02)
# While it stops it says so, and never that it reads what is stored.
daemon.process.send_signal(signal.SIGTERM)
said = []
while daemon.process.poll() is None and len(said) < 2000:
    try: said.append(json.loads(get("/api/v1/status")[2]))
    except (OSError, http.client.HTTPException, ValueError): break
    time.sleep(.005)
findings.same("stops", daemon.stop(), 0)
stopping = [s for s in said if s["state"] == "stopping"]
findings.true("it says that it is stopping", stopping and all(s["light"] != "green" for s in stopping), [s["state"] for s in said][-5:])
findings.same("in every room that waits", {room["text"] for s in stopping for room in s["rooms"] if room["name"] in ("ingest", "silver")}, {"stopping"})
findings.same("and nothing of reading", [s["state"] for s in said if s["state"] not in ("running", "stopping")], [])
bodies["the log"] = daemon.log().encode()
words = [*CANARIES.values(), "Beeblebroxski", KEY, SMS, "swordfish", EVIDENCE]
for where, body in bodies.items():
    found = [w for w in words if w.encode() in body]
    findings.same(f"personal data in {where}", found, [])
stored = b"".join(f.read_bytes() for f in daemon.data.rglob("*") if f.is_file())
findings.true("the canaries were there to be found", all(w.encode() in stored for w in words))
modes = {f.name: oct(f.stat().st_mode & 0o077) for f in [daemon.data]}
findings.same("nobody else may look into the data directory", modes, {"data": "0o0"})
findings.end("page", f"{len(bodies)} bodies without personal data, {len(open_marts)} open marts, {len(closed)} closed")
