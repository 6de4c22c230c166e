"""A stop while fifty desks lease at full speed: nothing is lost, and every question left open finds its answer after it."""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *
from desk import Desk

findings, root = Findings(), scratch()
US = 1_780_000_000_000_000
daemon = Daemon(root / "data", "--policy", "original", "--clock", "event", "--http", "0").start()
producer = Producer(daemon)
for first in range(0, 2000, 100):
    ack = producer.send([event("profile", f"P{n}", f"C{n}", US + n, name=f"Anna {n}") for n in range(first, first + 100)])
daemon.derived(ack.commit)


class Busy(Desk):
    """Pulls three, disposes of each, pulls again; one question at a time."""
    def __init__(self, name):
        super().__init__(daemon, name)
        self.question, self.held, self.granted, self.done, self.was_drained = None, [], set(), set(), False

    def turn(self):
        if not self.question:
            offer = self.held.pop() if self.held else None
            self.question = dict(verb="DISPOSE", offer_id=offer[0], epoch=offer[1], code="PRICE") if offer else dict(verb="PULL", queue="marketing", credit=3)
            self.send(**self.question)
        while self.question and self.socket.poll(0): self.hear(json.loads(self.socket.recv()))

    def hear(self, answer):
        if answer.get("id") != self.count: return
        if self.question["verb"] == "DISPOSE":
            findings.same("an outcome is taken", answer["ok"], True)
            self.done.add((self.question["offer_id"], self.question["epoch"]))
        else:
            self.held = [(o["offer_id"], o["epoch"]) for o in answer["offers"]]
            self.granted |= set(self.held)
            self.was_drained |= "draining" in answer.get("empty", {})
        self.question = None


desks = [Busy(f"desk-{n}") for n in range(50)]
for desk in desks: desk.hello()
end = time.monotonic() + 1
while time.monotonic() < end:
    for desk in desks: desk.turn()
before = sum(len(desk.granted) for desk in desks)
findings.true("they were at it", before > 100, before)
began = time.monotonic()
daemon.process.send_signal(signal.SIGTERM)
while daemon.is_running() and time.monotonic() < began + 30:
    for desk in desks: desk.turn()
findings.same("it ends well", daemon.process.returncode, 0)
findings.true("within five seconds", time.monotonic() - began < 5, time.monotonic() - began)
findings.true("who asked meanwhile was told that it stops", any(desk.was_drained for desk in desks))
left_open = sum(desk.question is not None for desk in desks)

daemon.start()
owner = {}
for desk in desks:
    question, count = desk.question, desk.count
    desk.count = 1_000_000
    held = {(o["offer_id"], o["epoch"]) for o in desk.hello()["held"]}
    findings.same("what it was granted and has not told of is still held", desk.granted - desk.done - held - ({(question["offer_id"], question["epoch"])} if question and question["verb"] == "DISPOSE" else set()), set())
    if question:                                       # the same question again, with its id
        desk.count = count - 1
        answer = desk.ask(**question)
        findings.same("a question left open is answered", answer["ok"], True)
        desk.hear(answer)
    for grant in desk.granted: findings.same("one epoch, one grant", owner.setdefault(grant, desk.name), desk.name)
    findings.same("nothing is held that it was not told of", held - desk.granted, set())
    desk.count = 2_000_000
    for offer_id, epoch in desk.granted - desk.done: findings.same("and its outcome is taken", desk.ask("DISPOSE", offer_id=offer_id, epoch=epoch, code="PRICE")["ok"], True)
findings.same("verify", daemon.ctl("verify").returncode, 0)
daemon.stop()
findings.same("each outcome once", daemon.rows("select count(*) n from silver_outcome")[0]["n"], len(owner))
findings.end("drain", f"{len(owner)} grants, {left_open} questions open at the stop")
