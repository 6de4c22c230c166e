#!/usr/bin/env python3
"""Prints what the feed says, one JSON object a line: listen.py DATA [TOPIC [FROM]]; a topic is offer.marketing, segment, churn, overdue.

With FROM it begins at that number of the topic and leaves nothing out: what it has missed, before it came or since, it asks for.
Whoever keeps the last `seq` it has dealt with goes on at seq + 1 after any stop."""
import itertools, json, sys, time, zmq

data, topic, wanted = sys.argv[1], "".join(sys.argv[2:3]), int(sys.argv[3]) if len(sys.argv) > 3 else None
context, ids = zmq.Context(), itertools.count(1)


def replay(first, until=None):
    """What the topic has said from `first` on, up to `until`, or up to now."""
    query = context.socket(zmq.DEALER)
    query.linger = 0
    query.connect(f"ipc://{data}/run/query.sock")
    while until is None or first < until:
        query.send(json.dumps({"id": next(ids), "verb": "Replay", "topic": topic, "from_seq": first, "limit": 1000}).encode())
        answer = json.loads(query.recv()) if query.poll(5000) else {}
        if answer.get("code") == "NOT_FOUND":
            sys.exit(answer["text"])
        if not answer.get("ok"):
            time.sleep(.5)                          # it is starting, or does not answer: asked again
            continue
        messages = answer["messages"]
        for message in messages:
            if message["seq"] == first and (until is None or first < until):
                print(json.dumps(message, ensure_ascii=False), flush=True)
                first += 1
        if until is None and not messages:
            break                                   # what is very fresh comes live, and the gap is asked for then
    query.close()
    return first


live = context.socket(zmq.SUB)
live.rcvhwm = 100_000
live.connect(f"ipc://{data}/run/feed.sock")
live.subscribe(topic)                               # before the past is read: what comes meanwhile waits
if wanted is not None:
    wanted = replay(wanted)
while True:
    _, message = live.recv_multipart()
    if wanted is not None:
        seq = json.loads(message)["seq"]
        if seq < wanted:
            continue                                # printed from the past already
        if seq > wanted:
            replay(wanted, seq)
        wanted = seq + 1
    print(message.decode(), flush=True)
