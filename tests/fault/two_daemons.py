"""Who may run and with what words it refuses: one daemon a directory, exit codes, damage, SIGTERM under load, SIGHUP."""
import pathlib, random, sys, threading
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *

findings, root = Findings(), scratch()
now_us = int(time.time() * 1e6) - 3_600_000_000


def run(*words, timeout=20, **environment):
    done = subprocess.run([BIN / "tellerd", *map(str, words)], capture_output=True, text=True, timeout=timeout, env=dict(os.environ, **environment))
    return done.returncode, (done.stderr + done.stdout).strip()


def refuses(what, code, *words, says=""):
    got, text = run(*words)
    findings.true(f"{what}: exit {code} and a sentence", got == code and says in text and "terminate called" not in text, (got, text[-300:]))


# Twenty at once on one directory.
data = root / "one"
began = time.monotonic()
crowd = [subprocess.Popen([BIN / "tellerd", "--data", data, "--http", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(20)]
atexit.register(lambda: [one.kill() for one in crowd])
ended = {}
while len(ended) < 19 and time.monotonic() - began < 10:
    for one in crowd:
        if one.pid not in ended and one.poll() is not None: ended[one.pid] = (one.returncode, time.monotonic() - began, one.stdout.read())
    time.sleep(.005)
time.sleep(.5)
running = [one for one in crowd if one.poll() is None]
findings.same("one of twenty runs", len(running), 1)
findings.same("the others say that it is locked", sorted({code for code, _, _ in ended.values()}), [75])
findings.true("each with one plain sentence", all("in use" in text for _, _, text in ended.values()))
crowd_s = max((at for _, at, _ in ended.values()), default=99)
daemon = Daemon(data)
daemon.ctl("status", "--wait", 20)
alone = time.monotonic()
refuses("another start", 75, "--data", data, says="in use")
findings.true("and says so within 1 s", time.monotonic() - alone < 1.0)
peer = Producer(daemon)
findings.same("the one that runs takes events", peer.send([transaction("a", "C1", now_us)]).code, ACCEPTED)
for one in running: one.send_signal(signal.SIGTERM)
findings.same("and stops", [one.wait(timeout=10) for one in running], [0])

# Usage and configuration.
refuses("no data directory", 64)
refuses("an unknown option", 64, "--data", data, "--colour", "red", says="--colour")
refuses("an option without value", 64, "--data", says="--data")
refuses("a port that is none", 64, "--data", data, "--http", "seventy")
refuses("a clock that is none", 64, "--data", data, "--clock", "sundial")
refuses("an unknown pack", 78, "--data", root / "x1", "--policy", "nonsense", says="nonsense")
refuses("a missing configuration", 78, "--data", root / "x2", "--config", root / "none.toml", says="none.toml")
for name, text, says in [("not TOML", "[branch", "line 1"), ("an unknown section", "[colour]\na=1\n", "colour"), ("an unknown setting", "[branch]\ncolour=1\n", "colour"),
                         ("a number for a text", "[branch]\nname=1\n", "line 2"), ("a port out of range", "[http]\nport=70000\n", "70000"),
                         ("an unknown zone", "[branch]\ntimezone='Europe/Atlantis'\n", "Atlantis"), ("a foreign address", "[ingest]\nendpoint='tcp://0.0.0.0:5599'\n", "0.0.0.0")]:
    file = root / "bad.toml"
    file.write_text(text)
    refuses(name, 78, "--data", root / "x3", "--config", file, says=says)
subprocess.run([BIN / "tellerctl", "policy", "copy", "default", root / "broken"], check=True, capture_output=True)
offers = (root / "broken" / "offers.toml").read_text()
(root / "broken" / "offers.toml").write_text(offers.replace("transaction_total_minor >", "no_such_column >", 1))
refuses("a pack with a wrong expression", 78, "--data", root / "x4", "--policy", root / "broken", says="no_such_column")
(root / "broken" / "offers.toml").unlink()
refuses("a pack with a file missing", 78, "--data", root / "x5", "--policy", root / "broken", says="offers.toml")
version, text = run("--version")
findings.true("--version", version == 0 and text.startswith("tellerd "), text)

# Damage: a flipped byte in a record that is still to be derived, and a header that is none.
hurt = Daemon(root / "hurt", "--http", "0").start()
peer = Producer(hurt, "hurt")
peer.send([event("sms", f"s{n}", "C1", now_us, sender="BANK", text=f"a text that is found again {n:04d} " + "x" * 500) for n in range(200)])
findings.same("stops", hurt.stop(), 0)
(file,) = (hurt.data / "bronze").glob("*.db")
shutil.copytree(hurt.data, root / "header", ignore=shutil.ignore_patterns("*.sock"))
blob = bytearray(file.read_bytes())
at = blob.find(b"a text that is found again 0150")
findings.true("the record is found in its page", at > 0)
blob[at + 5] ^= 0x20
file.write_bytes(blob)
for name in ("teller.db", "teller.db-wal", "teller.db-shm"): (hurt.data / name).unlink(missing_ok=True)
hurt.spawn()
try: code = hurt.process.wait(timeout=15)
except subprocess.TimeoutExpired: code = "goes on"
findings.same("a record that does not match its CRC ends the daemon", code, 65)
findings.true("which names the record", "does not match its CRC" in hurt.log() and "restore" in hurt.log(), hurt.log()[-300:])
hurt.kill()
hurt.data = root / "header"
(file,) = (hurt.data / "bronze").glob("*.db")
with open(file, "r+b") as f: f.write(b"not a database at all")
refuses("a damaged header", 65, "--data", hurt.data, "--http", "0")
shutil.copytree(data, root / "derived", ignore=shutil.ignore_patterns("*.sock"))
with open(root / "derived" / "teller.db", "r+b") as f: f.write(b"not a database at all")
derived = Daemon(root / "derived", "--http", "0").spawn()
try: code = derived.process.wait(timeout=15)
except subprocess.TimeoutExpired: code = "goes on"
findings.same("a damaged teller.db", code, 65)

# A page that nobody reads at a start: found after a kill, once everything is derived.
sick = Daemon(root / "sick", "--http", "0").start()
peer = Producer(sick, "sick")
sick.derived(peer.send([transaction(f"p{n}", f"C{n % 50}", now_us) for n in range(3000)]).commit)
sick.stop()
sick.start()
findings.same("a clean stop is not looked into", (sick.stop(), "checked" in sick.log()), (0, False))
sick.start()
sick.kill()
sick.start()
end = time.monotonic() + 15
while "checked and sound" not in sick.log() and time.monotonic() < end: time.sleep(.05)
findings.true("a kill is", "checked and sound" in sick.log())
sick.kill()
with sqlite3.connect(f"file:{sick.data}/teller.db?mode=ro", uri=True) as db:
    (page,), (bytes_a_page,) = db.execute("select pageno from dbstat where name='silver_transaction' and pagetype='leaf' order by pageno limit 1").fetchone(), db.execute("pragma page_size").fetchone()
db.close()
with open(sick.data / "teller.db", "r+b") as f:
    f.seek((page - 1) * bytes_a_page + 3)
    f.write(b"\xff\xff\xff")
sick.spawn()
try: code = sick.process.wait(timeout=20)
except subprocess.TimeoutExpired: code = "goes on"
findings.same("a damaged page ends the daemon", code, 65)
findings.true("which says what to do", "derived again from the log" in sick.log().splitlines()[-1], sick.log()[-300:])
for name in ("teller.db", "teller.db-wal", "teller.db-shm"): (sick.data / name).unlink(missing_ok=True)
sick.start()
peer.connect()
sick.derived(peer.hello().commit)
findings.true("and that helps", " 0 differ" in sick.ctl("verify").stdout)
sick.stop()

# SIGTERM under load: drained, exit 0 in time, nothing lost.
busy = Daemon(root / "busy", "--http", "0").start()
books, stop = [Producer(busy, f"busy {n}") for n in range(4)], threading.Event()
batches = {book.name: [transaction(f"{book.name}-{n}", f"C{n % 300}", now_us) for n in range(4000)] for book in books}


def pour(book):
    while not stop.is_set() and book.mark < 4000:
        if book.send(batches[book.name][book.mark:book.mark + 50], timeout_s=1) is None: return


threads = [threading.Thread(target=pour, args=(book,)) for book in books]
for one in threads: one.start()
while sum(book.mark for book in books) < 2000: time.sleep(.01)
began = time.monotonic()
code = busy.stop()
took = time.monotonic() - began
stop.set()
for one in threads: one.join()
findings.same("SIGTERM under load", code, 0)
findings.true("within 5 s", took < 5, f"{took:.2f} s")
findings.true("it was under load", any(book.mark < 4000 for book in books), [book.mark for book in books])
busy.start()
for book in books:
    mark = book.mark
    book.connect()
    ack = book.hello()
    findings.true(f"{book.name}: nothing acknowledged is lost", ack.through >= mark, (ack.through, mark))
check_bronze(busy, findings, "busy")
busy.derived(books[0].hello().commit)
busy.ctl("verify")

# SIGHUP: a changed pack is activated, a bad one leaves the rules as they are, the same one writes nothing.
busy.stop()
pack = root / "pack"
subprocess.run([BIN / "tellerctl", "policy", "copy", "default", pack], check=True, capture_output=True)
busy.options += ["--policy", str(pack)]
busy.start()
hashes = lambda: [r["n"] for r in busy.rows("select count(*) n from policy_history")]


def hang_up():
    logged = len(busy.log())
    busy.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 10
    while "reloaded" not in busy.log()[logged:] and "old rules" not in busy.log()[logged:] and time.monotonic() < end: time.sleep(.02)
    books[0].send([transaction(f"hup-{time.monotonic()}", "C1", now_us)])
    busy.derived(books[0].hello().commit)
    return busy.log()[logged:]


books[0].connect()
books[0].mark = books[0].hello().through
before = hashes()
findings.true("SIGHUP with the same pack", "reloaded" in hang_up())
findings.same("writes nothing", hashes(), before)
offers = (pack / "offers.toml").read_text()
(pack / "offers.toml").write_text(offers.replace("base_minor = 5000000", "base_minor = 5100000", 1))
findings.true("SIGHUP with a changed pack", "reloaded" in hang_up())
findings.same("activates it", hashes(), [before[0] + 1])
(pack / "offers.toml").write_text(offers.replace("transaction_total_minor >", "no_such_column >", 1))
findings.true("SIGHUP with a bad pack is refused in words", "no_such_column" in hang_up())
findings.same("and the old rules stay", hashes(), [before[0] + 1])
findings.true("the daemon goes on", busy.is_running())
findings.same("the end", busy.stop(), 0)
findings.end("two_daemons", f"19 of 20 refused within {crowd_s:.2f} s, SIGTERM under load {took:.2f} s")
