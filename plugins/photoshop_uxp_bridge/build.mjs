// Builds dist/panel/ and from it dist/gazeshift-photoshop.ccx, the same bytes every time.
import { build } from "esbuild";
import { zipSync } from "fflate";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "dist");
const ASSETS = ["manifest.json", "index.html", "panel.css", "icon.png", "icon@2x.png"];

const bundle = await build({
  entryPoints: [join(here, "src/main.ts")],
  absWorkingDir: here,
  bundle: true,
  format: "iife",
  target: "es2020",
  charset: "utf8",
  legalComments: "none",
  // Photoshop's own modules.
  external: ["photoshop", "uxp"],
  write: false,
});

const files = { "panel.js": Buffer.from(bundle.outputFiles[0].contents) };
for (const name of ASSETS) {
  files[name] = await readFile(join(here, "assets", name));
}

const { version } = JSON.parse(await readFile(join(here, "package.json"), "utf8"));
if (JSON.parse(files["manifest.json"].toString()).version !== version) {
  throw new Error("package.json and manifest.json name different versions.");
}

// Unix permission bits -rw-r--r--; without them macOS leaves unreadable files.
const UNIX = 3;
const attrs = (0o100644 << 16) >>> 0;
const entries = Object.keys(files)
  .sort()
  .map((name) => [name, [files[name], { os: UNIX, attrs, mtime: new Date(1980, 0, 1), level: 9 }]]);

await rm(out, { recursive: true, force: true });
await mkdir(join(out, "panel"), { recursive: true });
for (const [name, content] of Object.entries(files)) {
  await writeFile(join(out, "panel", name), content);
}
const archive = zipSync(Object.fromEntries(entries));
await writeFile(join(out, "gazeshift-photoshop.ccx"), archive);
console.log(`dist/gazeshift-photoshop.ccx: ${archive.length} bytes`);
