// What was spent, by key, model and target; and how budgets stand.
import { ask, save } from "./ask.js";
import { element, quiet, sheet, table } from "./dom.js";
import { count, day, dollars, percent } from "./figures.js";

export const title = "Spend";

const DAYS = { 1: "Today", 7: "7 days", 30: "30 days", 90: "90 days" };
const BY = { key: "Key", model: "Model", target: "Target", day: "Day" };
const DAY_MS = 86_400_000;

const chosen = { days: "7" };

const from = () => day(Date.now() - (Number(chosen.days) - 1) * DAY_MS);
const path = (by, format) => `/admin/usage?group_by=${by}&from=${from()}&format=${format}`;

export async function load(signal) {
  const answers = await Promise.all(Object.keys(BY).map((by) => ask(path(by, "json"), signal)));
  return Object.fromEntries(Object.keys(BY).map((by, place) => [by, answers[place].rows]));
}

function bar(refresh) {
  const choose = (event) => {
    chosen.days = event.target.value;
    refresh();
  };
  const options = Object.entries(DAYS).map(([days, name]) =>
    element("option", { value: days, selected: days === chosen.days }, name));
  const all = Object.keys(BY).join(",");
  return element("div", { class: "bar" },
    element("label", {}, "Days, in UTC", element("select", { id: "days", "data-keep": "days", onchange: choose }, options)),
    element("button", { type: "button", "data-keep": "csv", onclick: () => save(path(all, "csv"), `usage-from-${from()}.csv`) }, "Save as CSV"));
}

const columns = (by) => [
  { name: BY[by], of: (row) => row[by] || quiet("none") },
  { name: "Requests", number: true, of: (row) => count(row.requests) },
  { name: "Errors", number: true, of: (row) => count(row.errors) },
  { name: "Cache hits", number: true, of: (row) => count(row.cache_hits) },
  { name: "Tokens in", number: true, of: (row) => count(row.prompt_tokens) },
  { name: "Tokens out", number: true, of: (row) => count(row.completion_tokens) },
  { name: "Cost", number: true, of: (row) => dollars(row.cost_micro_usd) },
  { name: "Without a price", number: true, of: (row) => count(row.unpriced) },
];

function budgets({ gauges }) {
  const spent = new Map((gauges.tollhouse_budget_spent_usd ?? []).map((row) => [`${row.scope}/${row.name}/${row.period}`, row.value]));
  const rows = (gauges.tollhouse_budget_limit_usd ?? []).map((row) => ({ ...row, spent: spent.get(`${row.scope}/${row.name}/${row.period}`) ?? 0 }));
  const share = (row) => (row.value > 0 ? row.spent / row.value : 1);
  return table([
    { name: "Whose", of: (row) => [`${row.name} `, quiet(row.scope)] },
    { name: "Per", of: (row) => row.period },
    { name: "Spent", number: true, of: (row) => dollars(row.spent) },
    { name: "Of", number: true, of: (row) => dollars(row.value) },
    { name: "Share", number: true, of: (row) => percent(share(row)) },
    { name: "", of: (row) => element("meter", { min: 0, max: 1, low: 0.8, high: 0.95, optimum: 0, value: Math.min(1, share(row)), "aria-label": `${row.name}: ${percent(share(row))} spent` }) },
  ], rows.sort((a, b) => share(b) - share(a)), "No budget is configured.");
}

export function show(status, usage, { refresh }) {
  const dearest = (by) => (by === "day" ? (a, b) => b.day.localeCompare(a.day) : (a, b) => b.cost_micro_usd - a.cost_micro_usd || b.requests - a.requests);
  return element("div", {},
    sheet("Budgets", budgets(status)),
    bar(refresh),
    Object.keys(BY).map((by) =>
      sheet(`By ${BY[by].toLowerCase()}`, table(columns(by), usage[by].sort(dearest(by)), "Nothing was used."))));
}
