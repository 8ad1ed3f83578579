// Judges the golden texts of models that a team would bring along, in WebAssembly, and says what differs
// from onnxruntime: node brought.mjs WASM FOLDER
import { readFileSync } from "node:fs";

const TOLERANCE = 1e-4;
const [, , wasm, folder] = process.argv;
const module = new WebAssembly.Module(readFileSync(wasm));
// Tables of tokens are hashed with a random seed; nothing else is asked of JavaScript.
const imports = {};
for (const { module: from, name } of WebAssembly.Module.imports(module)) {
  (imports[from] ??= {})[name] = name.includes("getRandomValues")
    ? (at, length) => crypto.getRandomValues(new Uint8Array(memory.buffer, at, length))
    : () => {
        throw new Error(`${from}.${name} was called`);
      };
}
const { room, score, memory } = new WebAssembly.Instance(module, imports).exports;

let compared = 0;
["wordpiece", "bpe"].forEach((name, model) => {
  const lines = readFileSync(`${folder}/${name}/golden.jsonl`, "utf8").trim().split("\n");
  for (const { text, score: wanted } of lines.map((line) => JSON.parse(line))) {
    const bytes = new TextEncoder().encode(text);
    // The memory may move when there has to be room.
    const at = room(bytes.length);
    new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
    const found = score(model);
    compared += 1;
    if (!(Math.abs(found - wanted) <= TOLERANCE)) {
      console.log(`${name}: ${JSON.stringify(text.slice(0, 60))}: ${found}, not ${wanted}`);
      process.exitCode = 1;
    }
  }
});
console.log(`${compared} texts compared`);
