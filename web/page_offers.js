// Offers: how many stand and where they went, by action; what came of them once desks answer; why a queue is empty.
"use strict";
import { fill, filled, hint, isNumber, list, make, money, moment, number, own, percent, section, t, table, tile, word } from "./draw.js";

const sumOf = (rows, want) => rows.filter(want).reduce((sum, row) => sum + row.offers, 0);

// Wilson's interval at 95 %: honest for few cases, never below 0 or above 1.
export function interval(positive, all) {
  if (!all) return null;
  const z = 1.96, share = positive / all, middle = share + (z * z) / (2 * all), spread = z * Math.sqrt((share * (1 - share)) / all + (z * z) / (4 * all * all)), scale = 1 + (z * z) / all;
  return { low: (middle - spread) / scale, high: (middle + spread) / scale };
}

function stateTiles(rows) {
  const states = [...new Set(rows.map((row) => row.state))].sort((a, b) => sumOf(rows, (r) => r.state === b) - sumOf(rows, (r) => r.state === a));
  const all = sumOf(rows, () => true);
  return [tile(t().issuedOffers, number(all)), ...states.map((state) => { const n = sumOf(rows, (row) => row.state === state); return tile(word("offerStates", state), number(n), percent(n, all)); })];
}

function byAction(rows) {
  const of = new Map();
  for (const row of rows) {
    const key = row.queue + row.offer_type, one = of.get(key) || { offer_type: row.offer_type, queue: row.queue, issued: 0, ready: 0, expired: 0, superseded: 0, withdrawn: 0, done: 0, expected: 0 };
    one.issued += row.offers;
    if (row.state === "READY") { one.ready += row.offers; one.expected += row.expected_revenue_minor; }
    if (row.state === "EXPIRED") one.expired += row.offers;
    if (row.state === "SUPERSEDED") one.superseded += row.offers;
    if (row.state === "WITHDRAWN") one.withdrawn += row.offers;
    if (row.state === "DONE") one.done += row.offers;
    of.set(key, one);
  }
  const made = [...of.values()].sort((a, b) => b.ready - a.ready), high = Math.max(...made.map((row) => row.ready), 1), figure = (key) => ({ key, label: t().offerColumns[key], isNumber: true, show: (v) => number(v) });
  return table({ name: "offers-by-action", caption: t().captionActions, rows: made, columns: [{ key: "offer_type", label: t().offer, show: (v) => word("offerNames", v) }, { key: "queue", label: t().who.queue, show: (v) => own(t().queueNames, v) || v },
    figure("ready"), { bar: (row) => row.ready / high }, figure("issued"), figure("superseded"), figure("withdrawn"), figure("expired"), figure("done"), { key: "expected", label: t().expectedReady, isNumber: true, show: money }] });
}

// mart_offer_outcome: whatever names it gives to the four counts, shown with the share accepted and its interval.
function outcomes(rows) {
  const made = rows.map((row) => { const range = interval(row.accepted || 0, row.presented || 0); return { ...row, rate: row.presented ? (100 * (row.accepted || 0)) / row.presented : null, range: range ? `${number(100 * range.low, 1)} – ${number(100 * range.high, 1)} %` : t().tooFew }; });
  const known = Object.keys(rows[0]);
  return table({ name: "offer-outcomes", caption: t().captionOutcomes, rows: made, columns: [...known.map((key) => ({ key, label: own(t().columnNames, key) || key, isNumber: isNumber(rows[0][key]), show: key.endsWith("_minor") ? money : key.endsWith("_us") ? (v) => moment(v) : (v) => (isNumber(v) ? number(v, 3) : v === null ? "—" : own(t().offerNames, v) || String(v)) })),
    ...(known.includes("presented") ? [{ key: "rate", label: t().acceptRate, isNumber: true, show: (v) => (v === null ? "—" : number(v, 1) + " %") }, { key: "range", label: t().interval }] : [])] });
}

export default {
  open(host, ctx) {
    const now = section(t().offersNow), actions = section(t().offersByAction), came = section(t().outcomesTitle), empty = section(t().queuesNow);
    const tiles = make("div", { class: "tiles" });
    now.body.append(tiles);
    host.append(now.element, empty.element, actions.element, came.element);
    return async () => {
      const [summary, results] = await Promise.all([ctx.ask("/api/v1/offers/summary"), ctx.mart("mart_offer_outcome", "limit=1000")]);
      const queues = list((ctx.status() || {}).queues);
      fill(empty.body, queues.length ? table({ name: "queues", caption: t().captionQueues, rows: queues, columns: [{ key: "queue", label: t().who.queue, show: (v) => own(t().queueNames, v) || v }, ...["ready", "leased", "dead"].filter((key) => key in queues[0]).map((key) => ({ key, label: t().queueWords[key], isNumber: true, show: (v) => number(v) }))] }) : hint(t().noQueues),
        queues.some((q) => !q.ready) ? hint(t().whyEmpty) : null);
      if (!summary.ok) { fill(tiles, ctx.missing(summary)); fill(actions.body, ctx.missing(summary)); }
      else if (!summary.data.rows.length) { fill(tiles, hint(t().noOffers)); fill(actions.body, hint(t().noOffers)); }
      else { fill(tiles, ...stateTiles(summary.data.rows)); fill(actions.body, byAction(summary.data.rows)); }
      fill(came.body, results.ok ? (results.data.rows.length ? outcomes(results.data.rows) : hint(t().noOutcomes)) : ctx.missing(results, t().noOutcomeMart));
    };
  },
};
