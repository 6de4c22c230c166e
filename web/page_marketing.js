// The daily marketing mart by segment, the strongest offer types, campaigns.
"use strict";
import { choice, figure, fill, filled, hint, lines, make, money, number, own, section, t, table, tile, word } from "./draw.js";

const MEASURES = ["total_revenue_minor", "avg_revenue_minor", "clients_count", "active_clients", "new_clients"];
const segment = (name) => word("segmentNames", name);
const show = (measure) => (measure.endsWith("_minor") ? money : (v) => number(v));

function dayTable(rows, day) {
  const of = rows.filter((row) => row.day === day).sort((a, b) => b.total_revenue_minor - a.total_revenue_minor), high = Math.max(...of.map((row) => row.total_revenue_minor), 1);
  return table({ name: "marketing-" + day, caption: filled(t().captionMarketing, { day }), rows: of, columns: [{ key: "combined_segment", label: t().who.segment, show: segment }, { key: "clients_count", label: t().measures.clients_count, isNumber: true, show: (v) => number(v) }, { key: "active_clients", label: t().measures.active_clients, isNumber: true, show: (v) => number(v) },
    { key: "new_clients", label: t().measures.new_clients, isNumber: true, show: (v) => number(v) }, { key: "avg_revenue_minor", label: t().measures.avg_revenue_minor, isNumber: true, show: money }, { key: "total_revenue_minor", label: t().measures.total_revenue_minor, isNumber: true, show: money }, { bar: (row) => row.total_revenue_minor / high }] });
}
function totals(rows, day) {
  const of = rows.filter((row) => row.day === day), sum = (key) => of.reduce((total, row) => total + row[key], 0), clients = sum("clients_count");
  return [tile(t().measures.clients_count, number(clients)), tile(t().measures.active_clients, number(sum("active_clients"))), tile(t().measures.new_clients, number(sum("new_clients"))), tile(t().measures.total_revenue_minor, money(sum("total_revenue_minor"))), tile(t().measures.avg_revenue_minor, money(clients ? sum("total_revenue_minor") / clients : 0))];
}
function course(rows, measure) {
  const days = [...new Set(rows.map((row) => row.day))].sort().slice(-60), segments = [...new Set(rows.map((row) => row.combined_segment))], of = new Map(rows.map((row) => [row.day + row.combined_segment, row[measure]]));
  if (days.length < 2) return make("p", { class: "quiet" }, filled(t().oneDay, { day: days[0] }));
  const label = filled(t().courseFigure, { what: t().measures[measure], first: days[0], last: days.at(-1) });
  return figure(label, lines(days.map((day) => day.slice(5)), segments.map((name) => ({ name: segment(name), values: days.map((day) => of.get(day + name)) })), { label, show: show(measure) }));
}
function offerTypes(rows) {
  const top = rows.slice().sort((a, b) => b.expected_revenue_minor - a.expected_revenue_minor).slice(0, 15), high = Math.max(...top.map((row) => row.expected_revenue_minor), 1);
  return table({ name: "offer-types", caption: t().captionOfferTypes, rows: top, columns: [{ key: "offer_type", label: t().offer, show: (v) => word("offerNames", v) }, { key: "combined_segment", label: t().who.segment, show: segment }, { key: "offers", label: t().offers, isNumber: true, show: (v) => number(v) }, { key: "avg_expected_revenue_minor", label: t().average, isNumber: true, show: money },
    { key: "expected_revenue_minor", label: t().expected, isNumber: true, show: money }, { bar: (row) => row.expected_revenue_minor / high }, { key: "days", label: t().validDays, isNumber: true, of: (row) => (row.min_days_valid === row.max_days_valid ? row.min_days_valid : row.min_days_valid + "–" + row.max_days_valid) }] });
}

// What each template has brought so far, the greatest revenue first.
function campaignTable(rows) {
  const w = t().campaignColumns, sorted = rows.slice().sort((a, b) => b.revenue_minor - a.revenue_minor || b.presented - a.presented || b.issued - a.issued), figure = (key) => ({ key, label: w[key], isNumber: true, show: (v) => number(v) });
  return table({ name: "campaigns", caption: t().captionCampaigns, rows: sorted, columns: [{ key: "offer_type", label: t().offer, show: (v) => word("offerNames", v) }, { key: "combined_segment", label: t().who.segment, show: segment }, { key: "queue", label: t().who.queue, show: (v) => own(t().queueNames, v) || v }, figure("issued"), figure("presented"), figure("accepted"),
    { key: "pct_accepted", label: w.pct_accepted, isNumber: true, show: (v) => (v === null ? "·" : number(v, 1) + " %") }, figure("attempts"), { key: "revenue_minor", label: w.revenue_minor, isNumber: true, show: money }, { key: "cost_minor", label: w.cost_minor, isNumber: true, show: money }, { key: "return_on_cost", label: w.return_on_cost, isNumber: true, show: (v) => (v === null || v === undefined ? "·" : number(v, 2)) }] });
}

export default {
  open(host, ctx) {
    const days = make("div", { class: "controls" }), day = section(t().marketingDay, days), types = section(t().topOffers), campaigns = section(t().campaigns);
    const time = section(t().marketingCourse, choice(t().measure, MEASURES.map((m) => [m, t().measures[m]]), ctx.params.measure || MEASURES[0], (measure) => ctx.set({ measure })));
    const tiles = make("div", { class: "tiles" }), grid = make("div", { class: "body" });
    day.body.append(tiles, grid);
    host.append(day.element, time.element, types.element, campaigns.element);
    return async () => {
      const [daily, offers, results] = await Promise.all([ctx.mart("mart_marketing_daily", "limit=1000&sort=-day"), ctx.mart("mart_offer_type", "limit=1000"), ctx.mart("mart_campaign", "limit=200")]);
      if (daily.ok && daily.data.rows.length) {
        const known = [...new Set(daily.data.rows.map((row) => row.day))].sort().reverse(), of = known.includes(ctx.params.day) ? ctx.params.day : known[0];
        fill(days, choice(t().dayWord, known.map((d) => [d, d]), of, (value) => ctx.set({ day: value })));
        fill(tiles, ...totals(daily.data.rows, of));
        fill(grid, dayTable(daily.data.rows, of));
        fill(time.body, course(daily.data.rows, ctx.params.measure || MEASURES[0]));
      } else for (const body of [grid, time.body]) fill(body, daily.ok ? hint(t().noCustomers) : ctx.missing(daily));
      fill(types.body, offers.ok ? (offers.data.rows.length ? offerTypes(offers.data.rows) : hint(t().noOffers)) : ctx.missing(offers));
      fill(campaigns.body, results.ok ? (results.data.rows.length ? campaignTable(results.data.rows) : hint(t().noCampaigns)) : ctx.missing(results, t().noCampaignMart));
    };
  },
};
