// Requests that failed lately: when, whose, where and why; no content is ever kept.
import { ask } from "./ask.js";
import { element, quiet, sheet, table } from "./dom.js";
import { length, moment } from "./figures.js";

export const title = "Errors";

const FAULTS = { all: "All", provider: "Providers", operator: "Operators", caller: "Callers" };

const chosen = { fault: "all" };

export const load = (signal) => ask("/admin/errors", signal);

function attempts(row) {
  if (row.attempts.length === 0) return quiet("no call to a provider");
  return element("details", { "data-keep": `attempts ${row.id}` },
    element("summary", {}, `${row.attempts.length} call${row.attempts.length > 1 ? "s" : ""}`),
    element("ol", {}, row.attempts.map(({ target, status, code, ms }) =>
      element("li", {}, `${target}: ${status ?? "no status"}${code ? `, ${code}` : ""}, ${length(ms)}`))));
}

const COLUMNS = [
  { name: "When", of: (row) => element("span", { class: "nowrap" }, moment(row.at)) },
  { name: "Code", of: (row) => [element("b", { class: row.fault === "caller" ? "warn" : "bad" }, row.code), element("br"), quiet(`${row.status}, at ${row.stage.replaceAll("_", " ")}`)] },
  { name: "Model", of: (row) => [row.model ?? quiet("none"), element("br"), quiet(row.target ?? "")] },
  { name: "Key", of: (row) => row.key ?? quiet("none") },
  { name: "Calls", of: attempts },
  { name: "Took", number: true, of: (row) => length(row.ms) },
  { name: "Request", wide: true, of: (row) => [element("code", {}, row.id), element("br"), quiet(`${row.endpoint}${row.trace ? `, trace ${row.trace}` : ""}`)] },
];

export function show(_status, { errors }, { redraw }) {
  const options = Object.entries(FAULTS).map(([fault, name]) =>
    element("option", { value: fault, selected: fault === chosen.fault }, name));
  const choose = (event) => {
    chosen.fault = event.target.value;
    redraw();
  };
  const rows = errors.filter(({ fault }) => chosen.fault === "all" || fault === chosen.fault);
  return element("div", {},
    element("div", { class: "bar" },
      element("label", {}, "Who can mend it", element("select", { id: "fault", "data-keep": "fault", onchange: choose }, options)),
      quiet("The newest hundred that callers can mend, and the newest hundred others. Codes are explained in the README.")),
    sheet("Recent errors", table(COLUMNS, rows, "Nothing failed lately.")));
}
