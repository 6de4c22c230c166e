#!/usr/bin/env python3
"""Hands in one login for each customer key on standard input: produce.py DATA SYSTEM FILE < keys.txt
First: flatc --python --gen-object-api -o gen schema/*.fbs, and run with PYTHONPATH=gen.
A producer is (name, incarnation), kept in FILE; line n is its event n, so a second run goes on where the first ended."""
import os, pathlib, sys, time, flatbuffers, zmq
from tellerd.schema import AckCode, BatchAck, Body, Event, EventBatch, EventBytes, Hello, Login

def packed(thing, identifier):
    builder = flatbuffers.Builder(1024)
    builder.Finish(thing.Pack(builder), file_identifier=identifier)
    return bytes(builder.Output())

def ask(frame):                                  # an answer is a BatchAck; without one the same frame may be sent again
    socket.send(frame)
    while not socket.poll(5000): socket.send(frame)
    return BatchAck.BatchAckT.InitFromObj(BatchAck.BatchAck.GetRootAs(socket.recv(), 0))

data, system, file = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
if not file.exists(): file.write_text(str(int.from_bytes(os.urandom(8), "little") | 1))
name, incarnation = f"produce:{system}", int(file.read_text())
socket = zmq.Context().socket(zmq.DEALER)
socket.connect(f"ipc://{data}/run/ingest.sock")
hello = Hello.HelloT(); hello.producer, hello.incarnation = name, incarnation
mark = ask(packed(hello, b"TLH1")).throughSeq
for n, key in enumerate(sys.stdin.read().split(), 1):
    if n <= mark: continue                       # on disk already
    login = Login.LoginT(); login.success = True
    event = Event.EventT(); event.id, event.system, event.customer = f"login-{n}", system, key
    event.occurredUs, event.bodyType, event.body = time.time_ns() // 1000, Body.Body.Login, login
    data_of = EventBytes.EventBytesT(); data_of.data = packed(event, b"TLE1")
    batch = EventBatch.EventBatchT(); batch.producer, batch.incarnation, batch.firstSeq, batch.events = name, incarnation, n, [data_of]
    frame = packed(batch, b"TLB1")
    while (ack := ask(frame)).throughSeq < n:    # RETRY_AFTER, or a late answer to an earlier frame
        if ack.code in (AckCode.AckCode.Gap, AckCode.AckCode.Conflict, AckCode.AckCode.Invalid): sys.exit(ack.text.decode())
        time.sleep(ack.retryMs / 1000)
    print(n, key, "refused" if ack.verdicts else "taken", ack.commitSeq, flush=True)
