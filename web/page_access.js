// Signing in, and naming the first operator with the set-up token.
"use strict";
import { fill, make, own, section, t } from "./draw.js";

function form(title, fields, path, ctx, rule, problems) {
  const one = section(title), said = make("p", { role: "alert" });
  const inputs = fields.map(([name, label, type, complete]) => [name, make("label", { for: "f-" + name }, label), make("input", { id: "f-" + name, name, type, autocomplete: complete, required: true, maxlength: 256, spellcheck: "false", autocapitalize: "none" })]);
  const send = async (event) => {
    event.preventDefault();
    const answer = await ctx.ask(path, Object.fromEntries(inputs.map(([name, , input]) => [name, input.value.trim()])));
    if (answer.ok) {
      ctx.goTo(ctx.params.back || "status");
      return ctx.entered(answer.data);
    }
    said.textContent = own(problems(), answer.status) || (answer.data && answer.data.detail) || t().noAnswer;
    inputs.at(-1)[2].focus();
  };
  one.body.append(make("form", { submit: send, class: "sign" }, ...inputs.flatMap(([, label, input]) => [label, input]), make("button", { type: "submit" }, title), said), make("p", { class: "quiet" }, rule));
  return one.element;
}
export const signin = {
  open(host, ctx) {
    host.append(form(t().signIn, [["user", t().user, "text", "username"], ["password", t().password, "password", "current-password"]], "/api/v1/session", ctx, t().signInRule, () => ({ 401: t().wrongPassword, 429: t().tooMany })));
    return async () => {};
  },
};
export const setup = {
  open(host, ctx) {
    const place = make("div");
    host.append(place);
    return async () => {
      if (place.firstChild) return;
      if (!ctx.session.needs_setup) return fill(place, make("p", { class: "hint" }, t().isSetUp + " ", make("a", { href: "#signin" }, t().signIn)));
      place.append(form(t().setUp, [["token", t().token, "text", "off"], ["user", t().user, "text", "username"], ["password", t().password, "password", "new-password"]], "/api/v1/setup", ctx, t().setUpRule, () => t().setUpProblems));
    };
  },
};
