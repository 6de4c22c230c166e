// Places kept for pages whose marts other parts of the house bring: they say what is missing, and show the marts once
// they are there.
"use strict";
import { fill, hint, make, section, t } from "./draw.js";
import { anyTable } from "./page_customer.js";

function pageOf(marts) {
  return {
    open(host, ctx) {
      const sections = marts.map((mart) => [mart, section(t().laterMarts[mart])]);
      host.append(...sections.map(([, one]) => one.element));
      return async () => {
        for (const [mart, one] of sections) {
          const answer = await ctx.mart(mart, "limit=100");
          fill(one.body, answer.ok ? (answer.data.rows.length ? anyTable(mart, t().laterMarts[mart], answer.data.rows) : hint(t().nothingYet)) : ctx.missing(answer, t().laterMissing));
        }
      };
    },
  };
}
export const merchants = pageOf(["mart_merchant_week", "mart_merchant_audience", "mart_category_forecast"]);
export const shop = pageOf(["mart_product"]);

// An address that leads nowhere; from the root, for it may be a path.
export const lost = {
  open(host) {
    host.append(make("p", { class: "hint" }, t().noSuchPage + " ", make("a", { href: "/#status" }, t().toStatus)));
    return async () => {};
  },
};
