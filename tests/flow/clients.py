"""The small programs of tools/clients against a running daemon: what one hands in, others hear and work. time limit: 240"""
import json, os, pathlib, shutil, sqlite3, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("TELLER_BIN", ROOT / "build")).resolve()
CLIENTS = ROOT / "tools/clients"
started = []


def start(*words, **more):
    started.append(subprocess.Popen([str(word) for word in words], **more))
    return started[-1]


def must(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")
    print(what)


def produce(folder, data, keys):
    done = subprocess.run(["/usr/bin/python3", CLIENTS / "produce.py", data, "crm", folder / "incarnation"], input="\n".join(keys), text=True,
                          env={**os.environ, "PYTHONPATH": str(folder / "gen")}, capture_output=True, timeout=30)
    must(done.returncode == 0, f"produce.py ended with {done.returncode} {done.stderr.strip()[-300:]}".rstrip())
    return [line.split() for line in done.stdout.splitlines()]


def run(folder):
    data, heard = folder / "data", folder / "heard"
    subprocess.run(["flatc", "--python", "--gen-object-api", "-o", folder / "gen", *sorted((ROOT / "schema").glob("*.fbs"))], check=True)
    start(BIN / "tellerd", "--data", data, "--policy", "original", "--http", "0", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run([BIN / "tellerctl", "--data", data, "status", "--wait", "20"], check=True)
    with open(heard, "wb") as out:
        start("/usr/bin/python3", CLIENTS / "listen.py", data, "segment", stdout=out)
    time.sleep(1)                                # a subscription has no answer to wait for

    first = produce(folder, data, ["A1", "A2"])
    must([line[:3] for line in first] == [["1", "A1", "taken"], ["2", "A2", "taken"]], "two events were taken")
    second = produce(folder, data, ["A1", "A2", "A3"])
    must([line[:3] for line in second] == [["3", "A3", "taken"]], "the second run went on where the first had ended")

    # Under this pack nobody is decided before a profile is known: the profiles make three segments, which the listener hears.
    lines = [json.dumps({"kind": "profile", "customer": f"crm:{key}", "occurred_us": 0, "name": "N"}) for key in ("A1", "A2", "A3")]
    sent = subprocess.run([BIN / "tellerctl", "--data", data, "send"], input="\n".join(lines), text=True, capture_output=True, timeout=30)
    must(sent.returncode == 0 and "3 events, 0 refused" in sent.stdout, "three profiles were sent")
    end = time.monotonic() + 20
    while heard.read_text().count("\n") < 3 and time.monotonic() < end:
        time.sleep(0.05)
    messages = [json.loads(line) for line in heard.read_text().splitlines()]
    must([m["customer_key"] for m in messages] == ["A1", "A2", "A3"], "the listener heard each customer's segment, in order")
    must([m["seq"] for m in messages] == [1, 2, 3] and {m["topic"] for m in messages} == {"segment"}, "their sequence has no gap")
    time.sleep(1.5)                              # a flush at ordinary load
    with sqlite3.connect(f"file:{data}/teller.db?mode=ro", uri=True) as store:
        rows = store.execute("SELECT key, login_count FROM mart_customer ORDER BY key").fetchall()
    must(rows == [("A1", 1), ("A2", 1), ("A3", 1)], "each login counts once")
    desk(["/usr/bin/python3", CLIENTS / "desk.py", data, "marketing", "py"], data, {}, "NOT_INTERESTED")
    node(folder, data)


def desk(command, data, more, code):
    """Two offers worked, the third given back when the input ends."""
    done = subprocess.run([str(word) for word in command], input=f"{code}\n{code}\n", text=True, capture_output=True, timeout=60, env={**os.environ, **more})
    must(done.returncode == 0, f"{command[1].name} ended with {done.returncode} {done.stderr.strip()[-300:]}".rstrip())
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    must([line["answer"] for line in lines if "answer" in line] == ["OK", "OK"], f"{command[1].name} told two outcomes")
    offers = [line["offer_id"] for line in lines if "epoch" in line]
    must(len(offers) == len(set(offers)) == 3, f"{command[1].name} was lent three offers, each once")
    time.sleep(1.5)
    with sqlite3.connect(f"file:{data}/teller.db?mode=ro", uri=True) as store:
        states = dict(store.execute("SELECT offer_id, state FROM mart_offer"))
    must([states[offer] for offer in offers] == ["DONE", "DONE", "READY"], "and the marts say so")


def node(folder, data):
    """The same in Node, where npm can bring its zeromq."""
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", folder / "node", "zeromq@6.8.0"], capture_output=True, text=True, timeout=100) if shutil.which("npm") else None
    if done is None or done.returncode:
        return print("SKIP the clients in Node: npm brings no zeromq here")
    more = {"NODE_PATH": str(folder / "node/node_modules")}
    with open(folder / "heard-node", "wb") as out:
        start("node", CLIENTS / "listen.js", data, "offer.marketing", stdout=out, env={**os.environ, **more})
    time.sleep(1)
    desk(["node", CLIENTS / "desk.js", data, "marketing", "js"], data, more, "HAS_ALREADY")
    ends = [json.loads(line) for line in (folder / "heard-node").read_text().splitlines()]
    must([end["state"] for end in ends] == ["DONE", "DONE"], "the listener in Node heard two ends")


with tempfile.TemporaryDirectory(prefix="teller-") as scratch:
    try:
        run(pathlib.Path(scratch))
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=30)
