// Times the classifiers native, in workerd (from outside, because the clock stands still inside), and
// the same graphs under onnxruntime-node and onnxruntime-web, interleaved in one run.
//
//   node classify.mjs NATIVE-BINARY WASM-FILE ORT-FOLDER MODEL-FOLDER…     (the folders sorted by name)
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from "miniflare";

const [native, wasm, ort, ...models] = process.argv.slice(2);
const TOKENS = [32, 128, 512];
const ROUNDS = 9;
const WORDS = "please read the report of last week and tell me which of the figures changed most since then , and why .".split(" ");
// One token of a model's window says where the text comes from.
const texts = new Map(TOKENS.map((count) => [count, Array.from({ length: count - 1 }, (_, at) => WORDS[(at * 7) % WORDS.length]).join(" ")]));

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const since = (start) => Number(process.hrtime.bigint() - start) / 1e3;
const cell = (value) => (value === undefined ? "-" : value.toFixed(value < 100 ? 1 : 0)).padStart(10);
const kib = (value) => `${Math.ceil(value / 1024)} KiB`;

// --- native
const folder = mkdtempSync(join(tmpdir(), "classify-"));
const files = TOKENS.map((count) => {
  const file = join(folder, `${count}.txt`);
  writeFileSync(file, texts.get(count));
  return file;
});
const timed = execFileSync(native, files, { encoding: "utf8" }).trim().split("\n").map((line) => JSON.parse(line));
const natively = (model, at) => timed.find((line) => line.model === model && line.file === files[at]);

// --- workerd
const SHIM = `import module from "./speed.wasm";
let exports;
function start() {
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => { throw new Error(name); };
  exports = new WebAssembly.Instance(module, imports).exports;
}
export default {
  async fetch(request) {
    if (!exports) start();
    const { text, times, model } = await request.json();
    if (model < 0) return Response.json({ bytes: exports.memory.buffer.byteLength });
    const bytes = new TextEncoder().encode(text);
    // The memory may move when there has to be room.
    const at = exports.room(bytes.length);
    new Uint8Array(exports.memory.buffer, at, bytes.length).set(bytes);
    const sum = exports.judge(model, times);
    return Response.json({ sum, bytes: exports.memory.buffer.byteLength });
  },
};`;
const miniflare = new Miniflare(convertV4MiniflareOptions({
  cf: false,
  log: new Log(LogLevel.WARN),
  workers: [{
    name: "speed",
    modulesRoot: folder,
    modules: [
      { type: "ESModule", path: join(folder, "shim.mjs"), contents: SHIM },
      { type: "CompiledWasm", path: join(folder, "speed.wasm"), contents: readFileSync(wasm) },
    ],
    compatibilityDate: "2026-10-20",
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  }],
}));
await miniflare.ready;
const address = await miniflare.unsafeGetDirectURL("speed");
async function ask(model, text, times) {
  const start = process.hrtime.bigint();
  const reply = await fetch(address, { method: "POST", body: JSON.stringify({ text, times, model }) });
  if (!reply.ok) throw new Error(`${models[model]}: ${await reply.text()}`);
  return { ...(await reply.json()), micros: since(start) };
}
async function inWorkerd(model, text, times) {
  const [one, many] = [await ask(model, text, 0), await ask(model, text, times)];
  return (many.micros - one.micros) / times;
}

// --- onnxruntime, each package with its own execution provider
const RUNTIMES = { "onnxruntime-node": "cpu", "onnxruntime-web": "wasm" };

async function sessions(model) {
  const path = join(model, "core.onnx");
  if (!existsSync(path)) return undefined;
  const manifest = readFileSync(join(model, "manifest.toml"), "utf8");
  const width = (/views = \[(.*)\]/.exec(manifest)?.[1] ?? "one").split(",").length;
  const window = Number(/\[core\][\s\S]*?window = (\d+)/.exec(manifest)[1]);
  const [, ids, mask] = /ids = "([^"]+)"(?:, mask = "([^"]+)")?/.exec(manifest);
  const need = createRequire(resolve(ort, "package.json"));
  const found = { window };
  const handlers = new Set();
  // Both packages register their backends with the one onnxruntime-common that they share, and its
  // default is the native one: unless the provider is named, onnxruntime-web runs native code too.
  for (const [name, provider] of Object.entries(RUNTIMES)) {
    const runtime = need(name);
    if (runtime.env?.wasm) runtime.env.wasm.numThreads = 1;
    const session = await runtime.InferenceSession.create(new Uint8Array(readFileSync(path)), {
      executionProviders: [provider], intraOpNumThreads: 1, interOpNumThreads: 1,
    });
    handlers.add(session.handler.constructor);
    found[name] = async (rows) => {
      const values = BigInt64Array.from({ length: rows * width }, (_, at) => BigInt(5 + ((at * 7919) % 4000)));
      const feeds = { [ids]: new runtime.Tensor("int64", values, width > 1 ? [1, rows, width] : [1, rows]) };
      if (mask) feeds[mask] = new runtime.Tensor("int64", new BigInt64Array(rows).fill(1n), [1, rows]);
      const start = process.hrtime.bigint();
      for (let at = 0; at < 20; at += 1) await session.run(feeds);
      return since(start) / 20;
    };
  }
  if (handlers.size !== Object.keys(RUNTIMES).length) throw new Error("onnxruntime-node and onnxruntime-web ran on the same backend");
  return found;
}

const started = (await ask(-1, "", 0)).micros;
console.log("classifier, µs a text   tokens     native    workerd   ort-node    ort-web");
for (const [index, model] of models.entries()) {
  const name = basename(model);
  const first = (await ask(index, "hello", 0)).micros;
  const runtimes = await sessions(model);
  for (const [at, count] of TOKENS.entries()) {
    const text = texts.get(count);
    const rounds = { workerd: [], node: [], web: [] };
    for (let round = 0; round < ROUNDS; round += 1) {
      rounds.workerd.push(await inWorkerd(index, text, runtimes ? 20 : 200));
      if (count <= (runtimes?.window ?? 0)) {
        rounds.node.push(await runtimes["onnxruntime-node"](count));
        rounds.web.push(await runtimes["onnxruntime-web"](count));
      }
    }
    const ratio = rounds.web.length ? `  ${(median(rounds.workerd) / median(rounds.web)).toFixed(2)} of ort-web` : "";
    console.log(`${name.padEnd(22)} ${String(count).padStart(7)} ${cell(natively(name, at).micros)} ${cell(median(rounds.workerd))} ${cell(median(rounds.node))} ${cell(median(rounds.web))}${ratio}`);
  }
  const memory = (await ask(-1, "", 0)).bytes;
  console.log(`${name}: loads in ${natively(name, 0).load_ms.toFixed(1)} ms native; its first request in workerd took ${(first / 1e3).toFixed(1)} ms; memory of the instance after it: ${kib(memory)}`);
}
const bytes = readFileSync(wasm);
console.log(`first request to the isolate, without a model: ${(started / 1e3).toFixed(1)} ms`);
console.log(`wasm of the classifiers alone, the models above included: ${kib(bytes.length)}, ${kib(gzipSync(bytes, { level: 9 }).length)} gzipped`);
await miniflare.dispose();
