// Bundles tests/plugins/photoshop/*.test.ts and runs them with node's own test runner.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const tests = join(here, "../../tests/plugins/photoshop");
const names = readdirSync(tests).filter((name) => name.endsWith(".test.ts"));
if (names.length === 0) throw new Error("there are no tests");
const out = mkdtempSync(join(tmpdir(), "gazeshift-tests-"));
try {
  await build({
    entryPoints: names.map((name) => join(tests, name)),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    outdir: out,
    outExtension: { ".js": ".mjs" },
    sourcemap: "inline",
    external: ["photoshop", "uxp"],
  });
  // Later versions of node take no folder here.
  const files = readdirSync(out).map((name) => join(out, name));
  const run = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" });
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
