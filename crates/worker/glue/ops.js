// What Rust asks JavaScript to do, one coarse operation a function. Each that takes a slot ends in
// exactly one `complete` for it. Nothing is decided here.
import { connect } from "cloudflare:sockets";

// Endings, as crates/worker/src/ops.rs reads them; a number from 0 is a success (an HTTP status).
const TIMED_OUT = -1;
const FAILED = -2;
const CALLER_LEFT = -3;
const TOO_LONG = -4;
const NOTHING = -5;
const CONNECT_TIMED_OUT = -6;

const EMPTY = new Uint8Array(0);

export const calls = new Map();
let lastId = 0;

// One request from a caller, from its arrival until the last thing done for it.
export class Call {
  constructor(request, env, ctx) {
    lastId = (lastId + 1) >>> 0;
    this.id = lastId;
    this.request = request;
    this.env = env;
    this.ctx = ctx;
    this.left = false;
    this.running = new Set();
    this.upstream = new Map();
    this.writer = undefined;
    this.written = undefined;
    this.reply = new Promise((resolve) => (this.resolve = resolve));
    calls.set(this.id, this);
    request?.signal?.addEventListener("abort", () => this.leave(), { once: true });
  }

  // The caller is gone: everything under way for it is called off.
  leave() {
    if (this.left) return;
    this.left = true;
    for (const cancel of [...this.running]) cancel();
  }
}

function completer(id, slot) {
  const born = tollhouse.generation();
  let open = true;
  return (ending, head = "", body = EMPTY) => {
    if (!open) return;
    open = false;
    tollhouse.complete(born, id, slot, ending, head, body);
  };
}

const text = (error) => String(error?.message ?? error).slice(0, 300);

// What is read and dropped of a body that is too long: a sender that is cut off sees a broken
// connection instead of the reason.
const DRAINED = 100 * 1024 * 1024;

// Reads a whole body; of one longer than `limit` bytes nothing is kept.
async function readBounded(source, limit) {
  const declared = Number(source.headers.get("content-length") ?? NaN);
  if (declared <= limit || !source.body) return new Uint8Array(await source.arrayBuffer());
  const reader = source.body.getReader();
  let parts = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (declared > limit || length > limit) parts = [];
    else parts.push(value);
    if (length > DRAINED) {
      await reader.cancel().catch(() => {});
      break;
    }
  }
  if (declared > limit || length > limit) return undefined;
  if (parts.length === 1) return parts[0];
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

// Header lines "name:value" to the pairs that Headers takes.
function pairs(lines) {
  if (lines === "") return [];
  return lines.split("\n").map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1)];
  });
}

export function read_body(id, slot, limit) {
  const call = calls.get(id);
  const done = completer(id, slot);
  readBounded(call.request, limit).then(
    (body) => (body ? done(0, "", body) : done(TOO_LONG)),
    (error) => done(call.left ? CALLER_LEFT : FAILED, text(error)),
  );
}

export function answer(id, status, head, body) {
  const call = calls.get(id);
  call.resolve(new Response(body.length === 0 ? null : body.slice(), { status, headers: pairs(head) }));
}

// Answers with the very bytes that the provider sent, which are still at hand.
export function answer_received(id, upstream, status, head) {
  const call = calls.get(id);
  const held = call.upstream.get(upstream);
  call.resolve(new Response(held?.body ?? null, { status, headers: pairs(head) }));
}

export function answer_stream(id, status, head) {
  const call = calls.get(id);
  const { readable, writable } = new IdentityTransformStream();
  call.writer = writable.getWriter();
  call.writer.closed.catch(() => call.leave());
  call.resolve(new Response(readable, { status, headers: pairs(head) }));
}

// A write is not waited for: the next `read` or `sleep` waits until the caller has taken it.
export function write(id, bytes) {
  const call = calls.get(id);
  if (call.left || bytes.length === 0) return;
  call.written = call.writer.write(bytes.slice()).catch(() => call.leave());
}

export function close(id) {
  const call = calls.get(id);
  call.writer.close().catch(() => {});
}

// What Rust reads of a provider's headers; those of a success say only what it is.
const FAILURE_HEADERS = ["content-type", "retry-after", "retry-after-ms"];
const SUCCESS_HEADERS = ["content-type"];

// Addresses taken apart; there are as many as the configuration names.
const addresses = new Map();

function addressOf(url) {
  let address = addresses.get(url);
  if (!address) {
    address = new URL(url);
    addresses.set(url, address);
  }
  return address;
}

// Hosts that were reached lately need no probe.
const reached = new Map();
const PROBE_AFTER_MS = 60_000;

// fetch does not say when its connection is made. For a host that was not reached lately a socket is
// opened beside it: while that socket stays unconnected, the host is taken to be unreachable. A
// socket that is refused says nothing, as the platform forbids some addresses.
function probe(url, ms, onTimeout) {
  const { hostname, port, protocol, host } = addressOf(url);
  if (Date.now() - (reached.get(host) ?? 0) < PROBE_AFTER_MS) return undefined;
  let socket;
  try {
    socket = connect({ hostname, port: Number(port || (protocol === "https:" ? 443 : 80)) });
  } catch {
    return undefined;
  }
  const timer = setTimeout(onTimeout, ms);
  const end = () => {
    clearTimeout(timer);
    socket.close().catch(() => {});
  };
  socket.closed.catch(() => {});
  socket.opened.then(end, end);
  return end;
}

// Sends one attempt to a provider. A good event stream stays open (its ending is NOTHING: there is no
// body yet); every other reply is read whole.
export function send(id, slot, upstream, url, head, body, connectMs, headMs, wholeMs, limit) {
  const call = calls.get(id);
  const done = completer(id, slot);
  const controller = new AbortController();
  let late = FAILED;
  const giveUp = (ending) => () => {
    late = ending;
    controller.abort();
  };
  const cancel = () => controller.abort();
  const held = { controller, cancel, reader: undefined, body: undefined };
  call.upstream.set(upstream, held);
  call.running.add(cancel);
  // One timer for both bounds: it is set anew only for a reply that comes slowly.
  let begun = false;
  let timer = setTimeout(function due() {
    if (!begun) return giveUp(TIMED_OUT)();
    begun = false;
    timer = setTimeout(due, Math.max(0, wholeMs - headMs));
  }, headMs);
  const endProbe = probe(url, connectMs, giveUp(CONNECT_TIMED_OUT));
  const fail = (error) => {
    clearTimeout(timer);
    endProbe?.();
    call.running.delete(cancel);
    done(call.left ? CALLER_LEFT : late, text(error));
  };
  if (call.left) return fail("the caller left");
  fetch(url, { method: "POST", headers: pairs(head), body: body.slice(), redirect: "manual", signal: controller.signal })
    .then(async (reply) => {
      begun = true;
      endProbe?.();
      reached.set(addressOf(url).host, Date.now());
      let lines = "";
      for (const name of reply.status === 200 ? SUCCESS_HEADERS : FAILURE_HEADERS) {
        const value = reply.headers.get(name);
        if (value !== null) lines += lines === "" ? `${name}:${value}` : `\n${name}:${value}`;
      }
      if (reply.status === 200 && reply.body && /^content-type:text\/event-stream/i.test(lines)) {
        clearTimeout(timer);
        held.reader = reply.body.getReader();
        done(NOTHING, lines);
        return;
      }
      held.body = await readBounded(reply, limit);
      clearTimeout(timer);
      call.running.delete(cancel);
      if (held.body) done(reply.status, lines, held.body);
      else done(TOO_LONG, lines);
    })
    .catch(fail);
}

// The next piece of an event stream, once the caller has taken the last one.
export function read(id, slot, upstream, idleMs) {
  const call = calls.get(id);
  const held = call.upstream.get(upstream);
  const done = completer(id, slot);
  let late = FAILED;
  let timer;
  const fail = (error) => {
    clearTimeout(timer);
    call.running.delete(held.cancel);
    done(call.left ? CALLER_LEFT : late, text(error));
  };
  const next = () => {
    if (call.left) return fail("the caller left");
    timer = setTimeout(() => {
      late = TIMED_OUT;
      held.controller.abort();
      fail("idle");
    }, idleMs);
    held.reader.read().then(({ done: ended, value }) => {
      clearTimeout(timer);
      if (!ended) return done(0, "", value);
      call.running.delete(held.cancel);
      done(NOTHING);
    }, fail);
  };
  if (call.written) {
    const written = call.written;
    call.written = undefined;
    written.then(next);
  } else next();
}

// Calls a provider off: its answer is not wanted any more.
export function drop_upstream(id, upstream) {
  const call = calls.get(id);
  const held = call?.upstream.get(upstream);
  if (!held) return;
  call.upstream.delete(upstream);
  call.running.delete(held.cancel);
  if (held.reader) held.reader.cancel().catch(() => {});
  held.controller.abort();
}

// Sleeps under way, by slot, so that one that is not waited for any more can be ended.
const sleeping = new Map();

export function sleep(id, slot, ms) {
  const call = calls.get(id);
  const done = completer(id, slot);
  const end = (ending) => {
    clearTimeout(timer);
    sleeping.delete(slot);
    call.running.delete(leave);
    done(ending);
  };
  const leave = () => end(CALLER_LEFT);
  const timer = setTimeout(() => end(0), ms);
  if (call.left) return leave();
  call.running.add(leave);
  sleeping.set(slot, leave);
}

export function cancel(slot) {
  sleeping.get(slot)?.();
}

// Waits, whether the caller is still there or not.
export function pause(id, slot, ms) {
  const done = completer(id, slot);
  // Nobody needs what the providers said any more.
  calls.get(id).upstream.clear();
  setTimeout(() => done(0), ms);
}

// How long a Durable Object may take to answer.
const OBJECT_MS = 5000;

// One message to a Durable Object.
export function object(id, slot, binding, name, path, body) {
  const done = completer(id, slot);
  const namespace = calls.get(id).env[binding];
  if (!namespace) return done(FAILED, `no binding ${binding}`);
  const timer = setTimeout(() => done(TIMED_OUT), OBJECT_MS);
  const stub = namespace.get(namespace.idFromName(name));
  stub
    .fetch(`https://${binding.toLowerCase()}${path}`, { method: "POST", body: body.slice() })
    .then(async (reply) => done(reply.status, reply.headers.get("content-type") ?? "", new Uint8Array(await reply.arrayBuffer())))
    .catch((error) => done(FAILED, text(error)))
    .finally(() => clearTimeout(timer));
}

// `cacheSeconds` is how long this location may answer from its own cache, at least 30.
export function kv_get(id, slot, binding, key, cacheSeconds) {
  const done = completer(id, slot);
  const store = calls.get(id).env[binding];
  if (!store) return done(FAILED, `no binding ${binding}`);
  store.get(key, { type: "arrayBuffer", cacheTtl: cacheSeconds }).then(
    (value) => (value === null ? done(NOTHING) : done(0, "", new Uint8Array(value))),
    (error) => done(FAILED, text(error)),
  );
}

export function kv_put(id, slot, binding, key, body, ttlSeconds) {
  const done = completer(id, slot);
  const store = calls.get(id).env[binding];
  if (!store) return done(FAILED, `no binding ${binding}`);
  store.put(key, body.slice(), { expirationTtl: ttlSeconds }).then(
    () => done(0),
    (error) => done(FAILED, text(error)),
  );
}

export function post(id, slot, url, head, body, ms) {
  const done = completer(id, slot);
  fetch(url, {
    method: "POST",
    headers: [["content-type", "application/json"], ...pairs(head)],
    body: body.slice(),
    redirect: "manual",
    signal: AbortSignal.timeout(ms),
  }).then(
    async (reply) => {
      await reply.body?.cancel();
      done(reply.status);
    },
    (error) => done(FAILED, text(error)),
  );
}

// What is done for a call keeps the Worker awake until `finish`.
export function hold(call) {
  call.finished = new Promise((resolve) => (call.finish = resolve));
  call.ctx.waitUntil(call.finished);
}

export function finish(id) {
  const call = calls.get(id);
  calls.delete(id);
  call?.finish?.();
}

export function log(line) {
  console.log(line);
}

export const now = () => Date.now();
export const random = () => Math.random();
export function random_bytes(length) {
  return crypto.getRandomValues(new Uint8Array(length));
}

const TRAPPED = JSON.stringify({
  error: { message: "the gateway restarted while it handled this call", type: "server_error", param: null, code: "internal_error" },
});

// After a trap: nobody is left waiting.
export function endAllCalls() {
  for (const call of calls.values()) {
    call.resolve(
      new Response(TRAPPED, { status: 500, headers: { "content-type": "application/json", "x-request-id": crypto.randomUUID() } }),
    );
    call.writer?.abort("the gateway restarted").catch(() => {});
    call.leave();
    call.finish?.();
  }
  calls.clear();
}
