"""A pack that changes what is counted: the one before it decides, and events go on being applied, until gold is derived under it;
a second record is the switch. kill -9 before that, SIGHUP, and an announcement that is overtaken; `verify` finds no difference.
"""
import pathlib, re, signal, sys, threading, time
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *

COMING, ACTIVATED = 105, 101
findings, root = Findings(), scratch()
daemon = Daemon(root / "data")


def pack(name, weeks):
    daemon.ctl("policy", "copy", "default", root / name)
    text = (root / name / "pack.toml").read_text(encoding="utf-8")
    text = re.sub(r'^name = .*$', f'name = "{name}"', text, flags=re.M)
    (root / name / "pack.toml").write_text(re.sub(r"^transaction_weeks = \d+", f"transaction_weeks = {weeks}", text, flags=re.M), encoding="utf-8")
    return root / name


def files(name): return {f.name: f.read_text(encoding="utf-8") for f in (root / name).iterdir()}
def packs(): return daemon.query("Policy")
def switches(): return [(r["seq"], r["kind"]) for r in daemon.records("select seq, kind from record where kind in (101, 105) order by seq")]
def paid(): return {r["key"]: r["transaction_count"] for r in daemon.rows("select key, transaction_count from mart_customer")}
def paid_in(weeks):                                              # the running one included, from the payments themselves
    monday = int(time.time()) // 86_400 * 86_400 - time.gmtime().tm_wday * 86_400
    counted = {r["key"]: r["n"] for r in daemon.rows(
        "select i.display_key as key, count(*) as n from silver_transaction t join identity m on m.id = t.customer join identity i on i.id = m.leader"
        " where t.state = 0 and t.occurred_us >= ? group by 1", (monday - (weeks - 1) * 7 * 86_400) * 1_000_000)}
    return {key: counted.get(key, 0) for key in paid()}


def wait_for(name, wait_s=60):
    end = time.monotonic() + wait_s
    while time.monotonic() < end:
        now = packs()
        if now and now["ok"] and now["active"]["name"] == name: return now
        time.sleep(.05)
    sys.exit(f"{name} never decided: {packs()}; log of the daemon: {daemon.log()[-1500:]}")


for name, weeks in (("narrow", 4), ("wide", 60), ("other", 9)): pack(name, weeks)
daemon.config.write_text(f'[policy]\npack = "{root / "wide"}"\n')
daemon.options += ["--config", str(daemon.config)]
daemon.start()
daemon.ctl("generate", root / "source", "--clients", 3000, "--until", time.strftime("%Y-%m-%d", time.gmtime()))
daemon.ctl("load", root / "source", "--backfill", timeout=300)
before = paid()
findings.same("the first pack decides at once", [kind for _, kind in switches()], [ACTIVATED])

# Events go on meanwhile.
is_over, sent, seen = threading.Event(), [], []


def go_on():
    peer = Producer(daemon, "desk")
    while not is_over.is_set():
        sent.append(peer.send([transaction(f"t{len(sent)}", f"CLIENT_{1 + len(sent) % 3000:06d}", int(time.time() * 1e6))]).commit)


def look():
    while not is_over.is_set():
        now = packs()
        if now["coming"]: seen.append((now["active"]["name"], now["coming"]["name"]))


threads = [threading.Thread(target=work) for work in (go_on, look)]
for one in threads: one.start()
told = daemon.ctl("policy", "activate", root / "narrow").stdout
is_over.set()
for one in threads: one.join()
(coming, _), (active, _) = switches()[1:]
findings.same("announced, then active", [kind for _, kind in switches()[1:]], [COMING, ACTIVATED])
findings.true("tellerctl names the second record", f"decides from record {active} on" in told, told)
findings.true("events were recorded between the two", any(coming < seq < active for seq in sent), (coming, active, sent[:3], sent[-3:]))
findings.same("and the pack before it decided until then", set(seen), {("wide", "narrow")})
daemon.derived(max(sent + [active]))
findings.same("the history names the second record", [(r["seq"], r["name"]) for r in daemon.rows("select seq, name from policy_history order by seq")][1:], [(active, "narrow")])
findings.true("gold was derived beside", "gold was derived again beside the pack before it" in daemon.log(), daemon.log()[-600:])
findings.same("four weeks of payments are counted", paid(), paid_in(4))
findings.true("which are fewer", 0 < sum(paid().values()) < sum(before.values()), (sum(paid().values()), sum(before.values())))

# Killed before it decides, it is prepared for again after the start.
answer = daemon.query("ActivatePack", files=files("wide"))
daemon.kill()
findings.same("the daemon was killed with the pack still to come", switches()[-1], (answer["commit_seq"], COMING))
daemon.start()
now = wait_for("wide")
findings.same("it decides, once", switches()[-2:], [(answer["commit_seq"], COMING), (now["active"]["seq"], ACTIVATED)])
daemon.derived(now["active"]["seq"])
findings.same("and sixty weeks are counted", paid(), paid_in(60))

# One that is overtaken may decide for a moment, or never; the last one does.
daemon.query("ActivatePack", files=files("narrow"))
daemon.query("ActivatePack", files=files("other"))
wait_for("other")
findings.same("nothing is to come any more", packs()["coming"], None)

# The settings' folder holds something else, on SIGHUP; a start without changes records nothing.
(root / "wide" / "pack.toml").write_text((root / "narrow" / "pack.toml").read_text(encoding="utf-8"), encoding="utf-8")
daemon.process.send_signal(signal.SIGHUP)
now = wait_for("narrow")
findings.same("by SIGHUP in two records, too", [kind for _, kind in switches()][-2:], [COMING, ACTIVATED])
known = switches()
daemon.stop()
daemon.start()
daemon.derived(now["active"]["seq"])
findings.same("a start without changes records nothing", switches(), known)
findings.same("and the pack stands", packs()["active"], now["active"])
verified = daemon.ctl("verify", check=False, timeout=300)
findings.same("verify, which derives gold at the switches", verified.returncode, 0)
daemon.stop()
findings.end("switch_pack", f"{active - coming - 1} records between the announcement and the switch")
