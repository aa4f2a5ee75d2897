import assert from "node:assert/strict";
import { test } from "node:test";
import { readLayer, readProxy, readSelection, readWhole, shrinkMask, shrinkPicture } from "../../../plugins/photoshop_uxp_bridge/src/document_reader.ts";
import { blend, judge, measure } from "../../../plugins/photoshop_uxp_bridge/src/self_check.ts";

let disposed = 0;

function given(data: Uint8Array | Uint16Array, width: number, height: number, components: number, left = 0, top = 0): any {
  return {
    imageData: {
      width, height, components,
      getData: async (options: any) => {
        assert.deepEqual(options, { chunky: true, fullRange: true });
        return data;
      },
      dispose: async () => { disposed += 1; },
    },
    sourceBounds: { left, top, right: left + width, bottom: top + height }, level: 0,
  };
}

function photoshop(got: any, asked: any[] = []): any {
  const answer = async (options: any) => { asked.push(options); return got; };
  return { imaging: { getPixels: answer, getSelection: answer } };
}

const paper = (bits: string, width = 3, height = 2, bounds: unknown = {}): any =>
  ({ id: 1, width, height, bitsPerChannel: bits, selection: { bounds } });

test("16-bit documents are read with 16 bits and full range", async () => {
  const asked: any[] = [];
  const pixels = new Uint16Array(18).fill(65535);
  const picture = await readWhole(photoshop(given(pixels, 3, 2, 3), asked), paper("bitDepth16"));
  assert.equal(asked[0].componentSize, 16);
  assert.deepEqual(picture, { width: 3, height: 2, channels: 3, pixels });
});

test("trimmed pixels go back to their place, on transparency", async () => {
  const got = given(Uint8Array.of(10, 20, 30, 255), 1, 1, 4, 2, 1);
  const { channels, pixels } = await readWhole(photoshop(got), paper("bitDepth8"));
  assert.equal(channels, 4);
  assert.deepEqual([...pixels.slice(20)], [10, 20, 30, 255]);
  assert.ok(pixels.slice(0, 20).every((value) => value === 0));
});

test("bounds of a smaller pyramid level are counted in that level's pixels", async () => {
  // Level 2 of 4096 x 2048: an opaque square from (1024, 512) to (3072, 1536), a quarter as large.
  const data = new Uint8Array(512 * 256 * 4).fill(255);
  const got = { ...given(data, 512, 256, 4, 256, 128), level: 2 };
  const { width, height, pixels } = await readProxy(photoshop(got), paper("bitDepth16", 4096, 2048));
  assert.deepEqual([width, height], [1024, 512]);
  const alpha = (x: number, y: number): number => pixels[(y * 1024 + x) * 4 + 3] as number;
  assert.deepEqual([alpha(255, 200), alpha(256, 200), alpha(767, 200), alpha(768, 200)], [0, 255, 255, 0]);
  assert.deepEqual([alpha(500, 127), alpha(500, 128), alpha(500, 383), alpha(500, 384)], [0, 255, 255, 0]);
});

test("trimmed pixels that were scaled to the size asked for go back to their place, too", async () => {
  const data = new Uint8Array(1024 * 512 * 4).fill(255);
  const got = given(data, 1024, 512, 4, 0, 0);
  got.sourceBounds = { left: 1024, top: 512, right: 3072, bottom: 1536 };
  const { pixels } = await readProxy(photoshop(got), paper("bitDepth16", 4096, 2048));
  const alpha = (x: number, y: number): number => pixels[(y * 1024 + x) * 4 + 3] as number;
  assert.deepEqual([alpha(255, 200), alpha(256, 200), alpha(767, 200), alpha(768, 200)], [0, 255, 255, 0]);
});

test("a picture shrinks by averaging, and stands on white where it is transparent", () => {
  const pixels = Uint8Array.of(10, 20, 30, 255, 30, 40, 50, 255, 0, 0, 0, 0, 0, 0, 0, 0);
  const small = shrinkPicture({ width: 4, height: 1, channels: 4, pixels }, { width: 2, height: 1 });
  assert.deepEqual([small.channels, ...small.pixels], [3, 20, 30, 40, 255, 255, 255]);
});

test("the proxy is asked for in sRGB, with 8 bits and a longest side of 1024", async () => {
  const asked: any[] = [];
  const got = given(new Uint8Array(1024 * 512 * 3), 1024, 512, 3);
  await readProxy(photoshop(got, asked), paper("bitDepth16", 4096, 2048));
  assert.deepEqual(asked[0].targetSize, { width: 1024, height: 512 });
  assert.equal(asked[0].colorProfile, "sRGB IEC61966-2.1");
  assert.equal(asked[0].componentSize, 8);
});

test("a selection comes as its own bounding box and is put back in place", async () => {
  const got = given(Uint8Array.of(128, 255), 2, 1, 1, 1, 1);
  assert.deepEqual([...(await readSelection(photoshop(got), paper("bitDepth8")))], [0, 0, 0, 0, 128, 255]);
});

test("a 16-bit selection is scaled to 8 bits", async () => {
  const got = given(Uint16Array.of(65535, 32896), 2, 1, 1, 0, 0);
  assert.deepEqual([...(await readSelection(photoshop(got), paper("bitDepth16")))].slice(0, 2), [255, 128]);
});

test("no selection and an empty one are refused with a remedy", async () => {
  const empty = photoshop(given(new Uint8Array(1), 1, 1, 1));
  await assert.rejects(readSelection(empty, paper("bitDepth8")), { code: "selection" });
  await assert.rejects(readSelection(empty, paper("bitDepth8", 3, 2, null)), { code: "selection" });
});

test("a failure to read the selection is not taken for a missing one", async () => {
  const failing: any = { imaging: { getSelection: async () => { throw new Error("broken"); } } };
  await assert.rejects(readSelection(failing, paper("bitDepth8")), { message: "broken" });
});

test("image data is given back, also after a failure", async () => {
  disposed = 0;
  await readWhole(photoshop(given(new Uint8Array(18), 3, 2, 3)), paper("bitDepth8"));
  const broken = given(new Uint8Array(18), 3, 2, 3);
  broken.imageData.getData = async () => { throw new Error("gone"); };
  await assert.rejects(readWhole(photoshop(broken), paper("bitDepth8")));
  assert.equal(disposed, 2);
});

test("a mask shrinks by averaging", () => {
  const small = shrinkMask(Uint8Array.of(0, 255, 0, 255), { width: 4, height: 1 }, { width: 2, height: 1 });
  assert.deepEqual([...small], [128, 128]);
});

test("a layer is read alone, and without its alpha", async () => {
  const asked: any[] = [];
  const got = given(Uint8Array.of(1, 2, 3, 255, 4, 5, 6, 255), 2, 1, 4);
  const picture = await readLayer(photoshop(got, asked), paper("bitDepth8", 2, 1), 7);
  assert.equal(asked[0].layerID, 7);
  assert.deepEqual(picture, { width: 2, height: 1, channels: 3, pixels: Uint8Array.of(1, 2, 3, 4, 5, 6) });
});

test("the self-check measures in levels of 255, at 16 bits, too", () => {
  const shown = { width: 1, height: 1, channels: 4 as const, pixels: Uint16Array.of(257 * 5, 0, 0, 0) };
  const found = measure(shown, Uint16Array.of(0, 0, 0), 3);
  assert.equal(found.largest, 5);
  assert.equal(judge(found, null).isGood, false);
  assert.equal(judge({ largest: 4, mean: 0.8 }, null).isGood, true);
});

test("Smart Filters may be off by far more than the rest, but not by anything", () => {
  const rest = { largest: 2, mean: 0.3 };
  assert.equal(judge(rest, { largest: 130, mean: 4.1 }).isGood, true);
  assert.equal(judge(rest, { largest: 130, mean: 9 }).isGood, false);
  assert.equal(judge({ largest: 20, mean: 0.3 }, { largest: 20, mean: 1 }).isGood, false);
});

test("two regions are put together by the mask", () => {
  const [inside, outside] = [Uint8Array.of(100, 100, 100, 100, 100, 100), new Uint8Array(6)];
  // 51 of 255 is a fifth.
  assert.deepEqual([...blend(inside, outside, Uint8Array.of(255, 51))], [100, 100, 100, 20, 20, 20]);
});
