// One customer's story. Every look is written down; the daemon masks names and numbers by role before they come here.
"use strict";
import { choice, facts, figure, fill, filled, hint, isNumber, language, list, make, money, moneyIn, moment, number, own, section, t, table, weekStrip, word } from "./draw.js";
import { STAGES, decided, decisionGrid } from "./decision.js";
import { codesOf } from "./page_customers.js";

const day = (us) => moment(us, { day: "numeric", month: "short", year: "numeric" });

function headFacts(story) {
  const c = story.customer, p = story.profile;
  return facts([[t().name, c.name], [t().customerKey, c.key], [t().phone, p.phone], [t().city, c.city], [t().who.tier, c.tier && filled(t().since, { what: word("tierNames", c.tier), when: day(c.tier_since_us) })], [t().who.segment, c.combined_segment && word("segmentNames", c.combined_segment)],
    [t().churnState, c.churn_state && word("churnStates", c.churn_state)], [t().churnProbability, isNumber(c.churn_probability) && number(100 * c.churn_probability, 1) + " %"], [t().inactiveWeeks, isNumber(c.inactive_weeks) && number(c.inactive_weeks)],
    [t().overdueNowOne, c.dpd > 0 ? filled(t().dpdDays, { n: number(c.dpd) }) : t().notOverdue], [t().registered, c.registered_on], [t().systems, list(story.systems).map((s) => s.system).join(", ")]]);
}

function features(c) {
  const rows = [["transaction_count", number], ["transaction_total_minor", money], ["transaction_max_minor", money], ["successful_login_count", number], ["login_count", number], ["activity_count", number], ["activity_minutes", number],
    ["page_views", number], ["bill_count", number], ["bill_total_minor", money], ["holding_count", number], ["portfolio_value_minor", money], ["priority_category", (v) => word("categoryNames", v)], ["client_code", number]];
  return facts(rows.filter(([key]) => c[key] !== null && c[key] !== undefined).map(([key, show]) => [word("featureNames", key), show(c[key])]));
}

function score(story) {
  const churn = list(story.churn)[0];
  if (!churn) return hint(t().noScore);
  const said = list(churn["reasons_" + language()]), reasons = said.length ? said : codesOf(churn.reasons).map((code) => word("reasonCodes", code));
  return [facts([[t().churnState, word("churnStates", churn.state)], [t().churnProbability, isNumber(churn.probability) ? number(100 * churn.probability, 1) + " %" : t().byInactivity], [t().horizon, filled(t().weeks, { n: number(churn.horizon_weeks) })], [t().model, own(t().modelNames, churn.model) || churn.model]]),
    reasons.length ? make("ul", null, reasons.map((one) => make("li", null, one))) : null];
}

const tables = {
  tier_history: () => [["from_us", t().since_, day], ["tier", t().who.tier, (v) => word("tierNames", v)], ["combined_segment", t().who.segment, (v) => word("segmentNames", v)], ["reason", t().who.reason, (v) => word("moveReasons", v)], ["cause_seq", t().record, number]],
  churn_history: () => [["from_us", t().since_, day], ["state", t().who.state, (v) => word("churnStates", v)], ["cause_seq", t().record, number]],
  loans: () => [["loan_name", t().loan], ["amount_minor", t().amount, money], ["planned_minor", t().instalment, money], ["start_date", t().began], ["dpd", t().dpd, number]],
  instalments: () => [["loan_name", t().loan], ["payment_number", "№", number], ["payment_date", t().planned], ["payment_fact_date", t().paidOn, (v) => v || t().notPaid], ["planned_minor", t().amount, money], ["paid_fact_amount_minor", t().paid, money], ["is_overdue", t().overdueWord, (v) => (v ? t().yes : t().no)]],
  offers: () => [["offer_type", t().offer, (v) => word("offerNames", v)], ["created_us", t().since_, day], ["queue", t().who.queue, (v) => own(t().queueNames, v) || v], ["state", t().who.state, (v) => word("offerStates", v)], ["expected_revenue_minor", t().expected, money], ["expires_us", t().until, day], ["reasons", t().who.reason, (v) => codesOf(v || "").map((code) => word("reasonCodes", code)).join(", ")]],
  consents: () => [["purpose", t().purpose, (v) => word("purposes", v)], ["channel", t().channel, (v) => word("channels", v)], ["granted", t().granted, (v) => (v ? t().yes : t().no)], ["occurred_us", t().since_, day], ["valid_to", t().until]],
  restrictions: () => [["type", t().restriction, (v) => word("restrictionNames", v)], ["active", t().inForce, (v) => (v ? t().yes : t().no)], ["occurred_us", t().since_, day], ["valid_to", t().until]],
};
const isFigure = (show) => show === number || show === money;

function part(name, rows, empty, onRow) {
  const columns = tables[name]().map(([key, label, show]) => ({ key, label, show: show ? (value) => (value === null || value === undefined ? "—" : show(value)) : undefined, isNumber: isFigure(show) }));
  return rows.length ? table({ name: "customer-" + name, caption: t().parts[name], columns, rows, onRow }) : hint(empty);
}
function outcomes(rows) {
  const words = t().outcomeColumns;
  return table({ name: "customer-outcomes", caption: t().storyParts.outcomes, rows, columns: [{ key: "occurred_us", label: words.at, show: (v) => moment(v) }, { key: "offer_type", label: words.offer, show: (v) => word("offerNames", v) }, { key: "queue", label: t().who.queue, show: (v) => own(t().queueNames, v) || v }, { key: "code", label: words.code, show: (v) => word("outcomeCodes", v) },
    { key: "presented", label: words.presented, show: (v) => (v ? t().yes : t().no) }, { key: "label_reason", label: words.label, show: (v) => word("outcomeLabels", v) }, { key: "amount_minor", label: words.amount, isNumber: true, show: (v) => (v ? money(v) : "·") }, { key: "promise_date", label: words.promise }, { key: "desk", label: words.desk, show: (v) => v || "—" }] });
}
// Any mart: its own columns, but for the customer's key.
function anyTable(name, caption, rows) {
  const keys = Object.keys(rows[0]).filter((key) => key !== "customer_key");
  return table({ name, caption, rows, columns: keys.map((key) => ({ key, label: own(t().columnNames, key) || key, isNumber: isNumber(rows[0][key]) && !key.endsWith("_us"), show: key.endsWith("_us") ? (v) => moment(v) : key.endsWith("_minor") ? money : undefined })) });
}
export { anyTable };

function factWords(fact) {
  const amount = fact.currency ? moneyIn(fact.amount_minor, fact.currency, 2) : fact.amount_minor ? money(fact.amount_minor) : "";
  const yes = fact.kind === "login" ? (fact.success ? t().succeeded : t().failed) : fact.is_competitor ? t().competitor : "";
  return [amount, yes, fact.city, ...[fact.topic, fact.type, fact.status, fact.device].map((one) => one && word("sourceValues", one)), fact.category && word("categoryNames", fact.category), fact.code && word("outcomeCodes", fact.code), isNumber(fact.minutes) && fact.minutes ? filled(t().minutes, { n: number(fact.minutes) }) : ""].filter(Boolean).join(" · ");
}

export default {
  open(host, ctx) {
    const said = make("div", { class: "said" }), names = ["head", "strip", "features", "score", "loans", "offers", "outcomes", "tiers", "facts", "limits"];
    const fell = choice(t().decision.fellAt, [["", t().all], ...STAGES.slice(1).map((stage) => [stage, t().stages[stage]])], ctx.params.stage || "", (stage) => ctx.set({ stage }));
    const parts = { ...Object.fromEntries(names.map((name) => [name, section(t().storyParts[name])])), grid: section(t().storyParts.grid, fell) };
    const offers = make("div"), behind = make("div", { role: "status", class: "stack" });
    parts.offers.body.append(offers, behind);
    const explain = async (offer) => {
      const answer = await ctx.ask("/api/v1/choices/ask", { offer_id: offer.offer_id });
      fill(behind, ...(answer.ok ? [make("h3", null, filled(t().decision.behind, { offer: word("offerNames", offer.offer_type), at: moment(offer.created_us) })), ...decided(answer.data),
        isNumber(answer.data.decision_id) ? make("p", null, make("button", { type: "button", click: () => { ctx.set({ decision: answer.data.decision_id }); parts.grid.element.scrollIntoView(); } }, t().decision.gridThen)) : null] : [ctx.missing(answer)]));
    };
    const grid = make("div", { hidden: true }, make("div", { class: "pair" }, parts.head.element, parts.score.element), parts.strip.element, make("div", { class: "pair" }, parts.features.element, parts.tiers.element), parts.grid.element, parts.offers.element, parts.outcomes.element, parts.loans.element, make("div", { class: "pair" }, parts.facts.element, parts.limits.element));
    host.append(make("p", null, make("a", { href: "#customers" }, t().backToCustomers)), said, grid);
    let seen = "", choices = null, askedOf = null;
    const backToNow = () => (ctx.params.decision ? make("p", null, filled(t().decision.asOfThen, { n: number(Number(ctx.params.decision)) }) + " ", make("button", { type: "button", class: "small", click: () => ctx.set({ decision: "" }) }, t().decision.asOfNow)) : null);
    const drawGrid = async (id) => {
      const of = ctx.params.decision || "";
      if (askedOf !== of) {
        askedOf = of;
        choices = ctx.ask("/api/v1/choices/ask", of ? { id, decision: Number(of) || 0 } : { id });
      }
      const answer = await choices;
      if (askedOf !== of) return;                            // another was asked for meanwhile
      fill(parts.grid.body, backToNow(), ...(answer.ok ? decisionGrid(answer.data, ctx.params.stage) : [ctx.missing(answer)]));
    };
    return async () => {
      const id = Number(ctx.params.id);
      if (seen === String(id)) return drawGrid(id);            // a look is written down: it is not taken again by itself
      await ctx.names();
      const answer = await ctx.ask("/api/v1/customers/find", { id: Number.isSafeInteger(id) ? id : 0 });
      grid.hidden = !answer.ok;
      if (!answer.ok) return fill(said, ctx.missing(answer, t().nobodyFound));
      seen = String(id);
      const story = answer.data;
      fill(said, make("p", { class: "quiet" }, filled(t().seenAt, { at: moment(Date.now() * 1000) }) + " ", make("button", { type: "button", class: "small", click: () => { seen = ""; ctx.set({}); } }, t().again)));
      fill(parts.head.body, headFacts(story));
      fill(parts.strip.body, figure(t().stripFigure, weekStrip(["tx", "sup", "sms", "host"].map((name) => ({ name: t().weekSources[name], weeks: story.weeks[name] })), stripWords(story.weeks))));
      fill(parts.features.body, features(story.customer));
      fill(parts.score.body, ...[score(story)].flat());
      fill(parts.tiers.body, part("tier_history", list(story.tier_history), t().nothingYet), part("churn_history", list(story.churn_history), t().nothingYet));
      fill(offers, part("offers", list(story.offers), t().noOffersFor, explain));
      fill(parts.outcomes.body, list(story.outcomes).length ? outcomes(story.outcomes) : hint(t().noOutcomes));
      fill(parts.loans.body, part("loans", list(story.loans), t().noLoansFor), list(story.instalments).length ? part("instalments", story.instalments, "") : null);
      fill(parts.facts.body, list(story.facts).length ? table({ name: "customer-facts", caption: t().parts.facts, rows: story.facts.map((fact) => ({ at: fact.occurred_us, kind: fact.kind, what: factWords(fact) })), columns: [{ key: "at", label: t().who.time, show: (v) => moment(v) }, { key: "kind", label: t().kind, show: (v) => word("kinds", v) }, { key: "what", label: t().who.what }] }) : hint(t().nothingYet));
      fill(parts.limits.body, part("consents", list(story.consents), t().noConsents), part("restrictions", list(story.restrictions), t().noRestrictions));
      askedOf = null;
      await drawGrid(story.id);
    };
  },
};
const stripWords = (weeks) => ["tx", "sup", "sms", "host"].map((name) => t().weekSources[name] + ": " + filled(t().weeksOf, { n: [...weeks[name]].filter((bit) => bit === "1").length, all: weeks[name].length })).join("; ");
