"""kill -9 at random moments, of the daemon that works and of the one that recovers; a producer of our own keeps the book.

What was acknowledged is in the log once and in the order it was sent, HELLO never tells less than the last
acknowledgement, and what is derived in the end is what a calm run derives. More kills: TELLERD_KILLS=1000."""
import pathlib, random, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *

kills_wanted = int(os.environ.get("TELLERD_KILLS", 30))
findings, root, rng = Findings(), scratch(), random.Random(int(os.environ.get("TELLERD_SEED", 1)))
options = ("--policy", "original", "--clock", "event", "--http", "0")
start_us = 1_780_000_000_000_000
daemon = Daemon(root / "hurt", *options).start()


class Bookkeeper(Producer):
    """Sends numbered transactions for ever; what has been acknowledged is never sent again."""

    def __init__(self, number):
        super().__init__(daemon, f"book {number}")
        self.number, self.sent, self.flying, self.codes = number, [], False, {}

    def data(self, n):
        if n % 10 == 0: return event("profile", None, f"C{(n * 7 + self.number) % 200}", start_us + n * 3_000_000, name=f"Name {n}", registered_on="2024-01-02")
        return transaction(f"b{self.number}-{n}", f"C{(n * 7 + self.number) % 200}", start_us + n * 3_000_000, amount_minor=n * 100 + 1)

    def step(self):
        """One batch, or HELLO after silence. The socket is opened anew, as a restarted peer does."""
        while len(self.sent) < self.mark + 40: self.sent.append(self.data(len(self.sent) + 1))
        size = rng.randrange(1, 41)
        try: ack = self.ask(self.frame(self.sent[self.mark:self.mark + size]), timeout_s=.3)
        except zmq.ZMQError: ack = None
        if ack is None: return self.greet()
        self.codes[ack.code] = self.codes.get(ack.code, 0) + 1
        if ack.code == ACCEPTED:
            if ack.through > self.mark: self.mark = ack.through
        elif ack.code in (DUPLICATE, GAP): self.greet()
        elif ack.code == RETRY_AFTER: time.sleep(ack.retry_ms / 1000)
        else: findings.same("an answer to a good batch", str(ack), ACCEPTED)

    def greet(self):
        self.connect()
        ack = self.hello(timeout_s=.5)
        if ack is None: return
        findings.true("HELLO tells no less than was acknowledged", ack.code == HELLO and ack.through >= self.mark, (ack, self.mark))
        self.mark = max(self.mark, ack.through)


books = [Bookkeeper(n) for n in range(3)]
kills, in_recovery, slowest = 0, 0, 0.0
while kills < kills_wanted:
    end = time.monotonic() + rng.random() * .4
    while time.monotonic() < end:
        for book in books: book.step()
    daemon.kill(); kills += 1
    for _ in range(rng.choice([0, 0, 1, 2])):                       # and again while it recovers
        daemon.spawn()
        time.sleep(rng.uniform(.005, .05))
        daemon.kill(); kills += 1; in_recovery += 1
    began = time.monotonic()
    daemon.start()
    slowest = max(slowest, time.monotonic() - began)
for book in books:
    mark = book.mark
    while book.mark < mark + 20: book.step()
    book.greet()
findings.true("ready within 2 s of each kill", slowest < 2.0, f"{slowest:.2f} s")

records = daemon.records("select r.seq,r.producer_seq,r.payload,p.name from record r join producer p on p.id=r.producer order by r.seq")
for book in books:
    mine = [r for r in records if r["name"] == book.name]
    findings.same(f"{book.name}: each acknowledged event is there once", [r["producer_seq"] for r in mine], list(range(1, book.mark + 1)))
    findings.same(f"{book.name}: word for word", all(bytes(r["payload"]) == book.sent[r["producer_seq"] - 1] for r in mine), True)
    findings.same(f"{book.name}: the last again is a duplicate", book.send(book.sent[book.mark - 1:book.mark], first=book.mark).code, DUPLICATE)
    findings.same(f"{book.name}: other bytes are a conflict", book.send([book.data(10**6)], first=book.mark).code, CONFLICT)
    findings.same(f"{book.name}: beyond is a gap", book.send([book.data(10**6)], first=book.mark + 2).code, GAP)
check_bronze(daemon, findings)

# A calm daemon is given the same facts in the order the log has them.
calm = Daemon(root / "calm", *options).start()
quiet = {book.name: Producer(calm, book.name, book.incarnation) for book in books}
for name, group in itertools.groupby(records, key=lambda r: r["name"]):
    group = [bytes(r["payload"]) for r in group]
    findings.same("calm", quiet[name].send(group).code, ACCEPTED)
for one in (daemon, calm): one.derived(quiet[books[0].name].hello().commit)
findings.same("records", len(calm.records("select seq from record")), len(daemon.records("select seq from record")))
findings.same("every mart is the calm run's", daemon.marts(), calm.marts())
findings.true("the marts hold something", daemon.marts()["mart_offer"][0] > 100)
daemon.ctl("verify")
findings.same("stops", [daemon.stop(), calm.stop()], [0, 0])
findings.end("kill_random", f"{kills} kills, {in_recovery} of them in recovery, {sum(b.mark for b in books)} events acknowledged, slowest start {slowest:.2f} s")
