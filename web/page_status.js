// Is all well? One sentence and a light; why not, room by room; the figures behind it, live.
"use strict";
import { SHAPES, barTable, briefNumber, bytes, facts, fill, filled, hint, isNumber, list, make, moment, number, own, section, sparkline, t, table, tile } from "./draw.js";

const ROOMS = ["ingest", "bronze", "silver", "gold", "decide", "deliver"];
const POINTS = 60, DISK_LOW = 2 ** 30;
const trends = { rate: [], ack: [], fsync: [], lag: [] };
let draw = null;

function keep(s) {
  const ingest = s.ingest || {}, lag = s.lag || {};
  for (const [name, value] of [["rate", ingest.events_per_s], ["ack", ingest.ack_ms_p99], ["fsync", ingest.fsync_ms_p99], ["lag", lag.records]]) {
    trends[name].push(value);
    if (trends[name].length > POINTS) trends[name].shift();
  }
}

const roomsOf = (s) => ROOMS.map((name) => list(s.rooms).find((room) => room.name === name) || { name }).concat(list(s.rooms).filter((room) => !ROOMS.includes(room.name)));

// What is not as it should be, worst first, in a line each.
function worries(s) {
  const found = roomsOf(s).filter((room) => room.light === "red" || room.light === "amber").map((room) => [room.light, (own(t().roomNames, room.name) || room.name) + ": " + (own(t().roomTexts, room.text) || room.text || t().lights[room.light])]);
  if (s.clock && s.clock.startsWith("stepped")) found.push(["red", t().clockStepped]);
  const refused = list(s.quarantine).reduce((sum, row) => sum + (row.count || 0), 0);
  if (refused) found.push(["note", filled(t().refusedWait, { n: number(refused) })]);
  const alarms = [...new Set(((s.model?.drift_alarms || "") + " " + (s.model?.outcome_alarms || "")).split(" ").filter(Boolean))];
  if (alarms.length) found.push(["note", filled(t().modelAlarm, { what: alarms.map((one) => own(t().modelAlarms, one) || one).join(", ") }), "#models"]);
  const tight = list(s.queues).filter((row) => row.dead > 0);
  if (tight.length) found.push(["note", filled(t().deadOffers, { n: number(tight.reduce((sum, row) => sum + row.dead, 0)), queues: tight.map((row) => own(t().queueNames, row.queue) || row.queue).join(", ") }), "#offers"]);
  if (s.disk && s.disk.free_bytes < DISK_LOW) found.push(["amber", filled(t().diskLow, { n: bytes(s.disk.free_bytes) })]);
  return found;
}

function verdict(s, isStale) {
  if (isStale) return [make("p", { class: "verdict", "data-light": "none" }, make("span", { "aria-hidden": "true" }, SHAPES.none + " "), t().unknownNow)];
  const why = worries(s), light = own(SHAPES, s.light) ? s.light : "none";
  const sentence = s.state === "stopping" ? t().stoppingNow : s.ready === false ? t().notReadyYet : light === "green" ? t().allWell : light === "amber" ? t().someWorry : light === "red" ? t().inTrouble : t().unknownNow;
  return [make("p", { class: "verdict", "data-light": s.ready === false && light === "green" ? "amber" : light }, make("span", { "aria-hidden": "true" }, SHAPES[light] + " "), sentence),
    why.length ? make("ul", { class: "why" }, why.map(([of, text, where]) => make("li", { "data-light": of === "note" ? "none" : of }, of === "note" ? make("a", { href: where || "#data" }, text) : text))) : null];
}

function roomCard(room, isStale) {
  const light = !isStale && own(SHAPES, room.light) ? room.light : "none";
  return make("li", { "data-light": light }, make("h3", null, own(t().roomNames, room.name) || room.name),
    make("p", { class: "word" }, make("span", { "aria-hidden": "true" }, SHAPES[light] + " "), t().lights[light]),
    isNumber(room.value) ? make("p", { class: "value" }, briefNumber(room.value) + " ", make("small", null, own(t().units, room.unit) || room.unit)) : null,
    room.text ? make("p", { class: "text" }, listening(room.text) || own(t().roomTexts, room.text) || room.text) : null);
}
const listening = (text) => (/^\d+ listening$/.test(text) ? filled(t().listening, { n: parseInt(text, 10) }) : "");

function liveTiles(s) {
  const ingest = s.ingest || {}, lag = s.lag || {}, ms = (value) => (ingest.events_total > 0 && isNumber(value) ? briefNumber(value) + " " + t().units.ms : "—");
  const behind = lag.records === 0 ? t().upToDate : isNumber(lag.seconds) ? filled(t().lagSeconds, { n: number(lag.seconds, 1) }) : "";
  return [tile(t().rate, briefNumber(ingest.events_per_s), "", sparkline(t().rate, trends.rate)),
    tile(t().ack, ms(ingest.ack_ms_p99), ingest.events_total > 0 ? t().most : "", sparkline(t().ack, trends.ack)),
    tile(t().fsync, ms(ingest.fsync_ms_p99), ingest.events_total > 0 ? filled(t().mostHalf, { n: briefNumber(ingest.fsync_ms_p50) }) : "", sparkline(t().fsync, trends.fsync)),
    tile(t().lag, number(lag.records), behind, sparkline(t().lag, trends.lag)),
    tile(t().total, number(ingest.events_total), filled(t().batches, { n: number(ingest.batches_total) }))];
}

function lasting(seconds) {
  const [value, unit] = seconds < 120 ? [seconds, "second"] : seconds < 7200 ? [seconds / 60, "minute"] : seconds < 172800 ? [seconds / 3600, "hour"] : [seconds / 86400, "day"];
  return new Intl.NumberFormat(t().locale, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 0 }).format(value);
}
function queueRows(s) {
  const rows = list(s.queues), fuller = rows.some((row) => "leased" in row);
  const column = (key) => ({ key, label: t().queueWords[key], isNumber: true, show: (value) => number(value) });
  const columns = [{ key: "queue", label: t().who.queue, show: (key) => own(t().queueNames, key) || key }, column("ready")];
  if (fuller) columns.push(column("leased"), column("scheduled"), column("dead"), { key: "oldest_s", label: t().queueWords.oldest_s, isNumber: true, show: (value) => (isNumber(value) ? lasting(value) : "—") });
  return rows.length ? table({ name: "queues", caption: t().captionQueues, columns, rows }) : hint(t().noQueues);
}

function diskFacts(s) {
  const disk = s.disk || {}, pack = s.policy || {};
  return facts([[t().free, isNumber(disk.free_bytes) && bytes(disk.free_bytes)], [t().dataTake, isNumber(disk.data_bytes) && bytes(disk.data_bytes)], [t().wal, isNumber(disk.wal_bytes) && bytes(disk.wal_bytes)],
    [t().diskStop, isNumber(disk.stop_bytes) && bytes(disk.stop_bytes)], [t().bronze, isNumber(disk.bronze_weeks) && filled(t().bronzeOf, { n: number(disk.bronze_weeks), max: number(disk.retention_weeks) })], [t().fences, isNumber(disk.fences) && number(disk.fences)],
    [t().policyPack, pack.name && pack.name + " " + String(pack.hash || "").slice(0, 12)], [t().policyComing, pack.coming && filled(t().policyComingSay, { name: pack.coming.name, hash: pack.coming.hash.slice(0, 12), n: number(pack.coming.percent || 0) })], [t().started, isNumber(s.started_us) && moment(s.started_us)], [t().version, s.version], [t().versionsOf, s.versions && filled(t().versionsSay, s.versions)]]);
}

function errorTable(s) {
  const rows = list(s.errors).slice(0, 16);
  return rows.length ? table({ name: "errors", caption: t().captionErrors, rows, columns: [{ key: "at_us", label: t().who.time, show: (us) => moment(us) }, { key: "light", label: t().errorWeight, show: (v) => make("span", { "data-light": v, class: "worry" }, make("span", { "aria-hidden": "true" }, SHAPES[v] + " "), t().errorLights[v] || v) }, { key: "room", label: t().errorRoom, show: (v) => own(t().roomNames, v) || v }, { key: "text", label: t().who.what }] }) : hint(t().noErrors);
}

export default {
  open(host, ctx) {
    const top = make("div", { role: "status", class: "top" }), rooms = section(t().rooms), live = section(t().live), queues = section(t().queues), refused = section(t().quarantine), disk = section(t().disk), errors = section(t().errors);
    const roomList = make("ol", { class: "rooms", id: "rooms" }), tiles = make("div", { class: "tiles", id: "live" });
    rooms.body.append(roomList);
    live.body.append(tiles);
    host.append(top, rooms.element, live.element, make("div", { class: "pair" }, make("div", { class: "stack" }, queues.element, refused.element), make("div", { class: "stack" }, disk.element, errors.element)));
    draw = () => {
      const s = ctx.status();
      if (!s || !host.isConnected) return;
      fill(top, ...verdict(s, ctx.isStale()));
      fill(roomList, ...roomsOf(s).map((room) => roomCard(room, ctx.isStale())));
      fill(tiles, ...liveTiles(s));
      fill(queues.body, queueRows(s));
      const rows = list(s.quarantine).filter((row) => row.count > 0).map((row) => ({ key: row.reason, n: row.count }));
      fill(refused.body, rows.length ? barTable({ name: "refused", caption: t().captionQuarantine, label: t().who.reason, count: t().events, rows, show: (key) => own(t().reasons, key) || key }) : hint(t().noQuarantine), rows.length ? make("p", { class: "quiet" }, make("a", { href: "#data" }, t().seeQuarantine)) : null);
      fill(disk.body, diskFacts(s));
      fill(errors.body, errorTable(s));
    };
    return async () => draw();
  },
  onStatus(s) {
    keep(s);
    if (draw) draw();
  },
};
