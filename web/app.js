// The status page: reads the status document (live, or by asking every two seconds) and draws it.
// Every field may be missing; what is missing is said, not guessed.
"use strict";

const WORDS = {
  en: {
    locale: "en-GB", skip: "Skip to the figures", language: "Language",
    rooms: "The way of an event", live: "Right now", tiers: "Customers by tier", segments: "Customers by segment",
    churn: "Who may leave", overdue: "Overdue loans by month", amount: "Loan amount", queues: "Offers waiting for a desk",
    quarantine: "Refused events by reason", disk: "Disk and rules", errors: "Latest errors",
    onlySums: "Only sums are shown here, nothing about one customer.",
    lights: { green: "working", amber: "needs attention", red: "in trouble", none: "unknown" },
    notReady: "not ready", branchTitle: "Branch {name}", clocks: { wall: "wall clock", event: "time of the events" },
    stale: "Stale since {time}: the daemon does not answer. Trying again.",
    connecting: "Connecting…",
    noEvents: "No events yet. Load some: `tellerctl load FILES…`, or synthetic ones: `tellerctl generate OUT --clients 1000 --seed 1`, then `tellerctl load OUT`.",
    roomNames: { ingest: "Intake", bronze: "Log", silver: "Facts", gold: "Knowledge", decide: "Decisions", deliver: "Delivery" },
    units: { "events/s": "events/s", records: "records", facts: "facts", customers: "customers", offers: "offers", "offers/s": "offers/s", ms: "ms", s: "s", weeks: "weeks", bytes: "bytes" },
    rate: "Events taken in", perSecond: "per second", total: "Events since start", batches: "in {n} batches",
    ack: "Acknowledged within", fsync: "On disk within", most: "99 of 100", mostHalf: "99 of 100; half within {n}\u00a0ms",
    lag: "Still to be worked in", lagSeconds: "{n}\u00a0s behind", upToDate: "up to date",
    trend: "{name}, last {n} seconds: from {low} to {high}",
    who: { tier: "Tier", segment: "Segment", state: "State", reason: "Reason", queue: "Queue", month: "Month", time: "Time", what: "What happened" },
    customers: "Customers", share: "Share", waiting: "Waiting", events: "Events",
    captionTiers: "Customers in each tier, {n} in all", captionSegments: "Customers in each segment, {n} in all",
    captionChurn: "Customers by state, {n} in all", captionQueues: "Offers ready in each queue, {n} in all",
    captionQuarantine: "Refused events kept with their bytes, {n} in all", captionErrors: "Newest first",
    churnStates: { active: "active", at_risk: "may leave", churned: "has left", new: "new", unknown: "not known yet" },
    reasons: { TOO_OLD: "older than what is kept", FROM_FUTURE: "dated in the future", UNKNOWN_REFERENCE: "names something unknown", BAD_AMOUNT: "the amount cannot be right", BAD_TEXT: "unreadable or too long text", BAD_TIME: "the time cannot be right", NO_RATE: "no exchange rate", BAD_STRUCTURE: "not a well-formed event", CONFLICT: "same number, other content" },
    noTiers: "No customers yet. `tellerctl load FILES…` brings them.", noSegments: "No customers yet. `tellerctl load FILES…` brings them.",
    noChurn: "Nobody is judged yet: that takes some weeks of transactions. `tellerctl load FILES…`",
    noOverdue: "No loans yet. Load part after part: `tellerctl load DIR --part 1`.", noQueues: "No queue yet. Queues fill when an offer is decided.",
    noQuarantine: "Nothing was refused.", noErrors: "No errors.", noDisk: "Not known yet.",
    seeQuarantine: "To look at them: `tellerctl quarantine list`.",
    allAmounts: "all", overdueNow: "Now: {overdue} of {loans} loans overdue, {share} %.",
    overdueFigure: "Share of overdue loans by month of payment, from {first} to {last}; the highest is {high} % in {month}",
    overdueTable: "The same as a table", overdueCaption: "Loans with an instalment planned in the month", loans: "Loans", overdueLoans: "Overdue", percent: "Share, %",
    free: "Free on the disk", data: "Data take", wal: "of it not yet folded in (WAL)", bronze: "Log kept", bronzeOf: "{n} of {max} weeks", policy: "Policy pack", hash: "its hash", started: "Running since",
    byteUnits: ["bytes", "KB", "MB", "GB", "TB"],
  },
  ru: {
    locale: "ru-RU", skip: "Сразу к цифрам", language: "Язык",
    rooms: "Путь события", live: "Сейчас", tiers: "Клиенты по уровням", segments: "Клиенты по сегментам",
    churn: "Кто может уйти", overdue: "Просрочка кредитов по месяцам", amount: "Сумма кредита", queues: "Предложения ждут оператора",
    quarantine: "Отклонённые события по причинам", disk: "Диск и правила", errors: "Последние ошибки",
    onlySums: "Здесь только суммы и ничего об отдельном клиенте.",
    lights: { green: "работает", amber: "нужно внимание", red: "неисправность", none: "неизвестно" },
    notReady: "не готов", branchTitle: "Отделение {name}", clocks: { wall: "обычные часы", event: "время по событиям" },
    stale: "Данные устарели, последние — {time}: служба не отвечает. Пробуем снова.",
    connecting: "Соединяемся…",
    noEvents: "Событий ещё нет. Загрузите их: `tellerctl load ФАЙЛЫ…`, или учебные: `tellerctl generate OUT --clients 1000 --seed 1`, затем `tellerctl load OUT`.",
    roomNames: { ingest: "Приём", bronze: "Журнал", silver: "Факты", gold: "Знания", decide: "Решения", deliver: "Выдача" },
    units: { "events/s": "событий/с", records: "записей", facts: "фактов", customers: "клиентов", offers: "предложений", "offers/s": "предложений/с", ms: "мс", s: "с", weeks: "недель", bytes: "байт" },
    rate: "Принимаем событий", perSecond: "в секунду", total: "Событий с запуска", batches: "пачек: {n}",
    ack: "Подтверждаем за", fsync: "Пишем на диск за", most: "99 из 100", mostHalf: "99 из 100; половина за {n}\u00a0мс",
    lag: "Ещё не обработано", lagSeconds: "отстаём на {n}\u00a0с", upToDate: "всё обработано",
    trend: "{name}, последние {n} секунд: от {low} до {high}",
    who: { tier: "Уровень", segment: "Сегмент", state: "Состояние", reason: "Причина", queue: "Очередь", month: "Месяц", time: "Время", what: "Что случилось" },
    customers: "Клиенты", share: "Доля", waiting: "Ждут", events: "События",
    captionTiers: "Клиентов на каждом уровне, всего {n}", captionSegments: "Клиентов в каждом сегменте, всего {n}",
    captionChurn: "Клиентов по состоянию, всего {n}", captionQueues: "Готовых предложений в каждой очереди, всего {n}",
    captionQuarantine: "Отклонённые события хранятся как пришли, всего {n}", captionErrors: "Сначала новые",
    churnStates: { active: "активен", at_risk: "может уйти", churned: "ушёл", new: "новый", unknown: "пока неизвестно" },
    reasons: { TOO_OLD: "старше срока хранения", FROM_FUTURE: "дата в будущем", UNKNOWN_REFERENCE: "ссылка на неизвестное", BAD_AMOUNT: "невозможная сумма", BAD_TEXT: "нечитаемый или слишком длинный текст", BAD_TIME: "невозможное время", NO_RATE: "нет курса валюты", BAD_STRUCTURE: "событие устроено неверно", CONFLICT: "тот же номер, другое содержание" },
    noTiers: "Клиентов ещё нет. Их принесёт `tellerctl load ФАЙЛЫ…`.", noSegments: "Клиентов ещё нет. Их принесёт `tellerctl load ФАЙЛЫ…`.",
    noChurn: "Оценок ещё нет: нужны несколько недель операций. `tellerctl load ФАЙЛЫ…`",
    noOverdue: "Кредитов ещё нет. Загружайте часть за частью: `tellerctl load DIR --part 1`.", noQueues: "Очередей ещё нет. Они появятся с первым предложением.",
    noQuarantine: "Ничего не отклонено.", noErrors: "Ошибок нет.", noDisk: "Пока неизвестно.",
    seeQuarantine: "Посмотреть: `tellerctl quarantine list`.",
    allAmounts: "любая", overdueNow: "Сейчас просрочено {overdue} из {loans} кредитов, {share} %.",
    overdueFigure: "Доля просроченных кредитов по месяцу платежа, с {first} по {last}; больше всего {high} % в {month}",
    overdueTable: "То же таблицей", overdueCaption: "Кредиты, у которых в этом месяце есть платёж по графику", loans: "Кредиты", overdueLoans: "Просрочено", percent: "Доля, %",
    free: "Свободно на диске", data: "Занято данными", wal: "из них ещё не слито (WAL)", bronze: "Журнал хранит", bronzeOf: "{n} из {max} недель", policy: "Набор правил", hash: "его хеш", started: "Работает с",
    byteUnits: ["байт", "КБ", "МБ", "ГБ", "ТБ"],
  },
};
const ROOMS = ["ingest", "bronze", "silver", "gold", "decide", "deliver"];
const BUCKETS = ["<=50000", "50001-100000", "100001-500000", ">500000"];
const SHAPES = { green: "●", amber: "▲", red: "■", none: "○" };
const STALE_MS = 5000, POLL_MS = 2000, MARTS_MS = 30000, DAY_MS = 86400000, TREND_POINTS = 60;

let lang = "en", status = null, seenAt = 0, overdueRows = null, isStale = false, stream = null;
const trends = { rate: [], ack: [], fsync: [], lag: [] };

// ---- small tools

const byId = (id) => document.getElementById(id);
const t = () => WORDS[lang];
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const list = (value) => (Array.isArray(value) ? value : []);
const own = (words, key) => (Object.hasOwn(words, key) ? words[key] : undefined);

function number(value, digits = 0, digitsMin = 0) {
  const form = { maximumFractionDigits: digits, minimumFractionDigits: digitsMin };
  return isNumber(value) ? new Intl.NumberFormat(t().locale, form).format(value) : "—";
}

function briefNumber(value) {
  if (!isNumber(value)) return "—";
  return number(value, Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0);
}

function bytes(value) {
  if (!isNumber(value)) return "—";
  let step = 0;
  while (value >= 1024 && step < 4) { value /= 1024; ++step; }
  return number(value, step && value < 100 ? 1 : 0) + " " + t().byteUnits[step];
}

function moment(ms, withDay) {
  const form = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
  if (withDay) Object.assign(form, { day: "numeric", month: "short", year: "numeric" });
  try {
    return new Intl.DateTimeFormat(t().locale, { ...form, timeZone: (status && status.timezone) || undefined }).format(ms);
  } catch {
    return new Intl.DateTimeFormat(t().locale, form).format(ms);
  }
}

// An element with attributes and children; text is always text, never markup.
function make(name, attributes, ...children) {
  const isSvg = ["svg", "rect", "polyline", "path", "line", "text", "g"].includes(name);
  const element = isSvg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

// `like this` becomes <code>.
function withCode(text) {
  return text.split("`").map((part, i) => (i % 2 ? make("code", null, part) : part));
}

// Redraw only what changed, so that a reader's place and selection survive the next second.
function show(id, children) {
  const host = byId(id), next = make("div");
  next.append(...children);
  if (host.innerHTML !== next.innerHTML) host.replaceChildren(...next.childNodes);
}

// Of a daemon that does not answer nothing is known, whatever it said last.
const lightOf = (of) => (!isStale && own(SHAPES, of.light) ? of.light : "none");

const hint = (text) => make("p", { class: "hint" }, ...withCode(text));

// ---- the parts of the page

function drawHead() {
  const s = status || {};
  const light = lightOf(s);
  const word = t().lights[light] + (s.ready === false && !isStale ? ", " + t().notReady : "");
  byId("branch").textContent = s.branch ? filled(t().branchTitle, { name: s.branch }) : "tellerd";
  const about = ["tellerd " + (s.version || ""), s.timezone, s.clock && (own(t().clocks, s.clock) || s.clock), s.now_us && moment(s.now_us / 1000, true)];
  byId("about").textContent = status ? about.filter(Boolean).join(" · ") : "";
  byId("light").dataset.light = light;
  show("light", status ? [make("span", { "aria-hidden": "true" }, SHAPES[light] + " "), word] : []);
  document.title = (status ? (isStale ? "◌ " : SHAPES[light] + " ") : "") + "tellerd" + (s.branch ? " · " + s.branch : "");
  const events = s.ingest && s.ingest.events_total;
  byId("empty").hidden = !status || events > 0;
  show("empty", withCode(t().noEvents));
}

function drawNotice() {
  const text = isStale ? filled(t().stale, { time: moment(seenAt) }) : status ? "" : t().connecting;
  if (byId("notice").textContent !== text) byId("notice").textContent = text;
  byId("notice").hidden = !text;
}

function drawRooms() {
  const given = list(status.rooms);
  const order = ROOMS.map((name) => given.find((room) => room.name === name) || { name }).concat(given.filter((room) => !ROOMS.includes(room.name)));
  show("rooms", order.map((room) => {
    const light = lightOf(room);
    const unit = room.unit ? own(t().units, room.unit) || room.unit : "";
    return make("li", { "data-light": light },
      make("h3", null, own(t().roomNames, room.name) || room.name),
      make("p", { class: "word" }, make("span", { "aria-hidden": "true" }, SHAPES[light] + " "), t().lights[light]),
      isNumber(room.value) ? make("p", { class: "value" }, briefNumber(room.value) + " ", make("small", null, unit)) : null,
      room["text_" + lang] || room.text ? make("p", { class: "text" }, room["text_" + lang] || room.text) : null);
  }));
}

function sparkline(name, values) {
  const known = values.filter(isNumber);
  if (known.length < 2) return null;
  const high = Math.max(...known, 0.001), step = 240 / (TREND_POINTS - 1), start = 240 - (values.length - 1) * step;
  const points = values.map((value, i) => (start + i * step).toFixed(1) + "," + (36 - 33 * ((isNumber(value) ? value : 0) / high)).toFixed(1));
  const label = filled(t().trend, { name, n: values.length, low: briefNumber(Math.min(...known)), high: briefNumber(Math.max(...known)) });
  return make("svg", { class: "spark", viewBox: "0 0 240 37", preserveAspectRatio: "none", role: "img", "aria-label": label },
    make("line", { x1: 0, x2: 240, y1: 36.5, y2: 36.5 }), make("path", { d: "M" + start.toFixed(1) + ",37L" + points.join("L") + "L240,37Z" }), make("polyline", { points: points.join(" ") }));
}

function tile(name, value, unit, below, trend) {
  return make("div", { class: "tile" }, make("p", { class: "name" }, name),
    make("p", { class: "value" }, value + " ", make("small", null, unit)), trend ? sparkline(name, trend) : null,
    below ? make("p", { class: "quiet" }, below) : null);
}

function drawLive() {
  const ingest = status.ingest || {}, lag = status.lag || {};
  const behind = lag.records === 0 ? t().upToDate : isNumber(lag.seconds) ? filled(t().lagSeconds, { n: number(lag.seconds, 1) }) : "";
  show("live", [
    tile(t().rate, briefNumber(ingest.events_per_s), t().perSecond, "", trends.rate),
    tile(t().ack, briefNumber(ingest.ack_ms_p99), t().units.ms, isNumber(ingest.ack_ms_p99) ? t().most : "", trends.ack),
    tile(t().fsync, briefNumber(ingest.fsync_ms_p99), t().units.ms, isNumber(ingest.fsync_ms_p50) ? filled(t().mostHalf, { n: briefNumber(ingest.fsync_ms_p50) }) : "", trends.fsync),
    tile(t().lag, number(lag.records), t().units.records, behind, trends.lag),
    tile(t().total, number(ingest.events_total), "", isNumber(ingest.batches_total) ? filled(t().batches, { n: number(ingest.batches_total) }) : ""),
  ]);
}

// A table whose last column is its own bar chart: the figures are the text, the bar only repeats them.
function barTable(rows, { caption, first, count, label, sub }) {
  const total = rows.reduce((sum, row) => sum + (row.n || 0), 0), high = Math.max(...rows.map((row) => row.n || 0), 1);
  const share = (n) => (total ? number((100 * n) / total, 1, 1) + " %" : "—");
  return make("table", null,
    make("caption", null, filled(caption, { n: number(total) })),
    make("thead", null, make("tr", null, make("th", { scope: "col" }, first), make("th", { scope: "col", class: "n" }, count),
      make("th", { scope: "col", class: "n" }, t().share), make("td", null))),
    make("tbody", null, ...rows.map((row) => make("tr", null,
      make("th", { scope: "row" }, label(row.key), sub && sub(row.key) ? make("small", null, sub(row.key)) : null),
      make("td", { class: "n" }, number(row.n)), make("td", { class: "n" }, share(row.n || 0)),
      make("td", { class: "bar", "aria-hidden": "true" }, make("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none" },
        make("rect", { class: "track", width: 100, height: 10, rx: 1 }),
        make("rect", { class: "fill", width: ((100 * (row.n || 0)) / high).toFixed(1), height: 10, rx: 1 })))))));
}

function drawBars(id, rows, keyName, countName, empty, form) {
  const known = list(rows).map((row) => ({ key: String(row[keyName]), n: row[countName] }));
  show(id, known.length ? [barTable(known, { label: (key) => key, ...form })] : [hint(empty)]);
}

function drawCustomers() {
  drawBars("tiers", status.tiers, "name", "count", t().noTiers, { caption: t().captionTiers, first: t().who.tier, count: t().customers });
  drawBars("segments", status.segments, "name", "count", t().noSegments, { caption: t().captionSegments, first: t().who.segment, count: t().customers });
  drawBars("churn", status.churn, "state", "count", t().noChurn, { caption: t().captionChurn, first: t().who.state, count: t().customers, label: (key) => own(t().churnStates, key) || key });
  drawBars("queues", status.queues, "queue", "ready", t().noQueues, { caption: t().captionQueues, first: t().who.queue, count: t().waiting });
  const refused = list(status.quarantine).filter((row) => row.count > 0).sort((a, b) => b.count - a.count);
  drawBars("quarantine", refused, "reason", "count", t().noQuarantine, { caption: t().captionQuarantine, first: t().who.reason, count: t().events,
    label: (key) => own(t().reasons, key) || key, sub: (key) => (own(t().reasons, key) ? key : "") });
  if (refused.length) byId("quarantine").append(make("p", { class: "quiet" }, ...withCode(t().seeQuarantine)));
}

function monthWord(month) {
  const [year, which] = month.split("-").map(Number);
  return new Intl.DateTimeFormat(t().locale, { month: "short", timeZone: "UTC" }).format(Date.UTC(year, which - 1, 1)) + " " + year;
}

// Shares are counted again from the totals of the chosen buckets; percentages are never added.
function overdueMonths(bucket) {
  const months = new Map();
  for (const row of list(overdueRows)) {
    if (!/^\d{4}-\d\d$/.test(row.month) || (bucket && row.bucket !== bucket)) continue;
    const sum = months.get(row.month) || { month: row.month, loans: 0, overdue: 0 };
    sum.loans += row.total_loans || 0;
    sum.overdue += row.total_overdue_loans || 0;
    months.set(row.month, sum);
  }
  const sorted = [...months.values()].filter((m) => m.loans > 0).sort((a, b) => (a.month < b.month ? -1 : 1)).slice(-24);
  return sorted.map((m) => ({ ...m, share: (100 * m.overdue) / m.loans }));
}

function columnChart(months) {
  const width = 960, height = 220, floor = 190, top = 22, side = 14, slot = (width - 2 * side) / Math.max(months.length, 8);
  const peak = months.reduce((a, b) => (b.share > a.share ? b : a)), scale = (floor - top) / Math.max(peak.share, 1);
  const every = Math.ceil(months.length / 12);
  const label = filled(t().overdueFigure, { first: monthWord(months[0].month), last: monthWord(months.at(-1).month), high: number(peak.share, 1), month: monthWord(peak.month) });
  return make("svg", { class: "columns", viewBox: "0 0 " + width + " " + height, role: "img", "aria-label": label },
    make("line", { x1: 0, x2: width, y1: floor + 0.5, y2: floor + 0.5 }),
    ...months.map((m, i) => make("g", null,
      make("rect", { class: "fill", x: (side + (i + 0.18) * slot).toFixed(1), width: (slot * 0.64).toFixed(1), y: (floor - m.share * scale).toFixed(1), height: (m.share * scale).toFixed(1) }),
      i % every ? null : make("text", { class: "share", x: (side + (i + 0.5) * slot).toFixed(1), y: (floor - m.share * scale - 6).toFixed(1), "text-anchor": "middle" }, number(m.share, 1, 1) + " %"),
      i % every ? null : make("text", { x: (side + (i + 0.5) * slot).toFixed(1), y: floor + 18, "text-anchor": "middle" }, monthWord(m.month)))));
}

function overdueTable(months) {
  const rows = months.slice().reverse().map((m) => make("tr", null, make("th", { scope: "row" }, monthWord(m.month)),
    make("td", { class: "n" }, number(m.loans)), make("td", { class: "n" }, number(m.overdue)), make("td", { class: "n" }, number(m.share, 2, 2))));
  return make("div", { class: "scroll" }, make("table", null, make("caption", null, t().overdueCaption),
    make("thead", null, make("tr", null, make("th", { scope: "col" }, t().who.month),
      ...[t().loans, t().overdueLoans, t().percent].map((word) => make("th", { scope: "col", class: "n" }, word)))), make("tbody", null, ...rows)));
}

function drawOverdue() {
  const now = (status && status.overdue) || {};
  byId("overdue-now").textContent = now.loans > 0
    ? filled(t().overdueNow, { overdue: number(now.overdue_loans), loans: number(now.loans), share: number(now.share_percent, 2) }) : "";
  if (!overdueRows) return;
  byId("bucket").parentElement.hidden = !list(overdueRows).length;
  const months = overdueMonths(byId("bucket").value);
  const wasOpen = Boolean(byId("overdue").querySelector("details[open]"));
  if (!months.length) return show("overdue", [hint(t().noOverdue)]);
  const chart = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "h-overdue" }, columnChart(months));
  show("overdue", [chart, make("details", wasOpen ? { open: "" } : null, make("summary", null, t().overdueTable), overdueTable(months))]);
}

function drawBucketChoice() {
  const chosen = byId("bucket").value;
  const sums = { "<=50000": "≤ 50 000", "50001-100000": "50 001 – 100 000", "100001-500000": "100 001 – 500 000", ">500000": "> 500 000" };
  byId("bucket").replaceChildren(make("option", { value: "" }, t().allAmounts), ...BUCKETS.map((bucket) => make("option", { value: bucket }, sums[bucket])));
  byId("bucket").value = chosen;
}

function drawDisk() {
  const disk = status.disk || {}, policy = status.policy || {};
  const facts = [
    [t().free, isNumber(disk.free_bytes) && bytes(disk.free_bytes)],
    [t().data, isNumber(disk.data_bytes) && bytes(disk.data_bytes)],
    [t().wal, isNumber(disk.wal_bytes) && bytes(disk.wal_bytes)],
    [t().bronze, isNumber(disk.bronze_weeks) && filled(t().bronzeOf, { n: number(disk.bronze_weeks), max: number(disk.retention_weeks) })],
    [t().policy, policy.name],
    [t().hash, policy.hash && String(policy.hash).slice(0, 12)],
    [t().started, isNumber(status.started_us) && moment(status.started_us / 1000, true)],
  ].filter(([, value]) => value);
  if (!facts.length) return show("disk", [hint(t().noDisk)]);
  show("disk", [make("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [make("dt", null, name), make("dd", null, value)]))]);
}

function drawErrors() {
  const errors = list(status.errors).slice().sort((a, b) => (b.at_us || 0) - (a.at_us || 0)).slice(0, 10);
  if (!errors.length) return show("errors", [hint(t().noErrors)]);
  show("errors", [make("table", null, make("caption", null, t().captionErrors),
    make("thead", null, make("tr", null, make("th", { scope: "col" }, t().who.time), make("th", { scope: "col" }, t().who.what))),
    make("tbody", null, ...errors.map((e) => make("tr", null, make("td", { class: "when" }, isNumber(e.at_us) ? moment(e.at_us / 1000, Date.now() - e.at_us / 1000 > DAY_MS) : "—"), make("td", null, String(e.text))))))]);
}

function draw() {
  drawNotice();
  drawHead();
  if (!status) return;
  drawRooms();
  drawLive();
  drawCustomers();
  drawOverdue();
  drawDisk();
  drawErrors();
}

// ---- language

function speak(wanted) {
  lang = wanted;
  document.documentElement.lang = lang;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t()[element.dataset.t];
  for (const element of document.querySelectorAll("[data-t-label]")) element.setAttribute("aria-label", t()[element.dataset.tLabel]);
  for (const button of document.querySelectorAll("[data-lang]")) button.setAttribute("aria-pressed", String(button.dataset.lang === lang));
  drawBucketChoice();
  draw();
}

function rememberedLanguage() {
  let kept = null;
  try { kept = localStorage.getItem("lang"); } catch { /* storage is switched off: the browser's language decides */ }
  return own(WORDS, kept) ? kept : navigator.language.startsWith("ru") ? "ru" : "en";
}

// ---- where the figures come from

function alive() {
  seenAt = Date.now();
  if (isStale) { isStale = false; askMarts(); }
}

function take(document_) {
  if (!document_ || typeof document_ !== "object") return;
  alive();
  status = document_;
  const ingest = status.ingest || {}, lag = status.lag || {};
  for (const [name, value] of [["rate", ingest.events_per_s], ["ack", ingest.ack_ms_p99], ["fsync", ingest.fsync_ms_p99], ["lag", lag.records]]) {
    trends[name].push(value);
    if (trends[name].length > TREND_POINTS) trends[name].shift();
  }
  draw();
}

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(4000) });
  if (!answer.ok && answer.status !== 404) throw new Error(String(answer.status));
  return answer.ok ? answer.json() : null;
}

async function poll() {
  if (stream && stream.readyState === EventSource.OPEN) return;
  try { take(await ask("/api/v1/status")); } catch { /* no answer is what the stale notice says */ }
}

// The stream is refused when enough of them are open; then asking goes on and the stream is tried again later.
function listen() {
  if (stream && stream.readyState !== EventSource.CLOSED) return;
  stream = new EventSource("/api/v1/live");
  stream.addEventListener("status", (event) => { try { take(JSON.parse(event.data)); } catch { /* a cut line: the next one is whole */ } });
  stream.addEventListener("beat", () => { alive(); draw(); });
}

async function askMarts() {
  try {
    const answer = await ask("/api/v1/marts/mart_loan_overdue_month?limit=1000");
    overdueRows = list(Array.isArray(answer) ? answer : answer && answer.rows);
    drawOverdue();
  } catch { /* asked again soon; the months drawn before stay */ }
}

function watch() {
  const was = isStale;
  isStale = Boolean(status) && Date.now() - seenAt > STALE_MS;
  if (was !== isStale) draw();
}

document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-lang]")) {
    button.addEventListener("click", () => {
      try { localStorage.setItem("lang", button.dataset.lang); } catch { /* it holds until the page is closed */ }
      speak(button.dataset.lang);
    });
  }
  byId("bucket").addEventListener("change", drawOverdue);
  speak(rememberedLanguage());
  poll();
  listen();
  askMarts();
  setInterval(poll, POLL_MS);
  setInterval(listen, 30000);
  setInterval(askMarts, MARTS_MS);
  setInterval(watch, 1000);
});
