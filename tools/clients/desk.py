#!/usr/bin/env python3
"""An agent's desk: desk.py DATA QUEUE [CLIENT]. Prints an offer as a line of JSON, reads its outcome as a line such as
ACCEPTED, and so on until the input ends. Every question is asked again until it is answered: a repeat is harmless."""
import itertools, json, sys, uuid, zmq


class Desk:
    def __init__(self, data, client):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 1000
        self.socket.connect(f"ipc://{data}/run/queue.sock")
        self.client, self.session = client, str(uuid.uuid4())        # ids start anew with a session
        self.ids, self.withdrawn = itertools.count(1), set()
        self.hello()

    def hello(self): return self.ask("HELLO", client=self.client, session=self.session)

    def ask(self, verb, **words):
        question = {"id": next(self.ids), "verb": verb, **words}
        while True:
            self.socket.send_json(question)
            while self.socket.poll(2000 + words.get("wait_ms", 0)):
                answer = self.socket.recv_json()
                if "push" in answer: self.pushed(answer)
                elif answer["id"] == question["id"]:
                    if answer.get("code") != "UNKNOWN_SESSION": return answer
                    self.hello()                                      # the daemon was started again: our leases still stand
                    break

    def pushed(self, message):
        if message["push"] != "WITHDRAW": return print(json.dumps(message), file=sys.stderr, flush=True)
        self.withdrawn.add(message["offer_id"])                       # the offer does not hold any more: stop, and say so
        self.socket.send_json({"id": next(self.ids), "verb": "ACK", "offer_id": message["offer_id"], "epoch": message["epoch"]})

    def offers(self, queue):
        while True: yield from self.ask("PULL", queue=queue, credit=1, wait_ms=5000)["offers"]


if __name__ == "__main__":
    if len(sys.argv) < 3: sys.exit(__doc__)
    desk = Desk(sys.argv[1], sys.argv[3] if len(sys.argv) > 3 else "desk-py")
    for offer in desk.offers(sys.argv[2]):
        print(json.dumps(offer, ensure_ascii=False), flush=True)
        lease, code = {"offer_id": offer["offer_id"], "epoch": offer["epoch"]}, sys.stdin.readline().strip()
        if not code: sys.exit(0 if desk.ask("RELEASE", reason="the shift has ended", **lease) else 1)
        answer = desk.ask("DISPOSE", code=code, **lease)
        print(json.dumps({"offer_id": offer["offer_id"], "outcome": code, "answer": answer.get("code", "OK")}), flush=True)
