// The module that Cloudflare Workers loads: starts the Rust instance, hands it requests, and starts
// a fresh instance when one has trapped. What Rust asks JavaScript to do is in ops.js.
import { DurableObject } from "cloudflare:workers";
import wasmModule from "./index_bg.wasm";
import * as rust from "./rust.js";
import { Call, endAllCalls, hold } from "./ops.js";

rust.initSync({ module: wasmModule });

let generation = 0;
// The generation that knows the bindings.
let told = -1;

// Runs one entry into Rust. A trap, or an exception thrown through Rust, leaves the instance in an
// unknown state: every call in it is answered with an error, and the next one finds a new instance.
function enter(run) {
  try {
    return run();
  } catch (error) {
    console.error(JSON.stringify({ level: "error", event: "instance_trapped", message: String(error) }));
    endAllCalls();
    generation += 1;
    rust.__wbg_reset_state();
    return undefined;
  }
}

globalThis.tollhouse = {
  complete(born, id, slot, ending, head, body) {
    if (born === generation) enter(() => rust.complete(id, slot, ending, head, body, Date.now()));
  },
  generation: () => generation,
};

export default {
  fetch(request, env, ctx) {
    const call = new Call(request, env, ctx);
    // Also for a caller who leaves: what was taken for it is given back.
    hold(call);
    let head = `${request.method}\n${request.url}`;
    // Half as dear as iterating.
    request.headers.forEach((value, name) => {
      head += `\n${name}:${value}`;
    });
    enter(() => {
      if (told !== generation) rust.environment(env);
      told = generation;
      rust.begin(call.id, head, Date.now());
    });
    return call.reply;
  },
};

// A Durable Object lives as long as the isolate, a Rust instance until it traps.
function durable(name) {
  return class extends DurableObject {
    #inner;
    #born = -1;

    #current() {
      if (this.#born !== generation) {
        this.#inner = new rust[name](this.ctx, this.env);
        this.#born = generation;
      }
      return this.#inner;
    }

    async fetch(request) {
      const reply = enter(() => this.#current().fetch(request));
      return (await reply) ?? new Response("the object's instance was restarted", { status: 500 });
    }

    async alarm() {
      return enter(() => this.#current().alarm());
    }
  };
}

export const Limiter = durable("Limiter");
export const Ledger = durable("Ledger");
