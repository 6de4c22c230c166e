// Models: the one in force and how well it does, whether its probabilities mean what they say, what became of them, and
// whether customers are still those it learnt from.
"use strict";
import { SHAPES, facts, figure, fill, filled, hint, isNumber, lines, list, make, moment, number, percent, quiet, section, t, table, word } from "./draw.js";

const STABLE = 0.1, ANOTHER = 0.25;                      // the index's usual steps
const curveOf = (text) => { try { return list(JSON.parse(text)); } catch { return []; } };
const share = (value, digits = 1) => (isNumber(value) ? percent(value, 1, digits) : "—");
// The daemon's sentence in words of the language; figures and names in it are taken over as they are.
export function verdictWords(sentence) {
  for (const [form, ours] of Object.entries(t().modelVerdicts)) {
    const names = [...form.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const found = new RegExp("^" + form.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("(.+?)") + "$").exec(sentence);
    const localized = (text) => (/^\d+\.\d+$/.test(text) ? number(Number(text), 4, text.split(".")[1].length) : text);
    if (found) return filled(ours, Object.fromEntries(names.map((name, i) => [name, localized(found[i + 1])])));
  }
  return sentence;
}
const alarmWords = (alarms) => String(alarms || "").split(" ").filter(Boolean).map((one) => word("modelAlarms", one)).join(", ");

function cardOf(row) {
  const w = t().modelWords;
  return facts([[w.model, row.model], [w.method, word("modelMethods", row.method)], [w.trained, moment(row.trained_us)], [w.took, filled(t().seconds, { n: number(row.trained_ms / 1000, 1) })],
    [w.cause, row.cause && word("modelCauses", row.cause)], [w.verdict, row.verdict && verdictWords(row.verdict)], [w.rows, number(row.rows)], [w.weeks, `${number(row.feature_weeks)} / ${number(row.horizon_weeks)}`],
    [w.judgedBy, word("modelJudged", row.validated_by)], [w.calibrated, word("modelCalibrations", row.calibration)], [w.late, isNumber(row.late_share) ? share(row.late_share, 2) : null]]);
}

// How it did in the weeks it was judged on, beside what anybody could have said.
function judgedTable(rows) {
  const w = t().modelWords, figure = (key, digits = 3) => ({ key, label: w[key], isNumber: true, show: (v) => number(v, digits, digits) });
  return table({ name: "model-judged", caption: w.captionJudged, rows, columns: [{ key: "as_of", label: w.asOf }, figure("roc_auc"), figure("recency_roc_auc"), figure("pr_auc"), figure("lift_10", 2), figure("log_loss"), figure("recency_log_loss"), figure("majority_log_loss")] });
}

// Predicted against what came true, ten parts of equal size: on the diagonal a probability means what it says.
function calibration(sets) {
  const size = 320, left = 44, floor = 284, top = 12, at = (part) => [left + part * (size - left - 10), floor - part * (floor - top)];
  const dots = (points) => points.map((p) => at(p.predicted)[0].toFixed(1) + "," + at(p.observed)[1].toFixed(1)).join(" ");
  const label = t().modelWords.calibrationFigure + " " + sets.map((set) => set.name + ": " + set.points.map((p) => `${share(p.predicted, 0)} → ${share(p.observed, 0)}`).join(", ")).join("; ");
  return make("div", { class: "square" }, make("svg", { class: "chart", viewBox: `0 0 ${size + 150} ${size}`, role: "img", "aria-label": label },
    [0, 0.25, 0.5, 0.75, 1].flatMap((part) => { const [x, y] = at(part); return [make("line", { x1: left, x2: size - 10, y1: y, y2: y }), make("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, share(part, 0)), make("text", { x, y: floor + 16, "text-anchor": part ? "middle" : "start" }, share(part, 0))]; }),
    make("polyline", { class: "diagonal", points: `${at(0).join(",")} ${at(1).join(",")}` }),
    make("text", { x: left, y: size - 2 }, t().modelWords.predicted + " →"),
    make("text", { x: left + 6, y: top + 16 }, "↑ " + t().modelWords.observed),
    sets.map((set, k) => make("g", { class: "line c" + k }, make("polyline", { points: dots(set.points) }),
      set.points.map((p) => make("circle", { cx: at(p.predicted)[0].toFixed(1), cy: at(p.observed)[1].toFixed(1), r: 3.5 }, make("title", null, `${set.name}: ${share(p.predicted)} → ${share(p.observed)}, ${number(p.rows)}`))),
      make("text", { x: size, y: 30 + 20 * k }, set.name)))));
}
function calibrationTable(points) {
  const w = t().modelWords;
  return table({ name: "model-calibration", caption: w.captionCalibration, rows: points, columns: [{ key: "predicted", label: w.predicted, isNumber: true, show: (v) => share(v) }, { key: "observed", label: w.observed, isNumber: true, show: (v) => share(v) }, { key: "rows", label: t().customers, isNumber: true, show: (v) => number(v) }] });
}

function outcomeParts(rows) {
  const w = t().modelWords, newest = rows[0];
  const parts = [table({ name: "model-outcomes", caption: w.captionOutcomes, rows, columns: [{ key: "as_of", label: w.asOf }, { key: "customers", label: t().customers, isNumber: true, show: (v) => number(v) }, { key: "predicted_mean", label: w.predicted, isNumber: true, show: (v) => share(v) },
    { key: "left_share", label: w.observed, isNumber: true, show: (v) => share(v) }, { key: "roc_auc", label: w.roc_auc, isNumber: true, show: (v) => number(v, 3, 3) }, { key: "recency_roc_auc", label: w.recency_roc_auc, isNumber: true, show: (v) => number(v, 3, 3) }, { key: "log_loss", label: w.log_loss, isNumber: true, show: (v) => number(v, 3, 3) },
    { key: "majority_log_loss", label: w.majority_log_loss, isNumber: true, show: (v) => number(v, 3, 3) }, { key: "alarms", label: w.alarm, show: (v) => alarmWords(v) || t().lights.green }, { key: "model", label: w.model }] })];
  const wrong = alarmWords(newest.alarms);
  if (wrong) parts.unshift(make("p", { class: "worry", "data-light": "amber" }, SHAPES.amber + " " + filled(w.outcomeAlarm, { what: wrong })));
  return parts;
}

function driftParts(rows, features) {
  const w = t().modelWords, newest = rows[0], over = [...rows].reverse();
  const light = newest.score_psi > ANOTHER ? "red" : newest.score_psi > STABLE ? "amber" : "green";
  const parts = [make("p", { class: "worry", "data-light": light }, SHAPES[light] + " " + filled(w.driftNow, { n: number(newest.score_psi, 2, 2), what: w.driftLights[light], at: newest.as_of }))];
  if (over.length > 1) parts.push(figure(w.driftFigure, lines(over.map((row) => row.as_of), [{ name: w.scorePsi, values: over.map((row) => row.score_psi) }, { name: w.featurePsi, values: over.map((row) => row.feature_psi) }], { label: w.driftFigure, show: (v) => number(v, 2, 2) })));
  if (features.length) parts.push(table({ name: "model-features", caption: filled(w.captionFeatures, { at: newest.as_of }), rows: features.slice(0, 12), columns: [{ key: "feature", label: w.feature }, { key: "psi", label: w.psi, isNumber: true, show: (v) => number(v, 3, 3) }, { bar: (row) => row.psi / Math.max(ANOTHER, features[0].psi) }] }));
  return [...parts, quiet(w.driftRule)];
}

function historyTable(rows) {
  const w = t().modelWords, first = new Map();
  for (const row of rows) if (!first.has(row.model + row.trained_us)) first.set(row.model + row.trained_us, row);
  return table({ name: "models", caption: t().modelHistory, rows: [...first.values()], columns: [{ key: "model", label: w.model, show: (v, row) => (row.is_active ? v + " ✓" : v) }, { key: "trained_us", label: w.trained, show: (v) => moment(v) }, { key: "method", label: w.method, show: (v) => (v ? word("modelMethods", v) : "—") },
    { key: "cause", label: w.cause, show: (v) => (v ? word("modelCauses", v) : "—") }, { key: "roc_auc", label: w.roc_auc, isNumber: true, show: (v) => number(v, 3, 3) }, { key: "log_loss", label: w.log_loss, isNumber: true, show: (v) => number(v, 3, 3) },
    { key: "champion", label: w.champion, show: (v) => v || "—" }, { key: "champion_log_loss", label: w.championLoss, isNumber: true, show: (v) => number(v, 3, 3) }, { key: "verdict", label: w.verdict, show: (v, row) => (v && verdictWords(v)) || row.reason || "—" }] });
}

export default {
  open(host, ctx) {
    const w = t().modelWords, parts = { card: section(t().modelCard), judged: section(w.judged), calibration: section(w.calibration), outcomes: section(w.outcomes), drift: section(w.drift), history: section(t().modelHistory) };
    host.append(make("div", { class: "pair" }, parts.card.element, parts.calibration.element), parts.judged.element, parts.outcomes.element, parts.drift.element, parts.history.element);
    return async () => {
      const [models, outcomes, drift, features] = await Promise.all([ctx.mart("mart_model", "limit=200&sort=-trained_us"), ctx.mart("mart_model_outcome", "limit=60&sort=-as_of"), ctx.mart("mart_model_drift", "limit=60&sort=-as_of"), ctx.mart("mart_model_feature", "limit=200&sort=-psi")]);
      if (!models.ok) {
        const said = () => ctx.missing(models, t().noModelMart);
        return Object.values(parts).forEach((part) => fill(part.body, said()));
      }
      const rows = models.data.rows.sort((a, b) => b.trained_us - a.trained_us || b.week - a.week);  // a model has a row for each judged week: the newest speaks for it
      const active = rows.filter((row) => row.is_active), card = active[0], judged = active.filter((row) => isNumber(row.roc_auc) && row.trained_us === card.trained_us);
      fill(parts.card.body, card ? cardOf(card) : hint(rows.length ? w.noneActive : t().noModels));
      fill(parts.judged.body, judged.length ? judgedTable(judged) : hint(w.notJudged), quiet(t().modelRule));
      const came = outcomes.ok ? outcomes.data.rows : [], sets = [];
      if (judged.length) sets.push({ name: w.onTrial, points: curveOf(judged[0].calibration_curve) });
      if (came.length) sets.push({ name: w.cameTrue, points: curveOf(came[0].calibration_curve) });
      const drawn = sets.filter((set) => set.points.length);
      fill(parts.calibration.body, ...(drawn.length ? [calibration(drawn), make("details", null, make("summary", null, t().asTable), ...drawn.map((set) => calibrationTable(set.points)))] : [hint(w.notJudged)]));
      fill(parts.outcomes.body, ...(!outcomes.ok ? [ctx.missing(outcomes)] : came.length ? outcomeParts(came) : [hint(w.noOutcomes)]));
      fill(parts.drift.body, ...(!drift.ok ? [ctx.missing(drift)] : drift.data.rows.length ? driftParts(drift.data.rows, features.ok ? features.data.rows : []) : [hint(w.noDrift)]));
      fill(parts.history.body, rows.length ? historyTable(rows) : hint(t().noModels));
    };
  },
};
