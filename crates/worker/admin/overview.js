// How all stands: what is wrong, how much traffic, how fast, how dear.
import { bars, lines } from "./charts.js";
import { element, quiet, sheet, table } from "./dom.js";
import { allCalls, count, dollars, hitRate, length, moment, ownErrors, percent, quantile, steps, sumOf } from "./figures.js";

export const title = "Overview";

const figure = (name, value, more) =>
  element("div", { class: "figure" }, element("span", {}, name), element("b", {}, value), element("span", {}, more));

const isolates = (number) => `${count(number)} isolate${number === 1 ? "" : "s"} reported lately`;

const gauge = (status, name) => (status.gauges[name] ?? []).reduce((sum, { value }) => sum + value, 0);

function figures(status, sum) {
  const calls = allCalls(sum);
  const at = (share) => length(quantile(status.boundaries_ms, calls.lengths, share));
  const own = ownErrors(calls);
  const { hit = 0, miss = 0 } = calls.cache;
  return element("div", { class: "figures" },
    figure("Requests", count(calls.requests), `${count(gauge(status, "tollhouse_requests_in_flight"))} under way`),
    figure("Failed", percent(calls.requests > 0 ? own / calls.requests : undefined), `${count(own)}, and ${count(calls.errors.caller ?? 0)} by callers`),
    figure("Latency", at(0.5), `half are faster; 95 %: ${at(0.95)}`),
    figure("Cache hits", percent(hitRate(calls.cache)), `${count(hit)} of ${count(hit + miss)}`),
    figure("Cost", dollars(calls.cost_micro_usd), "at list or configured prices"),
    figure("Tokens", count(calls.tokens), isolates(gauge(status, "tollhouse_isolates"))));
}

export const alerts = (status) => [
  status.rejected && element("div", { class: "alert" },
    element("b", {}, "Configuration refused"), ` at ${moment(status.rejected.at)}: the one before is in force. `,
    element("pre", {}, status.rejected.problems)),
  ...status.alerts.map(({ rule, subject, severity, summary, since }) =>
    element("div", { class: `alert ${severity}` },
      element("b", {}, `${rule}: ${subject}`), ` ${summary} `, quiet(`since ${moment(since)}`))),
].filter(Boolean);

const OUTCOMES = [
  { name: "answered", letter: "a", of: (point) => { const calls = allCalls(point); return calls.requests - ownErrors(calls) - (calls.errors.caller ?? 0); } },
  { name: "refused or wrong by callers", letter: "b", of: (point) => allCalls(point).errors.caller ?? 0 },
  { name: "failed", letter: "c", of: (point) => ownErrors(allCalls(point)) },
];

function charts(status) {
  const all = steps(status);
  const at = (share) => (point) => quantile(status.boundaries_ms, allCalls(point).lengths, share);
  return element("div", { class: "charts" },
    bars("Requests", OUTCOMES, all, count),
    lines("Latency, cache hits left out", [
      { name: "median", letter: "a", of: at(0.5) },
      { name: "95 %", letter: "d", of: at(0.95) },
    ], all, length),
    lines("Cache hit rate", [{ name: "hits", letter: "a", of: (point) => hitRate(allCalls(point).cache) }], all, percent, 1),
    bars("Cost", [{ name: "US dollars", letter: "d", of: (point) => allCalls(point).cost_micro_usd }], all, dollars));
}

const COLUMNS = (status) => [
  { name: "Model", of: ([name]) => name || quiet("none that is configured") },
  { name: "Requests", number: true, of: ([, calls]) => count(calls.requests) },
  { name: "Failed", number: true, of: ([, calls]) => count(ownErrors(calls)) },
  { name: "By callers", number: true, of: ([, calls]) => count(calls.errors.caller ?? 0) },
  { name: "Hit rate", number: true, of: ([, calls]) => percent(hitRate(calls.cache)) },
  { name: "Median", number: true, of: ([, calls]) => length(quantile(status.boundaries_ms, calls.lengths, 0.5)) },
  { name: "95 %", number: true, of: ([, calls]) => length(quantile(status.boundaries_ms, calls.lengths, 0.95)) },
  { name: "Tokens", number: true, of: ([, calls]) => count(calls.tokens) },
  { name: "Cost", number: true, of: ([, calls]) => dollars(calls.cost_micro_usd) },
];

export function show(status) {
  const sum = sumOf(status.points);
  const models = Object.entries(sum.models).sort(([, a], [, b]) => b.requests - a.requests);
  return element("div", {},
    alerts(status),
    figures(status, sum),
    charts(status),
    sheet("Models", table(COLUMNS(status), models, "No request in this window.")));
}
