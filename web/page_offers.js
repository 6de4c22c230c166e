// Offers: today's funnel, what each action brought beside what was foretold, what choosing is worth, contact limits at
// work, why a queue is empty, who gets nothing and why.
"use strict";
import { barTable, choice, fill, filled, hint, isNumber, list, make, moment, money, number, own, percent, quiet, section, shareColumn, t, table, tile, word } from "./draw.js";
import { actionName, channelName, funnel, reasonsOf } from "./decision.js";

const sumOf = (rows, want) => rows.filter(want).reduce((sum, row) => sum + row.offers, 0);
const queueName = (queue) => own(t().queueNames, queue) || queue;

function stateTiles(rows) {
  const states = [...new Set(rows.map((row) => row.state))].sort((a, b) => sumOf(rows, (r) => r.state === b) - sumOf(rows, (r) => r.state === a));
  const all = sumOf(rows, () => true);
  return [tile(t().issuedOffers, number(all)), ...states.map((state) => { const n = sumOf(rows, (row) => row.state === state); return tile(word("offerStates", state), number(n), percent(n, all)); })];
}

function todayParts(today) {
  const w = t().offersPage;
  if (!today.decisions) return [hint(w.noDecisions)];
  return [make("p", null, filled(w.todaySays, { decisions: number(today.decisions), customers: number(today.customers), offers: number(today.offers), silent: number(today.decisions - today.offers) })),
    funnel(today.funnel, { name: "offers-funnel", caption: filled(w.funnelCaption, { since: moment(today.since_us) }), unit: t().decision.candidates })];
}

// A share as a mark with its interval, on a scale from 0 to `high`.
function rangeMark(range, high) {
  const x = (value) => (100 * value / high).toFixed(1);
  return make("svg", { class: "range", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, make("rect", { class: "track", width: 100, height: 10 }),
    make("rect", { class: "between", x: x(range.low_95), width: (100 * (range.high_95 - range.low_95) / high).toFixed(1), height: 10 }), make("rect", { class: "mark", x: Math.max(0, x(range.share) - 0.75), width: 1.5, height: 10 }));
}

// Issued, presented, accepted with its interval; expected and realised.
function broughtTable(rows, interval) {
  const w = t().offersPage, high = Math.max(0.05, ...rows.map((row) => row.accepted_share?.high_95 || 0)), figure = (key) => ({ key, label: w[key], isNumber: true, show: (v) => number(v) });
  const flat = rows.map((row) => ({ ...row, name: actionName(row), share: row.accepted_share?.share ?? null, low_95: row.accepted_share?.low_95 ?? null, high_95: row.accepted_share?.high_95 ?? null, net_minor: row.realised_minor - row.cost_minor }));
  return table({ name: "offers-brought", caption: filled(w.broughtCaption, { interval }), rows: flat, columns: [{ key: "name", label: t().offer }, { key: "queue", label: t().who.queue, show: queueName }, figure("issued"), figure("presented"), figure("accepted"),
    { key: "share", label: w.share, isNumber: true, show: (v) => (v === null ? "·" : percent(v, 1)) }, { key: "low_95", label: w.interval, isNumber: true, show: (v, row) => (v === null ? "·" : `${number(100 * v, 1, 1)} – ${percent(row.high_95, 1)}`) },
    { key: "range", label: "", isRange: true, show: (_, row) => (row.accepted_share ? rangeMark(row.accepted_share, high) : "") }, { key: "high_95", label: "", isKept: true },
    { key: "foretold_share", label: w.foretold, isNumber: true, show: (v) => (v === null ? "·" : percent(v, 1)) }, { key: "expected_minor", label: w.expected, isNumber: true, show: (v, row) => (row.presented ? money(v) : "·") }, { key: "net_minor", label: w.realised, isNumber: true, show: (v, row) => (row.presented ? money(v) : "·") }] });
}

const span = (one) => `${money(one.low_95)} … ${money(one.high_95)}`;
function armTable(arms) {
  const w = t().offersPage;
  const rows = arms.map((row) => ({ arm: row.arm, decisions: row.decisions, is_enough: row.is_enough, value: row.value?.value_minor ?? null, value_of: row.value, lift: row.lift_of_rule?.value_minor ?? null, lift_of: row.lift_of_rule, lift_low: row.lift_of_rule?.low_95 ?? null, lift_high: row.lift_of_rule?.high_95 ?? null }));
  return table({ name: "offers-arms", caption: w.armsCaption, rows, columns: [{ key: "arm", label: t().decision.arm, show: (v) => word("arms", v) }, { key: "decisions", label: w.decisions, isNumber: true, show: (v) => number(v) },
    { key: "value", label: w.worth, isNumber: true, show: (v, row) => (row.value_of ? money(v) : t().tooFew) }, { key: "value_of", label: w.interval, isNumber: true, show: (v) => (v ? span(v) : "·") },
    { key: "lift", label: w.lift, isNumber: true, show: (v, row) => (row.arm === "rule" ? "·" : row.lift_of ? (v > 0 ? "+" : "") + money(v) : t().tooFew) }, { key: "lift_of", label: w.interval, isNumber: true, show: (v) => (v ? span(v) : "·") }] });
}

// How much there was to choose from, and what of the formula decided.
function choiceParts(optionality, flips) {
  const w = t().offersPage, rows = ["none", "one", "two_to_four", "more"].map((left) => ({ left, n: optionality[left] })), all = rows.reduce((sum, row) => sum + row.n, 0);
  if (!all) return [hint(w.noDecisions)];
  const factors = ["p", "c", "v", "l", "f"].map((key) => ({ factor: key.toUpperCase(), n: flips[key] }));
  return [make("div", { class: "pair" }, table({ name: "offers-optionality", caption: w.optionalityCaption, rows, columns: [{ key: "left", label: w.left, show: (v) => w.leftNames[v] }, { key: "n", label: w.decisions, isNumber: true, show: (v) => number(v) }, { bar: (row) => row.n / all }, shareColumn(t().share, (row) => row.n, () => all)] }),
    table({ name: "offers-sensitivity", caption: w.sensitivityCaption, rows: factors, columns: [{ key: "factor", label: w.factor, show: (v) => own(t().decision.factors, v) || v }, { key: "n", label: w.flipped, isNumber: true, show: (v) => number(v) }, { bar: (row) => row.n / Math.max(flips.decisions, 1) }, shareColumn(t().share, (row) => row.n, () => flips.decisions)] })), quiet(w.optionalityRule)];
}

// What waits, what of it may be taken now, what stops the rest, and when the next one opens: a sentence a queue.
function queueParts(queues) {
  const w = t().offersPage;
  if (!queues.length) return [hint(t().noQueues)];
  const figure = (key, label) => ({ key, label, isNumber: true, show: (v) => number(v) });
  const rows = queues.map((row) => ({ ...row, blocked_offers: row.blocked.reduce((sum, one) => sum + one.offers, 0) }));
  const parts = [table({ name: "offers-queues", caption: t().captionQueues, rows, columns: [{ key: "queue", label: t().who.queue, show: queueName }, figure("ready", t().queueWords.ready), figure("free", w.free), figure("blocked_offers", w.blocked), figure("parked", w.parked), figure("leased", t().queueWords.leased), figure("scheduled", w.scheduled), figure("dead", t().queueWords.dead), figure("done", w.done), figure("refused", w.refused),
    { key: "next_open_us", label: w.opens, show: (v) => (isNumber(v) ? moment(v) : "·") }] })];
  const empty = rows.filter((row) => !row.free);
  if (empty.length) parts.push(make("ul", null, empty.map((row) => make("li", null, emptyWords(row)))));
  return parts;
}
function emptyWords(row) {
  const w = t().offersPage, why = row.blocked.map((one) => filled(w.emptyRule, { n: number(one.offers), why: word("whyNames", one.why), rule: word("ruleNames", one.rule) }));
  const rest = [row.leased && filled(w.emptyLeased, { n: number(row.leased) }), row.scheduled && filled(w.emptyScheduled, { n: number(row.scheduled) }), isNumber(row.spent_until_us) && filled(w.emptySpent, { at: moment(row.spent_until_us) })].filter(Boolean);
  const opens = isNumber(row.next_open_us) ? " " + filled(w.nextOpens, { at: moment(row.next_open_us) }) : "";
  return filled(w.emptyNow, { queue: queueName(row.queue), why: [...why, ...rest].join("; ") || w.emptyNone }) + opens;
}

function limitTable(queues) {
  const w = t().offersPage, rows = queues.flatMap((row) => row.blocked.map((one) => ({ queue: row.queue, ...one }))).sort((a, b) => b.offers - a.offers), high = Math.max(...rows.map((row) => row.offers), 1);
  const rest = queues.reduce((sum, row) => sum + row.not_looked_at, 0);
  return [rows.length ? table({ name: "contact-limits", caption: w.limitsCaption, rows, columns: [{ key: "rule", label: w.rule, show: (v) => word("ruleNames", v) }, { key: "source", label: w.source, show: (v) => word("ruleSources", v) }, { key: "why", label: t().who.reason, show: (v) => word("whyNames", v) }, { key: "queue", label: t().who.queue, show: queueName },
    { key: "offers", label: t().offers, isNumber: true, show: (v) => number(v) }, { bar: (row) => row.offers / high }] }) : hint(w.noLimits), rest ? quiet(filled(w.notLookedAt, { n: number(rest) })) : null];
}

function silenceTable(rows) {
  const w = t().offersPage, high = Math.max(...rows.map((row) => row.customers), 1);
  return table({ name: "offers-silence", caption: w.silenceCaption, rows: rows.map((row) => ({ ...row, why: reasonsOf(row), rule: list(row.rules).map((one) => word("ruleNames", one)).join(", ") })), columns: [{ key: "why", label: t().who.reason }, { key: "rule", label: w.rulesNamed, show: (v) => v || "·" }, { key: "customers", label: t().customers, isNumber: true, show: (v) => number(v) }, { bar: (row) => row.customers / high }] });
}

function learntTable(rows, brought) {
  const w = t().offersPage, names = new Map(brought.map((row) => [row.action, actionName(row)]));
  return table({ name: "offers-learnt", caption: w.learntCaption, rows: rows.map((row) => { const [action, channel] = row.candidate.split("|"); return { ...row, action: names.get(action) || action, channel }; }), columns: [{ key: "action", label: t().decision.action }, { key: "channel", label: t().channel, show: channelName }, { key: "positives", label: w.positives, isNumber: true, show: (v) => number(v) }, { key: "negatives", label: w.negatives, isNumber: true, show: (v) => number(v) },
    { key: "auc", label: "AUC", isNumber: true, show: (v, row) => (row.health === "untried" ? "·" : number(v, 3)) }, { key: "health", label: w.health, show: (v) => word("modelHealth", v) }, { key: "is_drawn", label: w.drawn, show: (v) => (v ? t().yes : t().no) }] });
}

function standing(rows) {
  const of = new Map();
  for (const row of rows) {
    const key = row.queue + row.action, one = of.get(key) || { name: actionName(row), queue: row.queue, READY: 0, LEASED: 0, SCHEDULED: 0, SUPERSEDED: 0, WITHDRAWN: 0, EXPIRED: 0, DONE: 0, DEAD: 0, expected: 0 };
    one[row.state] = (one[row.state] || 0) + row.offers;
    if (row.state === "READY") one.expected += row.expected_revenue_minor;
    of.set(key, one);
  }
  const made = [...of.values()].sort((a, b) => b.READY - a.READY), high = Math.max(...made.map((row) => row.READY), 1), states = ["LEASED", "SCHEDULED", "DONE", "SUPERSEDED", "WITHDRAWN", "EXPIRED", "DEAD"].filter((state) => made.some((row) => row[state]));
  return table({ name: "offers-by-action", caption: t().captionActions, rows: made, columns: [{ key: "name", label: t().offer }, { key: "queue", label: t().who.queue, show: queueName }, { key: "READY", label: word("offerStates", "READY"), isNumber: true, show: (v) => number(v) }, { bar: (row) => row.READY / high },
    ...states.map((state) => ({ key: state, label: word("offerStates", state), isNumber: true, show: (v) => (v ? number(v) : "·") })), { key: "expected", label: t().expectedReady, isNumber: true, show: money }] });
}

export default {
  open(host, ctx) {
    const w = t().offersPage, queue = make("div", { class: "controls" });
    const parts = { today: section(w.today), now: section(t().offersNow, queue), queues: section(w.queues), limits: section(w.limits), brought: section(w.brought), arms: section(w.arms), choice: section(w.optionality), silence: section(w.silence), learnt: section(w.learnt), actions: section(t().offersByAction) };
    const tiles = make("div", { class: "tiles" });
    parts.now.body.append(tiles);
    host.append(parts.now.element, parts.today.element, parts.queues.element, parts.limits.element, parts.brought.element, parts.arms.element, parts.choice.element, parts.silence.element, parts.learnt.element, parts.actions.element);
    return async () => {
      const [summary, answer] = await Promise.all([ctx.ask("/api/v1/offers/summary"), ctx.ask("/api/v1/choices")]);
      const wanted = ctx.params.queue || "", of = (rows) => list(rows).filter((row) => !wanted || row.queue === wanted);
      if (!summary.ok) { fill(tiles, ctx.missing(summary)); fill(parts.actions.body, ctx.missing(summary)); }
      else {
        const known = [...new Set(summary.data.rows.map((row) => row.queue))].sort(), rows = of(summary.data.rows);
        fill(queue, known.length > 1 ? choice(t().who.queue, [["", t().all], ...known.map((name) => [name, queueName(name)])], wanted, (value) => ctx.set({ queue: value })) : null);
        fill(tiles, ...(rows.length ? stateTiles(rows) : [hint(t().noOffers)]));
        fill(parts.actions.body, rows.length ? standing(rows) : hint(t().noOffers));
      }
      const { today, queues, brought, arms, silence, acceptance, interval, optionality, flips } = answer.data || {};
      const show = (part, ...children) => fill(part.body, ...(answer.ok ? children.flat() : [ctx.missing(answer)]));
      show(parts.today, answer.ok ? todayParts(today) : "");
      show(parts.queues, answer.ok ? queueParts(of(queues)) : "");
      show(parts.limits, answer.ok ? limitTable(of(queues)) : "");
      show(parts.brought, answer.ok ? (of(brought).length ? [broughtTable(of(brought), interval), brought.some((row) => row.presented) ? quiet(w.broughtRule) : hint(t().noOutcomes)] : hint(t().noOffers)) : "");
      show(parts.arms, answer.ok ? (arms.some((row) => row.decisions) ? [armTable(arms), quiet(w.armsRule)] : hint(w.noDecisions)) : "");
      show(parts.choice, answer.ok ? choiceParts(optionality, flips) : "");
      show(parts.silence, answer.ok ? (silence.length ? silenceTable(silence) : hint(w.noSilence)) : "");
      show(parts.learnt, answer.ok ? (acceptance.length ? learntTable(acceptance, brought) : hint(t().noOutcomes)) : "");
    };
  },
};
