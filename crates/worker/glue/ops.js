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

// How much may lie written and not yet taken by the caller before reading waits for it.
const UNTAKEN = 64 * 1024;

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
    // The first piece is waited for, so that it goes out before the next is looked at.
    this.untaken = UNTAKEN;
    this.drained = undefined;
    this.watched = false;
    this.answered = false;
    this.reply = new Promise((resolve) => (this.resolve = resolve));
    calls.set(this.id, this);
  }

  // From now on it matters whether the caller is still there. A call that is answered at once is
  // spared this: listening costs more than its answer.
  watch() {
    if (this.watched) return;
    this.watched = true;
    const { signal } = this.request;
    if (signal.aborted) this.leave();
    else signal.addEventListener("abort", () => this.leave(), { once: true });
  }

  answer(response) {
    this.answered = true;
    this.resolve(response);
  }

  // The caller is gone: everything under way for it is called off.
  leave() {
    if (this.left) return;
    this.left = true;
    for (const cancel of [...this.running]) cancel();
  }
}

// A busy isolate finds a timer and what came before it due at once, and may turn to the timer first.
// So whoever seems silent is listened to once more, for this long.
const HEAR_OUT_MS = 5;

function completer(id, slot) {
  const born = tollhouse.generation();
  let open = true;
  return (ending, head = "", body = EMPTY) => {
    if (!open) return;
    open = false;
    tollhouse.complete(born, id, slot, ending, head, body);
  };
}

// For failures that are heard of otherwise: that of a write through the writer's `closed`.
const ignore = () => {};

const text = (error) => String(error?.message ?? error).slice(0, 300);

// What is read and dropped of a body that is too long: a sender that is cut off sees a broken
// connection instead of the reason.
const DRAINED = 100 * 1024 * 1024;

// A body declared to be as short as this comes in one piece or so.
const SHORT = 64 * 1024;

// Reads a whole body; of one longer than `limit` bytes nothing is kept. `declared` is the length
// that its head gives, NaN where it gives none. `heard` is called for each piece of a body longer
// than `atOnce`, or of unknown length.
function readBounded(source, declared, limit, atOnce = limit, heard = ignore) {
  if (declared <= Math.min(limit, atOnce) || !source.body) return source.bytes();
  return readByPieces(source, declared, limit, heard);
}

async function readByPieces(source, declared, limit, heard) {
  const reader = source.body.getReader();
  let parts = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    heard();
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

// Header lines "name:value" to the record that Headers takes; pairs would cost it twice the time.
function record(lines) {
  const all = {};
  if (lines === "") return all;
  for (const line of lines.split("\n")) {
    const colon = line.indexOf(":");
    all[line.slice(0, colon)] = line.slice(colon + 1);
  }
  return all;
}

export function read_body(id, slot, declared, limit) {
  const call = calls.get(id);
  const done = completer(id, slot);
  readBounded(call.request, declared, limit).then(
    (body) => (body ? done(0, "", body) : done(TOO_LONG)),
    (error) => done(FAILED, text(error)),
  );
}

export function answer(id, status, head, body) {
  const call = calls.get(id);
  call.answer(new Response(body.length === 0 ? null : body.slice(), { status, headers: record(head) }));
}

// Answers with the very bytes that the provider sent, which are still at hand.
export function answer_received(id, upstream, status, head) {
  const call = calls.get(id);
  const held = call.upstream.get(upstream);
  call.answer(new Response(held?.body ?? null, { status, headers: record(head) }));
}

export function answer_stream(id, status, head) {
  const call = calls.get(id);
  const { readable, writable } = new IdentityTransformStream();
  call.writer = writable.getWriter();
  call.writer.closed.catch(() => call.leave());
  call.answer(new Response(readable, { status, headers: record(head) }));
}

export function write(id, bytes) {
  const call = calls.get(id);
  if (call.left || bytes.length === 0) return;
  call.untaken += bytes.length;
  call.written = call.writer.write(bytes.slice());
  call.written.catch(ignore);
}

export function close(id) {
  const call = calls.get(id);
  call.writer.close().catch(ignore);
}

// What Rust reads of a provider's headers; those of a success say only what it is.
function headLines(reply) {
  const { headers, status } = reply;
  let lines = `content-type:${headers.get("content-type") ?? ""}`;
  if (status === 200) return lines;
  for (const name of ["retry-after", "retry-after-ms"]) {
    const value = headers.get(name);
    if (value !== null) lines += `\n${name}:${value}`;
  }
  return lines;
}

const isEventStream = (lines) => lines.slice(13, 30).toLowerCase() === "text/event-stream";

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
export function send(id, slot, upstream, url, head, body, connectMs, headMs, idleMs, wholeMs, limit) {
  const call = calls.get(id);
  const done = completer(id, slot);
  const controller = new AbortController();
  let late = FAILED;
  const giveUp = (ending) => () => {
    late = ending;
    controller.abort();
  };
  const cancel = () => controller.abort();
  const held = { controller, cancel, pieces: undefined, body: undefined };
  call.upstream.set(upstream, held);
  call.running.add(cancel);
  // One timer for all bounds (the head, each piece, the whole): it is set anew only for a reply that
  // comes slowly.
  const began = Date.now();
  let due = began + headMs;
  let heardOut = false;
  let timer = setTimeout(function look() {
    const left = due - Date.now();
    if (left <= 0 && heardOut) return giveUp(TIMED_OUT)();
    heardOut = left <= 0;
    timer = setTimeout(look, Math.max(left, HEAR_OUT_MS));
  }, Math.min(headMs, idleMs));
  const until = (moment) => (due = Math.min(moment, began + wholeMs));
  const endProbe = probe(url, connectMs, giveUp(CONNECT_TIMED_OUT));
  const fail = (error) => {
    clearTimeout(timer);
    endProbe?.();
    call.running.delete(cancel);
    done(call.left ? CALLER_LEFT : late, text(error));
  };
  call.watch();
  if (call.left) return fail("the caller left");
  const received = (reply) => {
    // Some send their headers long before they know what to say.
    until(Math.max(due, Date.now() + idleMs));
    endProbe?.();
    reached.set(addressOf(url).host, Date.now());
    const lines = headLines(reply);
    if (reply.status === 200 && isEventStream(lines) && reply.body) {
      clearTimeout(timer);
      held.pieces = new Pieces(call, held, reply.body.getReader());
      done(NOTHING, lines);
      return;
    }
    const declared = Number(reply.headers.get("content-length") ?? NaN);
    return readBounded(reply, declared, limit, SHORT, () => until(Date.now() + idleMs)).then((body) => {
      held.body = body;
      clearTimeout(timer);
      call.running.delete(cancel);
      if (body) done(reply.status, lines, body);
      else done(TOO_LONG, lines);
    });
  };
  const sent = body.length ? { method: "POST", body: body.slice() } : { method: "GET" };
  fetch(url, { ...sent, headers: record(head), redirect: "manual", signal: controller.signal })
    .then(received)
    .catch(fail);
}

// A provider's open event stream: read piece by piece, with one timer and one set of closures for all
// of them.
class Pieces {
  constructor(call, held, reader) {
    this.call = call;
    this.held = held;
    this.reader = reader;
    this.done = undefined;
    this.idleMs = 0;
    // When the piece that is asked for is late, and when the timer rings.
    this.until = Infinity;
    this.due = Infinity;
    this.timer = undefined;
    this.heardOut = false;
    // A piece that came when nobody waited for it any more.
    this.early = undefined;
    this.reading = false;
    this.arrived = (piece) => {
      this.reading = false;
      this.until = Infinity;
      this.heardOut = false;
      if (this.done === undefined) this.early = piece;
      else this.hand(piece);
    };
    this.failed = () => {
      this.reading = false;
      this.hand(undefined);
    };
    this.rung = () => {
      this.due = Infinity;
      if (this.until === Infinity) return;
      if (Date.now() < this.until) return this.arm();
      if (!this.heardOut) return this.hearOut();
      this.until = Infinity;
      this.heardOut = false;
      this.end(TIMED_OUT);
    };
    this.ask = () => {
      const { early } = this;
      this.early = undefined;
      if (this.call.left) return this.hand(undefined);
      if (early) return this.hand(early);
      this.until = Date.now() + this.idleMs;
      // A timer that rings too early looks again, so it is set anew only where it would ring too late.
      if (this.until < this.due) this.arm();
      if (this.reading) return;
      this.reading = true;
      this.reader.read().then(this.arrived, this.failed);
    };
  }

  // Hands on what was read; nothing is a failure.
  hand(piece) {
    if (piece && !piece.done) return this.end(0, piece.value);
    this.over();
    if (piece) return this.end(NOTHING);
    this.end(this.call.left ? CALLER_LEFT : FAILED);
  }

  next(done, idleMs) {
    const { call } = this;
    this.done = done;
    this.idleMs = idleMs;
    if (call.untaken < UNTAKEN || !call.written) return this.ask();
    call.untaken = 0;
    call.written.then(this.ask, this.ask);
  }

  arm() {
    clearTimeout(this.timer);
    this.due = this.until;
    this.timer = setTimeout(this.rung, Math.max(0, this.until - Date.now()));
  }

  hearOut() {
    this.heardOut = true;
    this.due = this.until;
    this.timer = setTimeout(this.rung, HEAR_OUT_MS);
  }

  end(ending, piece) {
    const { done } = this;
    this.done = undefined;
    done?.(ending, "", piece);
  }

  over() {
    clearTimeout(this.timer);
    this.until = Infinity;
    this.due = Infinity;
    this.call.running.delete(this.held.cancel);
  }

  // Nobody reads on. A stream whose end is already there is read up to it, which keeps its
  // connection for the next call; any other is called off.
  drop() {
    this.over();
    if (this.call.left || this.reading) return this.held.controller.abort();
    this.call.drained = new Promise((resolve) => {
      const called = () => {
        this.held.controller.abort();
        resolve();
      };
      const timer = setTimeout(called, DRAIN_MS);
      this.reader.read().then(({ done }) => {
        clearTimeout(timer);
        if (done) resolve();
        else called();
      }, resolve);
    });
  }
}

// How long the end of a stream that has said everything is waited for.
const DRAIN_MS = 100;

// The next piece of an event stream; where the caller reads slowly, once it has taken what it got.
export function read(id, slot, upstream, idleMs) {
  const call = calls.get(id);
  call.upstream.get(upstream).pieces.next(completer(id, slot), idleMs);
}

// Calls a provider off: its answer is not wanted any more.
export function drop_upstream(id, upstream) {
  const call = calls.get(id);
  const held = call?.upstream.get(upstream);
  if (!held) return;
  call.upstream.delete(upstream);
  if (held.pieces) return held.pieces.drop();
  call.running.delete(held.cancel);
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
  call.watch();
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
  const call = calls.get(id);
  // Nobody needs what the providers said any more.
  call.upstream.clear();
  answerAnyway(call);
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

// A file of the deployment's static assets.
export function asset(id, slot, name) {
  const done = completer(id, slot);
  const { ASSETS } = calls.get(id).env;
  if (!ASSETS) return done(NOTHING);
  ASSETS.fetch(`https://assets/${name}`).then(
    async (reply) => (reply.ok ? done(0, "", await reply.bytes()) : done(NOTHING)),
    (error) => done(FAILED, text(error)),
  );
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
    headers: { "content-type": "application/json", ...record(head) },
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

// What is done for a call keeps the Worker awake until `finish`. What follows a trap is done here
// and not where the trap was: one request may not touch another one's streams and timers.
export function hold(call) {
  const finished = new Promise((resolve) => (call.finish = resolve));
  call.ctx.waitUntil(finished.then((trapped) => trapped && fail(call)));
}

export function finish(id) {
  const call = calls.get(id);
  if (!call) return;
  calls.delete(id);
  answerAnyway(call);
  if (call.drained) call.drained.then(() => call.finish(false));
  else call.finish(false);
}

const LEFT = JSON.stringify({
  error: { message: "the request ended before it was complete", type: "invalid_request_error", param: null, code: "client_closed_request" },
});

// A caller who left gets no answer from Rust. Its connection may be open in one direction, and the
// platform takes a call without any answer for one that hangs.
function answerAnyway(call) {
  if (call.answered) return;
  call.answer(new Response(LEFT, { status: 499, headers: { "content-type": "application/json", "x-request-id": crypto.randomUUID() } }));
}

// Ends a call whose Rust instance is gone. Only whole events were written to a stream, so the error
// is one more.
function fail(call) {
  const headers = { "content-type": "application/json", "x-request-id": crypto.randomUUID() };
  call.answer(new Response(TRAPPED, { status: 500, headers }));
  if (call.writer) {
    call.writer.write(new TextEncoder().encode(`data: ${TRAPPED}\n\n`)).catch(ignore);
    call.writer.close().catch(ignore);
  }
  call.leave();
}

export function log(line) {
  console.log(line);
}

export const now = () => Date.now();
export const random = () => Math.random();

// Random bytes are fetched by the kilobyte: a few at a time cost as much.
const pool = new Uint8Array(1024);
let drawn = pool.length;

export function random_bytes(length) {
  if (drawn + length > pool.length) {
    crypto.getRandomValues(pool);
    drawn = 0;
  }
  const from = drawn;
  drawn += length;
  return pool.subarray(from, drawn);
}

const TRAPPED = JSON.stringify({
  error: { message: "the gateway restarted while it handled this call", type: "server_error", param: null, code: "internal_error" },
});

// After a trap: nobody is left waiting.
export function endAllCalls() {
  for (const call of calls.values()) call.finish(true);
  calls.clear();
}
