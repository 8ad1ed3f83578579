// Times the classifiers native, in workerd (from outside, because the clock stands still inside), and
// the same graph under onnxruntime-node and onnxruntime-web, interleaved in one run.
//
//   node classify.mjs MODEL-FOLDER NATIVE-BINARY WASM-FILE ORT-FOLDER
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from "miniflare";

const [model, native, wasm, ort] = process.argv.slice(2);
const TOKENS = [32, 128, 512];
const ROUNDS = 9;
const WORDS = "please read the report of last week and tell me which of the figures changed most since then , and why .".split(" ");
const texts = new Map(TOKENS.map((count) => [count, Array.from({ length: count }, (_, at) => WORDS[(at * 7) % WORDS.length]).join(" ")]));

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const since = (start) => Number(process.hrtime.bigint() - start) / 1e3;
const cell = (value) => (value === undefined || value === null ? "-" : value.toFixed(value < 100 ? 1 : 0)).padStart(10);

// --- native
const folder = mkdtempSync(join(tmpdir(), "classify-"));
const files = TOKENS.map((count) => {
  const file = join(folder, `${count}.txt`);
  writeFileSync(file, texts.get(count));
  return file;
});
const lines = execFileSync(native, ["prompt-injection", ...files], { encoding: "utf8" }).trim().split("\n").map((line) => JSON.parse(line));
const [loaded, ...timed] = lines;

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
    const { text, times, core } = await request.json();
    const bytes = new TextEncoder().encode(text);
    // The memory may move when there has to be room.
    const at = exports.room(bytes.length);
    new Uint8Array(exports.memory.buffer, at, bytes.length).set(bytes);
    const sum = exports.judge(times, core);
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
async function ask(text, times, core) {
  const start = process.hrtime.bigint();
  const reply = await fetch(address, { method: "POST", body: JSON.stringify({ text, times, core }) });
  const answer = await reply.json();
  return { ...answer, micros: since(start) };
}
const first = await ask("hello", 0, false);
const firstBoth = await ask("hello", 0, true);
const warm = median(await Promise.all(Array.from({ length: 9 }, async () => (await ask("hello", 0, false)).micros)));
async function inWorkerd(text, times, core) {
  const [one, many] = [await ask(text, 0, core), await ask(text, times, core)];
  return one.sum < 0 ? undefined : (many.micros - one.micros) / times;
}

// --- onnxruntime
async function sessions() {
  const path = join(model, "core.onnx");
  if (!readdirSync(model).includes("core.onnx")) return {};
  const manifest = readFileSync(join(model, "manifest.toml"), "utf8");
  const width = (/views = \[(.*)\]/.exec(manifest)?.[1] ?? "one").split(",").length;
  const window = Number(/\[core\][\s\S]*?window = (\d+)/.exec(manifest)[1]);
  const input = /ids = "([^"]+)"/.exec(manifest)[1];
  const need = createRequire(join(ort, "package.json"));
  const found = { window };
  for (const name of ["onnxruntime-node", "onnxruntime-web"]) {
    const runtime = need(name);
    if (runtime.env?.wasm) runtime.env.wasm.numThreads = 1;
    const session = await runtime.InferenceSession.create(new Uint8Array(readFileSync(path)), { intraOpNumThreads: 1, interOpNumThreads: 1 });
    found[name] = async (rows) => {
      const ids = BigInt64Array.from({ length: rows * width }, (_, at) => BigInt(5 + ((at * 7919) % 4000)));
      const tensor = new runtime.Tensor("int64", ids, width > 1 ? [1, rows, width] : [1, rows]);
      const start = process.hrtime.bigint();
      for (let at = 0; at < 20; at += 1) await session.run({ [input]: tensor });
      return since(start) / 20;
    };
  }
  return found;
}
const runtimes = await sessions();

console.log("classifier, µs a text   tokens     native    workerd   ort-node    ort-web");
for (const [at, count] of TOKENS.entries()) {
  const text = texts.get(count);
  const rounds = { linear: [], both: [], node: [], web: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.linear.push(await inWorkerd(text, 200, false));
    rounds.both.push(await inWorkerd(text, 20, true));
    if (count <= (runtimes.window ?? 0)) {
      rounds.node.push(await runtimes["onnxruntime-node"](count));
      rounds.web.push(await runtimes["onnxruntime-web"](count));
    }
  }
  console.log(`always-on linear       ${String(count).padStart(7)} ${cell(timed[at].linear)} ${cell(median(rounds.linear))}`);
  if (timed[at].both !== null) {
    const ratio = rounds.web.length ? `  ${(median(rounds.both) / median(rounds.web)).toFixed(2)} of ort-web` : "";
    console.log(`linear and core        ${String(count).padStart(7)} ${cell(timed[at].both)} ${cell(median(rounds.both))} ${cell(median(rounds.node))} ${cell(median(rounds.web))}${ratio}`);
  }
}
const last = await ask("hello", 0, false);
const bytes = readFileSync(wasm);
const weights = readdirSync(model).filter((name) => /\.(bin|onnx)$/.test(name)).reduce((sum, name) => sum + statSync(join(model, name)).size, 0);
const kib = (value) => `${Math.ceil(value / 1024)} KiB`;
console.log(`load: native ${loaded.load_ms.toFixed(1)} ms (twice: gate shut and open)`);
console.log(`first request in workerd: ${((first.micros - warm) / 1e3).toFixed(1)} ms more than a later one (linear), ${((firstBoth.micros - warm) / 1e3).toFixed(1)} ms for the core`);
console.log(`wasm of the classifier alone: ${kib(bytes.length)}, ${kib(gzipSync(bytes, { level: 9 }).length)} gzipped, of which weights ${kib(weights)}`);
console.log(`memory of the instance after all rounds: ${kib(last.bytes)}`);
await miniflare.dispose();
