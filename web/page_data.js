// Data as it comes in: how fresh each source is, what was refused and its repair, the newest records as they arrive.
"use strict";
import { choice, clockTime, fill, filled, hint, list, make, moment, number, own, section, t, table, word } from "./draw.js";

const PAGE = 100, TAIL_MS = 2000;

function sources(rows, nowUs) {
  const of = new Map();
  for (const row of rows) {
    const key = row.system + "\n" + row.kind, one = of.get(key) || { system: row.system, kind: row.kind, accepted: 0, repeated: 0, late: 0, refused: 0, last: 0 };
    const into = row.verdict === "accepted" ? "accepted" : ["repeated", "duplicate", "same", "outdated", "corrected"].includes(row.verdict) ? "repeated" : row.verdict === "late" ? "late" : "refused";
    one[into] += row.count;
    one.last = Math.max(one.last, row.last_us);
    of.set(key, one);
  }
  const figure = (key) => ({ key, label: t().qualityColumns[key], isNumber: true, show: (v) => (v ? number(v) : "·") });
  return table({ name: "sources", caption: t().captionSources, rows: [...of.values()], columns: [{ key: "system", label: t().source, show: (v) => (v === "-" ? t().noSystem : v) }, { key: "kind", label: t().kind, show: (v) => word("kinds", v) }, figure("accepted"), figure("late"), figure("repeated"), figure("refused"),
    { key: "last", label: t().lastEvent, show: (v) => ago(nowUs - v) }] });
}
function ago(us) {
  const minutes = us / 60e6;
  if (minutes < 2) return t().justNow;
  const [value, unit] = minutes < 120 ? [minutes, "minute"] : minutes < 2880 ? [minutes / 60, "hour"] : [minutes / 1440, "day"];
  return new Intl.RelativeTimeFormat(t().locale, { numeric: "always" }).format(-Math.round(value), unit);
}

function refusedTable(rows, ctx) {
  return table({ name: "quarantine", caption: t().captionRefused, rows, onRow: ctx.session.role === "operator" ? (row) => ctx.set({ seq: row.seq }) : null, columns: [{ key: "seq", label: t().record, show: (v) => String(v) }, { key: "at_us", label: t().who.time, show: (v) => moment(v) }, { key: "producer", label: t().producer, show: brief }, { key: "kind", label: t().kind, show: (v) => word("kinds", v) },
    { key: "reason", label: t().who.reason, show: (v) => word("reasons", v) }, { key: "field", label: t().field }, { key: "state", label: t().who.state, show: (v) => word("refusedStates", v) }] });
}
const brief = (name) => (name.length > 24 ? name.slice(0, 20) + "…" : name);

// One refused event: as it was read, to be mended in place, or tried again as it is.
async function openRefused(seq, ctx, host) {
  const answer = await ctx.ask("/api/v1/quarantine/" + seq);
  if (!answer.ok) return fill(host, ctx.missing(answer));
  const row = answer.data, said = make("p", { role: "alert" });
  const text = make("textarea", { id: "mended", rows: 14, spellcheck: "false" }, row.event ? JSON.stringify(row.event, null, 2) : "");
  const send = async (body) => {
    const done = await ctx.ask("/api/v1/quarantine/answer", body);
    said.textContent = done.ok ? t().answered : (done.data && done.data.detail) || t().noAnswer;
    if (done.ok) setTimeout(() => ctx.set({}), 1500);
  };
  const mend = () => {
    let event = null;
    try { event = JSON.parse(text.value); } catch { said.textContent = t().notJson; return; }
    send({ seq: row.seq, event });
  };
  const close = make("button", { type: "button", class: "small", click: () => { ctx.set({ seq: "" }); } }, t().close);
  host.replaceChildren(make("div", { class: "framed" }, make("h3", null, filled(t().refusedTitle, { seq: row.seq })), make("p", null, word("reasons", row.reason) + (row.field ? " · " + t().field + ": " + row.field : "") + " · " + word("refusedStates", row.state)),
    row.event ? make("label", { for: "mended" }, t().mendHere) : hint(filled(t().noEvent, { n: number(row.bytes) })), row.event ? text : null,
    make("p", { class: "tools" }, row.event ? make("button", { type: "button", click: mend }, t().repair) : null, " ", make("button", { type: "button", click: () => send({ seq: row.seq }) }, t().retry), " ", close), said));
}

function tail(host, ctx) {
  let rows = [], timer = null;
  const kinds = ["transaction", "support_contact", "sms", "host_visit", "login", "activity", "bill_payment", "product_view", "order", "impression", "outcome", "holding", "loan", "instalment_payment", "profile", "consent", "restriction", "rate"];
  const body = make("div", { class: "body" });
  const next = async () => {
    if (!host.isConnected) return;
    const kind = ctx.params.kind || "", last = rows[0] ? rows[0].seq : 0;
    const answer = document.hidden ? null : await ctx.ask("/api/v1/tail?after=" + last + (kind ? "&kind=" + kind : ""));
    if (answer && !answer.ok) fill(body, ctx.missing(answer));
    if (answer && answer.ok && kind === (ctx.params.kind || "")) {
      rows = answer.data.rows.concat(rows).slice(0, 40);
      fill(body, rows.length ? table({ name: "tail", caption: t().captionTail, rows, columns: [{ key: "seq", label: t().record, show: (v) => String(v) }, { key: "received_us", label: t().who.time, show: clockTime }, { key: "producer", label: t().producer, show: brief }, { key: "kind", label: t().kind, show: (v) => word("kinds", v) }, { key: "bytes", label: t().bytesWord, isNumber: true, show: (v) => number(v) }] }) : hint(t().nothingComes));
    }
    if (!answer || answer.ok || answer.status === 0) timer = setTimeout(next, TAIL_MS);
  };
  const pick = choice(t().kind, [["", t().all], ...kinds.map((kind) => [kind, word("kinds", kind)])], ctx.params.kind, (kind) => { rows = []; clearTimeout(timer); ctx.set({ kind }); next(); });
  host.append(make("div", { class: "controls" }, pick), body);
  setTimeout(next, 0);
}

export default {
  open(host, ctx) {
    const fresh = section(t().freshness), states = ["", "open", "repaired", "retried"], live = section(t().tail);
    const reasons = ["", "TOO_OLD", "FROM_FUTURE", "UNKNOWN_REFERENCE", "BAD_AMOUNT", "BAD_TEXT", "BAD_TIME", "BAD_VALUE", "MISSING_FIELD", "MALFORMED", "NO_RATE", "UNREADABLE", "TOO_LARGE"];
    const refused = section(t().quarantineTitle, choice(t().who.state, states.map((s) => [s, s ? word("refusedStates", s) : t().all]), ctx.params.state, (state) => ctx.set({ state })), choice(t().who.reason, reasons.map((r) => [r, r ? word("reasons", r) : t().all]), ctx.params.reason, (reason) => ctx.set({ reason })));
    const grid = make("div", { class: "body" }), one = make("div");
    refused.body.append(one, grid);
    host.append(fresh.element, refused.element, live.element);
    tail(live.body, ctx);
    let opened = "";
    return async () => {
      const p = ctx.params;
      const [quality, rows] = await Promise.all([ctx.mart("mart_data_quality", "limit=1000"), ctx.ask(`/api/v1/quarantine?limit=${PAGE}${p.state ? "&state=" + p.state : ""}${p.reason ? "&reason=" + p.reason : ""}`)]);
      const now = (ctx.status() || {}).now_us || Date.now() * 1000;
      fill(fresh.body, quality.ok ? (quality.data.rows.length ? sources(quality.data.rows, now) : hint(t().noEvents)) : ctx.missing(quality));
      fill(grid, rows.ok ? (rows.data.rows.length ? refusedTable(rows.data.rows, ctx) : hint(t().noQuarantine)) : ctx.missing(rows));
      if (String(p.seq || "") === opened) return;
      opened = String(p.seq || "");
      if (p.seq) await openRefused(Number(p.seq), ctx, one);
      else one.replaceChildren();
    };
  },
};
