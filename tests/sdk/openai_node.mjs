// openai-node against the gateway: what its users do, and what its errors say.
// Run by tests/tests/sdks.rs, which starts the gateway and sets TOLLHOUSE_URL and TOLLHOUSE_KEY.
import assert from "node:assert/strict";
import test from "node:test";
import OpenAI from "openai";

const baseURL = `${process.env.TOLLHOUSE_URL}/v1`;
const client = (options = {}) =>
  new OpenAI({ baseURL, apiKey: process.env.TOLLHOUSE_KEY, maxRetries: 0, ...options });
const messages = [{ role: "user", content: "Hello there" }];
const mock = (script) => ({ headers: { "tollhouse-mock": script } });

test("a completion has content, usage and a request id", async () => {
  const reply = await client().chat.completions.create({ model: "mock", messages });
  assert.ok(reply.choices[0].message.content);
  assert.ok(reply.usage.total_tokens > 0);
  assert.ok(reply._request_id);
});

test("a stream adds up to the whole answer", async () => {
  const whole = (await client().chat.completions.create({ model: "mock", messages })).choices[0].message.content;
  let text = "";
  for await (const chunk of await client().chat.completions.create({ model: "mock", messages, stream: true })) {
    text += chunk.choices[0]?.delta?.content ?? "";
  }
  assert.equal(text, whole);
});

test("the stream helper reaches its final message", async () => {
  const stream = client().chat.completions.stream({ model: "mock", messages });
  assert.ok(await stream.finalContent());
});

test("a required tool is called", async () => {
  const tools = [{ type: "function", function: { name: "look_up", parameters: { type: "object", properties: { q: { type: "string" } }, required: ["q"] } } }];
  const reply = await client().chat.completions.create({ model: "mock", messages, tools, tool_choice: "required" });
  assert.equal(reply.choices[0].message.tool_calls[0].function.name, "look_up");
});

test("a streamed tool call is put together", async () => {
  const tools = [{ type: "function", function: { name: "look_up", parameters: { type: "object", properties: { q: { type: "string" } }, required: ["q"] } } }];
  const stream = client().chat.completions.stream({ model: "mock", messages, tools, tool_choice: "required" });
  const message = await stream.finalMessage();
  assert.equal(typeof JSON.parse(message.tool_calls[0].function.arguments).q, "string");
});

test("embeddings come as numbers", async () => {
  const reply = await client().embeddings.create({ model: "embed", input: "one" });
  assert.equal(typeof reply.data[0].embedding[0], "number");
});

test("models are listed", async () => {
  const names = [];
  for await (const model of client().models.list()) names.push(model.id);
  assert.ok(names.includes("mock"));
});

test("errors are of the right class", async () => {
  await assert.rejects(client({ apiKey: "wrong" }).models.list(), OpenAI.AuthenticationError);
  await assert.rejects(client().chat.completions.create({ model: "nothing-like-it", messages }), OpenAI.NotFoundError);
  await assert.rejects(client().chat.completions.create({ model: "mock", messages, temperature: 3 }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.param, "temperature");
    assert.equal(error.code, "invalid_value");
    assert.ok(error.requestID);
    return true;
  });
  await assert.rejects(
    client().chat.completions.create({ model: "once", messages }, mock("status=429; retry-after=1")),
    OpenAI.RateLimitError,
  );
  await assert.rejects(
    client().chat.completions.create({ model: "once", messages }, mock("status=500")),
    OpenAI.InternalServerError,
  );
});

test("a cut stream is an error", async () => {
  const stream = await client().chat.completions.create({ model: "once", messages, stream: true }, mock("cut-after=2"));
  await assert.rejects(async () => {
    for await (const _ of stream);
  }, OpenAI.APIError);
});

test("leaving a stream leaves the gateway well", async () => {
  const stream = await client().chat.completions.create(
    { model: "mock", messages, stream: true },
    mock("chunk-interval-ms=20"),
  );
  for await (const _ of stream) break;
  await client().chat.completions.create({ model: "mock", messages });
});
