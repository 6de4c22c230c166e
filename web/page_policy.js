// Policy: the packs that have decided, newest first, and what changed between two of them.
"use strict";
import { choice, fill, filled, hint, make, moment, number, section, t, table } from "./draw.js";

// The longest common lines of two texts, then what only one of them has (the classic table; packs are a few hundred lines).
export function difference(before, after) {
  const a = before.split("\n"), b = after.split("\n"), rows = a.length + 1, width = b.length + 1, best = new Uint32Array(rows * width);
  for (let i = a.length - 1; i >= 0; --i) for (let j = b.length - 1; j >= 0; --j) best[i * width + j] = a[i] === b[j] ? best[(i + 1) * width + j + 1] + 1 : Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
  const found = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) { found.push([" ", a[i]]); ++i; ++j; }
    else if (j >= b.length || (i < a.length && best[(i + 1) * width + j] >= best[i * width + j + 1])) found.push(["-", a[i++]]);
    else found.push(["+", b[j++]]);
  }
  return found;
}
// Changed lines with two around them.
function shownLines(all) {
  const near = all.map((_, i) => all.slice(Math.max(0, i - 2), i + 3).some(([sign]) => sign !== " "));
  return all.filter((_, i) => near[i]).map(([sign, line]) => make("div", { class: sign === "+" ? "added" : sign === "-" ? "gone" : null }, sign + " " + line));
}
function changes(before, after) {
  const names = [...new Set([...Object.keys(before.files), ...Object.keys(after.files)])].sort().filter((name) => before.files[name] !== after.files[name]);
  if (!names.length) return [hint(t().noDifference)];
  return names.map((name) => make("details", { open: true }, make("summary", null, name), make("pre", { class: "diff", tabindex: "0", "aria-label": name }, shownLines(difference(before.files[name] || "", after.files[name] || "")))));
}

export default {
  open(host, ctx) {
    const history = section(t().policyHistory), chosen = make("div", { class: "controls" }), diff = section(t().policyDiff, chosen), files = section(t().policyFiles), body = make("div", { class: "body" });
    diff.body.append(body);
    host.append(history.element, diff.element, files.element);
    return async () => {
      const answer = await ctx.ask("/api/v1/policy");
      if (!answer.ok) return [history, files].forEach((one) => fill(one.body, ctx.missing(answer))) || fill(body, ctx.missing(answer));
      const rows = answer.data.rows, name = (row) => `${row.name} ${row.hash.slice(0, 8)} · ${moment(row.at_us)}`;
      const coming = answer.data.coming;
      if (!rows.length) return [history, files].forEach((one) => fill(one.body, hint(t().noPacks)));
      fill(history.body, table({ name: "policy", caption: t().captionPacks, rows, columns: [{ key: "seq", label: t().record, show: (v) => String(v) }, { key: "at_us", label: t().since_, show: (v) => moment(v) }, { key: "name", label: t().policyPack }, { key: "hash", label: t().hash, show: (v) => v.slice(0, 12) }, { key: "is_active", label: t().inForce, show: (v) => (v ? t().yes : "") }] }), ...(coming ? [hint(`${t().policyComing}: ${name(coming)}`)] : []));
      const to = rows.find((row) => String(row.seq) === ctx.params.to) || rows[0], from = rows.find((row) => String(row.seq) === ctx.params.from) || rows[1] || rows[0], options = rows.map((row) => [row.seq, name(row)]);
      fill(chosen, choice(t().fromPack, options, from.seq, (value) => ctx.set({ from: value })), choice(t().toPack, options, to.seq, (value) => ctx.set({ to: value })));
      const [before, after] = await Promise.all([ctx.ask("/api/v1/policy/" + from.seq), ctx.ask("/api/v1/policy/" + to.seq)]);
      if (!before.ok || !after.ok) return fill(body, ctx.missing(before.ok ? after : before));
      fill(body, ...(rows.length < 2 ? [hint(t().onePack)] : changes(before.data, after.data)));
      fill(files.body, ...Object.entries(after.data.files).map(([file, text]) => make("details", null, make("summary", null, `${file} · ${filled(t().lineCount, { n: number(text.split("\n").length) })}`), make("pre", { tabindex: "0", "aria-label": file }, text))));
    };
  },
};
