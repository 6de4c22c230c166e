// Who read what: for the auditor alone. Customers stand here by internal number only.
"use strict";
import { fill, filled, hint, make, moment, section, t, table, word } from "./draw.js";

export default {
  open(host, ctx) {
    const number = make("input", { type: "number", min: 1, id: "subject", value: ctx.params.customer || "", change: (event) => ctx.set({ customer: event.target.value, before: "" }) });
    const rows = section(t().readings, make("label", { for: "subject" }, t().internalNumber), number), chain = section(t().chain), said = make("p", { role: "status" });
    chain.body.append(make("p", { class: "quiet" }, t().chainRule), make("button", { type: "button", click: async () => {
      const answer = await ctx.ask("/api/v1/audit/check");
      fill(said, answer.ok ? (answer.data.ok ? filled(t().chainWhole, { head: answer.data.head }) : filled(t().chainBroken, { n: answer.data.first_broken })) : ctx.missing(answer));
    } }, t().checkChain), said);
    host.append(rows.element, chain.element);
    return async () => {
      const answer = await ctx.ask(`/api/v1/audit?limit=200${ctx.params.customer ? "&customer=" + ctx.params.customer : ""}${ctx.params.before ? "&before=" + ctx.params.before : ""}`);
      fill(rows.body, !answer.ok ? ctx.missing(answer) : answer.data.rows.length ? table({ name: "audit", caption: t().captionAudit, rows: answer.data.rows, columns: [{ key: "number", label: "№", show: (v) => String(v) }, { key: "at_us", label: t().who.time, show: (v) => moment(v) }, { key: "user", label: t().user }, { key: "role", label: t().role, show: (v) => word("roles", v) }, { key: "action", label: t().who.what, show: actionWords }, { key: "subjects", label: t().subjects, show: brief }, { key: "detail", label: t().detail }, { key: "result", label: t().result, show: (v) => word("auditResults", v) }] }) : hint(t().noReadings),
        answer.ok && answer.data.rows.length === 200 ? make("p", { class: "pager" }, make("button", { type: "button", click: () => ctx.set({ before: answer.data.rows.at(-1).number }) }, t().older)) : null);
    };
  },
};
const actionWords = (action) => (action.startsWith("read mart_") ? filled(t().readMart, { mart: action.slice(5) }) : word("auditActions", action));
const brief = (ids) => (ids.split(" ").length > 8 ? ids.split(" ").slice(0, 8).join(" ") + " … (" + ids.split(" ").length + ")" : ids);
