"""The pages over TLS by a certificate of the settings, behind a proxy, and under other names; slow clients; a server without its key."""
import http.client, pathlib, re, ssl, sys, threading
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from teller import *

PASSWORD = "correct horse battery"
findings, root = Findings(), scratch()


def certificate(name, host="localhost", bits="rsa:2048"):
    subprocess.run(["openssl", "req", "-x509", "-newkey", bits, "-nodes", "-keyout", root / "key", "-out", root / "cert", "-days", "2",
                    "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host},IP:127.0.0.1"], check=True, capture_output=True)
    (root / name).write_bytes((root / "cert").read_bytes() + (root / "key").read_bytes())
    (root / name).chmod(0o600)
    return root / name


def ask(port, path, method="GET", body=None, host=None, trust=None, version=None, **headers):
    if trust:
        context = ssl.create_default_context(cafile=str(trust))
        if version: context.minimum_version = context.maximum_version = version
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    given = {"Host": host or f"127.0.0.1:{port}", **({"X-Tellerd": "1"} if method == "POST" else {}), **headers}
    connection.request(method, path, body=json.dumps(body).encode() if body is not None else None, headers=given)
    answer = connection.getresponse()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()


def set_up(daemon, port, **more):
    token = re.search(r"token (\S+), good once", daemon.log()).group(1)
    return ask(port, "/api/v1/setup", "POST", {"token": token, "user": "operator", "password": PASSWORD}, **more)


# TLS of our own.
pem, port = certificate("server.pem"), free_port()
secure = Daemon(root / "secure", "--http", port, config=f'[http]\ntls_certificate = "{pem}"\nhost_names = ["branch7.bank.example"]\n').start()
for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    findings.same(f"12.1.1 {version.name}", ask(port, "/", trust=pem, version=version)[0], 200)
old = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], input=b"", capture_output=True)
findings.true("12.1.1 TLS 1.1 is refused", b"BEGIN CERTIFICATE" not in old.stdout, old.stdout[-300:])
try: plain = ask(port, "/")[0]
except (OSError, http.client.HTTPException): plain = None
findings.true("12.2.1 nothing is answered in the clear", plain is None or plain >= 400, plain)
status, headers, _ = ask(port, "/api/v1/status", trust=pem)
findings.true("3.4.1 browsers are told to stay with TLS", "max-age=31536000" in headers.get("strict-transport-security", ""), headers)
status, headers, _ = set_up(secure, port, trust=pem)
cookie = headers.get("set-cookie", "")
findings.true("3.3.1 the session's cookie goes over TLS only", status == 200 and all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=Strict")), cookie)
findings.same("and signs in", json.loads(ask(port, "/api/v1/session", trust=pem, Cookie=cookie.split(";")[0])[2])["user"], "operator")
findings.same("another name of the settings", ask(port, "/healthz", trust=pem, host="branch7.bank.example")[0], 200)
findings.same("no other", ask(port, "/healthz", trust=pem, host="branch8.bank.example")[0], 421)
findings.true("the journal says https", f"https://127.0.0.1:{port}/" in secure.log())
findings.same("stops", secure.stop(), 0)

# A proxy has the TLS.
port = free_port()
behind = Daemon(root / "behind", "--http", port, config="[http]\nbehind_tls = true\n").start()
status, headers, _ = set_up(behind, port)
findings.true("behind a proxy the cookie is Secure as well", "Secure" in headers["set-cookie"] and "strict-transport-security" in headers)

# Many who are slow, and one who is not.
stop, sockets = threading.Event(), []


def drip():
    while not stop.wait(0.1):
        for one in list(sockets):
            try: one.send(b"a")
            except OSError: pass


dripping = threading.Thread(target=drip)
dripping.start()
took = []
for number in range(300):
    one = socket.create_connection(("127.0.0.1", port))
    one.setblocking(False)
    one.send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " if number % 2 else b"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Tellerd: 1\r\nContent-Length: 60000\r\n\r\n{")
    sockets.append(one)
    if number % 20 != 19: continue
    started = time.monotonic()
    findings.same(f"a page beside {number + 1} slow clients", ask(port, "/api/v1/status")[0], 200)
    took.append(time.monotonic() - started)
stop.set()
dripping.join()
findings.true("and at once", max(took) < 1, took)
for one in sockets: one.close()
findings.same("stops too", behind.stop(), 0)

# What cannot be served safely is not served at all: code 78 and one sentence.
def refused(name, config):
    daemon = Daemon(root / name, "--http", free_port(), config=config).spawn()
    code = daemon.process.wait(timeout=20)
    return code, daemon.log()


open_key = certificate("open.pem")
open_key.chmod(0o644)
for what, config, words in [
        ("no such file", f'[http]\ntls_certificate = "{root}/none.pem"\n', "is not there"), ("readable by others", f'[http]\ntls_certificate = "{open_key}"\n', "chmod 600"),
        ("without a key", f'[http]\ntls_certificate = "{root}/half.pem"\n', "PRIVATE KEY"), ("beyond the machine in the clear", '[http]\nhost = "0.0.0.0"\n', "loopback only"),
        ("a wrong kind of setting", "[http]\nhost_names = 7\n", "expected a list")]:
    (root / "half.pem").write_bytes((root / "cert").read_bytes())
    (root / "half.pem").chmod(0o600)
    code, log = refused("refused-" + what.replace(" ", "-"), config)
    findings.true(f"13.3.1 {what}: code 78 and why", code == 78 and words in log, (code, log[-300:]))
findings.end("tls", f"slowest page beside 300 slow clients {max(took) * 1000:.0f} ms")
