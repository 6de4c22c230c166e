"""The pages in a real browser against a real daemon with a generated branch.  time limit: 600

Every page in both languages and both themes: no word from the browser's console, no finding of axe (WCAG 2.2 A and AA), a
screenshot kept under BUILD/screenshots. Then what people do: set up, sign in and be refused, look a customer up, filter, keep an
address, read on after a restart, answer a refused event, with the keyboard, on paper.
"""
import itertools, pathlib, random, re, sys, tomllib, urllib.parse
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from browser import Browser, chromium
from teller import *

PAGES = ["status", "customers", "offers", "loans", "marketing", "models", "data", "merchants", "shop", "policy"]
PASSWORD = "correct horse battery"
findings, root = Findings(), scratch()
shots = BIN / "screenshots"
shots.mkdir(exist_ok=True)


def axe():
    here = ROOT / "tests/web"
    file = here / "node_modules/axe-core/axe.min.js"
    if not file.exists(): subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=here, check=True, capture_output=True, timeout=200)
    return file.read_text()


AXE = axe()
port = free_port()
daemon = Daemon(root / "data", "--http", port, config='[branch]\nname = "Арбат <b>"\ntimezone = "Europe/Moscow"\n').start()
url = f"http://127.0.0.1:{port}/"
browser = Browser(chromium())


def text(selector): return browser.js(f"(document.querySelector({json.dumps(selector)}) || {{}}).textContent") or ""
def body(): return browser.js("document.body.textContent")
def click(selector): browser.js(f"document.querySelector({json.dumps(selector)}).click()")
def until(what, expression, seconds=15): findings.true(what, browser.until(expression, seconds), "" if browser.until(expression, 0.2) else text("main")[:300])
def has(words): return f"document.body.textContent.includes({json.dumps(words)})"


def fill(selector, value):
    browser.js(f"(e => {{ e.value = {json.dumps(value)}; e.dispatchEvent(new Event('input', {{bubbles: true}})); e.dispatchEvent(new Event('change', {{bubbles: true}})); }})(document.querySelector({json.dumps(selector)}))")


def key(name, **more):
    for kind in ("keyDown", "keyUp"): browser.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, **more)


def ready(): return browser.until("document.querySelectorAll('main section').length > 0 && [...document.querySelectorAll('main section .body')].every(b => b.children.length)", 20)


def sign_in(user, password=PASSWORD):
    browser.open(url + "#signin")
    fill("#f-user", user)
    fill("#f-password", password)
    click("form.sign button")


def accessible(what):
    browser.js(AXE + "; 0")
    tags = json.dumps(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    found = browser.js(f"axe.run(document, {{runOnly: {tags}}}).then(r => r.violations.map(v => v.id + ' ' + v.nodes.slice(0, 3).map(n => n.target.join(' ') + ' ' + n.failureSummary.slice(0, 160)).join(' | ')))")
    findings.same(f"axe: {what}", found, [])


# Nothing there yet: every page says what to do.
browser.look()
browser.open(url)
browser.js("localStorage.setItem('lang', 'en')")
for page in PAGES:
    browser.open(f"{url}#{page}")
    findings.true(f"empty {page} is drawn", ready())
until("an empty branch says how to load", has("tellerctl load"))
findings.true("text from the daemon is text, not markup", "Арбат <b>" in text("#branch") and browser.js("document.querySelectorAll('#branch b').length") == 0)

# The first operator comes with the token of the journal, once.
token = re.search(r"token (\S+), good once", daemon.log()).group(1)
browser.open(url + "#setup")
until("the set-up form is there", "document.querySelector('#f-token') !== null")
for field, value in (("token", "wrong"), ("user", "olga"), ("password", PASSWORD)): fill("#f-" + field, value)
click("form.sign button")
until("a wrong token is refused", has("not the set-up token"))
fill("#f-token", token)
click("form.sign button")
until("the first operator is in", "document.getElementById('who').textContent.includes('olga, operator')")
for user, role in (("anna", "analyst"), ("dmitri", "desk"), ("igor", "auditor")): daemon.ctl("user", "add", user, "--role", role, stdin=PASSWORD + "\n")

# A branch with a history, loans, and a refused event.
daemon.ctl("generate", root / "out", "--clients", 400, "--seed", 3, "--until", time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400)))
daemon.ctl("load", root / "out", timeout=200)
peer, now_us = Producer(daemon, "till"), int(time.time() * 1e6)
ack = peer.send([transaction("bad1", "CLIENT_000001", now_us, currency="ZZZ"), transaction("good1", "CLIENT_000001", now_us)])
daemon.derived(ack.commit)

# Desks have answered some of the offers, with every other code.
codes, key_of = itertools.cycle(["ACCEPTED", "PRICE", "NO_ANSWER", "NOT_INTERESTED", "HAS_ALREADY"]), {r["display_key"]: f"{r['name']}:{r['key']}" for r in daemon.rows("select i.display_key, i.key, s.name from identity i join system s on s.id = i.system")}
stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
(root / "outcomes.ndjson").write_text("".join(json.dumps({"kind": "outcome", "id": f"o{n}", "customer": key_of[o["customer_key"]], "occurred_at": stamp, "offer_id": o["offer_id"], "code": next(codes)}) + "\n" for n, o in enumerate(daemon.rows("select * from mart_offer where state = 'READY' order by offer_id")) if n % 2))
daemon.ctl("load", root / "outcomes.ndjson", "--kind", "outcome")

# Shoppers enough for a churn model: each has a rate, half stop for good at some week.
chance, facts = random.Random(5), []
for number in range(600):
    rate, stops = 0.1 + 0.6 * chance.random(), chance.choice([60, chance.randrange(10, 60)])
    facts += [(now_us - (60 - week) * 7 * 86_400_000_000 + chance.randrange(300_000_000_000), f"K{number:04}") for week in range(60) if week < stops and (week == 0 or chance.random() < rate)]
for start in range(0, len(facts), 1000): ack = peer.send([transaction(f"k{start + at}", who, us) for at, (us, who) in enumerate(facts[start:start + 1000])])
daemon.derived(ack.commit)
trained = daemon.ctl("train").stdout
findings.true("a churn model is trained", "trained in" in trained, trained)
if not daemon.rows("select 1 from mart_model where is_active"): daemon.ctl("model", "activate", daemon.rows("select model from mart_model where roc_auc is not null")[0]["model"])

browser.complaints.clear()
sign_in("anna", "not the password")
until("a wrong password is refused", has("The user or the password is wrong"))
findings.true("and the browser only says 401", all("401" in c for c in browser.complaints), browser.complaints)
sign_in("anna")
until("the analyst is in", "document.getElementById('who').textContent.includes('anna')")
browser.complaints.clear()

for theme in ("light", "dark"):
    for language in ("en", "ru"):
        browser.look(theme)
        browser.js(f"localStorage.setItem('lang', '{language}')")
        for page in PAGES + ["customer?id=5"]:
            browser.open(f"{url}#{page}")
            what = f"{page} {language} {theme}"
            findings.true(f"{what} is drawn", ready(), text("main")[:200])
            findings.same(f"{what} speaks its language", browser.js("document.documentElement.lang"), language)
            left = browser.js("[...document.querySelectorAll('main *')].filter(e => !e.children.length && /undefined|NaN|\\[object|\\{\\w+\\}/.test(e.textContent) && !e.closest('pre')).map(e => e.textContent.slice(0, 80))")
            findings.same(f"{what} has no unfilled place", left, [])
            accessible(what)
            browser.screenshot(shots / f"{page.split('?')[0]}-{language}-{theme}.png")
findings.same("the dark theme is dark", browser.js("getComputedStyle(document.body).backgroundColor"), "rgb(20, 25, 26)")
findings.same("the console says nothing but of marts that are not there", [c for c in browser.complaints if not ("404" in c and "/api/v1/marts/" in c)], [])

# In Russian, tiers, segments and categories are said in the words of the pack, rules by what they say; names stay in the CSV.
pack_words = tomllib.loads((ROOT / "systemd/policy/default/texts.ru.toml").read_text())
said = {}
for page in ("customers", "marketing", "customer?id=5", "offers"):
    browser.open(f"{url}#{page}")
    ready()
    shown = browser.js("[...document.querySelectorAll('main *')].filter(e => !e.children.length).map(e => e.textContent.trim())")
    for section in ("tiers", "segments", "categories"):
        findings.same(f"{section} of {page} are not named in English", [text for text in shown if text in pack_words[section] and pack_words[section][text] != text], [])
    said[page] = " ".join(shown)
for row in daemon.rows("select distinct combined_segment s from mart_customer where s <> ''"): findings.true(f"{row['s']} is said in Russian", pack_words["segments"][row["s"]] in said["customers"], said["customers"][:200])
findings.same("no rule is named by its id", re.findall(r"(?:law|bank|business)-[a-z-]+", said["offers"] + said["customer?id=5"]), [])

# Weight and speed: only our own host, under 250 KB, first paint under 200 ms (the best of up to twenty: the machine is shared).
# Where one word from the same server, in turn, takes more than 100 ms to be painted: under twice that.
browser.js("localStorage.setItem('lang', 'en')")
browser.look()

def first_paint(*page):
    browser.open(*page)
    browser.until("performance.getEntriesByType('paint').length > 0")
    return browser.js("performance.getEntriesByType('paint')[0].startTime")

words, paints = [], []
while len(paints) < 20 and not (paints and min(paints) < 200):
    words.append(first_paint(url + "healthz", "document.body.innerText !== ''"))
    paints.append(first_paint(url))
findings.true("first paint under 200 ms", min(paints) < max(200, 2 * min(words)), (paints, words))
ours = browser.js("performance.getEntriesByType('resource').map(e => e.name)")
findings.true("only this host is asked", all(name.startswith(url) for name in ours), ours)
findings.true("under 250 KB in all", sum(f.stat().st_size for f in (ROOT / "web").iterdir()) < 250_000)

# Models: the calibration is drawn, and its table says what the mart holds.
browser.open(url + "#models")
until("the calibration is drawn", "document.querySelectorAll('main .square circle').length >= 5")
judged = daemon.rows("select * from mart_model where is_active order by week desc")
curve = json.loads(judged[0]["calibration_curve"])
shown = browser.js("[...document.querySelectorAll('main .square circle title')].map(e => e.textContent)")
findings.same("a point a part", len(shown), len(curve))
findings.true("with its shares", f"{100 * curve[0]['predicted']:.1f} % → {100 * curve[0]['observed']:.1f} %" in shown[0], shown[:2])
findings.true("the recency rule stands beside it", browser.js(has(f"{judged[0]['recency_roc_auc']:.3f}")), text("main")[:300])
history = browser.js("[...document.querySelectorAll('table')].find(t => t.caption?.textContent === 'All models').tBodies[0].textContent")
findings.true("weeks that judge differently, and the newest speaks for a model", len({f"{j['log_loss']:.3f}" for j in judged}) > 1 and f"{judged[0]['roc_auc']:.3f}{judged[0]['log_loss']:.3f}" in history, history)

# Offers: the funnel, shares with their intervals and the limits against SQL and the formula by hand; an address keeps the queue.
def rows_of(caption): return browser.js(f"[...([...document.querySelectorAll('table')].find(t => (t.caption?.textContent || '').startsWith({json.dumps(caption)}))?.tBodies[0].rows || [])].map(r => [...r.cells].map(c => c.textContent))")
def whole(words): return int(re.sub(r"[^\d-]", "", words) or 0)


browser.open(url + "#offers")
until("what the offers brought is there", "[...document.querySelectorAll('caption')].some(c => c.textContent.startsWith('By action'))")
midnight = daemon.rows("select cast(strftime('%s', date(day * 86400, 'unixepoch')) as integer) * 1000000 - 10800000000 as us from cursor")[0]["us"]                     # Moscow is three hours ahead
decided = [list(map(int, d["funnel"].split(","))) for d in daemon.rows(f"select funnel from mart_decision where at_us >= {midnight}")]
findings.same("today's funnel by stage", [whole(row[1]) for row in rows_of("Candidates that each stage")], [sum(stage) for stage in zip(*decided)])
campaigns = daemon.rows("select queue, action, sum(issued) issued, sum(presented) presented, sum(accepted) accepted from mart_campaign group by queue, action")
brought = rows_of("By action")
findings.same("issued, presented and accepted in all", [sum(whole(row[n]) for row in brought) for n in (2, 3, 4)], [sum(c[n] for c in campaigns) for n in ("issued", "presented", "accepted")])


def wilson(positives, n, z=1.959964):
    """Both roots of (p - share)^2 = z^2 share (1 - share) / n, found by halving: no formula of the page's."""
    share = positives / n
    gap = lambda x: abs(share - x) - z * (x * (1 - x) / n) ** .5
    def root(inside, outside):
        for _ in range(60):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if gap(middle) <= 0 else (inside, middle)
        return inside
    return (0 if positives == 0 else root(share, 0)), (1 if positives == n else root(share, 1))


shown = 0
for row in brought:
    issued, presented, accepted = map(whole, row[2:5])
    if not presented: continue
    low, high = wilson(accepted, presented)
    figures = [float(x) for x in re.findall(r"[\d.]+", row[6])]
    findings.true(f"{row[0]}: {accepted} of {presented}", abs(figures[0] - 100 * low) < .06 and abs(figures[1] - 100 * high) < .06, (row[6], low, high))
    shown += 1
findings.true("several actions have an interval", shown >= 5, shown)
for row in rows_of("Offers in each queue"): findings.same(f"{row[0]}: what waits may be taken or is held back", whole(row[1]), whole(row[2]) + whole(row[3]))
left = daemon.rows("select funnel from mart_decision")
stages = [int(row["funnel"].split(",")[5]) for row in left]
findings.same("how much there was to choose", [whole(row[1]) for row in rows_of("Decisions by how many candidates")], [sum(n == 0 for n in stages), sum(n == 1 for n in stages), sum(1 < n < 5 for n in stages), sum(n > 4 for n in stages)])
findings.same("what would be another one without a factor", [whole(row[1]) for row in rows_of("Offers that would be another one")], [daemon.rows(f"select coalesce(sum(flips >> {bit} & 1), 0) n from mart_decision where offer_id <> ''")[0]["n"] for bit in range(5)])
findings.true("who gets nothing has reasons", all(len(row[0]) > 5 for row in rows_of("Customers whose newest decision")) and len(rows_of("Customers whose newest decision")) > 0)
findings.same("and so many", sum(whole(row[2]) for row in rows_of("Customers whose newest decision")), daemon.rows("select sum(customers) n from mart_silence")[0]["n"])
browser.open(url + "#offers?queue=collection")
until("an address keeps the queue", "document.querySelector('main select')?.value === 'collection'")
findings.same("and only it is shown", {row[1] for row in rows_of("By action")}, {"collection"})

# Filters: shares and figures against SQL over the raw rows, and the address keeps them.
year = daemon.rows("select max(substr(payment_date, 1, 4)) y from silver_instalment_payment")[0]["y"]
browser.open(f"{url}#loans?year={year}&bucket=%3E500000")
until("the overdue chart is there", "document.querySelectorAll('main .chart').length > 0")
want = daemon.rows("""select count(*) loans, sum(late) overdue, sum(amount) issued from (
    select l.amount_minor * count(*) amount, max(case when y.fact_date = '' then y.payment_date < (select date(day * 86400, 'unixepoch') from cursor) else y.fact_date > y.payment_date or y.paid_minor < l.planned_minor end) late
    from silver_instalment_payment y join silver_loan l on l.customer = y.customer and l.loan_name = y.loan_name and l.state = 0
    where y.state = 0 and y.payment_date like ? and l.amount_minor > 50000000 group by y.customer, y.loan_name, substr(y.payment_date, 1, 7))""", year + "%")[0]
digits = lambda words: re.sub(r"[^\d]", "", words)
tiles = browser.js("[...document.querySelectorAll('main section .tile .value')].slice(0, 4).map(e => e.textContent)")
findings.same("loans × months after filtering", digits(tiles[1]), str(want["loans"]))
findings.same("overdue of them", digits(tiles[2]), str(want["overdue"]))
findings.same("issued", digits(tiles[3]), str(round(want["issued"] / 100)))
findings.same("the filter shows in its control", browser.js("[...document.querySelectorAll('main select')].map(s => s.value).slice(0, 3)"), [year, "", ">500000"])
browser.js("(s => { s.value = ''; s.dispatchEvent(new Event('change')); })(document.querySelectorAll('main select')[2])")
until("a changed filter is in the address", f"location.hash === '#loans?year={year}'")

# Every filter of every page: another choice goes into the address, and the address opened anew shows it chosen.
def controls(): return browser.js("[...document.querySelectorAll('main select, main input[type=date], main input[type=number]')].map(e => ({ kind: e.tagName, value: e.value, others: e.tagName === 'SELECT' ? [...e.options].map(o => o.value).filter(v => v !== e.value) : [e.type === 'date' ? '2026-01-15' : '3'] }))")


filters = 0
for page in [p for p in PAGES if p not in ("status", "merchants", "shop")] + ["customer?id=5"]:
    browser.open(f"{url}#{page}")
    ready()
    for at, control in enumerate(controls()):
        if not control["others"]: continue
        browser.open(f"{url}#{page}")
        ready()
        browser.until(f"document.querySelectorAll('main select, main input[type=date], main input[type=number]').length > {at}")
        before, wanted = browser.js("location.hash"), control["others"][-1]
        browser.js(f"(e => {{ e.value = {json.dumps(wanted)}; e.dispatchEvent(new Event('change', {{bubbles: true}})); }})(document.querySelectorAll('main select, main input[type=date], main input[type=number]')[{at}])")
        kept = browser.js("location.hash")
        findings.true(f"filter {at} of {page} is in the address", kept != before and wanted in urllib.parse.unquote_plus(kept), (before, kept, wanted))
        browser.open(url + kept)
        ready()
        findings.true(f"{kept} shows it chosen", browser.until(f"document.querySelectorAll('main select, main input[type=date], main input[type=number]')[{at}]?.value === {json.dumps(wanted)}", 8), controls())
        filters += 1
findings.true("filters of all those pages", filters >= 12, filters)

# With the keyboard a filter keeps the focus when the page is drawn anew; what was opened stays open when more comes in;
# the way back leads to the page with its filter.
browser.open(f"{url}#loans")
until("there are filters", "document.querySelectorAll('main select').length >= 3")
browser.js(f"(s => {{ s.focus(); s.value = '{year}'; s.dispatchEvent(new Event('change')); }})(document.querySelector('main select'))")
until("the filter is chosen", f"location.hash === '#loans?year={year}' && document.querySelector('main select').value === '{year}'")
until("and has the focus", "document.activeElement === document.querySelector('main select')", 3)
browser.js("document.querySelector('main details').open = true")
drawn = browser.js("performance.getEntriesByType('resource').length")
ack = peer.send([transaction("more1", "CLIENT_000001", now_us)])
daemon.derived(ack.commit)
until("the page was asked for anew", f"performance.getEntriesByType('resource').filter(e => e.name.includes('mart_loan_overdue_month')).length >= 3", 20)
findings.true("and what was opened is open", browser.js("document.querySelector('main details').open"))
browser.js("location.hash = '#marketing'")
until("another page", "document.querySelector('[data-page=marketing]') !== null")
browser.js("history.back()")
until("back is where it was, with its filter", f"location.hash === '#loans?year={year}' && document.querySelector('main select')?.value === '{year}'")

# Verdicts over models: each sentence of the trainer has its words in Russian, its figures in it.
browser.js("localStorage.setItem('lang', 'ru')")
browser.open(url + "#models")
source = (ROOT / "daemon/app/trainer.cpp").read_text()
source = re.sub(r'"\s*\n\s*"', "", source[source.index("Verdict beside_champion"):source.index("// What stands in the record")])
sentences = [re.sub(r"\{(:[^}]*)?\}", lambda m: "0.1234" if m.group(1) else "abc123", text) for text in re.findall(r'"([^"]{12,})"', source)]
findings.true("the trainer says so many", len(sentences) >= 10, sentences)
for sentence in sentences:
    said = browser.js(f"import('/page_models.js').then(m => m.verdictWords({json.dumps(sentence)}))")
    rest = re.sub("ROC-AUC|log loss|Log loss|tellerctl model activate|abc123", "", said)
    findings.true(f"in Russian: {sentence}", not re.search("[A-Za-z]{2}", rest) and said.count("abc123") == sentence.count("abc123") and said.count("0,1234") == sentence.count("0.1234"), said)
browser.js("localStorage.setItem('lang', 'en')")

# An address that leads nowhere says so, whether a path or a name.
for address in ("nowhere", "#nowhere"):
    browser.open(url + address)
    until(f"{address} is said not to be there", has("There is no such page"))
    accessible(address)
browser.js("document.querySelector('main a').click()")
until("and leads to the status", "document.querySelector('[data-page=status]') !== null && location.pathname === '/'")

# CSV of a table, on paper.
browser.open(f"{url}#loans?year={year}")
until("the loans are there again", "document.querySelectorAll('main .chart').length > 0")
browser.js("window.kept = null; const make = URL.createObjectURL; URL.createObjectURL = blob => { blob.text().then(t => window.kept = t); return make(blob); }")
browser.js("document.querySelector('main .tools button').click()")
until("a table is kept as CSV", "typeof window.kept === 'string'")
kept = [line.split(",") for line in browser.js("window.kept").lstrip("\ufeff").split("\r\n") if line]
at = {name.strip('"'): n for n, name in enumerate(kept[0])}
findings.true("its shares are figures", len(kept) > 3 and all(abs(float(row[at["share"]]) - int(row[at["overdue"]]) / int(row[at["loans"]])) < 1e-9 for row in kept[1:]), kept[:2])
findings.true("with a head and rows", browser.js("window.kept").lstrip("\ufeff").startswith('"month","loans"') and len(browser.js("window.kept").splitlines()) > 3, browser.js("window.kept")[:80])
browser.call("Emulation.setEmulatedMedia", media="print")
findings.same("paper has no menu", browser.js("getComputedStyle(document.getElementById('menu')).display"), "none")
browser.call("Emulation.setEmulatedMedia", media="")

# One customer: names by role, the reading written down, other roles refused.
person = daemon.rows("select i.leader id, i.key, y.name from gold_profile p join silver_profile y on y.seq = p.profile_seq join identity i on i.id = p.customer where i.id = i.leader and y.name <> '' and i.key like 'CLIENT%' and i.key <> 'CLIENT_000001' limit 1")[0]


def look_up():
    browser.open(url + "#customers")
    fill("#look-up-key", person["key"])
    click("#look-up button")


look_up()
until("the story is there", f"location.hash === '#customer?id={person['id']}' && document.querySelectorAll('.strip').length === 1")
findings.true("an analyst sees no full name", person["name"] not in body())
findings.same("53 weeks of four sources", browser.js("document.querySelectorAll('.strip rect').length"), 4 * 53)

# The decision grid: every candidate of the pack, the funnel's counts under the stages, and what stands behind an offer.
until("the decision grid is there", "[...document.querySelectorAll('caption')].some(c => c.textContent.startsWith('Every action over each channel'))")
GRID = "[...document.querySelectorAll('table')].find(t => (t.caption?.textContent || '').startsWith('Every action over each channel'))"
told = json.loads(daemon.ctl("why-not", person["key"], "kids_card", "--json").stdout)
heads = [re.sub(r"\D", "", words) for words in browser.js(f"[...{GRID}.querySelectorAll('th.stage')].map(e => e.textContent)")]
findings.same("each stage shows what it let through", heads, [str(told["funnel"][stage]) for stage in ("library", "eligibility", "applicability", "suitability", "constraints", "arbitration", "final")])
passed = browser.js(f"[...Array(7).keys()].map(i => [...{GRID}.querySelectorAll('tbody tr')].filter(r => r.querySelectorAll('td.stage')[i].querySelector('.passed')).length)")
findings.same("and as many candidates pass it", [str(n) for n in passed[:6]], heads[:6])
findings.true("who fell has a reason", browser.js(f"[...{GRID}.querySelectorAll('tbody tr')].every(r => r.cells[9].textContent.trim().length > 3)"))
browser.open(f"{url}#customer?id={person['id']}&stage=applicability")
until("an address keeps the stage", f"{GRID} && [...{GRID}.querySelectorAll('tbody tr')].every(r => r.querySelectorAll('td.stage')[2].querySelector('.fallen'))")
offered = daemon.rows(f"select o.offer_id, i.leader id from mart_offer o join identity i on i.display_key = o.customer_key where o.arm <> 'rules' order by o.created_us limit 1")[0]
browser.open(f"{url}#customer?id={offered['id']}")
until("its offers are there", "document.querySelectorAll('main th button.link').length > 0")
browser.js("[...document.querySelectorAll('main th button.link')].at(-1).click()")
until("an offer says why", has("What each stage let through in this decision"))
explained = json.loads(daemon.ctl("explain", offered["offer_id"], "--json").stdout)
findings.true("in the words of the pack", all(words in body() for words in explained["reasons_en"]), explained["reasons_en"])
accessible("a decision")
browser.screenshot(shots / "decision-en-light.png")
browser.js("[...document.querySelectorAll('main [role=status] p button')].at(-1).click()")
until("the grid goes back to that decision", f"{has('As it was in decision')} && location.hash.includes('decision={explained['decision_id']}') && Boolean({GRID})")
then = json.loads(daemon.ctl("why-not", daemon.rows(f"select display_key k from identity where id = {offered['id']}")[0]["k"], "kids_card", "--decision", explained["decision_id"], "--json").stdout)
findings.same("with the funnel of then", [re.sub(r"\D", "", words) for words in browser.js(f"[...{GRID}.querySelectorAll('th.stage')].map(e => e.textContent)")], [str(then["funnel"][stage]) for stage in ("library", "eligibility", "applicability", "suitability", "constraints", "arbitration", "final")])
browser.open(f"{url}#customer?id={offered['id']}&decision={explained['decision_id']}")
until("an address keeps the decision", has("As it was in decision"))
accessible("a decision of then")
browser.screenshot(shots / "decision-then-en-light.png")
browser.open(url + "#customers")
fill("#look-up-key", "nobody at all")
click("#look-up button")
until("an unknown key is said", has("No customer has this key"))
# A session that has ended says so where it was needed, and signing in leads back there.
browser.open(f"{url}#customers?days=30")
until("anna is still in", "document.getElementById('who').textContent.includes('anna')")
browser.call("Network.clearBrowserCookies")
fill("#look-up-key", person["key"])
click("#look-up button")
until("an ended session is said", has("Your session has ended"))
browser.complaints.clear()
browser.js("document.querySelector('#notice a').click()")
until("its link leads to signing in", "document.querySelector('#f-user') !== null")
fill("#f-user", "anna")
fill("#f-password", PASSWORD)
click("form.sign button")
until("and back", "location.hash === '#customers?days=30' && document.getElementById('who').textContent.includes('anna')")
browser.call("Network.clearBrowserCookies")
browser.js("document.dispatchEvent(new Event('visibilitychange'))")
until("a tab that is looked at again knows who is in", "document.getElementById('who').textContent.includes('Sign in')")
sign_in("anna")
until("the analyst is in again", "document.getElementById('who').textContent.includes('anna')")
click("#who button")
until("signed out", "document.getElementById('who').textContent.includes('Sign in')")
for page in ("offers", "marketing", "models"):
    browser.open(f"{url}#{page}")
    findings.true(f"the sums of {page} are drawn", ready())
    findings.true(f"the sums of {page} are open", "signed in" not in text("main"), text("main")[:300])
look_up()
until("without signing in nobody is looked up", has("needs somebody who has signed in"))
sign_in("dmitri")
until("the desk is in", "document.getElementById('who').textContent.includes('dmitri')")
look_up()
until("a desk sees the name", has(person["name"]))
sign_in("olga")
until("the operator is in", "document.getElementById('who').textContent.includes('olga')")
look_up()
until("an operator may not", has("Your role may not see this"))

# A refused event is opened and answered.
browser.open(f"{url}#data?state=open")
until("the refused event is listed", "document.querySelectorAll('main button.link').length > 0")
click("main button.link")
until("it opens with its event", "document.querySelector('#mended') !== null && document.querySelector('#mended').value.includes('ZZZ')")
accessible("an open refused event")
browser.js("(e => { e.value = e.value.replace('ZZZ', 'RUB'); })(document.querySelector('#mended'))")
browser.js("[...document.querySelectorAll('button')].find(b => b.textContent === 'Send mended').click()")
until("the answer is taken", has("Answered;"))
end = time.monotonic() + 20
while time.monotonic() < end and daemon.rows("select state from quarantine")[0]["state"] == "open": time.sleep(0.2)
findings.same("it is repaired", daemon.rows("select state from quarantine")[0]["state"], "repaired")

# Live: figures move by themselves; a daemon that is gone is said to be, and is read again when it is back.
browser.open(url + "#status")
total = "[...document.querySelectorAll('#live .tile')].at(-1).querySelector('.value').textContent"
until("the status is live", f"/\\d/.test({total})")
before = digits(browser.js(total))
ack = peer.send([transaction(f"live{n}", "CLIENT_000001", now_us) for n in range(50)])
until("events come in", f"Number({total}.replace(/\\D/g, '')) === {int(before) + 50}")
daemon.kill()
until("a daemon that is gone is said to be", "/^Stale since \\d\\d:\\d\\d:\\d\\d/.test(document.getElementById('notice').textContent)", 20)
findings.true("and nothing is called well then", "All is well" not in body() and "unknown" in text("#light"))
accessible("the stale page")
browser.screenshot(shots / "stale-en-light.png")
daemon.start()
until("when it is back the notice asks to sign in again", "document.getElementById('notice').textContent.startsWith('Your session has ended')", 20)
until("and says again that all is well", has("All is well"), 20)
until("a restart has signed everybody out", "document.getElementById('who').textContent.includes('Sign in')")

# With the keyboard.
browser.open(url + "#status")
key("Tab", windowsVirtualKeyCode=9)
findings.same("the first stop is the skip link", browser.js("document.activeElement.className"), "skip")
key("Enter", windowsVirtualKeyCode=13, text="\r")
findings.same("it leads to the page, which stays", browser.js("document.activeElement.id + location.hash"), "main#status")
sign_in("anna")
until("anna is in on a phone", "document.getElementById('who').textContent.includes('anna')")
browser.js("localStorage.setItem('lang', 'ru')")
browser.look(width=360)
for page in PAGES + [f"customer?id={person['id']}"]:
    browser.open(f"{url}#{page}")
    ready()
    findings.true(f"a phone's width is enough for {page}", browser.js("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
    wide = browser.js("[...document.querySelectorAll('main *')].filter(e => !e.closest('svg') && !e.classList.contains('unseen') && e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1 && !['auto', 'scroll'].includes(getComputedStyle(e).overflowX) && getComputedStyle(e).display !== 'inline').map(e => e.tagName + '.' + e.className)")
    findings.same(f"nothing of {page} runs over its place", wide, [])
    findings.true(f"no word of {page} is squeezed", browser.js("[...document.querySelectorAll('dl.facts dd')].every(e => e.clientWidth > 60)"))
browser.js("localStorage.setItem('lang', 'en')")
for width in (770, 860):  # where two tables beside each other would not find room
    browser.look(width=width)
    for page in ("status", "loans"):
        browser.open(f"{url}#{page}")
        ready()
        cut = browser.js("[...document.querySelectorAll('.pair .scroll')].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.slice(0, 30))")
        findings.same(f"no table of a pair on {page} is cut off at {width}", cut, [])
browser.look()

# The auditor reads all of it, by internal number.
browser.look()
sign_in("igor")
until("the auditor is in", "document.getElementById('who').textContent.includes('igor')")
browser.open(f"{url}#audit?customer={person['id']}")
until("readings of the customer are listed", "document.querySelectorAll('main tbody tr').length >= 2")
findings.true("by two readers, without a name", "anna" in text("main") and "dmitri" in text("main") and person["name"] not in body())
click("main section:last-of-type button")
until("the chain is whole", has("Whole. The newest row"))
accessible("the audit page")
browser.screenshot(shots / "audit-en-light.png")
browser.js("localStorage.setItem('lang', 'ru')")
browser.open(f"{url}#audit")
until("the audit is there in Russian", "document.querySelectorAll('main tbody tr').length >= 20")
spoken = {cell for row in browser.js("[...document.querySelectorAll('main tbody tr')].map(r => [r.cells[4].textContent, r.cells[7].textContent])") for cell in row}
findings.same("what was done and what came of it, in words", [cell for cell in spoken if re.search("[A-Za-z]", re.sub("mart_[a-z_]+", "", cell))], [])
browser.close()
findings.end("pages", f"{len(list(shots.glob('*.png')))} screenshots in {shots}, first paint {min(paints):.0f} ms, of one word {min(words):.0f} ms")
