// What guards and limits decided.
import { bars } from "./charts.js";
import { element, sheet, table } from "./dom.js";
import { count, percent, steps, sumOf, total } from "./figures.js";

export const title = "Guards";

// Actions from the mildest on.
const ACTIONS = { pass: "a", flag: "d", mask: "b", escalate: "d", redact: "b", block: "c" };

const actionOf = (name) => name.slice(name.indexOf(":") + 1);

const countOf = (acts, action) =>
  Object.entries(acts).reduce((sum, [name, number]) => (actionOf(name) === action ? sum + number : sum), 0);

function rows(sum) {
  return Object.entries(sum.guards).flatMap(([guard, acts]) => {
    const stages = [...new Set(Object.keys(acts).map((name) => name.slice(0, name.indexOf(":"))))].sort();
    return stages.map((stage) => ({
      guard, stage, acts: Object.fromEntries(Object.entries(acts).filter(([name]) => name.startsWith(`${stage}:`))),
    }));
  });
}

export function show(status) {
  const sum = sumOf(status.points);
  const seen = new Set(Object.values(sum.guards).flatMap((acts) => Object.keys(acts).map(actionOf)));
  const actions = Object.keys(ACTIONS).filter((action) => seen.has(action));
  const others = [...seen].filter((action) => !Object.hasOwn(ACTIONS, action)).sort();
  const kinds = [...actions, ...others].filter((action) => action !== "pass").map((action) => ({
    name: action, letter: ACTIONS[action] ?? "d",
    of: (point) => Object.values(point.guards).reduce((all, acts) => all + countOf(acts, action), 0),
  }));
  const columns = [
    { name: "Guard", of: ({ guard }) => guard },
    { name: "Stage", of: ({ stage }) => stage },
    ...[...actions, ...others].map((action) => ({ name: action, number: true, of: ({ acts }) => count(countOf(acts, action)) })),
    { name: "Acted", number: true, of: ({ acts }) => percent(total(acts) > 0 ? 1 - countOf(acts, "pass") / total(acts) : undefined) },
  ];
  const refused = Object.entries(sum.refused).sort(([, a], [, b]) => b - a);
  return element("div", {},
    sheet("Guards", table(columns, rows(sum), "No guard judged anything in this window.")),
    element("div", { class: "charts" },
      bars("Acts of guards", kinds, steps(status), count),
      sheet("Refused by limits", table([
        { name: "Whose limit", of: ([name]) => name.split(":")[0].replaceAll("_", " ") },
        { name: "Of what", of: ([name]) => name.split(":")[1] ?? "" },
        { name: "Requests refused", number: true, of: ([, number]) => count(number) },
      ], refused, "No limit refused anything in this window."))));
}
