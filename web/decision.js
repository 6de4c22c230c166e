// Decisions as people read them: the funnel's seven stages, the grid of every action over every channel with where it
// fell and why, and what stands behind one offer.
"use strict";
import { facts, filled, hint, isNumber, language, list, make, money, moment, number, own, percent, quiet, shareColumn, t, table, word } from "./draw.js";

export const STAGES = ["library", "eligibility", "applicability", "suitability", "constraints", "arbitration", "final"];
const at = (stage) => STAGES.indexOf(stage);

// Words of the pack that decides come with the answer; the code alone where it has none.
export const reasonsOf = (row) => list(row["reasons_" + language()] || row["words_" + language()]).join("; ") || row.reasons || "";
export const actionName = (row) => (language() === "ru" && row.name_ru) || word("offerNames", row.offer_type || row.action);
export const channelName = (channel) => word("channels", channel);

// Seven bars, each as wide as its share of the first: what a stage let through.
export function funnel(counts, { name, caption, unit }) {
  const high = Math.max(counts.library || 0, 1);
  return table({ name, caption, rows: STAGES.map((stage, i) => ({ stage, n: counts[stage] ?? 0, lost: i ? (counts[STAGES[i - 1]] ?? 0) - (counts[stage] ?? 0) : 0 })),
    columns: [{ key: "stage", label: t().decision.stage, show: (v) => t().stages[v] }, { key: "n", label: unit, isNumber: true, show: (v) => number(v) }, { bar: (row) => row.n / high },
      shareColumn(t().share, (row) => row.n, () => high), { key: "lost", label: t().decision.fell, isNumber: true, show: (v) => (v ? number(v) : "·") }] });
}

const formula = (s) => `${percent(s.p, 1)} × ${number(s.c, 2)} × ${money(s.v_minor)} × ${number(s.l, 2)} × ${number(s.f, 2)}`;

// One cell: passed, fell here, or not reached. The sign has its words for who cannot see it.
function stageCell(row, stage) {
  const fell = row.is_chosen ? STAGES.length : at(row.lost_at), here = at(stage);
  if (here > fell) return make("span", { class: "unseen" }, t().decision.notReached);
  const isPassed = here < fell;
  return make("span", { class: isPassed ? "passed" : "fallen" }, make("span", { "aria-hidden": "true" }, isPassed ? (row.is_chosen && stage === "final" ? "★" : "●") : "✕"), make("span", { class: "unseen" }, isPassed ? t().decision.passed : t().decision.fellHere));
}
const whyText = (row) => [row.is_chosen && t().decision.chosen, reasonsOf(row), row.lost_at === "constraints" && list(row.contact_rules).length && filled(t().decision.rule, { rule: row.contact_rules.map((one) => word("ruleNames", one)).join(", ") })].filter(Boolean).join(" · ");

export function decisionGrid(answer, stage) {
  if (!answer.is_chosen_among) return [hint(t().decision.noChoice)];
  const all = list(answer.candidates), depth = (row) => (row.is_chosen ? STAGES.length : at(row.lost_at));
  const isThen = isNumber(answer.decision_id), words = t().decision;
  const now = answer.chosen ? filled(isThen ? words.chosenThen : answer.stands ? words.standsNow : words.chosenNow, { action: actionName(all.find((row) => row.is_chosen) || { action: answer.chosen }) }) : filled(isThen ? words.silentThen : words.silent, { why: reasonsOf(answer) || words.noReason });
  const head = [make("p", null, make("strong", null, now), answer.arm ? " " + filled(t().decision.armIs, { arm: word("arms", answer.arm) }) : "")];
  if (!all.length) return head;
  const rows = all.filter((row) => !stage || row.lost_at === stage).sort((a, b) => depth(b) - depth(a) || (b.scores?.priority || 0) - (a.scores?.priority || 0)).map((row) => ({ ...row, name: actionName(row), why: whyText(row), priority: row.scores ? row.scores.priority : null, ...Object.fromEntries(STAGES.map((one) => [one, depth(row) > at(one) ? "passed" : depth(row) === at(one) ? "fell" : ""])) }));
  const counts = answer.funnel || {};
  return [...head, rows.length ? table({ name: "decision-grid", caption: filled(t().decision.gridCaption, { n: number(all.length), at: moment(answer.asof_us) }), rows, columns: [
    { key: "name", label: t().decision.action }, { key: "channel", label: t().channel, show: channelName },
    ...STAGES.map((one) => ({ key: one, label: make("span", null, t().stages[one], make("br"), number(counts[one] ?? 0)), isStage: true, show: (_, row) => stageCell(row, one) })),
    { key: "why", label: t().decision.why, show: (v, row) => (row.scores ? [v, make("br"), make("span", { class: "quiet" }, formula(row.scores))] : v || "—") },
    { key: "priority", label: t().decision.priority, isNumber: true, show: (v) => (isNumber(v) ? number(v / 100) : "·") }] }) : hint(t().decision.noneFell), quiet(t().decision.formula)];
}

// What stands behind one offer, as it was decided and stored.
export function decided(answer) {
  const s = answer.scores, words = t().decision;
  return [facts([[words.action, actionName(answer)], [words.why, reasonsOf(answer)], [words.arm, word("arms", answer.arm)], [words.chance, isNumber(answer.choice_probability) && percent(answer.choice_probability, 1)],
    [words.product, s && formula(s)], [words.drawn, s && (answer.is_p_drawn ? t().yes : t().no)], [words.runnerUp, answer.runner_up && word("offerNames", answer.runner_up)], [words.flips, list(answer.would_flip_without).map((one) => own(words.factors, one)).join(", ")],
    [t().who.state, word("offerStates", answer.state)], [t().policyPack, answer.policy], [t().model, answer.model], [t().record, isNumber(answer.asof_seq) && number(answer.asof_seq)]]),
    answer.funnel ? funnel(answer.funnel, { name: "decision-funnel", caption: words.funnelOne, unit: words.candidates }) : null];
}
