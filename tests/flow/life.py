"""A daemon's life beside systemd and a clock that went wrong: readiness, watchdog, drain; a step waits for a person;
an answer to what was refused; a backfill of a folder ends once; another zone derives everything again.
"""
import datetime, pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *

findings, root = Findings(), scratch()
now_us = lambda: int(time.time() * 1e6)


# What it tells systemd.
bus = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
bus.bind(str(root / "notify"))


def told(seconds):
    """Words that came within so many seconds."""
    words, end = [], time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        bus.settimeout(left)
        try: words += bus.recv(4096).decode().split("\n")
        except TimeoutError: break
    return words


daemon = Daemon(root / "life", "--http", 0).start(NOTIFY_SOCKET=str(root / "notify"))
words = told(3.5)
findings.same("ready is said once", words.count("READY=1"), 1)
findings.true("the watchdog is answered", 2 <= words.count("WATCHDOG=1") <= 4, words)
daemon.process.send_signal(signal.SIGSTOP)
told(.5)
findings.same("a daemon that hangs does not answer it", told(2.5), [])
daemon.process.send_signal(signal.SIGCONT)
findings.true("it goes on", "WATCHDOG=1" in told(2))
peer = Producer(daemon, "app")
peer.send([transaction(f"t{n}", f"C{n % 50}", now_us() - 3_600_000_000) for n in range(2000)])
findings.same("it stops in good order", daemon.stop(), 0)
check_bronze(daemon, findings, "after a stop", is_stopped=True)
findings.true("and says so first", "STOPPING=1" in told(.2))
findings.same("with everything derived", daemon.rows("select seq from cursor")[0]["seq"], len(daemon.records()))

# Forty days pass while it is switched off: not followed until somebody accepts it.
days = 40
for file in (daemon.data / "bronze").glob("*.db"):
    with sqlite3.connect(file) as db: db.execute("update record set now_us=now_us-?, received_us=received_us-?", (days * DAY_US, days * DAY_US))
    db.close()
for name in ("teller.db", "teller.db-wal", "teller.db-shm"): (daemon.data / name).unlink(missing_ok=True)
daemon.start()
status = daemon.query("Status")["status"]
findings.same("a gap of forty days turns the light red", (status["light"], status["clock"].split(":")[0]), ("red", "stepped"))
ack = peer.send([event("login", "l1", "C1", now_us() - days * DAY_US, success=True)])
findings.same("events are taken", (ack.code, ack.verdicts), (ACCEPTED, {}))
apart = lambda: (now_us() - daemon.records()[-1]["now_us"]) / DAY_US
findings.true("at the old time, at the steady pace", abs(apart() - days) < .01, apart())
findings.same("what is dated now lies in the future of that", list(peer.send([event("login", "l2", "C1", now_us(), success=True)]).verdicts.values()), [("FROM_FUTURE", "occurred_us")])
daemon.ctl("clock", "accept")
findings.same("after clock accept it is taken", peer.send([event("login", "l3", "C1", now_us(), success=True)]).verdicts, {})
findings.true("at the time of the wall clock", abs(apart()) < .01, apart())
daemon.derived(peer.hello().commit)  # until then the light says that the past is being read
findings.same("and the light is green", daemon.query("Status")["status"]["light"], "green")

# What was refused is answered: with the same bytes in vain, with others not.
seq = daemon.rows("select seq from quarantine where reason='FROM_FUTURE'")[0]["seq"]
findings.same("a retry when the time has come", daemon.ctl("quarantine", "retry", seq).stdout.startswith(f"seq {seq} is repaired by record "), True)
ear = Producer.context.socket(zmq.SUB)
ear.connect(daemon.endpoint("feed"))
ear.setsockopt(zmq.SUBSCRIBE, b"status")
time.sleep(.5)
bad = peer.send([transaction("b1", "C1", now_us() - 1_000_000, amount_minor=10**15 + 1)])
daemon.derived(bad.commit)
heard = json.loads(ear.recv_multipart()[1]) if ear.poll(5000) else None
findings.same("the feed's status topic tells of it", heard, {"topic": "status", "what": "verdict", "record": bad.commit, "kind": "transaction", "reason": "BAD_AMOUNT", "field": "amount_minor"})
ear.close()
again = daemon.ctl("quarantine", "retry", bad.commit, check=False)
findings.same("a retry in vain fails and says why", (again.returncode, "BAD_AMOUNT (amount_minor)" in again.stderr), (1, True))
good = json.dumps({"kind": "transaction", "id": "b1", "customer": "C1", "occurred_us": now_us() - 1_000_000, "amount": "10.00", "currency": "RUB"})
findings.same("a repair", daemon.ctl("quarantine", "repair", bad.commit, "--event", good).returncode, 0)
findings.same("its state is kept", daemon.rows("select state from quarantine where seq=?", bad.commit), [{"state": "repaired"}])
findings.same("and the event counts", daemon.rows("select amount_minor from silver_transaction where id='b1' and state=0"), [{"amount_minor": 1000}])

# A folder of history: nothing is decided before the last file ends, and each customer once.
folder = root / "history"
folder.mkdir()
day = lambda ago: (datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
line = lambda id, ago: json.dumps({"kind": "transaction", "id": id, "customer": "H1", "occurred_at": day(ago), "amount": "5000.00", "currency": "RUB"}) + "\n"
(folder / "a.ndjson").write_text(json.dumps({"kind": "profile", "id": "p", "customer": "H1", "occurred_at": day(300)}) + "\n" + line("h1", 250) + line("h2", 240))
(folder / "b.ndjson").write_text(line("h3", 120) + line("h4", 20))
(folder / "c.ndjson").write_text(line("h5", 3) + line("h6", 200))
daemon.ctl("load", "--backfill", folder)
findings.same("a backfilled customer has one stay", daemon.rows("select count(*) n, max(to_us) t from mart_segment_history where customer_key='H1'"), [{"n": 1, "t": None}])
findings.same("and never seemed to have left", daemon.rows("select c.state from churn_history c join identity i on i.id=c.customer where i.key='H1'"), [{"state": 1}])
findings.same("it was decided once, when its backfill ended", len(daemon.rows("select 1 from mart_decision where customer_key='H1'")), 1)
done = daemon.ctl("load", "--backfill", folder)
findings.true("a second load knows it all", "3 rows, 0 refused, 3 loaded before" in done.stdout, done.stdout)

# Words for people.
findings.true("status is a page", "quarantine  " in daemon.ctl("status").stdout and "customer.key" not in daemon.ctl("customer", "H1").stdout)
findings.true("a customer is a card", daemon.ctl("customer", "main:H1").stdout.startswith("H1\n") and "transactions   " in daemon.ctl("customer", "H1").stdout)
nobody = daemon.ctl("customer", "nobody", check=False)
findings.same("nobody is a sentence", (nobody.returncode, nobody.stderr.strip()), (1, "tellerctl: no customer has the key nobody"))

# Pipes and places that are not there.
head = subprocess.run(f"'{BIN}/tellerctl' --data '{daemon.data}' tail --from 1 | head -n 1 | wc -l", shell=True, capture_output=True, text=True, timeout=60)
findings.same("a reader that has had enough is no failure", (head.stdout.strip(), head.stderr), ("1", ""))
for words in (["verify"], ["quarantine", "list"], ["policy", "history"], ["export", "churn"], ["tail"], ["status"]):
    gone = subprocess.run([BIN / "tellerctl", "--data", root / "nowhere", *words], capture_output=True, text=True, timeout=60)
    findings.same(f"{words[0]} without a daemon is one sentence", (gone.returncode, len(gone.stderr.strip().splitlines())), (1, 1))

# Another zone: weeks and days are counted again, as if it had always been so.
daemon.stop()
before = len(daemon.records())
moved = Daemon(daemon.data, "--http", 0, config='[branch]\ntimezone = "Asia/Kamchatka"\n').start()
moved.derived(before + 1)  # the zone is recorded as it starts, which may take a moment longer than its being ready
findings.same("one record for the zone", len(moved.records()) - before, 1)
findings.same("it is in force", moved.rows("select zone from cursor")[0]["zone"], "Asia/Kamchatka")
verified = moved.ctl("verify").stdout
findings.true("and all of it is what the log gives", " 0 differ" in verified, verified)
moved.stop()

findings.end("life", "a daemon lived")
