"""A daemon to hurt and a producer of its own making, for the flow and fault scripts.

Programs: $TELLER_BIN (default ./build) holds tellerd and tellerctl. Frames are built from schema/*.fbs with code that
`flatc --python` writes at run time, so nothing of the house's own encoder is taken on trust.
A script prints one line per finding and a last line with its figure; exit 0 when all holds. A line that begins with SKIP
says what was left out and why.
"""
import atexit, hashlib, itertools, json, os, pathlib, shutil, signal, socket, sqlite3, subprocess, sys, tempfile, time

import flatbuffers
import zmq

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("TELLER_BIN", ROOT / "build")).resolve()
HELLO, ACCEPTED, DUPLICATE, CONFLICT, GAP, RETRY_AFTER, INVALID = "HELLO ACCEPTED DUPLICATE CONFLICT GAP RETRY_AFTER INVALID".split()
ACK_CODES = [HELLO, ACCEPTED, DUPLICATE, CONFLICT, GAP, RETRY_AFTER, INVALID]
VERDICTS = "ACCEPTED MALFORMED UNKNOWN_KIND MISSING_FIELD BAD_TEXT BAD_AMOUNT BAD_TIME BAD_VALUE TOO_OLD FROM_FUTURE UNREADABLE TOO_LARGE".split()
DAY_US = 86_400_000_000

signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))     # so that no daemon is left behind


def scratch():
    path = pathlib.Path(tempfile.mkdtemp(prefix="teller-"))                  # short: socket paths end at 107 bytes
    atexit.register(shutil.rmtree, path, True)
    return path


def load_schema():
    out = tempfile.mkdtemp(prefix="teller-fbs-")
    atexit.register(shutil.rmtree, out, True)
    files = sorted(str(f) for f in (ROOT / "schema").glob("*.fbs"))
    subprocess.run(["flatc", "--python", "--gen-object-api", "-o", out, *files], check=True)
    sys.path.insert(0, out)


load_schema()
from tellerd.schema import Body, Event, EventBatch, EventBytes, Hello       # noqa: E402
from tellerd.schema.BatchAck import BatchAck                                # noqa: E402


def body_class(kind):
    name = "".join(part.capitalize() for part in kind.split("_"))
    module = __import__(f"tellerd.schema.{name}", fromlist=[name])
    return getattr(Body.Body, name), getattr(module, name + "T")


def camel(field):
    head, *rest = field.split("_")
    return head + "".join(part.capitalize() for part in rest)


def event(kind, id, customer, occurred_us, system="main", version=0, **fields):
    """The bytes of one Event. Text may be bytes, to say what is not text."""
    number, made = body_class(kind)
    body = made()
    for name, value in fields.items():
        assert hasattr(body, camel(name)), f"{kind} has no {name}"
        setattr(body, camel(name), value)
    whole = Event.EventT()
    whole.id, whole.customer, whole.system = id, customer, system
    whole.occurredUs, whole.version, whole.bodyType, whole.body = occurred_us, version, number, body
    builder = flatbuffers.Builder(512)
    builder.Finish(whole.Pack(builder), b"TLE1")
    return bytes(builder.Output())


def transaction(id, customer, occurred_us, amount_minor=100_00, currency="RUB", **more):
    return event("transaction", id, customer, occurred_us, amount_minor=amount_minor, currency=currency, direction="debit", **more)


def batch_frame(producer, incarnation, first_seq, events, backfill=False):
    builder = flatbuffers.Builder(1024 + sum(len(e) + 64 for e in events))
    made = []
    for data in events:
        builder.Prep(4, len(data))
        builder.Prep(16, len(data))
        builder.StartVector(1, len(data), 16)
        builder.head -= len(data)
        builder.Bytes[builder.head:builder.head + len(data)] = data
        vector = builder.EndVector()
        EventBytes.EventBytesStart(builder)
        EventBytes.EventBytesAddData(builder, vector)
        made.append(EventBytes.EventBytesEnd(builder))
    builder.StartVector(4, len(made), 4)
    for one in reversed(made): builder.PrependUOffsetTRelative(one)
    vector, name = builder.EndVector(), builder.CreateString(producer)
    EventBatch.EventBatchStart(builder)
    EventBatch.EventBatchAddProducer(builder, name)
    EventBatch.EventBatchAddIncarnation(builder, incarnation)
    EventBatch.EventBatchAddFirstSeq(builder, first_seq)
    EventBatch.EventBatchAddEvents(builder, vector)
    EventBatch.EventBatchAddBackfill(builder, backfill)
    builder.Finish(EventBatch.EventBatchEnd(builder), b"TLB1")
    return bytes(builder.Output())


def hello_frame(producer, incarnation):
    builder = flatbuffers.Builder(128)
    name = builder.CreateString(producer)
    Hello.HelloStart(builder)
    Hello.HelloAddProducer(builder, name)
    Hello.HelloAddIncarnation(builder, incarnation)
    builder.Finish(Hello.HelloEnd(builder), b"TLH1")
    return bytes(builder.Output())


class Ack:
    def __init__(self, frame):
        root = BatchAck.GetRootAs(frame)
        self.code, self.through, self.commit = ACK_CODES[root.Code()], root.ThroughSeq(), root.CommitSeq()
        self.expected, self.retry_ms = root.ExpectedSeq(), root.RetryMs()
        self.text = (root.Text() or b"").decode()
        rows = [root.Verdicts(n) for n in range(root.VerdictsLength())]
        self.verdicts = {v.Seq(): (VERDICTS[v.Code()], (v.Field() or b"").decode()) for v in rows}

    def __repr__(self): return f"{self.code} through {self.through} expected {self.expected} {self.text} {self.verdicts}"


class Producer:
    """A DEALER that knows what has been acknowledged; mark only ever grows."""
    context = zmq.Context()
    incarnations = itertools.count(int.from_bytes(os.urandom(4), "big") * 1000 + 1)

    def __init__(self, daemon, name="test", incarnation=None):
        self.daemon, self.name, self.incarnation = daemon, name, incarnation or next(self.incarnations)
        self.mark, self.socket = 0, None
        self.connect()

    def connect(self):
        if self.socket: self.socket.close()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.SNDHWM, 0)
        self.socket.setsockopt(zmq.RCVHWM, 0)
        self.socket.setsockopt(zmq.RECONNECT_IVL, 20)
        self.socket.setsockopt(zmq.RECONNECT_IVL_MAX, 100)
        self.socket.connect(self.daemon.endpoint("ingest"))

    def close(self): self.socket.close()

    def ask(self, *parts, timeout_s=10):
        """Sends frames as one message; the answer, or None when there is none in time."""
        self.socket.send_multipart(parts)
        return self.answer(timeout_s)

    def answer(self, timeout_s=10):
        if not self.socket.poll(timeout_s * 1000): return None
        return Ack(self.socket.recv_multipart()[-1])

    def hello(self, timeout_s=10): return self.ask(hello_frame(self.name, self.incarnation), timeout_s=timeout_s)

    def frame(self, events, first=None, backfill=False):
        return batch_frame(self.name, self.incarnation, self.mark + 1 if first is None else first, events, backfill)

    def send(self, events, first=None, backfill=False, timeout_s=20):
        ack = self.ask(self.frame(events, first, backfill), timeout_s=timeout_s)
        if ack and ack.code == ACCEPTED: self.mark = max(self.mark, ack.through)
        return ack


class Daemon:
    """tellerd on a data directory of its own; killed and started again at will."""

    def __init__(self, data, *options, config=None):
        self.data, self.options, self.process = pathlib.Path(data), list(map(str, options)), None
        self.log_file = self.data.with_suffix(".log")
        self.config = self.data.with_suffix(".toml")
        if config is not None:
            self.config.write_text(config)
            self.options += ["--config", str(self.config)]

    def endpoint(self, name): return f"ipc://{self.data}/run/{name}.sock"

    def spawn(self, *more, **environment):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([BIN / "tellerd", "--data", self.data, *self.options, *more], stdout=log, stderr=log,
                                            env=dict(os.environ, **environment))
        atexit.register(self.kill)
        return self

    def start(self, *more, wait_s=20, **environment):
        self.spawn(*more, **environment)
        self.ctl("status", "--wait", wait_s)
        return self

    def ctl(self, *words, check=True, timeout=120, stdin=None):
        done = subprocess.run([BIN / "tellerctl", "--data", self.data, *map(str, words)], capture_output=True, text=True, timeout=timeout, input=stdin)
        if check and done.returncode:
            sys.exit(f"tellerctl {' '.join(map(str, words))}: exit {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}\n"
                     f"log of the daemon: {self.log()[-1500:]}")
        return done

    def log(self): return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def is_running(self): return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.process:
            self.process.kill()                     # nothing happens when it has ended already
            self.process.wait()

    def stop(self, wait_s=30):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=wait_s)

    def rss_kb(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS"): return int(line.split()[1])

    def query(self, verb, timeout_s=30, **fields):
        with zmq.Context.instance().socket(zmq.DEALER) as peer:
            peer.setsockopt(zmq.LINGER, 0)
            peer.connect(self.endpoint("query"))
            peer.send(json.dumps({"id": 1, "verb": verb, **fields}).encode())
            return json.loads(peer.recv_multipart()[-1]) if peer.poll(timeout_s * 1000) else None

    def derived(self, commit_seq, wait_s=60):
        """Returns when the marts show the record."""
        end = time.monotonic() + wait_s
        while time.monotonic() < end:
            answer = self.query("Wait", commit_seq=commit_seq, stage="readable", timeout_ms=2000)
            if answer and answer["ok"]: return
        sys.exit(f"record {commit_seq} was never derived; log of the daemon: {self.log()[-1500:]}")

    def rows(self, sql, *args):
        with sqlite3.connect(f"file:{self.data}/teller.db?mode=ro", uri=True, timeout=5) as db:
            db.row_factory = sqlite3.Row
            return [dict(r) for r in db.execute(sql, args)]

    def records(self, sql="select * from record order by seq"):
        """Rows of a query over every weekly file, oldest first."""
        found = []
        for file in sorted((self.data / "bronze").glob("*.db")):
            with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5) as db:
                db.row_factory = sqlite3.Row
                found += [dict(r) for r in db.execute(sql)]
        return found

    def marts(self, skip=("mart_data_quality", "mart_model")):
        """name -> (rows, hash of all rows, whatever their order)."""
        out = {}
        for row in self.rows("select name from sqlite_master where type='view' and name like 'mart_%'"):
            if row["name"] in skip: continue
            rows = sorted(repr(tuple(r.values())) for r in self.rows(f"select * from {row['name']}"))
            out[row["name"]] = (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16])
        return out


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Findings:
    def __init__(self): self.count = self.checked = 0

    def same(self, what, got, want):
        self.checked += 1
        if got == want: return True
        self.count += 1
        if self.count <= 30: print(f"differs: {what}: got {got!r}, expected {want!r}", flush=True)
        return False

    def true(self, what, holds, detail=""):
        return self.same(what + (f" ({detail})" if detail != "" else ""), bool(holds), True)

    def end(self, name, figure):
        print(f"{name}: {figure}; {self.checked} checked, {self.count} differ")
        sys.exit(1 if self.count or not self.checked else 0)


def check_bronze(daemon, findings, what="", is_stopped=False):
    """What every log must hold: seq gapless, time never back, no seq of a producer twice, notes true of all but the newest, of all after a stop."""
    records = daemon.records("select seq,now_us,producer,producer_seq from record order by seq")
    findings.same(f"{what} seqs are gapless", [r["seq"] for r in records], list(range(1, len(records) + 1)))
    findings.true(f"{what} time never goes back", all(a["now_us"] <= b["now_us"] for a, b in zip(records, records[1:])))
    seen = {}
    for r in records:
        if r["producer"] == 0: continue
        seen.setdefault(r["producer"], []).append(r["producer_seq"])
    for producer, seqs in seen.items():
        findings.same(f"{what} producer {producer}: each seq once, from 1", seqs, list(range(1, len(seqs) + 1)))
    files = sorted((daemon.data / "bronze").glob("*.db"))
    if not files: return records
    stand = {(r["producer"], r["producer_seq"]): r["seq"] for r in records if r["producer"]}
    noted = {}
    for file in files:
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5) as db:
            for producer, first_producer_seq, first_seq, count in db.execute("select * from batch"):
                noted.update({(producer, first_producer_seq + at): first_seq + at for at in range(count)})
            marks = dict(db.execute("select id,mark from producer where mark>0"))
            findings.same(f"{what} quick_check", db.execute("pragma quick_check").fetchone()[0], "ok")
    findings.same(f"{what} what is noted", noted, {key: stand.get(key) for key in noted})
    left = [seq for key, seq in stand.items() if key not in noted]
    findings.true(f"{what} only the newest are not noted yet", len(left) < (1 if is_stopped else 8192) and max(noted.values(), default=0) < min(left, default=2**63), len(left))
    noted_marks = {}
    for producer, producer_seq in noted: noted_marks[producer] = max(noted_marks.get(producer, 0), producer_seq)
    findings.same(f"{what} marks", marks, noted_marks)
    return records
