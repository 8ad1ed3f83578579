// Sends a request as a caller would, and shows what each stage decided.
import { ask, key } from "./ask.js";
import { byId, element, quiet, sheet } from "./dom.js";
import { stagesOf } from "./stages.js";

export const title = "Playground";
export const stays = true;

// Where it goes, and how its body is made of what was typed.
const ENDPOINTS = {
  "/v1/chat/completions": (typed) => ({
    model: typed.model,
    messages: [
      ...(typed.system ? [{ role: "system", content: typed.system }] : []),
      { role: "user", content: typed.text },
    ],
    ...sampling(typed),
  }),
  "/v1/completions": (typed) => ({ model: typed.model, prompt: typed.text, ...sampling(typed) }),
  "/v1/embeddings": (typed) => ({ model: typed.model, input: typed.text }),
  "/v1/classify": (typed) => ({ model: typed.model, inputs: typed.text }),
};

const sampling = ({ temperature, tokens, stream }) => ({
  ...(temperature === "" ? {} : { temperature: Number(temperature) }),
  ...(tokens === "" ? {} : { max_tokens: Number(tokens) }),
  ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
});

const HEADERS = /^(tollhouse-|x-ratelimit|x-request-id|x-should-retry|retry-after|content-type)/;
const TRACE_TRIES = 8;
const TRACE_AFTER_MS = 250;

let sending;

export const load = (signal) => ask("/admin/config", signal);

const field = (name, made, more = {}) => element("label", more, name, made);

export function show(_status, config) {
  const models = Object.keys(config.values.models ?? {});
  const needsKey = config.values.auth?.mode !== "open";
  const input = (id, attributes = {}) => element("input", { id, name: id, autocomplete: "off", ...attributes });
  const form = element("form", { id: "call", class: "sheet", onsubmit: send },
    element("div", { class: "fields" },
      field("Endpoint", element("select", { id: "endpoint" }, Object.keys(ENDPOINTS).map((path) => element("option", {}, path)))),
      field("Model", [
        input("model", { list: "models", required: true, spellcheck: "false", value: models[0] }),
        element("datalist", { id: "models" }, models.map((value) => element("option", { value }))),
      ]),
      field(needsKey ? "Caller key" : "Caller key, not needed", input("caller", { type: "password", placeholder: "sent as the bearer token, kept nowhere" })),
      field("System", element("textarea", { id: "system", rows: 2 }), { class: "all" }),
      field("Text", element("textarea", { id: "text", rows: 4, required: true }, "Say hello in one sentence."), { class: "all" }),
      field("Temperature", input("temperature", { type: "number", min: 0, max: 2, step: "any" })),
      field("Most tokens", input("tokens", { type: "number", min: 1, step: 1 })),
      field("Script for the mock", input("mock", { placeholder: "status=503", spellcheck: "false" })),
      element("label", { class: "check" }, element("input", { type: "checkbox", id: "stream" }), "Stream"),
      element("label", { class: "check" }, element("input", { type: "checkbox", id: "fresh" }), "Ask anew, whatever is kept")),
    element("div", { class: "bar" },
      element("button", { type: "submit", id: "send" }, "Send"),
      element("button", { type: "button", id: "stop", hidden: true, onclick: () => sending?.abort() }, "Stop"),
      quiet("It counts, costs and is limited as any other call.")));
  return element("div", {}, form, element("div", { id: "result", class: "result", "aria-live": "polite" }));
}

function typed() {
  const value = (id) => byId(id).value;
  return {
    model: value("model"), system: value("system"), text: value("text"), temperature: value("temperature"),
    tokens: value("tokens"), stream: byId("stream").checked,
  };
}

function headers() {
  const caller = byId("caller").value.trim();
  const mock = byId("mock").value.trim();
  return {
    "content-type": "application/json",
    "tollhouse-admin-key": key.get() ?? "",
    ...(caller ? { authorization: `Bearer ${caller}` } : {}),
    ...(mock ? { "tollhouse-mock": mock } : {}),
    ...(byId("fresh").checked ? { "cache-control": "no-cache" } : {}),
  };
}

function busy(is) {
  byId("send").disabled = is;
  byId("stop").hidden = !is;
}

async function send(event) {
  event.preventDefault();
  const path = byId("endpoint").value;
  const body = JSON.stringify(ENDPOINTS[path](typed()), null, 2);
  const text = element("pre", { id: "answer", tabindex: "0", role: "region", "aria-label": "Answer" });
  const head = element("p", { id: "answered" }, quiet("Waiting …"));
  const stages = sheet("What each stage decided", element("p", { class: "quiet", id: "stages" }, "Waiting for the end …"));
  byId("result").replaceChildren(
    sheet("Answer", head, text,
      element("details", {}, element("summary", {}, "request as sent"), element("pre", {}, `POST ${path}\n\n${body}`))),
    stages);
  sending = new AbortController();
  busy(true);
  try {
    const answer = await fetch(path, { method: "POST", headers: headers(), body, credentials: "omit", signal: sending.signal });
    head.replaceChildren(element("b", { class: answer.ok ? "good" : "bad" }, `${answer.status}`), " ", seen(answer));
    await read(answer, text);
    await decided(answer, stages);
  } catch (error) {
    head.replaceChildren(element("b", { class: "bad" }, error.name === "AbortError" ? "Stopped" : `No answer: ${error.message}`));
    stages.remove();
  } finally {
    busy(false);
  }
}

const seen = (answer) =>
  element("details", {}, element("summary", {}, "headers"),
    element("pre", {}, [...answer.headers].filter(([name]) => HEADERS.test(name)).map(([name, value]) => `${name}: ${value}`).join("\n")));

// A stream is shown as it comes, its text first; anything else as the JSON that it is.
async function read(answer, place) {
  if (!answer.headers.get("content-type")?.startsWith("text/event-stream")) {
    const body = await answer.text();
    try {
      place.textContent = JSON.stringify(JSON.parse(body), null, 2);
    } catch {
      place.textContent = body;
    }
    return;
  }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) place.textContent += textOf(part);
  }
}

function textOf(event) {
  const data = event.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim()).join("\n");
  if (data === "" || data === "[DONE]") return "";
  const chunk = JSON.parse(data);
  if (chunk.error) return `\n${chunk.error.message} (${chunk.error.code})\n`;
  const choice = chunk.choices?.[0];
  return choice?.delta?.content ?? choice?.text ?? "";
}

// The trace is kept once the request has ended, which is shortly after its last byte.
async function decided(answer, place) {
  const id = answer.headers.get("x-request-id");
  for (let times = 0; id && times < TRACE_TRIES; times++) {
    const { trace } = await ask(`/admin/trace?id=${encodeURIComponent(id)}`, sending.signal);
    if (trace !== null) return place.lastElementChild.replaceWith(stagesOf(trace));
    await new Promise((resolve) => setTimeout(resolve, TRACE_AFTER_MS));
  }
  place.lastElementChild.textContent = "No trace was kept of this request.";
}
