// Runs the panel in headless Chromium: node drive.mjs CONFIG.json; writes RESULTS.json beside it.
//
// UXP's fetch sends no Origin and knows no CORS, and the bridge refuses the Origins of web pages. So
// the panel's requests to 127.0.0.1 are carried out by this program instead of by Chromium. This
// is the one thing in which the page differs from UXP on purpose; `hostile.mjs` uses Chromium's own.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { request } from "node:http";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const config = JSON.parse(readFileSync(process.argv[2], "utf8"));
const require = createRequire(join(config.plugin, "package.json"));
const { chromium } = require("playwright-core");
const { build } = require("esbuild");
const here = dirname(fileURLToPath(import.meta.url));

const bundled = new Map();
function bundle(entry, mutant) {
  const key = JSON.stringify([entry, mutant]);
  if (!bundled.has(key)) bundled.set(key, makeBundle(entry, mutant));
  return bundled.get(key);
}

async function makeBundle(entry, mutant) {
  const plugins = [];
  if (mutant) {
    plugins.push({
      name: "mutant",
      setup(make) {
        make.onLoad({ filter: new RegExp(`${mutant.file}$`) }, (args) => {
          const source = readFileSync(args.path, "utf8");
          if (!source.includes(mutant.from)) throw new Error(`nothing to change in ${mutant.file}`);
          return { contents: source.replaceAll(mutant.from, mutant.to), loader: "ts" };
        });
      },
    });
  }
  const made = await build({
    entryPoints: [entry], bundle: true, format: "iife", target: "es2020", write: false, plugins,
    external: ["photoshop", "uxp"], nodePaths: [join(config.plugin, "node_modules")],
  });
  return made.outputFiles[0].text;
}

let isBridgeThere = true;
let posts = [];
let identityRequests = 0;
function carryOut({ address, method, headers, body }) {
  return new Promise((resolve, reject) => {
    if (address.endsWith("/identity")) identityRequests += 1;
    if (method === "POST") posts.push(new URL(address).pathname);
    const url = new URL(address);
    const given = body === null ? null : Buffer.from(body, "base64");
    const sent = given ? { ...headers, "Content-Length": String(given.length) } : headers;
    // A port on which nothing listens, where there shall be no bridge.
    const port = Number(url.port) === config.port && isBridgeThere ? config.port : 1;
    const asked = request({ host: "127.0.0.1", port, path: url.pathname, method, headers: sent }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts).toString("base64") }));
    });
    asked.on("error", reject);
    asked.end(given ?? undefined);
  });
}

/** The bridge keeps four previews; four others make it close the panel's. */
async function fillPreviews() {
  const token = config.token;
  const header = Buffer.from(JSON.stringify({ image: { width: 1, height: 1, channels: 3, dtype: "uint8" }, mask: { dtype: "uint8" } }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const body = Buffer.concat([length, header, Buffer.alloc(4)]).toString("base64");
  const headers = { Authorization: `Bearer ${token}`, "GazeShift-Protocol": "1", "Content-Type": "application/x-gazeshift" };
  for (let k = 0; k < 4; k++) {
    const { status } = await carryOut({ address: `http://127.0.0.1:${config.port}/v1/preview/open`, method: "POST", headers, body });
    if (status !== 200) throw new Error(`the bridge opened no preview: ${status}`);
  }
}

const PAGE_FETCH = `
  Object.defineProperty(navigator, "clipboard", { value: {
    setContent: async (content) => { window.copied = content["text/plain"]; },
  } });
  window.fetch = async (address, { method, headers = {}, body }) => {
    if (window.fake.isModal()) throw new Error("the network was used in a modal state");
    const bytes = body === undefined ? null
      : new Uint8Array(typeof body === "string" ? new TextEncoder().encode(body) : body);
    let sent = null;
    if (bytes) {
      sent = "";
      for (let k = 0; k < bytes.length; k += 8192) sent += String.fromCharCode(...bytes.subarray(k, k + 8192));
      sent = btoa(sent);
    }
    window.inFlight = (window.inFlight ?? 0) + 1;
    const got = await window.carryOut({ address, method, headers, body: sent }).finally(() => { window.inFlight -= 1; });
    return new Response(Uint8Array.from(atob(got.body), (c) => c.charCodeAt(0)), got);
  };`;

// One reader for all cases: starting Python takes longer than rendering.
const reader = spawn(config.python, ["-m", "tests.hosts.photoshop.render_file"], { cwd: config.root, stdio: ["pipe", "pipe", "inherit"] });
const answers = createInterface({ input: reader.stdout })[Symbol.asyncIterator]();
let queue = Promise.resolve();
function askReader(files, target, as_file = false) {
  const folder = mkdtempSync(join(tmpdir(), "gazeshift-"));
  const names = files.map((text, k) => {
    const name = join(folder, `${k}.psd`);
    writeFileSync(name, Buffer.from(text, "base64"));
    return name;
  });
  queue = queue.then(async () => {
    reader.stdin.write(`${JSON.stringify({ files: names, target, as_file })}\n`);
    const { value, done } = await answers.next();
    rmSync(folder, { recursive: true });
    if (done || value) throw new Error(value || "the reader ended");
  });
  return queue;
}

async function renderFile(files) {
  const target = join(mkdtempSync(join(tmpdir(), "gazeshift-")), "rendered.raw");
  await askReader(files, target);
  const text = readFileSync(target).toString("base64");
  rmSync(dirname(target), { recursive: true });
  return text;
}

const settled = (page) => page.waitForFunction(() => document.getElementById("busy").hasAttribute("hidden"), null, { timeout: 120000, polling: 20 });
const measured = (page) => page.waitForFunction(
  () => !/about|measuring/.test(document.getElementById("share-after").textContent), null, { timeout: 120000, polling: 20 });
/** Waits until nothing has been asked of the bridge or encoded for a tenth of a second. */
async function drawn(page) {
  await page.evaluate(() => { window.quiet = 0; });
  await page.waitForFunction(() => {
    window.quiet = window.inFlight || window.fake.liveImages() ? 0 : window.quiet + 1;
    return window.quiet > 5;
  }, null, { timeout: 120000, polling: 20 });
}

/** Presses a button again and again while one call after the other of a Photoshop step fails. */
async function failEach(page, { press: id, step, how }) {
  const found = [];
  for (let call = 1; ; call++) {
    await page.evaluate((next) => window.fake.fail(next), { step, call, how });
    await press(page, id);
    const hasFailed = await page.evaluate(() => window.fake.hasFailed());
    found.push({ ...(await look(page)), hasFailed });
    if (!hasFailed) return found;
  }
}

async function grab(page, target) {
  const text = await page.evaluate(() => {
    const image = document.getElementById("picture");
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    return Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data).filter((_, k) => k % 4 < 3);
  });
  writeFileSync(target, Buffer.from(text));
}

async function press(page, id) {
  await page.focus(`#${id}`);
  await page.keyboard.press("Enter");
  await settled(page);
}

async function look(page) {
  return page.evaluate(() => {
    const text = (id) => { const e = document.getElementById(id); return e.closest("[hidden]") ? null : e.textContent; };
    return {
      state: text("state"), remedy: text("remedy"), message: text("message"), before: text("share-before"),
      after: text("share-after"), dial: document.getElementById("dial").value, apply: text("apply"),
      dialText: text("dial-text"), sharpening: document.getElementById("sharpening").value,
      note: text("sharpening-note"), focused: document.activeElement.id, copied: window.copied ?? null,
      preview: text("side"), flip: text("flip"), isSelected: window.fake.isSelected(),
      isTooWide: document.body.scrollWidth > document.body.clientWidth,
      history: [...window.fake.history], live: window.fake.liveImages(), tree: window.fake.tree(),
      token: window.fake.secrets.get("gazeshift-token") ?? null,
      maps: ["before-map", "after-map"].map((id) => !document.getElementById(id).closest("[hidden]") && document.getElementById(id).naturalWidth > 0),
    };
  });
}

const browser = await chromium.launch({
  executablePath: config.chromium, headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const fake = await bundle(join(here, "photoshop.ts"), null);
const page0 = readFileSync(join(config.plugin, "assets/index.html"), "utf8");
const results = [];
try {
  for (const one of config.cases) {
    // The test's bridge listens on a free port instead of the first of the panel's.
    const plain = await bundle(join(config.plugin, "src/main.ts"), one.mutant);
    const panel = plain.replace("47613,", `${config.port ?? 47613},`);
    if (config.port && panel === plain) throw new Error("the panel's ports were not found");
    const folder = mkdtempSync(join(tmpdir(), "gazeshift-panel-"));
    writeFileSync(join(folder, "index.html"), page0);
    writeFileSync(join(folder, "panel.css"), readFileSync(join(config.plugin, "assets/panel.css")));
    writeFileSync(join(folder, "panel.js"), panel);
    const context = await browser.newContext({ viewport: { width: 280, height: one.tall ?? 790 }, deviceScaleFactor: 2, colorScheme: one.theme ?? "dark" });
    const page = await context.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.exposeFunction("carryOut", carryOut);
    await page.exposeFunction("renderFile", renderFile);
    const setup = {
      width: one.width, height: one.height, depth: one.depth ?? 8, options: one.options ?? {},
      pixels: readFileSync(one.pixels).toString("base64"),
      mask: one.mask ? readFileSync(one.mask).toString("base64") : null,
    };
    if (one.clock) await page.clock.install();
    isBridgeThere = !one.withoutBridge;
    identityRequests = 0;
    await page.addInitScript(`window.fakeSetup = ${JSON.stringify(setup)};\n${fake}\n${PAGE_FETCH}`);
    await page.goto(pathToFileURL(join(folder, "index.html")).href);
    await settled(page);
    const seen = [];
    for (const step of one.steps) {
      posts = [];
      let tries = null;
      if (step.bridge !== undefined) isBridgeThere = step.bridge;
      if (step.press) await press(page, step.press);
      if (step.type) await page.fill("#token", step.type);
      if (step.keys) {
        for (const key of step.keys) await page.keyboard.press(key);
        await settled(page);
      }
      if (step.focus) await page.focus(`#${step.focus}`);
      if (step.settle) await settled(page);
      if (step.choose) await page.selectOption(`#${step.choose[0]}`, step.choose[1]);
      if (step.dial !== undefined) {
        await page.evaluate((value) => {
          const dial = document.getElementById("dial");
          dial.value = String(value);
          dial.dispatchEvent(new Event("input"));
        }, Math.round(100 * step.dial));
        if (step.atOnce) seen.push(await look(page));
        if (!step.atOnce || step.rest) await measured(page);
      }
      if (step.slide) {
        await page.evaluate((values) => {
          const dial = document.getElementById("dial");
          for (const value of values) {
            dial.value = String(value);
            dial.dispatchEvent(new Event("input"));
          }
        }, step.slide);
        await measured(page);
      }
      if (step.passSeconds) {
        await page.clock.runFor(1000 * step.passSeconds);
        await settled(page);
      }
      if (step.until) await page.waitForFunction((text) => document.getElementById("state").textContent.includes(text), step.until, { timeout: 30000, polling: 20 });
      if (step.select !== undefined) await page.evaluate(() => window.fake.setSelection(null));
      if (step.forgetPreviews) await fillPreviews();
      if (step.undo) await page.evaluate(() => window.fake.undo());
      if (step.failEach) tries = await failEach(page, step.failEach);
      if (step.fail) await page.evaluate((next) => window.fake.fail(next), step.fail);
      if (step.drawn || step.grab || step.screenshot) await drawn(page);
      if (step.grab) await grab(page, step.grab);
      if (step.screenshot) await page.screenshot({ path: step.screenshot });
      if (step.save) await askReader(await page.evaluate(() => window.fake.files()), step.save, true);
      seen.push({ ...(await look(page)), posts, identityRequests, tries });
    }
    results.push({ name: one.name, seen, errors });
    await context.close();
  }
} finally {
  await browser.close();
  reader.stdin.end();
}
writeFileSync(config.results, JSON.stringify(results));
