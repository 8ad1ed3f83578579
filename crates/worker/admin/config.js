// The effective configuration, each value with its source; secrets are only ever named in it.
import { ask } from "./ask.js";
import { element, quiet, sheet, table } from "./dom.js";

export const title = "Config";

const chosen = { text: "", defaults: false };

export const load = (signal) => ask("/admin/config", signal);

const bare = /^[A-Za-z0-9_-]+$/;

// Every value with its dotted path, as `sources` names them.
function flat(value, path) {
  const isTable = (item) => item !== null && typeof item === "object" && !Array.isArray(item);
  if (isTable(value) && Object.keys(value).length > 0) {
    return Object.entries(value).flatMap(([name, item]) => {
      const part = bare.test(name) ? name : JSON.stringify(name);
      return flat(item, path ? `${path}.${part}` : part);
    });
  }
  if (Array.isArray(value) && value.some(isTable)) return value.flatMap((item, place) => flat(item, `${path}[${place}]`));
  return [[path, value]];
}

function isolates({ gauges }, digest) {
  const rows = gauges.tollhouse_config_isolates ?? [];
  if (rows.length === 0) return "No isolate has reported yet.";
  return rows.map((row) => `${row.value} isolate${row.value === 1 ? "" : "s"} run${row.value === 1 ? "s" : ""} ${digest.startsWith(row.digest) ? "it" : row.digest}`).join(", ");
}

function facts(status, config) {
  return sheet("In force",
    element("p", {}, "From ", element("b", {}, config.source), ", digest ", element("code", {}, config.digest.slice(0, 12)), ". ", quiet(isolates(status, config.digest))),
    config.warnings.map(({ path, message, help }) =>
      element("div", { class: "alert warning" }, element("b", {}, path), ` ${message} `, quiet(help ?? ""))));
}

export function show(status, config, { redraw }) {
  const rows = flat(config.values, "").map(([path, value]) => [path, JSON.stringify(value), config.sources[path] ?? ""]);
  const fits = ([path, value, source]) =>
    (chosen.defaults || source !== "default") && (chosen.text === "" || `${path} = ${value}`.toLowerCase().includes(chosen.text.toLowerCase()));
  const type = (event) => {
    chosen.text = event.target.value;
    redraw();
  };
  const check = (event) => {
    chosen.defaults = event.target.checked;
    redraw();
  };
  return element("div", {},
    facts(status, config),
    element("div", { class: "bar" },
      element("label", {}, "Find", element("input", { type: "search", id: "find", "data-keep": "find", value: chosen.text, oninput: type })),
      element("label", {}, element("input", { type: "checkbox", id: "defaults", "data-keep": "defaults", checked: chosen.defaults, onchange: check }), "with defaults")),
    sheet("Values", table([
      { name: "Key", wide: true, of: ([path]) => element("code", {}, path) },
      { name: "Value", wide: true, of: ([, value]) => element("code", {}, value) },
      { name: "From", of: ([, , source]) => quiet(source) },
    ], rows.filter(fits), "No value fits.")));
}
