"""The page in a real browser: page.py [ROOT]. Serves web/ with the server's own policy headers and made-up figures.

Checks both languages, both themes, the empty daemon, the daemon that goes away and comes back, names for screen
readers, and that the browser has nothing to say about the Content-Security-Policy. Exits 0 and says why when there is
no chromium.
"""
import http.server, json, os, pathlib, re, shutil, subprocess, sys, tempfile, threading, time

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
ROOT = ROOT if (ROOT / "web").is_dir() else ROOT.parents[2]
POLICY = "".join(re.findall(r'"(Content-Security-Policy: .*?)"\s*"(.*?)\\r\\n"', (ROOT / "daemon/ops/answer.cpp").read_text())[0])
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
ROOMS = ["ingest", "bronze", "silver", "gold", "decide", "deliver"]
FULL = {
    "version": "9.9", "branch": "Арбат <b>", "timezone": "Europe/Moscow", "clock": "wall", "ready": True, "light": "amber",
    "now_us": 1_795_255_200_000_000, "started_us": 1_795_240_000_000_000,
    "rooms": [{"name": n, "light": "green", "value": 12345, "unit": "records", "text": "well"} for n in ROOMS],
    "ingest": {"events_total": 1234567, "events_per_s": 2400, "ack_ms_p99": 5.1, "fsync_ms_p50": 0.8, "fsync_ms_p99": 4},
    "lag": {"records": 7, "seconds": 0.1}, "queues": [{"queue": "marketing", "ready": 3}],
    "tiers": [{"name": "VIP", "count": 1}, {"name": "Basic", "count": 3}],
    "segments": [{"name": "VIP Active", "count": 4}], "churn": [{"state": "at_risk", "count": 4}],
    "overdue": {"loans": 4, "overdue_loans": 1, "share_percent": 25.0},
    "quarantine": [{"reason": "TOO_OLD", "count": 2}], "disk": {"free_bytes": 3 << 30}, "policy": {"name": "default", "hash": "abc"},
    "errors": [{"at_us": 1_795_255_092_000_000, "text": "<img src=x>"}],
}
# On paper: October (1 + 2) of (10 + 10) is 15 %; December (5 + 0) of (10 + 90) is 5 %, where the mean of 50 % and 0 %
# would be 25 %.
MONTHS = [("2026-10", "<=50000", 10, 1), ("2026-10", ">500000", 10, 2), ("2026-12", "<=50000", 10, 5), ("2026-12", ">500000", 90, 0)]
MART = {"rows": [dict(month=m, bucket=b, total_loans=t, total_overdue_loans=o) for m, b, t, o in MONTHS]}


class Daemon(http.server.BaseHTTPRequestHandler):
    status, mart, is_gone = FULL, MART, False

    def do_GET(self):
        path = self.path.split("?")[0]
        if Daemon.is_gone or path == "/api/v1/live":  # a refused stream: the page must go on by asking
            return self.answer(503, "application/problem+json", b"{}")
        if path == "/api/v1/status":
            return self.answer(200, "application/json", json.dumps(Daemon.status).encode())
        if path.startswith("/api/v1/marts/"):
            return self.answer(200 if Daemon.mart else 404, "application/json", json.dumps(Daemon.mart).encode())
        file = ROOT / "web" / (path.lstrip("/") or "index.html")
        self.answer(200, TYPES[file.suffix], file.read_bytes())

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header(*POLICY.split(": ", 1))
        self.send_header("Content-Type", kind + "; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Browser:
    """Chromium's protocol over two pipes (descriptors 3 and 4), messages ended by NUL."""

    def __init__(self, program):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_read, self.to = os.pipe()
        self.back, back_write = os.pipe()
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
                 "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
                 "--user-data-dir=" + self.folder.name]
        shell = f"exec {program} {' '.join(flags)} 3<&{to_read} 4>&{back_write} 2>/dev/null"
        self.process = subprocess.Popen(["bash", "-c", shell], pass_fds=[to_read, back_write])
        os.close(to_read), os.close(back_write)
        self.rest, self.last, self.complaints, self.session = b"", 0, [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for room in ("Page", "Runtime", "Log"):
            self.call(room + ".enable")

    def call(self, method, **params):
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.rest:
                got = os.read(self.back, 1 << 20)
                assert got, "the browser went away"
                self.rest += got
            line, self.rest = self.rest.split(b"\0", 1)
            answer = json.loads(line)
            if answer.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.complaints.append(json.dumps(answer["params"]))
            if answer.get("id") == self.last:
                assert "error" not in answer, answer
                return answer["result"]

    def js(self, expression):
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def until(self, expression, seconds=15):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.js(expression):
                return True
            time.sleep(0.1)
        return False

    def open(self, url, theme, width):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=url)
        assert self.until("document.readyState === 'complete' && document.querySelectorAll('#rooms li').length === 6")

    def close(self):
        self.session = None
        try:
            self.call("Browser.close")
        except (AssertionError, OSError):
            pass
        self.process.wait(timeout=20)
        self.folder.cleanup()


failures = []


def check(name, holds):
    print(("ok    " if holds else "FAILED ") + name)
    if not holds:
        failures.append(name)


def text(browser, selector):
    return browser.js(f"(document.querySelector({json.dumps(selector)}) || {{}}).textContent") or ""


def run(browser, url):
    browser.open(url, "light", 1280)
    browser.js("document.querySelector('[data-lang=en]').click()")
    check("the language switch speaks English", text(browser, "#h-live") == "Right now" and browser.js("document.documentElement.lang") == "en")
    check("text from the daemon is text, not markup", "Арбат <b>" in text(browser, "h1") and browser.js("document.querySelectorAll('img, h1 b').length") == 0)
    check("a light is a word too", "needs attention" in text(browser, "#light") and "working" in text(browser, "#rooms li"))
    check("figures are grouped", "1,234,567" in text(browser, "#live"))
    check("months wait for the mart", browser.until("document.querySelectorAll('#overdue tbody tr').length === 2"))
    check("shares come from totals", [row.split("|")[-1] for row in browser.js(
        "[...document.querySelectorAll('#overdue tbody tr')].map(r => [...r.children].map(c => c.textContent).join('|'))")] == ["5.00", "15.00"])
    check("the trend is drawn", browser.until("document.querySelectorAll('#live polyline').length === 4"))
    tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    nameless = [n["role"]["value"] for n in tree if not n.get("ignored") and n["role"]["value"] in ("image", "button", "combobox", "link", "table", "region")
                and not n.get("name", {}).get("value")]
    check("whatever can be used or read has a name: " + ",".join(nameless), not nameless and len(tree) > 50)

    browser.js("document.querySelector('[data-lang=ru]').click()")
    browser.open(url, "dark", 400)
    check("Russian is remembered", text(browser, "#h-live") == "Сейчас" and browser.js("localStorage.lang") == "ru")
    check("numbers are Russian", re.search("1\\s234\\s567", text(browser, "#live")) is not None)
    check("the dark theme is dark", browser.js("getComputedStyle(document.body).backgroundColor") == "rgb(20, 25, 26)")
    check("a phone's width is enough", browser.js("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))

    Daemon.is_gone = True
    check("a daemon that is gone is said to be", browser.until("/устарели.*\\d\\d:\\d\\d:\\d\\d/.test(document.getElementById('notice').textContent)"))
    check("and nothing is called working then", "работает" not in text(browser, "#rooms") and "неизвестно" in text(browser, "#light"))
    Daemon.is_gone = False
    check("when it is back the notice goes", browser.until("document.getElementById('notice').hidden"))

    Daemon.status, Daemon.mart = {"ready": False, "light": "green", "ingest": {"events_total": 0}}, None
    browser.open(url, "light", 1280)
    check("an empty daemon says what to do", browser.until("!document.getElementById('empty').hidden") and "tellerctl load" in text(browser, "#empty"))
    check("so does each empty part", browser.until("document.querySelectorAll('main .hint').length >= 8"))
    check("not ready is a word", "не готов" in text(browser, "#light"))
    said = [c for c in browser.complaints if "503" not in c and "404" not in c]
    check("the browser complains of nothing: " + " ".join(said)[:300], not said)


def main():
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        print("not checked: chromium is not installed (package chromium)")
        return 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Daemon)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    browser = Browser(program)
    try:
        run(browser, f"http://127.0.0.1:{server.server_address[1]}/")
    finally:
        browser.close()
        server.shutdown()
    return 1 if failures else 0


sys.exit(main())
