// The operators' page: opens with the admin key, asks the gateway every few seconds, shows one view.
import { Refused, ask, key } from "./ask.js";
import { byId, element } from "./dom.js";
import { moment } from "./figures.js";
import * as config from "./config.js";
import * as errors from "./errors.js";
import * as guards from "./guards.js";
import * as overview from "./overview.js";
import * as playground from "./playground.js";
import * as providers from "./providers.js";
import * as spend from "./spend.js";

const EVERY_MS = 10_000;

// A view has a `title`, may `load` more than the status, and is made by `show`, which is given both
// and how to ask or to draw again; one with `stays` is made once and keeps what was typed into it.
const VIEWS = { overview, spend, providers, guards, errors, config, playground };

const shown = { view: undefined, loading: undefined, timer: undefined, told: [] };

const named = () => {
  const name = location.hash.slice(1);
  return Object.hasOwn(VIEWS, name) ? name : "overview";
};

function problem(text) {
  const place = byId("problem");
  place.textContent = text ?? "";
  place.hidden = !text;
}

function open(isOpen) {
  for (const part of document.querySelectorAll(".opened")) part.hidden = !isOpen;
  byId("door").hidden = isOpen;
  if (!isOpen) {
    byId("view").replaceChildren();
    shown.view = undefined;
    clearTimeout(shown.timer);
    shown.loading?.abort();
    document.title = "Tollhouse";
    byId("key").focus();
  }
}

function mark(name) {
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${VIEWS[name].title} · Tollhouse`;
}

// Replaces what is shown and keeps the place of whoever reads or types in it: parts are told apart by
// their `data-keep`.
function replace(made) {
  const place = byId("view");
  const focus = document.activeElement?.closest?.("[data-keep]");
  const kept = focus && place.contains(focus) ? focus.dataset.keep : undefined;
  const selection = kept && typeof focus.selectionStart === "number" ? [focus.selectionStart, focus.selectionEnd] : undefined;
  const openParts = new Set([...place.querySelectorAll("details[open][data-keep]")].map((it) => it.dataset.keep));
  place.replaceChildren(made);
  for (const part of place.querySelectorAll("details[data-keep]")) part.open = openParts.has(part.dataset.keep);
  if (kept === undefined) return;
  const again = [...place.querySelectorAll("[data-keep]")].find((it) => it.dataset.keep === kept);
  again?.focus({ preventScroll: true });
  if (selection) again?.setSelectionRange?.(...selection);
}

async function refresh() {
  clearTimeout(shown.timer);
  shown.loading?.abort();
  const loading = (shown.loading = new AbortController());
  const name = named();
  const view = VIEWS[name];
  try {
    const [status, more] = await Promise.all([
      ask(`/admin/status?window=${byId("window").value}`, loading.signal),
      view.load?.(loading.signal),
    ]);
    if (loading.signal.aborted) return;
    problem();
    show(name, view, status, more);
  } catch (error) {
    if (loading.signal.aborted) return;
    failed(error);
  }
  shown.timer = setTimeout(() => (document.hidden ? undefined : refresh()), EVERY_MS);
}

function show(name, view, status, more) {
  open(true);
  mark(name);
  byId("updated").textContent = `as of ${moment(status.at).slice(11)}`;
  health(status);
  if (view.stays && shown.view === name) return;
  const isNew = shown.view !== name;
  shown.view = name;
  shown.told = [status, more];
  redraw();
  if (isNew) scrollTo(0, 0);
}

// Shows what is known already, in the way that is chosen now.
const redraw = () => replace(VIEWS[shown.view].show(...shown.told, { refresh, redraw }));

function failed(error) {
  if (error instanceof Refused && [401, 404].includes(error.status)) {
    key.forget();
    open(false);
  }
  problem(error instanceof Refused ? `${error.message} (${error.code ?? error.status})` : `The gateway cannot be reached: ${error.message}`);
}

function health(status) {
  const place = byId("health");
  const worst = status.alerts.some(({ severity }) => severity === "critical") ? "bad" : status.alerts.length > 0 || status.rejected ? "warn" : "good";
  place.className = `pill ${worst}`;
  place.textContent = { good: "no alerts", warn: "look", bad: "trouble" }[worst];
  if (status.alerts.length > 0) place.textContent = `${status.alerts.length} alert${status.alerts.length > 1 ? "s" : ""}`;
  place.hidden = false;
}

// Colours: as the system, or one of both, which this browser remembers.
const THEMES = { auto: "Auto", light: "Light", dark: "Dark" };

function theme(name) {
  const known = Object.hasOwn(THEMES, name) ? name : "auto";
  if (known === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = known;
  byId("theme").textContent = THEMES[known];
  byId("theme").setAttribute("aria-label", `Colours: ${THEMES[known].toLowerCase()}`);
  return known;
}

function listen() {
  byId("theme").addEventListener("click", () => {
    const names = Object.keys(THEMES);
    const next = names[(names.indexOf(theme(localStorage.getItem("tollhouse-theme"))) + 1) % names.length];
    localStorage.setItem("tollhouse-theme", theme(next));
  });
  byId("door").addEventListener("submit", (event) => {
    event.preventDefault();
    key.set(byId("key").value.trim());
    byId("key").value = "";
    refresh();
  });
  byId("lock").addEventListener("click", () => {
    key.forget();
    problem();
    byId("health").hidden = true;
    open(false);
  });
  byId("window").addEventListener("change", refresh);
  addEventListener("hashchange", () => {
    if (key.get() === null) return;
    refresh().then(() => byId("content").focus({ preventScroll: true }));
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && key.get() !== null) refresh();
  });
}

theme(localStorage.getItem("tollhouse-theme"));
listen();
if (key.get() === null) open(false);
else {
  byId("view").append(element("p", { class: "quiet" }, "Loading …"));
  refresh();
}
