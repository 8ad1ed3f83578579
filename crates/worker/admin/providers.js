// How providers and their targets do: answers, failures, breakers, replicas.
import { lines } from "./charts.js";
import { element, quiet, sheet, table } from "./dom.js";
import { count, length, percent, quantile, steps, sumOf, total } from "./figures.js";

export const title = "Providers";

const LETTERS = ["a", "d", "b", "c"];

function breaker(status, target) {
  const states = (status.gauges.tollhouse_breaker_isolates ?? []).filter((row) => row.target === target && row.value > 0);
  if (states.length === 0) return element("span", { class: "good" }, "closed");
  return states.map(({ state, value }) =>
    element("span", { class: state === "open" ? "bad" : state === "closed" ? "good" : "warn" }, `${state.replace("_", "-")} in ${value} isolate${value === 1 ? "" : "s"} `));
}

function targets(status, sum) {
  const known = new Set([...Object.keys(sum.targets), ...(status.gauges.tollhouse_breaker_isolates ?? []).map(({ target }) => target)]);
  const rows = [...known].sort().map((target) => [target, sum.targets[target] ?? { answered: 0, failed: {} }]);
  const share = ({ answered, failed }) => {
    const all = answered + total(failed);
    return percent(all > 0 ? total(failed) / all : undefined);
  };
  return table([
    { name: "Target", of: ([target]) => target },
    { name: "Breaker", of: ([target]) => breaker(status, target) },
    { name: "Calls", number: true, of: ([, tries]) => count(tries.answered + total(tries.failed)) },
    { name: "Failed", number: true, of: ([, tries]) => count(total(tries.failed)) },
    { name: "Share", number: true, of: ([, tries]) => share(tries) },
    { name: "Why", wide: true, of: ([, tries]) => quiet(Object.entries(tries.failed).map(([code, number]) => `${code} ${count(number)}`).join(", ")) },
  ], rows, "No call to a provider in this window.");
}

function byProvider(status, sum) {
  const at = (lengths, share) => length(quantile(status.boundaries_ms, lengths, share));
  return table([
    { name: "Provider", of: ([name]) => name },
    { name: "Median", number: true, of: ([, lengths]) => at(lengths, 0.5) },
    { name: "95 %", number: true, of: ([, lengths]) => at(lengths, 0.95) },
    { name: "99 %", number: true, of: ([, lengths]) => at(lengths, 0.99) },
  ], Object.entries(sum.providers).sort(([a], [b]) => a.localeCompare(b)), "No call to a provider in this window.");
}

function replicas({ gauges }) {
  const waiting = new Map((gauges.tollhouse_replica_waiting_requests ?? []).map((row) => [`${row.provider} ${row.replica}`, row.value]));
  return table([
    { name: "Provider", of: (row) => row.provider },
    { name: "Replica", wide: true, of: (row) => row.replica },
    { name: "Ready", of: ({ value }) => element("span", { class: value > 0 ? "good" : "bad" }, value > 0 ? "ready" : "not ready") },
    { name: "Waiting requests", number: true, of: (row) => { const found = waiting.get(`${row.provider} ${row.replica}`); return found === undefined ? "–" : count(found); } },
  ], gauges.tollhouse_replica_ready ?? [], "No pool of replicas is probed.");
}

function course(status, sum) {
  const names = Object.keys(sum.providers).sort().slice(0, LETTERS.length);
  const kinds = names.map((name, place) => ({
    name, letter: LETTERS[place], of: (point) => quantile(status.boundaries_ms, point.providers[name] ?? [], 0.95),
  }));
  return lines("95 % of calls are faster than", kinds, steps(status), length);
}

export function show(status) {
  const sum = sumOf(status.points);
  return element("div", {},
    sheet("Targets", targets(status, sum)),
    element("div", { class: "charts" }, course(status, sum), sheet("Latency of calls", byProvider(status, sum))),
    sheet("Replicas", replicas(status)));
}
