// The operators' page in headless Chromium: opened, read, clicked through, at every width and in both
// schemes. Screenshots are left in target/admin-page, for people to look at.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const { TOLLHOUSE_URL: url, TOLLHOUSE_CHROMIUM: executablePath } = process.env;
const ADMIN_KEY = "admin-key-0123456789";
const SHOTS = fileURLToPath(new URL("../../target/admin-page", import.meta.url));
const VIEWS = ["overview", "spend", "providers", "guards", "errors", "config", "playground"];

let browser;
before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
});
after(() => browser?.close());

// A page in a browser of its own, and what went wrong in it.
async function visit(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: "light", ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error.stack));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) wrong.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("blob:")) wrong.push(`asked ${request.url()}`);
  });
  await page.addInitScript(() => {
    window.shifts = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  await page.goto(`${url}/admin`);
  return { page, wrong, close: () => context.close() };
}

async function enter(options) {
  const visitor = await visit(options);
  await visitor.page.fill("#key", ADMIN_KEY);
  await visitor.page.keyboard.press("Enter");
  await visitor.page.waitForSelector(".figure");
  return visitor;
}

async function go(page, view) {
  await page.click(`nav a[href="#${view}"]`);
  await page.waitForSelector(`nav a[href="#${view}"][aria-current="page"]`);
}

const shot = (page, name) => page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });

function chat(key, model, content, headers = {}) {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}`, ...headers },
    body: JSON.stringify({ model, messages: [{ role: "user", content }] }),
  }).then(async (reply) => [reply.status, await reply.text()]);
}

async function traffic() {
  for (let number = 0; number < 8; number++) assert.equal((await chat("team-key", "fast", `question ${number}`))[0], 200);
  assert.equal((await chat("team-key", "fast", "question 0"))[0], 200);
  assert.equal((await chat("team-key", "fast", "my card is 4111 1111 1111 1111"))[0], 403);
  assert.equal((await chat("team-key", "fast", "broken", { "tollhouse-mock": "status=503" }))[0], 502);
  assert.equal((await chat("team-key", "large", "one for the GPU"))[0], 200);
  assert.equal((await chat("nobody-s", "fast", "let me in"))[0], 401);
}

// The text of a row's cells, by the row's first cell, in the table below a heading.
const rows = (page, heading) =>
  page.evaluate((heading) => {
    const sheet = [...document.querySelectorAll(".sheet")].find((it) => it.querySelector("h3")?.textContent === heading);
    return [...(sheet?.querySelectorAll("tbody tr") ?? [])].map((row) => [...row.cells].map((cell) => cell.innerText.trim()));
  }, heading);

const figure = (page, name) =>
  page.evaluate((name) => [...document.querySelectorAll(".figure")].find((it) => it.firstChild.textContent === name).innerText, name);

test("a wrong key opens nothing and is said to be wrong", async () => {
  const { page, wrong, close } = await visit();
  assert.equal(await page.evaluate(() => document.activeElement.id), "key");
  await page.fill("#key", "not-the-key");
  await page.click("#door button");
  await page.waitForSelector("#problem:not([hidden])");
  assert.match(await page.textContent("#problem"), /invalid_api_key/);
  assert.equal(await page.isVisible("nav"), false);
  assert.deepEqual(await page.evaluate(() => [sessionStorage.length, document.cookie]), [0, ""]);
  await shot(page, "door");
  assert.deepEqual(wrong, []);
  await close();
});

test("it shows what traffic did", async () => {
  await traffic();
  const { page, wrong, close } = await enter();
  await page.waitForFunction(() => document.querySelector(".figure b")?.textContent === "13", undefined, { timeout: 30_000 });
  assert.match(await figure(page, "Failed"), /1, and 2 by callers/);
  assert.match(await figure(page, "Cache hits"), /1 of 1\d/);
  const models = await rows(page, "Models");
  const fast = models.find(([name]) => name === "fast");
  assert.deepEqual(fast.slice(1, 4), ["11", "1", "1"]);
  assert.match(fast.at(-1), /^\$0\.0\d+$/);
  assert.match(await page.getAttribute(".charts svg[role=img]", "aria-label"), /^Requests\. Last at .*answered 10, /);
  await shot(page, "overview");

  await go(page, "spend");
  await page.waitForFunction(() => document.querySelectorAll("tbody tr").length > 5);
  const budgets = await rows(page, "Budgets");
  assert.deepEqual(budgets.map(([whose]) => whose), ["team key"]);
  assert.match(budgets[0][2], /^\$0\.000/);
  const spent = (await rows(page, "By key")).find(([name]) => name === "team");
  assert.equal(spent[1], "12");
  const [saved] = await Promise.all([page.waitForEvent("download"), page.click("text=Save as CSV")]);
  assert.match(saved.suggestedFilename(), /^usage-from-\d{4}-\d\d-\d\d\.csv$/);
  await shot(page, "spend");

  await go(page, "providers");
  const targets = await rows(page, "Targets");
  const dead = targets.find(([name]) => name === "gpu/llama");
  assert.match(dead[1], /closed|open/);
  assert.match(dead[5], /upstream_unreachable/);
  await shot(page, "providers");

  await go(page, "guards");
  const guards = await rows(page, "Guards");
  assert.equal(guards.find(([name, stage]) => name === "pii" && stage === "input").at(-2), "1");
  await shot(page, "guards");

  await go(page, "errors");
  await page.waitForSelector("tbody tr");
  const errors = await rows(page, "Recent errors");
  assert.deepEqual(errors.map(([, code]) => code.split("\n")[0]).sort(), ["guard_blocked", "invalid_api_key", "upstream_error"]);
  await page.click("summary");
  assert.match(await page.innerText("details[open] li"), /^mock\/gpt-4o-mini: 503, upstream_error/);
  await page.selectOption("#fault", "caller");
  assert.equal((await rows(page, "Recent errors")).length, 2);
  await shot(page, "errors");
  assert.ok(!(await page.content()).includes("4111"), "content of a request on the page");

  await go(page, "config");
  await page.waitForSelector("#find");
  await page.type("#find", "sha256");
  const digests = await rows(page, "Values");
  assert.deepEqual(digests.map(([, value]) => /^"[0-9a-f]{8}…"$/.test(value)), [true]);
  await page.fill("#find", "");
  const before = (await rows(page, "Values")).length;
  await page.check("#defaults");
  assert.ok((await rows(page, "Values")).length > before + 30);
  assert.ok(!(await page.content()).includes("sk-canary"), "a secret on the page");
  await shot(page, "config");
  assert.ok((await page.evaluate(() => window.shifts)) < 0.05, "things moved while nobody touched them");
  assert.deepEqual(wrong, []);
  await close();
});

test("the playground shows what each stage decided", async () => {
  const { page, wrong, close } = await enter();
  await go(page, "playground");
  await page.fill("#caller", "team-key");
  await page.fill("#model", "fast");
  await page.fill("#text", "Tell me a story about a toll house.");
  await page.check("#stream");
  await page.click("#send");
  await page.waitForSelector(".stages li");
  assert.match(await page.innerText("#answer"), /You said: "Tell me a story/);
  const stages = () => page.$$eval(".stages li", (all) => all.map((it) => [it.querySelector("b").innerText, it.className, it.innerText]));
  let decided = await stages();
  assert.deepEqual(decided.map(([name]) => name), ["Authenticate", "Request limits", "Validate", "Guards", "Cache, budget", "Token limits", "Providers"]);
  assert.ok(decided.every(([, state]) => state === "passed"), JSON.stringify(decided));
  assert.match(decided[0][2], /key team/);
  assert.match(decided[6][2], /mock\/gpt-4o-mini 200/);
  await shot(page, "playground");

  await page.fill("#text", "My card is 4111 1111 1111 1111, charge it.");
  await page.keyboard.press("Tab");
  await page.click("#send");
  await page.waitForSelector(".stages li.refused");
  decided = await stages();
  assert.deepEqual(decided.map(([, state]) => state), ["passed", "passed", "passed", "refused", "unreached", "unreached", "unreached"]);
  assert.match(decided[3][2], /guard_blocked[^]*pii: block/);
  await shot(page, "playground-refused");

  await page.fill("#text", "Wait.");
  await page.fill("#mock", "silent");
  await page.click("#send");
  await page.click("#stop");
  await page.waitForFunction(() => document.querySelector("#answered")?.innerText === "Stopped");
  await go(page, "overview");
  await go(page, "playground");
  assert.equal(await page.inputValue("#caller"), "", "a caller's key outlived its view");
  assert.deepEqual(wrong, []);
  await close();
});

test("everything can be reached by keyboard", async () => {
  const { page, wrong, close } = await visit();
  await page.keyboard.type(ADMIN_KEY);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".figure");
  await page.reload();
  await page.waitForSelector(".figure");
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.id);
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Skip to content");
  const reached = new Set();
  for (let presses = 0; presses < 30; presses++) {
    await page.keyboard.press("Tab");
    reached.add(await focused());
    if ((await focused()) === "Guards") break;
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none", await focused());
  }
  for (const name of ["Auto", "Lock", "Overview", "Guards"]) assert.ok(reached.has(name), `${name} in ${[...reached]}`);
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "content");
  assert.match(await page.title(), /^Guards/);
  // What somebody types is not lost when the page asks anew.
  await go(page, "config");
  await page.waitForSelector("#find");
  await page.type("#find", "models.fast");
  await page.selectOption("#window", "3h");
  await page.waitForTimeout(500);
  assert.equal(await page.inputValue("#find"), "models.fast");
  assert.deepEqual(wrong, []);
  await close();
});

// The contrast of an element's text to what lies behind it, as WCAG 2 has it.
const contrast = (page, selector) =>
  page.$eval(selector, (element) => {
    const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
    const light = ([red, green, blue]) =>
      [red, green, blue].map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
        .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
    let behind = element;
    while (channels(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
    const [high, low] = [light(channels(getComputedStyle(element).color)), light(channels(getComputedStyle(behind).backgroundColor))].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  });

test("it can be read in the dark and in the light", async () => {
  const grounds = [];
  for (const colorScheme of ["light", "dark"]) {
    const { page, wrong, close } = await enter({ colorScheme });
    grounds.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
    for (const selector of [".figure b", ".figure span", "nav a[aria-current]", "nav a:not([aria-current])", "#health", "td.number", "th", ".legend span"]) {
      const found = await contrast(page, selector);
      assert.ok(found >= 4.5, `${selector} has a contrast of ${found.toFixed(1)} in the ${colorScheme}`);
    }
    await shot(page, `overview-${colorScheme}`);
    if (colorScheme === "light") {
      await page.click("#theme");
      await page.click("#theme");
      assert.equal(await page.innerText("#theme"), "Dark");
      grounds.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
      await page.reload();
      await page.waitForSelector(".figure");
      assert.equal(await page.innerText("#theme"), "Dark");
    }
    assert.deepEqual(wrong, []);
    await close();
  }
  assert.notEqual(grounds[0], grounds[1]);
  assert.equal(grounds[1], grounds[2]);
});

test("nothing is wider than a narrow screen", async () => {
  const { page, wrong, close } = await enter({ viewport: { width: 360, height: 740 } });
  for (const view of VIEWS) {
    await go(page, view);
    await page.waitForTimeout(300);
    const [wide, there] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(wide <= there, `${view} is ${wide} wide on a screen of ${there}`);
    await shot(page, `narrow-${view}`);
  }
  assert.deepEqual(wrong, []);
  await close();
});

test("locked, it has forgotten the key", async () => {
  const { page, wrong, close } = await enter();
  await page.click("#lock");
  assert.equal(await page.isVisible("#door"), true);
  assert.equal(await page.evaluate(() => sessionStorage.length + document.querySelectorAll("#view > *").length), 0);
  await page.goto(`${url}/admin#spend`);
  assert.equal(await page.isVisible("#door"), true);
  assert.deepEqual(wrong, []);
  await close();
});
