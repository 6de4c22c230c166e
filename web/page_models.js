// Models: the active one's card, its calibration and history, as mart_model says them.
"use strict";
import { facts, fill, hint, isNumber, make, moment, number, own, section, t } from "./draw.js";
import { anyTable } from "./page_customer.js";

const shown = (key, value) => (value === null ? null : key.endsWith("_us") || key === "as_of" ? moment(value) : isNumber(value) ? number(value, 4) : String(value));

// A column that holds JSON is opened into facts of its own.
function opened(key, value) {
  if (typeof value !== "string" || !/^[[{]/.test(value)) return [[own(t().columnNames, key) || key, shown(key, value)]];
  try {
    const inner = JSON.parse(value);
    if (Array.isArray(inner)) return [[own(t().columnNames, key) || key, String(inner.length)]];
    return Object.entries(inner).filter(([, one]) => typeof one !== "object").map(([name, one]) => [own(t().columnNames, name) || name, shown(name, one)]);
  } catch { return [[key, value]]; }
}

export default {
  open(host, ctx) {
    const card = section(t().modelCard), history = section(t().modelHistory);
    host.append(card.element, history.element);
    return async () => {
      const answer = await ctx.mart("mart_model", "limit=200");
      if (!answer.ok) { fill(card.body, ctx.missing(answer, t().noModelMart)); return fill(history.body, ctx.missing(answer, t().noModelMart)); }
      const rows = answer.data.rows, active = rows.find((row) => row.is_active || row.state === "active") || rows[0];
      fill(card.body, active ? facts(Object.entries(active).flatMap(([key, value]) => opened(key, value))) : hint(t().noModels));
      fill(history.body, rows.length ? anyTable("models", t().modelHistory, rows) : hint(t().noModels), make("p", { class: "quiet" }, t().modelRule));
    };
  },
};
