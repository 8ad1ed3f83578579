// Makes elements. What comes from the gateway only ever becomes text, never markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return made;
}

// An element with these attributes; `onclick` and the like are listeners. Children are elements or
// texts.
export const element = (name, attributes = {}, ...children) =>
  fill(document.createElement(name), attributes, children);

export const drawn = (name, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, name), attributes, children);

export const byId = (id) => document.getElementById(id);

// A table. A column is its heading and how a row's cell is made of it; numbers stand to the right.
export function table(columns, rows, empty) {
  if (rows.length === 0) return element("p", { class: "empty" }, empty);
  const classOf = ({ number, wide }) => (number ? "number" : wide ? "wide" : undefined);
  const head = columns.map((column) => element("th", { scope: "col", class: classOf(column) }, column.name));
  const line = (row) =>
    element("tr", {}, columns.map((column) => element("td", { class: classOf(column) }, column.of(row))));
  return element(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" },
    element("table", {}, element("thead", {}, element("tr", {}, head)), element("tbody", {}, rows.map(line))),
  );
}

export const sheet = (title, ...children) =>
  element("section", { class: "sheet" }, element("h3", {}, title), ...children);

export const quiet = (text) => element("span", { class: "quiet" }, text);
