"""Chromium without a window, driven over its own protocol: no driver, no package beside Debian's chromium."""
import base64, json, os, pathlib, shutil, subprocess, tempfile, time


def chromium():
    """The program, or the end of the script: a test that cannot look must not pass."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        raise SystemExit("chromium is not installed: tools/install-deps brings it")
    return program


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
        """Its value; a promise is waited for. What it throws is thrown here."""
        done = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def until(self, expression, seconds=15):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.js(expression):
                return True
            time.sleep(0.1)
        return False

    def look(self, theme="light", width=1280, height=900):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def open(self, url, what="document.querySelector('#main .page') !== null"):
        """A fresh document, also when only the part after # differs."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)
        assert self.until(f"document.readyState === 'complete' && {what}"), url

    def screenshot(self, file):
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 6000), "scale": 1}
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        pathlib.Path(file).write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        self.session = None
        try:
            self.call("Browser.close")
        except (AssertionError, OSError):
            pass
        self.process.wait(timeout=20)
        self.folder.cleanup()
