// The frame of the pages: which page the address names, who is signed in, what the daemon says live.
// An address is #page?filter=value: it can be kept, sent and opened again. Every field may be missing; what is missing
// is said, not guessed.
"use strict";
import { SHAPES, clockTime, fill, filled, isNumber, language, list, make, moment, own, setBranch, setLanguage, t, withCode } from "./draw.js";
import { words } from "./words.js";
import status from "./page_status.js";
import customers from "./page_customers.js";
import customer from "./page_customer.js";
import offers from "./page_offers.js";
import loans from "./page_loans.js";
import marketing from "./page_marketing.js";
import models from "./page_models.js";
import data from "./page_data.js";
import policy from "./page_policy.js";
import audit from "./page_audit.js";
import { lost, merchants, shop } from "./page_later.js";
import { setup, signin } from "./page_access.js";

const PAGES = { status, customers, customer, offers, loans, marketing, models, data, merchants, shop, policy, audit, signin, setup, lost };
const IN_MENU = ["status", "customers", "offers", "loans", "marketing", "models", "data", "merchants", "shop", "policy", "audit"];
const STALE_MS = 5000, POLL_MS = 2000, AGAIN_MS = 5000;

const byId = (id) => document.getElementById(id);
const state = { status: null, session: { user: null, role: null, needs_setup: false }, seenAt: 0, isStale: false, page: null, update: null, loadedAt: 0, loadedSeq: -1, isLoading: false, hasEnded: false, isLeaving: false, marts: null, namesOf: null, names: null };
let stream = null;

// ---- addresses

function address() {
  const [name, query] = location.hash.slice(1).split("?");
  const known = location.pathname === "/" ? name || "status" : "lost";
  return { name: own(PAGES, known) ? known : "lost", params: Object.fromEntries(new URLSearchParams(query || "")) };
}
export function hashOf(name, params) {
  const query = new URLSearchParams(Object.entries(params || {}).filter(([, value]) => value !== "" && value !== null && value !== undefined)).toString();
  return "#" + name + (query ? "?" + query : "");
}

// ---- questions to the daemon: {ok, status, data}; 0 is no answer

// Whom the daemon would refuse is not sent to ask: it decides, this only spares the question.
const NEEDS = [["/api/v1/quarantine", ["operator", "analyst"]], ["/api/v1/tail", ["operator", "analyst"]], ["/api/v1/policy", ["operator", "analyst", "auditor"]], ["/api/v1/audit", ["auditor"]], ["/api/v1/customers", ["analyst", "desk"]], ["/api/v1/choices/ask", ["analyst", "desk"]]];
function refusedBefore(path) {
  const needs = NEEDS.find(([prefix]) => path.startsWith(prefix));
  if (!needs) return 0;
  return !state.session.user ? 401 : !needs[1].includes(state.session.role) ? 403 : 0;
}

async function ask(path, body) {
  const refused = refusedBefore(path);
  if (refused) return { ok: false, status: refused, data: null };
  const form = { headers: body === undefined ? {} : { "X-Tellerd": "1", "Content-Type": "application/json" }, method: body === undefined ? "GET" : "POST", body: body === undefined ? undefined : JSON.stringify(body), signal: AbortSignal.timeout(8000) };
  try {
    const answer = await fetch(path, form);
    const text = await answer.text();
    if (answer.status === 401 && path !== "/api/v1/session" && state.session.user) await askSession();
    return { ok: answer.ok, status: answer.status, data: text ? JSON.parse(text) : null };
  } catch {
    return { ok: false, status: 0, data: null };
  }
}

// A mart by name. Which there are, and which this user may read, is asked once a session and daemon.
async function mart(name, query) {
  if (!state.marts) state.marts = ask("/api/v1/marts");
  const known = await state.marts;
  if (!known.ok) {
    state.marts = null;
    return known;
  }
  const one = known.data.marts.find((of) => of.name === name);
  if (one && one.may_read) return ask(`/api/v1/marts/${name}${query ? "?" + query : ""}`);
  return { ok: false, status: !state.session.user ? 401 : one ? 403 : 404, data: null };
}

// Signing in leads back to where it was asked for.
function signInHash() {
  const { name, params } = address();
  return ["signin", "setup", "lost"].includes(name) ? "#signin" : hashOf("signin", { back: hashOf(name, params).slice(1) });
}

// What to show where an answer should be but is not.
function missing(answer, ofMart) {
  if (answer.status === 401) return make("p", { class: "hint" }, t().needsSignIn + " ", make("a", { href: signInHash() }, t().signIn));
  if (answer.status === 403) return make("p", { class: "hint" }, t().needsRole);
  if (answer.status === 404) return make("p", { class: "hint" }, ofMart || t().notThere);
  if (answer.status === 0) return make("p", { class: "hint" }, t().noAnswer);
  return make("p", { class: "hint" }, own(t().problems, answer.status) || (answer.data && answer.data.detail) || t().noAnswer);
}

// Names of offers, tiers, segments and categories are the packs' own: they are asked for at the start, and after each pack.
function learnNames(pack) {
  if (pack === state.namesOf) return;
  const isKnown = state.namesOf === "" && state.names;   // asked for before the daemon said which pack
  state.namesOf = pack;
  if (!isKnown) state.names = takeNames(pack);
}
async function takeNames(pack) {
  const answer = await ask("/api/v1/offer_names");
  if (!answer.ok) return void (state.namesOf = state.namesOf === pack ? null : state.namesOf);
  for (const row of answer.data.rows) {
    if (!own(words.ru.offerNames, row.offer_type)) words.ru.offerNames[row.offer_type] = row.name_ru;
    words.ru.offerNames[row.action] = words.ru.offerNames[row.offer_type];
    words.en.offerNames[row.action] = own(words.en.offerNames, row.offer_type) || row.offer_type;
  }
  for (const of of ["ru", "en"]) for (const [set, names] of [["tierNames", "tiers"], ["segmentNames", "segments"], ["categoryNames", "categories"]]) words[of][set] = answer.data[of][names];
  if (pack && answer.data.policy !== pack) state.namesOf = null;   // it is not in the store yet: asked for again
  refresh(true);
}

async function askSession() {
  const answer = await ask("/api/v1/session");
  if (answer.ok) entered(answer.data);
}
function entered(session) {
  const isOther = session.user !== state.session.user || session.needs_setup !== state.session.needs_setup;
  if (isOther) state.hasEnded = Boolean(state.session.user && !session.user && !state.isLeaving);
  state.marts = null;
  state.session = session;
  drawHead();
  if (isOther && state.page) openPage();
}

// ---- the page

function context(params) {
  return {
    params, ask, mart, missing, entered, session: state.session, status: () => state.status, names: () => state.names, isStale: () => state.isStale,
    set(changes) {                                    // filters into the address, and the page drawn with them
      Object.assign(params, changes);
      history.replaceState(null, "", hashOf(address().name, params));
      refresh(true);
    },
    go(name, next) { location.hash = hashOf(name, next); },
    goTo(hash) { location.hash = hash; },
  };
}

function openPage() {
  const { name, params } = address();
  const host = make("div", { class: "page", "data-page": name });
  state.page = PAGES[name];
  state.update = state.page.open(host, context(params));
  byId("main").replaceChildren(host);
  byId("title").textContent = t().pageNames[name];
  drawMenu(name);
  drawHead();
  refresh(true);
}

// A page is drawn again when the log has grown, at most every five seconds; a chosen filter asks at once.
async function refresh(isNow) {
  if (!state.update || (state.isLoading && !isNow)) return;
  const seq = list(state.status && state.status.rooms).find((room) => room.name === "bronze")?.value ?? 0;
  if (!isNow && (Date.now() - state.loadedAt < AGAIN_MS || seq === state.loadedSeq)) return;
  state.isLoading = true;
  state.loadedAt = Date.now();
  state.loadedSeq = seq;
  const update = state.update;
  try {
    await update();
  } finally {
    state.isLoading = false;
  }
}

function drawMenu(name) {
  fill(byId("menu"), ...IN_MENU.filter((one) => one !== "audit" || state.session.role === "auditor").map((one) =>
    make("a", { href: "#" + one, "aria-current": one === name || (one === "customers" && name === "customer") ? "page" : null }, t().pageNames[one])));
}

// ---- the head

// Of a daemon that does not answer nothing is known, whatever it said last.
const light = () => (!state.isStale && state.status && own(SHAPES, state.status.light) ? state.status.light : "none");

function drawHead() {
  const s = state.status || {}, now = light();
  if (state.status) setBranch(s);
  byId("branch").textContent = s.branch ? filled(t().branchTitle, { name: s.branch }) : "tellerd";
  byId("about").textContent = state.status ? ["tellerd " + (s.version || ""), s.timezone, s.now_us && moment(s.now_us)].filter(Boolean).join(" · ") : "";
  byId("light").dataset.light = now;
  fill(byId("light"), ...(state.status ? [make("span", { "aria-hidden": "true" }, SHAPES[now] + " "), t().lights[now] + (s.ready === false && !state.isStale ? ", " + t().notReady : "")] : []));
  document.title = (state.status ? SHAPES[now] + " " : "") + t().pageNames[address().name] + " · tellerd" + (s.branch ? " · " + s.branch : "");
  const who = state.session.user ? [make("span", null, state.session.user + ", " + t().roles[state.session.role]), make("button", { type: "button", class: "small", click: signOut }, t().signOut)]
    : [make("a", { href: state.session.needs_setup ? "#setup" : signInHash() }, state.session.needs_setup ? t().setUp : t().signIn)];
  fill(byId("who"), ...who);
  const said = state.isStale ? [filled(t().stale, { time: clockTime(state.seenAt * 1000) })] : !state.status ? [t().connecting] : state.hasEnded ? [t().sessionEnded + " ", make("a", { href: signInHash() }, t().signIn)] : [];
  fill(byId("notice"), ...said);
  byId("notice").hidden = !said.length;
  const isEmpty = state.status && !(list(s.rooms).find((room) => room.name === "bronze")?.value > 2);
  byId("empty").hidden = !isEmpty;
  if (isEmpty) fill(byId("empty"), ...withCode(t().noEvents));
}

async function signOut() {
  state.isLeaving = true;
  const answer = await ask("/api/v1/session/end", {});
  if (answer.ok) entered(answer.data);
  state.isLeaving = false;
}

// ---- language

function speak(wanted) {
  setLanguage(wanted);
  document.documentElement.lang = wanted;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t()[element.dataset.t];
  for (const element of document.querySelectorAll("[data-t-label]")) element.setAttribute("aria-label", t()[element.dataset.tLabel]);
  for (const button of document.querySelectorAll("[data-lang]")) button.setAttribute("aria-pressed", String(button.dataset.lang === language()));
  if (state.page) openPage();
}
function rememberedLanguage() {
  let kept = null;
  try { kept = localStorage.getItem("lang"); } catch { /* storage is switched off: the browser's language decides */ }
  return own(words, kept) ? kept : navigator.language.startsWith("ru") ? "ru" : "en";
}

// ---- live

function alive() {
  state.seenAt = Date.now();
  if (!state.isStale) return;
  state.isStale = false;
  askSession();                                        // a daemon that came back has forgotten who was signed in
  refresh(true);
}
function take(document_) {
  if (!document_ || typeof document_ !== "object") return;
  alive();
  const isFirst = !state.status;
  state.status = document_;
  drawHead();
  if (state.page && state.page.onStatus) state.page.onStatus(document_);
  refresh(isFirst);
  if (document_.policy && document_.policy.hash) learnNames(document_.policy.hash);
}
async function poll() {
  if (stream && stream.readyState === EventSource.OPEN) return;
  const answer = await ask("/api/v1/status");
  if (answer.ok) take(answer.data);
}
// The stream is refused when enough of them are open; then asking goes on and the stream is tried again later.
function listen() {
  if (stream && stream.readyState !== EventSource.CLOSED) return;
  stream = new EventSource("/api/v1/live");
  stream.addEventListener("status", (event) => { try { take(JSON.parse(event.data)); } catch { /* a cut line: the next one is whole */ } });
  stream.addEventListener("beat", () => { alive(); drawHead(); });
}
function watch() {
  const was = state.isStale;
  state.isStale = Boolean(state.status) && Date.now() - state.seenAt > STALE_MS;
  if (was === state.isStale) return;
  drawHead();
  if (state.page && state.page.onStatus) state.page.onStatus(state.status);
}

for (const button of document.querySelectorAll("[data-lang]")) {
  button.addEventListener("click", () => {
    try { localStorage.setItem("lang", button.dataset.lang); } catch { /* it holds until the page is closed */ }
    speak(button.dataset.lang);
  });
}
byId("skip").addEventListener("click", (event) => { event.preventDefault(); byId("main").focus(); });   // the address keeps its page
addEventListener("pagehide", () => { if (stream) stream.close(); });   // its place is free for the next page at once
document.addEventListener("visibilitychange", () => { if (!document.hidden) askSession(); });   // another tab may have signed in or out
addEventListener("hashchange", () => { state.hasEnded = false; openPage(); byId("main").focus(); });
speak(rememberedLanguage());
learnNames("");
askSession().then(openPage);                           // whoever is signed in is known before the first page
poll();
listen();
setInterval(poll, POLL_MS);
setInterval(listen, 30000);
setInterval(watch, 1000);
