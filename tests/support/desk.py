"""A desk of our own making: asks in JSON, keeps pushes aside, asks again when no answer comes."""
import json, socket, sys, time

import zmq


class Desk:
    def __init__(self, daemon, name, session="1"):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RECONNECT_IVL, 20)
        self.socket.connect(daemon.endpoint("queue"))
        self.name, self.session, self.count, self.last_pull, self.pushed = name, session, 0, 0, []

    def send(self, verb, **words):
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "verb": verb, **words}).encode())

    def receive(self, patience_s=20):
        """The answer to what was sent last."""
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            if not self.socket.poll(100): continue
            answer = json.loads(self.socket.recv())
            if "push" in answer: self.pushed.append(answer)
            elif answer.get("id") == self.count: return answer
        sys.exit(f"{self.name}: no answer in {patience_s} s")

    def once(self, verb, **words):
        self.send(verb, **words)
        return self.receive()

    def ask(self, verb, **words):
        """Again, with the same id, until answered."""
        self.count += 1
        for _ in range(20):
            self.socket.send(json.dumps({"id": self.count, "verb": verb, **words}).encode())
            end = time.monotonic() + 2 + words.get("wait_ms", 0) / 1000
            while time.monotonic() < end:
                if not self.socket.poll(100): continue
                answer = json.loads(self.socket.recv())
                if "push" in answer: self.pushed.append(answer)
                elif answer.get("id") == self.count: return answer
        sys.exit(f"{self.name}: no answer to {verb}")

    def hello(self): return self.ask("HELLO", client=self.name, session=self.session)

    def pull(self, credit, wait_ms=0, queue="marketing"):
        answer = self.ask("PULL", queue=queue, credit=credit, wait_ms=wait_ms)
        self.last_pull = self.count
        return answer["offers"] if answer.get("ok") else answer

    def lease(self, verb, offer, **words): return self.ask(verb, offer_id=offer["offer_id"], epoch=offer["epoch"], **words)

    def expect_push(self, push, offer_id, more_than=0, patience_s=15):
        end = time.monotonic() + patience_s
        while len([p for p in self.pushed if p["push"] == push and p["offer_id"] == offer_id]) <= more_than:
            if time.monotonic() > end: sys.exit(f"{self.name}: no {push} of {offer_id}; heard {self.pushed}")
            if self.socket.poll(100): self.pushed.append(json.loads(self.socket.recv()))


class Silent:
    """A desk that asks and never reads: past the handshake its socket fills up. ZMTP 3.0, by hand."""
    def __init__(self, daemon, name):
        self.socket, self.count = socket.socket(socket.AF_UNIX), 0
        self.socket.settimeout(5)
        self.socket.connect(daemon.endpoint("queue").removeprefix("ipc://"))
        self.socket.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32))
        self.read(64)
        ready = b"\x05READY\x0bSocket-Type" + (6).to_bytes(4, "big") + b"DEALER"
        self.socket.sendall(bytes([4, len(ready)]) + ready)
        self.read(self.read(2)[1])
        self.send("HELLO", client=name, session="1")
        self.socket.settimeout(.05)

    def read(self, size):
        got = b""
        while len(got) < size: got += self.socket.recv(size - len(got)) or sys.exit("the daemon hung up")
        return got

    def send(self, verb, **words):
        """False while there is no room: what is half sent goes first, the next time."""
        self.count += 1
        frame = json.dumps({"id": self.count, "verb": verb, **words}).encode()
        self.rest = getattr(self, "rest", b"") or bytes([0, len(frame)]) + frame
        try:
            while self.rest: self.rest = self.rest[self.socket.send(self.rest):]
        except TimeoutError: return False
        return True
