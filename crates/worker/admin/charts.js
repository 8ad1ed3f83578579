// Charts over time, drawn by hand as SVG. Each stretches to its sheet, so texts stand beside it.
import { drawn, element } from "./dom.js";
import { clock } from "./figures.js";

const WIDTH = 600;
const HEIGHT = 100;

// A kind is its name, its letter in app.css, and its value in a step; nothing is a gap.
const legend = (kinds) =>
  element("div", { class: "legend" }, kinds.map(({ name, letter }) =>
    element("span", {}, swatch(letter), name)));

const swatch = (letter) =>
  drawn("svg", { viewBox: "0 0 8 8", "aria-hidden": "true" },
    drawn("rect", { width: 8, height: 8, rx: 2, class: `fill-${letter}` }));

// A round number that is at least `most`.
function ceiling(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((times) => times * power).find((round) => round >= most * 0.9999);
}

function frame(title, kinds, steps, write, most, shapes) {
  const said = steps.map(([at, ...values]) => [at, values]).filter(([, values]) => values.some((it) => it > 0));
  const last = said.at(-1);
  const summary = last
    ? `${title}. Last at ${clock(last[0])}: ${kinds.map(({ name }, place) => `${name} ${last[1][place] === undefined ? "none" : write(last[1][place])}`).join(", ")}.`
    : `${title}. Nothing in this window.`;
  return element("section", { class: "sheet" },
    element("h3", {}, title),
    legend(kinds),
    element("div", { class: "chart" },
      drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": summary },
        drawn("path", { class: "axis", d: `M0 0H${WIDTH}M0 ${HEIGHT}H${WIDTH}` }),
        shapes),
      last ? element("span", { class: "most" }, write(most)) : element("span", { class: "none" }, "Nothing in this window"),
      element("div", { class: "ends" }, element("span", {}, clock(steps[0][0])), element("span", {}, clock(steps.at(-1)[0])))));
}

const hint = (kinds, write, [at, ...values]) =>
  drawn("title", {}, `${clock(at)}  ${kinds.map(({ name }, place) => `${name}: ${values[place] === undefined ? "–" : write(values[place])}`).join(", ")}`);

// Stacked bars, one a step.
export function bars(title, kinds, all, write) {
  const steps = all.map(([at, point]) => [at, ...kinds.map(({ of }) => (point ? of(point) : 0))]);
  const highest = Math.max(...steps.map(([, ...values]) => values.reduce((sum, value) => sum + value, 0)));
  const most = ceiling(highest > 0 ? highest : 1);
  const wide = WIDTH / steps.length;
  const shapes = steps.map((step, place) => {
    let top = HEIGHT;
    const parts = step.slice(1).map((value, kind) => {
      const high = (value / most) * HEIGHT;
      top -= high;
      return value > 0 && drawn("rect", {
        x: (place * wide + wide * 0.1).toFixed(2), y: top.toFixed(2),
        width: (wide * 0.8).toFixed(2), height: high.toFixed(2), class: `fill-${kinds[kind].letter}`,
      });
    });
    const ground = drawn("rect", { x: (place * wide).toFixed(2), width: wide.toFixed(2), height: HEIGHT, fill: "transparent" });
    return drawn("g", { class: "step" }, ground, parts.filter(Boolean), hint(kinds, write, step));
  });
  return frame(title, kinds, steps, write, most, shapes);
}

// A line for each kind; a step alone between gaps is a dot.
export function lines(title, kinds, all, write, fixed) {
  const steps = all.map(([at, point]) => [at, ...kinds.map(({ of }) => (point ? of(point) : undefined))]);
  const values = steps.flatMap(([, ...found]) => found.filter((value) => value !== undefined));
  const most = fixed ?? ceiling(Math.max(...values, 0) || 1);
  const wide = WIDTH / steps.length;
  const shapes = kinds.map(({ letter }, kind) => {
    const known = (place) => steps[place]?.[kind + 1] !== undefined;
    let [path, dots] = ["", ""];
    steps.forEach((step, place) => {
      if (!known(place)) return;
      const at = `${((place + 0.5) * wide).toFixed(2)} ${(HEIGHT - (step[kind + 1] / most) * HEIGHT).toFixed(2)}`;
      if (known(place - 1)) path += `L${at}`;
      else if (known(place + 1)) path += `M${at}`;
      else dots += `M${at}h0.01`;
    });
    return [
      drawn("path", { class: `line line-${letter}`, d: path || "M0 0" }),
      drawn("path", { class: `line dot line-${letter}`, d: dots || "M0 0" }),
    ];
  });
  const grounds = steps.map((step, place) =>
    drawn("rect", { x: (place * wide).toFixed(2), width: wide.toFixed(2), height: HEIGHT, fill: "transparent" }, hint(kinds, write, step)));
  return frame(title, kinds, steps, write, most, [...shapes.flat(), ...grounds]);
}
