#!/usr/bin/env python3
"""Prints what the feed says, one JSON object a line: listen.py DATA [TOPIC]; a topic is offer.marketing, segment, churn, overdue."""
import sys, zmq
socket = zmq.Context().socket(zmq.SUB)
socket.connect(f"ipc://{sys.argv[1]}/run/feed.sock")
socket.subscribe(sys.argv[2] if len(sys.argv) > 2 else "")
while True:
    topic, message = socket.recv_multipart()
    print(message.decode(), flush=True)
