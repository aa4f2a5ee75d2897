// A web page in Chromium tries to use the bridge: node hostile.mjs CONFIG.json; prints JSON.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

const config = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { chromium } = createRequire(join(config.plugin, "package.json"))("playwright-core");
const bridge = `http://127.0.0.1:${config.port}`;

const server = createServer((_, answer) => {
  answer.setHeader("Content-Type", "text/html");
  answer.end("<!doctype html><title>A page</title>");
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const browser = await chromium.launch({
  executablePath: config.chromium, headless: true,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP evil.test 127.0.0.1",
    // Chromium's own guard would hide whether the bridge defends itself.
    "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
  ],
});
const attempt = `async ([address, options]) => {
  try {
    const answer = await fetch(address, options);
    return { type: answer.type, status: answer.status, text: answer.type === "opaque" ? "" : await answer.text() };
  } catch (error) {
    return { type: "failed", status: 0, text: "" };
  }
}`;
const tries = {
  read: [`${bridge}/v1/identity`, {}],
  "simple post": [`${bridge}/v1/predict`, { method: "POST", mode: "no-cors", body: "x", headers: { "Content-Type": "text/plain" } }],
  preflight: [`${bridge}/v1/operators`, { headers: { Authorization: `Bearer ${config.token}`, "GazeShift-Protocol": "1" } }],
  "json post": [`${bridge}/v1/recipe/photoshop`, { method: "POST", body: "{}", headers: { "Content-Type": "application/json", Authorization: `Bearer ${config.token}` } }],
};
const results = {};
try {
  const page = await browser.newPage();
  const statuses = [];
  page.on("response", (answer) => { if (answer.url().includes("/v1/")) statuses.push(answer.status()); });
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  for (const [name, what] of Object.entries(tries)) {
    results[name] = await page.evaluate(`(${attempt})(${JSON.stringify(what)})`);
  }
  for (const [name, what] of Object.entries(tries)) {
    results[`null origin, ${name}`] = await page.evaluate(`new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.sandbox = "allow-scripts";
      frame.srcdoc = "<script>(" + ${JSON.stringify(attempt)} + ")(" + ${JSON.stringify(JSON.stringify(what))}
        + ").then((got) => parent.postMessage(got, '*'))<" + "/script>";
      addEventListener("message", (event) => resolve(event.data), { once: true });
      document.body.append(frame);
    })`);
  }
  for (const route of ["identity", "operators"]) {
    const answer = await page.goto(`http://evil.test:${config.port}/v1/${route}`);
    results[`rebinding, ${route}`] = { type: "page", status: answer.status(), text: await answer.text() };
  }
  results.statuses = statuses;
} finally {
  await browser.close();
  server.close();
}
console.log(JSON.stringify(results));
