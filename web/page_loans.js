// Overdue loans: the share by month with filters, the four figures recomputed for what is left, buckets, moves, vintage,
// groups and the table of late instalments. Shares are counted from totals; percentages are never added.
"use strict";
import { barTable, choice, columns, figure, fill, filled, heat, hint, list, make, money, monthWord, number, percent, section, shareColumn, t, table, tile, word } from "./draw.js";

const BUCKETS = ["<=50000", "50001-100000", "100001-500000", ">500000"];
const DPD = ["current", "1-30", "31-60", "61-90", "91-180", ">180"];
const PAGE = 50;

const bucketWord = (bucket) => ({ "<=50000": "≤ 50 000", "50001-100000": "50 001 – 100 000", "100001-500000": "100 001 – 500 000", ">500000": "> 500 000" })[bucket] || bucket;

function chosen(rows, params) {
  return rows.filter((row) => (!params.year || row.month.startsWith(params.year)) && (!params.month || row.month.slice(5) === params.month) && (!params.bucket || row.bucket === params.bucket));
}
function byMonth(rows) {
  const months = new Map();
  for (const row of rows) {
    const sum = months.get(row.month) || { month: row.month, loans: 0, overdue: 0, issued: 0, paid: 0 };
    sum.loans += row.total_loans;
    sum.overdue += row.total_overdue_loans;
    sum.issued += row.sum_issued_loans_minor;
    sum.paid += row.sum_overdue_payments_minor;
    months.set(row.month, sum);
  }
  return [...months.values()].sort((a, b) => (a.month < b.month ? -1 : 1));
}

function monthFilters(rows, ctx) {
  const years = [...new Set(rows.map((row) => row.month.slice(0, 4)))].sort(), months = [...new Set(rows.map((row) => row.month.slice(5)))].sort();
  const name = (month) => new Intl.DateTimeFormat(t().locale, { month: "long", timeZone: "UTC" }).format(Date.UTC(2024, Number(month) - 1, 1));
  return [choice(t().year, [["", t().all], ...years.map((y) => [y, y])], ctx.params.year, (year) => ctx.set({ year })), choice(t().who.month, [["", t().all], ...months.map((m) => [m, name(m)])], ctx.params.month, (month) => ctx.set({ month })),
    choice(t().loanAmount, [["", t().allAmounts], ...BUCKETS.map((b) => [b, bucketWord(b)])], ctx.params.bucket, (bucket) => ctx.set({ bucket }))];
}

function overdueChart(months) {
  if (!months.length) return [hint(t().noneLeft)];
  const shown = months.slice(-24), points = shown.map((m) => ({ name: monthWord(m.month), value: (100 * m.overdue) / m.loans })), peak = points.reduce((a, b) => (b.value > a.value ? b : a));
  return [figure(t().overdueUnit, columns(points, { label: filled(t().overdueFigure, { first: points[0].name, last: points.at(-1).name, high: number(peak.value, 1), month: peak.name }), show: (v) => number(v, 1, 1) + " %" })),
    make("details", null, make("summary", null, t().asTable), table({ name: "overdue-months", caption: t().overdueCaption, rows: shown.slice().reverse(), columns: [{ key: "month", label: t().who.month, show: monthWord }, { key: "loans", label: t().loans, isNumber: true, show: (v) => number(v) }, { key: "overdue", label: t().overdueLoans, isNumber: true, show: (v) => number(v) },
      shareColumn(t().percent, (m) => m.overdue, (m) => m.loans, 2), { key: "issued", label: t().issued, isNumber: true, show: money }, { key: "paid", label: t().overduePaid, isNumber: true, show: money }] }))];
}
function fourFigures(months) {
  const sum = months.reduce((a, m) => ({ loans: a.loans + m.loans, overdue: a.overdue + m.overdue, issued: a.issued + m.issued, paid: a.paid + m.paid }), { loans: 0, overdue: 0, issued: 0, paid: 0 });
  return [tile(t().overduePaid, money(sum.paid)), tile(t().loanMonths, number(sum.loans)), tile(t().overdueLoanMonths, number(sum.overdue), percent(sum.overdue, sum.loans, 2)), tile(t().issued, money(sum.issued))];
}

function transitions(rows, params) {
  const months = [...new Set(rows.map((row) => row.month))].sort(), month = months.includes(params.moved) ? params.moved : months.at(-1), of = rows.filter((row) => row.month === month);
  const cells = (from) => Object.fromEntries(DPD.map((_, to) => ["to" + to, of.find((row) => row.from_bucket === from && row.to_bucket === to)?.loans || 0]));
  const made = DPD.map((name, from) => ({ name, ...cells(from) })).filter((row) => DPD.some((_, to) => row["to" + to]));
  const whole = (row) => DPD.reduce((sum, _, to) => sum + row["to" + to], 0);
  return { months, month, grid: table({ name: "transitions", caption: filled(t().captionTransitions, { month: monthWord(month) }), rows: made, columns: [{ key: "name", label: t().fromTo, show: (v) => word("dpdNames", v) },
    ...DPD.map((name, to) => ({ key: "to" + to, label: word("dpdNames", name), heat: (row) => heat(row["to" + to] / whole(row)), show: (n, row) => (n ? number(n) + " (" + percent(n, whole(row), 0) + ")" : "·") }))] }) };
}

function vintage(rows) {
  const cohorts = [...new Set(rows.map((row) => row.cohort))].sort().slice(-18), ages = [1, 2, 3, 6, 9, 12, 18, 24];
  const of = new Map(rows.map((row) => [row.cohort + row.months_on_book, row]));
  const made = cohorts.map((cohort) => ({ cohort, loans: of.get(cohort + "0")?.loans ?? 0, ...Object.fromEntries(ages.map((age) => { const cell = of.get(cohort + age); return ["m" + age, cell ? (100 * cell.overdue_loans) / cell.loans : null]; })) }));
  return table({ name: "vintage", caption: t().captionVintage, rows: made, columns: [{ key: "cohort", label: t().issuedIn, show: monthWord }, { key: "loans", label: t().loans, isNumber: true, show: (v) => number(v) },
    ...ages.map((age) => ({ key: "m" + age, label: filled(t().afterMonths, { n: age }), heat: (row) => heat((row["m" + age] || 0) / 100), show: (v) => (v === null ? "" : number(v, 0) + " %") }))] });
}

function groups(rows, dimension) {
  const made = rows.filter((row) => row.dimension === dimension).sort((a, b) => b.loans - a.loans).slice(0, 20);
  if (made.every((row) => row.value === "")) return hint(t().groupUnknown);
  const high = Math.max(...made.map((row) => row.overdue_loans / row.loans));
  return table({ name: "overdue-" + dimension, caption: t().captionGroups, rows: made, columns: [{ key: "value", label: t().dimensions[dimension], show: (v) => word("groupValues", v === "" ? "unknown" : v) }, { key: "loans", label: t().loans, isNumber: true, show: (v) => number(v) },
    { key: "overdue_loans", label: t().overdueLoans, isNumber: true, show: (v) => number(v) }, shareColumn(t().percent, (row) => row.overdue_loans, (row) => row.loans), { bar: (row) => (high ? row.overdue_loans / row.loans / high : 0) }] });
}

function lateTable(answer, ctx) {
  const offset = Number(ctx.params.offset) || 0, to = (next) => () => ctx.set({ offset: next || "" });
  const columnsOf = [["customer_key", t().customerKey], ["loan_name", t().loan], ["loan_start_date", t().began], ["payment_number", "№", number], ["payment_date", t().planned], ["payment_fact_date", t().paidOn], ["planned_minor", t().amount, money], ["paid_fact_amount_minor", t().paid, money]];
  const rows = answer.data.rows;
  if (!rows.length) return [hint(t().noneLeft)];
  return [table({ name: "overdue-instalments", caption: filled(t().captionLate, { from: number(offset + 1), to: number(offset + rows.length) }), rows, columns: columnsOf.map(([key, label, show]) => ({ key, label, show: (v) => (v === null ? t().notPaid : show ? show(v) : v), isNumber: Boolean(show) })) }),
    make("p", { class: "pager" }, make("button", { type: "button", disabled: offset === 0, click: to(Math.max(0, offset - PAGE)) }, t().previous), make("button", { type: "button", disabled: answer.data.next_offset === null, click: to(answer.data.next_offset) }, t().next))];
}
function dateInput(label, key, ctx) {
  return make("label", null, make("span", null, label), " ", make("input", { type: "date", value: ctx.params[key] || "", change: (event) => ctx.set({ [key]: event.target.value, offset: "" }) }));
}

export default {
  open(host, ctx) {
    const filters = make("div", { class: "controls" }), moved = make("div", { class: "controls" });
    const month = section(t().overdue, filters), dpd = section(t().dpdBuckets), moves = section(t().transitions, moved), vint = section(t().vintage), late = section(t().lateInstalments, dateInput(t().loansFrom, "start_from", ctx), dateInput(t().loansTo, "start_to", ctx));
    const by = section(t().byGroup, choice(t().by, ["region", "gender", "job_type"].map((d) => [d, t().dimensions[d]]), ctx.params.by || "region", (of) => ctx.set({ by: of })));
    const figures = make("div", { class: "tiles" }), chart = make("div", { class: "body" });
    month.body.append(figures, chart);
    host.append(month.element, make("div", { class: "pair" }, dpd.element, by.element), moves.element, vint.element, late.element);
    return async () => {
      const params = ctx.params, dates = (params.start_from ? "&loan_start_date_from=" + params.start_from : "") + (params.start_to ? "&loan_start_date_to=" + params.start_to : "");
      const [cells, buckets, rolls, cohorts, group, rows] = await Promise.all([ctx.mart("mart_loan_overdue_month", "limit=1000"), ctx.mart("mart_dpd_bucket", ""), ctx.mart("mart_dpd_transition", "limit=1000&sort=-month"), ctx.mart("mart_loan_vintage", "limit=1000&sort=-cohort"), ctx.mart("mart_overdue_group", "limit=1000"),
        ctx.mart("mart_loan_payment", `is_overdue=1&limit=${PAGE}&offset=${params.offset || 0}${dates}`)]);
      if (cells.ok && cells.data.rows.length) {
        const months = byMonth(chosen(cells.data.rows, params));
        fill(filters, ...monthFilters(cells.data.rows, ctx));
        fill(figures, ...fourFigures(months));
        fill(chart, ...overdueChart(months));
      } else fill(chart, cells.ok ? hint(t().noLoans) : ctx.missing(cells));
      const ofBucket = (name) => buckets.data.rows.find((row) => row.dpd_bucket === name);
      fill(dpd.body, !buckets.ok ? ctx.missing(buckets) : buckets.data.rows.length ? barTable({ name: "dpd", caption: t().captionDpd, label: t().dpd, count: t().loans, rows: DPD.filter(ofBucket).map((name) => ({ key: name, n: ofBucket(name).loans })), show: (key) => word("dpdNames", key) }) : hint(t().noLoans));
      const matrix = rolls.ok && rolls.data.rows.length ? transitions(rolls.data.rows, params) : null;
      if (matrix) fill(moved, choice(t().who.month, matrix.months.map((m) => [m, monthWord(m)]), matrix.month, (value) => ctx.set({ moved: value })));
      fill(moves.body, matrix ? matrix.grid : rolls.ok ? hint(t().noTransitions) : ctx.missing(rolls));
      fill(vint.body, cohorts.ok ? (cohorts.data.rows.length ? vintage(cohorts.data.rows) : hint(t().noLoans)) : ctx.missing(cohorts));
      fill(by.body, group.ok ? (group.data.rows.length ? groups(group.data.rows, params.by || "region") : hint(t().noLoans)) : ctx.missing(group));
      fill(late.body, ...(rows.ok ? lateTable(rows, ctx) : [ctx.missing(rows)]));
    };
  },
};
