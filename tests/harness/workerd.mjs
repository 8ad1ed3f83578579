// Starts the built gateway under real workerd (through Miniflare) for tests and benchmarks.
//
// stdin's first line is the options; every further line is a command. stdout gets one JSON line for
// each: first {"gateways": [urls], "floor": url}, then an answer a command. Logs go to stderr, or to
// the file `options.log`.
import { createWriteStream, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from "miniflare";

const root = fileURLToPath(new URL("../..", import.meta.url));
const build = `${root}crates/worker/build`;
const manifest = readFileSync(`${root}wrangler.toml`, "utf8");
const compatibilityDate = /compatibility_date = "([^"]+)"/.exec(manifest)[1];
const compatibilityFlags = JSON.parse(/compatibility_flags = (\[.*\])/.exec(manifest)[1]);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => {
  const { value, done } = await lines.next();
  return done ? undefined : JSON.parse(value);
};
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const options = await next();
const log = options.log ? createWriteStream(options.log, { flags: "a" }) : process.stderr;

// Several workers of the same code stand for several isolates: each has its own memory, and all
// share the first one's Durable Objects and the same KV.
function gateway(index) {
  const scriptName = index === 0 ? undefined : "gateway-0";
  const limiterName = options.limiter ? "limiter" : scriptName;
  return {
    name: `gateway-${index}`,
    modulesRoot: build,
    modules: [
      ...(options.probed ? PROBES : []),
      ...(options.dataset ? DATASET : []),
      { type: "ESModule", path: `${build}/index.js` },
      { type: "CompiledWasm", path: `${build}/index_bg.wasm` },
    ],
    compatibilityDate,
    compatibilityFlags,
    bindings: options.bindings ?? {},
    kvNamespaces: { CACHE: "cache", CONFIG: "config" },
    durableObjects: {
      LIMITER: { className: "Limiter", scriptName: limiterName, useSQLite: true },
      LEDGER: { className: "Ledger", scriptName, useSQLite: true },
    },
    ...(options.page ? { assets: PAGE } : {}),
    unsafeDirectSockets: [{ host: "127.0.0.1", port: options.ports?.[index] ?? 0 }],
  };
}

// The files of the operators' page, as wrangler.toml has them.
const PAGE = {
  directory: `${root}crates/worker/admin`,
  binding: "ASSETS",
  assetConfig: { html_handling: "none" },
  routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: true },
};

// What stands around the Worker where a test asks for it.
const own = (file) => ({
  type: "ESModule",
  path: `${build}/${file.replace(".mjs", ".js")}`,
  contents: readFileSync(`${root}tests/harness/${file}`, "utf8"),
});
const PROBES = ["probed.mjs", "spy.mjs"].map(own);
const DATASET = [own("dataset.mjs")];

// A limiter out of reach, in the place of the Worker's own.
const LIMITERS = {
  failing: `throw new Error("the object is overloaded");`,
  silent: `return new Promise(() => {});`,
};

const limiter = (kind) => `
import { DurableObject } from "cloudflare:workers";
export class Limiter extends DurableObject {
  async fetch() { ${LIMITERS[kind]} }
}
export default { fetch: () => new Response() };`;

const FLOOR = `export default {
  async fetch(request, env) {
    const body = await request.arrayBuffer();
    return fetch(env.UPSTREAM + new URL(request.url).pathname, {
      method: request.method, headers: { "content-type": "application/json" }, body,
    });
  },
};`;

const workers = Array.from({ length: options.isolates ?? 1 }, (_, index) => gateway(index));
if (options.limiter) {
  workers.push({
    name: "limiter",
    modules: true,
    script: limiter(options.limiter),
    compatibilityDate,
    durableObjects: { OWN: { className: "Limiter", useSQLite: true } },
  });
}
if (options.floor) {
  workers.push({
    name: "floor",
    modules: true,
    script: FLOOR,
    compatibilityDate,
    bindings: { UPSTREAM: options.floor },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  });
}

const miniflare = new Miniflare({
  ...convertV4MiniflareOptions({
    workers,
    cf: false,
    log: new Log(LogLevel.WARN),
    handleStructuredLogs: ({ message }) => log.write(`${message}\n`),
  }),
  ...(options.persist ? { resourcePersistencePath: options.persist } : {}),
});
await miniflare.ready;
for (const [binding, entries] of Object.entries(options.kv ?? {})) {
  const store = await miniflare.getKVNamespace(binding, "gateway-0");
  for (const [key, value] of Object.entries(entries)) await store.put(key, value);
}

const address = async (name) => String(await miniflare.unsafeGetDirectURL(name)).replace(/\/$/, "");
say({
  gateways: await Promise.all(Array.from({ length: options.isolates ?? 1 }, (_, index) => address(`gateway-${index}`))),
  floor: options.floor ? await address("floor") : null,
});

const commands = {
  async put({ binding, key, value }) {
    const store = await miniflare.getKVNamespace(binding, "gateway-0");
    await store.put(key, value);
    return {};
  },
  async delete({ binding, key }) {
    const store = await miniflare.getKVNamespace(binding, "gateway-0");
    await store.delete(key);
    return {};
  },
  // Everything a namespace holds, values in base64.
  async dump({ binding }) {
    const store = await miniflare.getKVNamespace(binding, "gateway-0");
    const entries = {};
    for (const { name } of (await store.list()).keys) {
      entries[name] = Buffer.from(await store.get(name, "arrayBuffer")).toString("base64");
    }
    return { entries };
  },
};

for (let command = await next(); command; command = await next()) {
  try {
    say(await commands[command.do](command));
  } catch (error) {
    say({ error: String(error) });
  }
}
await miniflare.dispose();
process.exit(0);
