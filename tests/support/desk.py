"""A desk of our own making: asks in JSON, keeps pushes aside, asks again when no answer comes."""
import json, sys, time

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
