// Customers as sums: tiers, segments now and over time, moves between them, churn. And the way to one customer.
"use strict";
import { barTable, choice, columns, figure, fill, filled, heat, hint, lines, list, make, moment, number, own, section, t, table, word } from "./draw.js";

const DAYS = [1, 7, 30, 90, 365];
const segment = (name) => word("segmentNames", name);

// The same columns as a picture of who moved where: rows from, columns to.
function movesTable(rows) {
  const names = [...new Set(rows.flatMap((row) => [row.from, row.to]))].sort();
  const of = new Map(rows.map((row) => [row.from + "\n" + row.to, row.customers])), high = Math.max(...rows.map((row) => row.customers));
  const columnOf = (to) => ({ key: to, label: segment(to), isNumber: true, heat: (row) => heat((row[to] || 0) / high), show: (n) => (n ? number(n) : "·") });
  return table({ name: "moves", caption: t().captionMoves, columns: [{ key: "from", label: t().fromTo, show: segment }, ...names.map(columnOf)],
    rows: names.filter((from) => rows.some((row) => row.from === from)).map((from) => ({ from, ...Object.fromEntries(names.map((to) => [to, of.get(from + "\n" + to) || 0])) })) });
}

function overTime(rows) {
  const days = [...new Set(rows.map((row) => row.day))].sort().slice(-60), segments = [...new Set(rows.map((row) => row.combined_segment))];
  const of = new Map(rows.map((row) => [row.day + row.combined_segment, row.clients_count]));
  if (days.length < 2) return quietly(filled(t().oneDay, { day: days[0] || "—" }));
  const label = filled(t().segmentsFigure, { first: days[0], last: days.at(-1), n: segments.length });
  return figure(label, lines(days.map((day) => day.slice(5)), segments.map((name) => ({ name: segment(name), values: days.map((day) => of.get(day + name)) })), { label, show: (value) => number(value) }));
}
const quietly = (text) => make("p", { class: "quiet" }, text);

function churnSummary(answer, ctx) {
  if (!answer.ok) return [ctx.missing(answer)];
  const { models, probability, reasons } = answer.data, model = models[0];
  const parts = model ? [quietly(filled(t().churnModel, { model: own(t().modelNames, model.model) || model.model, weeks: number(model.horizon_weeks), at: moment(model.as_of) }))] : [];
  if (probability.length) {
    const tenths = Array.from({ length: 10 }, (_, tenth) => ({ name: tenth * 10 + "–" + (tenth + 1) * 10 + " %", value: probability.find((row) => row.tenth === tenth)?.customers || 0 }));
    parts.push(figure(t().probabilityFigure, columns(tenths, { label: t().probabilityFigure, show: (n) => number(n) })));
  } else if (model) parts.push(hint(t().noProbability));
  if (reasons.length) {
    const counts = new Map();
    for (const row of reasons) for (const code of codesOf(row.reasons)) counts.set(code, (counts.get(code) || 0) + row.customers);
    const rows = [...counts].map(([key, n]) => ({ key, n })).sort((a, b) => b.n - a.n).slice(0, 10);
    parts.push(barTable({ name: "churn-reasons", caption: t().captionReasons, label: t().who.reason, count: t().customers, rows, show: (key) => word("reasonCodes", key) }));
  }
  return parts.length ? parts : [hint(t().noChurn)];
}
// Reasons come as codes with an argument behind a colon, "CH-02:14 CH-03", or as a JSON list of codes.
export function codesOf(reasons) {
  const text = String(reasons || "");
  if (!text.startsWith("[")) return text.split(/[ ,;]+/).filter(Boolean).map((one) => one.split(":")[0]);
  try { return JSON.parse(text).map((one) => (typeof one === "string" ? one : one.code || one.reason)).filter(Boolean).map((one) => one.split(":")[0]); } catch { return [text]; }
}

function lookUp(ctx) {
  const said = make("p", { role: "alert", class: "quiet" });
  const key = make("input", { id: "look-up-key", name: "key", autocomplete: "off", required: true, maxlength: 128, spellcheck: "false" });
  const find = async (event) => {
    event.preventDefault();
    const answer = await ctx.ask("/api/v1/customers/find", { key: key.value.trim() });
    if (answer.ok) ctx.go("customer", { id: answer.data.id });
    else fill(said, ctx.missing(answer, t().nobodyFound));
  };
  return make("form", { submit: find, class: "line", id: "look-up" }, make("label", { for: "look-up-key" }, t().customerKey), key, make("button", { type: "submit" }, t().find), said);
}

export default {
  open(host, ctx) {
    const look = section(t().lookUp), tiers = section(t().tiers), segments = section(t().segments), time = section(t().segmentsOverTime), states = section(t().churn), churn = section(t().churnWhy);
    const moves = section(t().moves, choice(t().within, DAYS.map((n) => [n, filled(t().days, { n: number(n) })]), ctx.params.days || 7, (days) => ctx.set({ days })));
    look.body.append(lookUp(ctx));
    host.append(look.element, make("div", { class: "pair" }, make("div", { class: "stack" }, tiers.element, states.element), segments.element), time.element, moves.element, churn.element);
    const bars = (body, rows, key, name, caption, label, show) => fill(body, rows.length ? barTable({ name, caption, label, count: t().customers, rows: rows.map((row) => ({ key: row[key], n: row.count })), show }) : hint(t().noCustomers));
    return async () => {
      const s = ctx.status() || {};
      bars(tiers.body, list(s.tiers), "name", "tiers", t().captionTiers, t().who.tier, (key) => word("tierNames", key));
      bars(segments.body, list(s.segments), "name", "segments", t().captionSegments, t().who.segment, segment);
      bars(states.body, list(s.churn), "state", "churn", t().captionChurn, t().who.state, (key) => word("churnStates", key));
      const [daily, moved, why] = await Promise.all([ctx.mart("mart_marketing_daily", "limit=1000&sort=-day"), ctx.ask("/api/v1/segments/moves?days=" + (ctx.params.days || 7)), ctx.ask("/api/v1/churn/summary")]);
      fill(time.body, daily.ok ? (daily.data.rows.length ? overTime(daily.data.rows) : hint(t().noCustomers)) : ctx.missing(daily));
      fill(moves.body, moved.ok ? (moved.data.rows.length ? movesTable(moved.data.rows) : hint(t().noMoves)) : ctx.missing(moved));
      fill(churn.body, ...churnSummary(why, ctx));
    };
  },
  onStatus() {},
};
