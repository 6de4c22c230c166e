// What the pages are drawn with: elements, numbers in words of the language, tables with CSV, hand-made charts.
// Text is always text, never markup.
"use strict";
import { words } from "./words.js";

const SVG = new Set(["svg", "rect", "polyline", "path", "line", "text", "g", "circle", "title"]);
export const SHAPES = { green: "●", amber: "▲", red: "■", none: "○" };

let lang = "en", zone = "UTC", currency = "RUB";
export const setLanguage = (wanted) => { lang = wanted; };
export const language = () => lang;
export const setBranch = (status) => { zone = status.timezone || zone; currency = status.currency || currency; };

export const t = () => words[lang];
export const own = (of, key) => (of && Object.hasOwn(of, key) ? of[key] : undefined);
export const list = (value) => (Array.isArray(value) ? value : []);
export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
export const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

export function number(value, digits = 0, digitsMin = 0) {
  return isNumber(value) ? new Intl.NumberFormat(t().locale, { maximumFractionDigits: digits, minimumFractionDigits: digitsMin }).format(value) : "—";
}
export const percent = (part, whole, digits = 1) => (whole ? number((100 * part) / whole, digits, digits) + " %" : "—");
export function briefNumber(value) {
  if (!isNumber(value)) return "—";
  return number(value, Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0);
}
export function moneyIn(minor, code, digits) {
  if (!isNumber(minor)) return "—";
  const form = { maximumFractionDigits: digits, minimumFractionDigits: digits };
  try {
    return new Intl.NumberFormat(t().locale, { style: "currency", currency: code, currencyDisplay: "narrowSymbol", ...form }).format(minor / 100);
  } catch {
    return number(minor / 100, digits, digits) + " " + code;
  }
}
export const money = (minor) => moneyIn(minor, currency, 0);   // of the branch, in whole units
export function bytes(value) {
  if (!isNumber(value)) return "—";
  let step = 0;
  while (value >= 1024 && step < 4) { value /= 1024; ++step; }
  return number(value, step && value < 100 ? 1 : 0) + " " + t().byteUnits[step];
}
export function moment(us, form = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }) {
  if (!isNumber(us)) return "—";
  try {
    return new Intl.DateTimeFormat(t().locale, { ...form, timeZone: zone }).format(us / 1000);
  } catch {
    return new Intl.DateTimeFormat(t().locale, form).format(us / 1000);
  }
}
export const clockTime = (us) => moment(us, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
export function monthWord(month) {
  const [year, which] = String(month).split("-").map(Number);
  return which ? new Intl.DateTimeFormat(t().locale, { month: "short", timeZone: "UTC" }).format(Date.UTC(year, which - 1, 1)) + " " + year : String(month);
}
// The code of a closed set in words; an unknown one as it came.
export const word = (set, code) => own(t()[set], code) || String(code ?? "—");

export function make(name, attributes, ...children) {
  const element = SVG.has(name) ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== "" && child !== false));
  return element;
}
// `like this` becomes <code>.
export const withCode = (text) => text.split("`").map((part, i) => (i % 2 ? make("code", null, part) : part));
export const hint = (text) => make("p", { class: "hint" }, ...withCode(text));
export const quiet = (text) => make("p", { class: "quiet" }, text);

// Redraws only what changed, so that a reader's place and selection survive the next second: what was opened stays open,
// what has the focus keeps it, and what was scrolled stays where it was.
const STOPS = "a, button, input, select, summary, textarea, [tabindex]";
const all = (of, what) => [...of.querySelectorAll(what)];
export function fill(host, ...children) {
  const next = make("div", null, ...children), opened = all(host, "details"), titles = all(host, "summary").map((one) => one.textContent);
  all(next, "details").forEach((one, i) => { if (titles[i] === one.querySelector("summary").textContent) one.open = opened[i].open; });
  if (host.innerHTML !== next.innerHTML) redraw(host, next);
}
function redraw(host, next) {
  const focus = all(host, STOPS).indexOf(document.activeElement), places = all(host, ".scroll").map((one) => [one.scrollLeft, one.scrollTop]);
  host.replaceChildren(...next.childNodes);
  if (focus >= 0) all(host, STOPS)[focus]?.focus({ preventScroll: true });
  all(host, ".scroll").forEach((one, i) => { if (places[i]) [one.scrollLeft, one.scrollTop] = places[i]; });
}

// A section of a page with a heading, controls and a body to fill.
export function section(title, ...controls) {
  const id = "h-" + Math.random().toString(36).slice(2, 8);
  const body = make("div", { class: "body" });
  const element = make("section", { "aria-labelledby": id }, make("div", { class: "row" }, make("h2", { id }, title), controls.length ? make("div", { class: "controls" }, ...controls) : null), body);
  return { element, body };
}
export function choice(label, options, chosen, onChange) {
  const select = make("select", { change: (event) => onChange(event.target.value) }, ...options.map(([value, text]) => make("option", { value, selected: String(value) === String(chosen ?? "") }, text)));
  return make("label", null, make("span", null, label), " ", select);
}
export function tile(name, value, below, trend) {
  return make("div", { class: "tile" }, make("p", { class: "name" }, name), make("p", { class: "value" }, value), trend, below ? quiet(below) : null);
}
export const facts = (pairs) => make("dl", { class: "facts" }, ...pairs.filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== false).flatMap(([name, value]) => [make("dt", null, name), make("dd", null, value)]));

// ---- tables

function csvCell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = String(value);
  return '"' + (/^[=+\-@\t\r]/.test(text) ? "'" + text : text).replaceAll('"', '""') + '"';
}
function saveCsv(name, columns, rows) {
  const lines = [columns.map((c) => csvCell(c.key)).join(","), ...rows.map((row) => columns.map((c) => csvCell(valueOf(c, row))).join(","))];
  const link = make("a", { href: URL.createObjectURL(new Blob(["\ufeff" + lines.join("\r\n") + "\r\n"], { type: "text/csv;charset=utf-8" })), download: name + ".csv" });
  link.click();
  URL.revokeObjectURL(link.href);
}
const valueOf = (column, row) => (column.of ? column.of(row) : row[column.key]);
// A part of a whole, of 1: a percentage on the page, the figure itself in the CSV.
export const shareColumn = (label, part, whole, digits = 1) => ({ key: "share", label, isNumber: true, of: (row) => (whole(row) ? part(row) / whole(row) : null), show: (v) => (v === null ? "—" : percent(v, 1, digits)) });

// columns: {key, label, of(row) → value where it is not row[key], show(value, row), isNumber, bar(row) → share of 1}; isKept:
// in the CSV alone; the first column heads its row.
export function table({ name, caption, columns: all, rows, onRow }) {
  const columns = all.filter((column) => !column.isKept);
  const cell = (column, row, i) => {
    if (column.bar) {
      return make("td", { class: "bar", "aria-hidden": "true" }, make("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none" },
        make("rect", { class: "track", width: 100, height: 10 }), make("rect", { class: "fill", width: Math.max(0, Math.min(100, 100 * column.bar(row))).toFixed(1), height: 10 })));
    }
    const value = valueOf(column, row), shown = column.show ? column.show(value, row) : value ?? "—";
    const attributes = { class: column.heat ? "n heat h" + column.heat(row) : column.isNumber ? "n" : column.isStage ? "stage" : column.isRange ? "bar" : null };
    if (i === 0) return make("th", { ...attributes, scope: "row" }, onRow ? make("button", { type: "button", class: "link", click: () => onRow(row) }, shown) : shown);
    return make("td", attributes, shown);
  };
  const head = columns.map((c) => (c.bar || c.isRange ? make("td", { "aria-hidden": "true" }) : make("th", { scope: "col", class: c.isNumber || c.heat ? "n" : c.isStage ? "stage" : null }, c.label)));
  const grid = make("table", null, caption ? make("caption", null, caption) : null, make("thead", null, make("tr", null, head)),
    make("tbody", null, rows.map((row) => make("tr", null, columns.map((c, i) => cell(c, row, i))))));
  const csv = make("button", { type: "button", class: "small", click: () => saveCsv(name, all.filter((c) => !c.bar && !c.isRange), rows) }, "CSV", make("span", { class: "unseen" }, ": " + (caption || name)));
  return make("div", { class: "table" }, make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption || name }, grid), make("p", { class: "tools" }, csv));
}
// A column and its own bar chart: the figures are the text, the bar only repeats them.
export function barTable({ name, caption, label, count, rows, show = (key) => key, format = number }) {
  const total = rows.reduce((sum, row) => sum + row.n, 0), high = Math.max(...rows.map((row) => row.n), 1);
  return table({ name, caption: filled(caption, { n: format(total) }), rows, columns: [{ key: "key", label, show }, { key: "n", label: count, isNumber: true, show: (n) => format(n) },
    shareColumn(t().share, (row) => row.n, () => total), { bar: (row) => row.n / high }] });
}

// ---- charts

// A chart with what it shows, and in which unit, written above it; wider than the window it scrolls.
export const figure = (words, chart) => make("figure", null, make("figcaption", { class: "quiet" }, words), make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": words }, chart));

export function sparkline(label, values, points = 60) {
  const known = values.filter(isNumber);
  if (known.length < 2) return null;
  const high = Math.max(...known, 0.001), step = 240 / (points - 1), start = 240 - (values.length - 1) * step;
  const line = values.map((value, i) => (start + i * step).toFixed(1) + "," + (36 - 33 * ((isNumber(value) ? value : 0) / high)).toFixed(1));
  return make("svg", { class: "spark", viewBox: "0 0 240 37", preserveAspectRatio: "none", role: "img", "aria-label": filled(t().trend, { name: label, n: values.length, low: briefNumber(Math.min(...known)), high: briefNumber(Math.max(...known)) }) },
    make("line", { x1: 0, x2: 240, y1: 36.5, y2: 36.5 }), make("path", { d: "M" + start.toFixed(1) + ",37L" + line.join("L") + "L240,37Z" }), make("polyline", { points: line.join(" ") }));
}

// Columns with their values on top. points: {name, value}; label says what a reader without eyes should know.
export function columns(points, { label, show }) {
  const width = 960, height = 230, floor = 200, top = 24, side = 26, slot = (width - 2 * side) / Math.max(points.length, 6);
  const scale = (floor - top) / Math.max(...points.map((p) => p.value), 1e-9), every = Math.ceil(points.length / 12);
  return make("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, make("line", { x1: 0, x2: width, y1: floor + 0.5, y2: floor + 0.5 }),
    points.map((p, i) => make("g", null,
      make("rect", { class: "fill", x: (side + (i + 0.16) * slot).toFixed(1), width: (slot * 0.68).toFixed(1), y: (floor - p.value * scale).toFixed(1), height: (p.value * scale).toFixed(1), rx: 2 }, make("title", null, p.name + ": " + show(p.value))),
      (points.length - 1 - i) % every ? null : make("text", { class: "strong", x: (side + (i + 0.5) * slot).toFixed(1), y: (floor - p.value * scale - 6).toFixed(1), "text-anchor": "middle" }, show(p.value)),
      (points.length - 1 - i) % every ? null : make("text", { x: (side + (i + 0.5) * slot).toFixed(1), y: floor + 18, "text-anchor": "middle" }, p.name))));
}

// Lines over the same places; each ends with its name, so colour is never the only sign.
export function lines(names, series, { label, show }) {
  const width = 960, height = 260, left = 10, right = 190, top = 16, floor = 230, high = Math.max(...series.flatMap((s) => s.values.filter(isNumber)), 1e-9);
  const x = (i) => left + (names.length < 2 ? 0 : (i * (width - left - right)) / (names.length - 1)), y = (value) => floor - ((floor - top) * value) / high;
  const ends = series.map((s, k) => ({ k, y: y(s.values.findLast(isNumber) ?? 0) })).sort((a, b) => a.y - b.y);
  ends.forEach((end, i) => { if (i && end.y - ends[i - 1].y < 15) end.y = ends[i - 1].y + 15; });
  const over = Math.max(0, (ends.at(-1)?.y ?? 0) - (height - 6));
  const textY = new Map(ends.map((end) => [end.k, end.y - over])), every = Math.ceil(names.length / 8);
  return make("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, make("line", { x1: left, x2: width - right, y1: floor + 0.5, y2: floor + 0.5 }),
    make("text", { x: left, y: top - 4 }, show(high)),
    names.map((name, i) => ((names.length - 1 - i) % every ? null : make("text", { x: x(i).toFixed(1), y: floor + 18, "text-anchor": i ? "middle" : "start" }, name))),
    series.map((s, k) => make("g", { class: "line c" + (k % 8) },
      make("polyline", { points: s.values.map((value, i) => (isNumber(value) ? x(i).toFixed(1) + "," + y(value).toFixed(1) : "")).filter(Boolean).join(" ") }),
      s.values.map((value, i) => (isNumber(value) && names.length < 40 ? make("circle", { cx: x(i).toFixed(1), cy: y(value).toFixed(1), r: 2.5 }, make("title", null, `${s.name}, ${names[i]}: ${show(value)}`)) : null)),
      make("text", { x: width - right + 8, y: (textY.get(k) + 4).toFixed(1) }, s.name + " " + show(s.values.findLast(isNumber) ?? 0)))));
}

// One row a source, one cell a week; "1" in the text is a week with something in it, the last is the running one.
export function weekStrip(rows, label) {
  const weeks = rows[0].weeks.length, cell = 14, left = 110, height = rows.length * 20 + 24;
  return make("svg", { class: "chart strip", viewBox: `0 0 ${left + weeks * cell + 4} ${height}`, role: "img", "aria-label": label },
    rows.map((row, r) => make("g", null, make("text", { class: "strong", x: 0, y: r * 20 + 13 }, row.name),
      [...row.weeks].map((bit, w) => make("rect", { class: bit === "1" ? "fill" : "track", x: left + w * cell, y: r * 20 + 1, width: cell - 2, height: 16, rx: 2 }, make("title", null, filled(t().weeksAgo, { n: weeks - 1 - w }) + (bit === "1" ? " ✓" : "")))))),
    [52, 39, 26, 13, 0].map((ago) => make("text", { x: left + (weeks - 1 - ago) * cell + (ago ? 0 : cell - 2), y: height - 6, "text-anchor": ago ? "start" : "end" }, ago ? "−" + ago : t().now)));
}
export const heat = (share) => (share > 0 ? Math.min(9, 1 + Math.floor(share * 8.999)) : 0);
