// What each stage of a request decided, read from its trace.
import { element, quiet } from "./dom.js";
import { count, length } from "./figures.js";

const ORDER = ["authenticate", "request_limit", "validate", "guard", "cache_and_budget", "token_limit", "provider"];

const NAMES = {
  authenticate: "Authenticate", request_limit: "Request limits", validate: "Validate", guard: "Guards",
  cache_and_budget: "Cache, budget", token_limit: "Token limits", provider: "Providers",
};

const lines = (texts, otherwise) => (texts.length > 0 ? texts.map((text) => element("p", {}, text)) : [element("p", {}, quiet(otherwise))]);

const limits = (trace, resource) =>
  (trace.limits ?? []).filter((limit) => limit.resource === resource).map(({ scope, verdict }) => `${verdict} by the limit of the ${scope.replaceAll("_", " ")}`);

const budgets = (trace) =>
  (trace.limits ?? []).filter(({ resource }) => resource === "budget").map(({ scope, verdict }) => `${verdict} by the budget of the ${scope}`);

const score = (millionths) => (millionths / 1e6).toFixed(3);

const verdict = ({ guard, stage, label, action, evidence }) =>
  [element("b", {}, `${guard}: ${action}`), ` ${stage}, ${label || "nothing found"}`,
    evidence ? quiet(` score ${score(evidence.score)}, threshold ${score(evidence.threshold)}, model ${evidence.model.slice(0, 12)}`) : ""];

const guards = (trace, stage) =>
  (trace.guards ?? []).filter((guard) => guard.stage === stage).map((guard) => element("span", {}, verdict(guard)));

const placed = (trace) =>
  (trace.placements ?? []).map(({ classifier, place, reason, texts }) =>
    `${classifier} judged ${count(texts)} text${texts === 1 ? "" : "s"} at the ${place}${reason ? ` (${reason})` : ""}`);

const attempts = (calls) =>
  calls.map(({ target, status, code, ms, first_chunk_ms: first }) =>
    element("span", {}, element("b", {}, target), ` ${status ?? "no status"}${code ? `, ${code}` : ""}, ${length(ms)}`, first === null ? "" : `, first chunk after ${length(first)}`));

function providers(trace) {
  return [
    ...(trace.cold_starts ?? []).map(({ provider, ms, result }) => `waited ${length(ms)} for ${provider} to start: ${result}`),
    ...attempts(trace.attempts),
    ...(trace.breakers ?? []).map(({ target, state }) => `breaker of ${target}: ${state.replace("_", "-")}`),
    ...(trace.backoff_ms > 0 ? [`rested ${length(trace.backoff_ms)} between calls`] : []),
    ...(trace.fallback ? ["another target answered than the one first chosen"] : []),
    ...guards(trace, "output"),
  ];
}

// A stage's lines, and what is said where there are none.
const SAID = {
  authenticate: (trace) => [[trace.key ? `key ${trace.key}` : "no key"], ""],
  request_limit: (trace) => [limits(trace, "requests"), "no limit of requests is configured"],
  validate: (trace) => [[`model ${trace.model ?? "unknown"}${trace.variant ? `, variant ${trace.variant}` : ""}, ${count(trace.bytes_in)} bytes`], ""],
  guard: (trace) => [[...guards(trace, "input"), ...placed(trace), ...attempts(trace.asides ?? [])], "no guard looked at it"],
  cache_and_budget: (trace) => [[`cache: ${trace.cache}`, ...budgets(trace)], ""],
  token_limit: (trace) => [[...limits(trace, "tokens"), ...(trace.reserved_tokens > 0 ? [`${count(trace.reserved_tokens)} tokens set aside, ${count(trace.settled_tokens)} used`] : [])], "no limit of tokens is configured"],
  provider: (trace) => [providers(trace), "no provider was called"],
};

const ACTED = {
  request_limit: () => false,
  guard: (trace) => (trace.guards ?? []).some(({ stage, action }) => stage === "input" && action !== "pass"),
  cache_and_budget: (trace) => trace.cache === "hit",
  provider: (trace) => trace.retries > 0 || trace.fallback || (trace.guards ?? []).some(({ stage, action }) => stage === "output" && action !== "pass"),
};

function stage(trace, name, place) {
  const last = ORDER.indexOf(trace.stage);
  if (place > last) return element("li", { class: "unreached" }, element("b", {}, NAMES[name]), element("p", {}, trace.code ? "not reached" : "not needed"));
  const failed = place === last && trace.code !== null;
  const [said, otherwise] = SAID[name](trace);
  return element("li", { class: failed ? "refused" : ACTED[name]?.(trace) ? "acted" : "passed" },
    element("b", {}, NAMES[name]),
    element("div", {}, failed ? element("p", { class: "bad" }, trace.code) : undefined, lines(said, otherwise)));
}

function bill({ usage, cost_usd: cost }) {
  if (!usage) return "nothing to pay";
  const price = cost === null ? "price unknown" : `$${cost}`;
  return `${count(usage.prompt)} tokens in (${count(usage.cached)} cached), ${count(usage.completion)} out${usage.estimated ? ", estimated" : ""}: ${price}`;
}

export function stagesOf(trace) {
  return element("div", { id: "stages" },
    element("ol", { class: "stages" }, ORDER.map((name, place) => stage(trace, name, place))),
    element("p", {}, element("b", {}, `${length(trace.total_ms)} in all`), `: ${length(trace.upstream_ms)} at providers, ${length(trace.backoff_ms)} resting, ${length(trace.overhead_ms)} here${trace.first_token_ms === null ? "" : `; first chunk after ${length(trace.first_token_ms)}`}.`),
    element("p", {}, bill(trace)),
    element("details", {}, element("summary", {}, "Trace as JSON"), element("pre", {}, JSON.stringify(trace, null, 2))));
}
