import assert from "node:assert/strict";
import { test } from "node:test";
import { BridgeFailure } from "../../../plugins/photoshop_uxp_bridge/src/bridge_client.ts";
import { Preview } from "../../../plugins/photoshop_uxp_bridge/src/preview.ts";

const SIZE = 4;
const pixels = new Uint8Array(SIZE * SIZE * 3);
const picture = { width: SIZE, height: SIZE, channels: 3 as const, pixels };
const mask = new Uint8Array(SIZE * SIZE);
const edit = (strength: number): any => ({ format: "gazeshift-edit/1", direction: "attract", strength });

const photoshop: any = {
  imaging: {
    createImageDataFromBuffer: async (data: Uint8Array) => ({ data, dispose: async () => undefined }),
    encodeImageData: async ({ imageData }: any) => String(imageData.data[0]),
  },
};

/** Draws a picture whose first sample is the edit's strength in percent. */
class FakeBridge {
  readonly asked: string[] = [];
  readonly gone = new Set<string>();
  failure: Error | null = null;

  async openPreview(): Promise<string> {
    this.asked.push("open");
    return `preview ${this.asked.length}`;
  }

  async drawPreview(name: string, { strength }: any): Promise<Uint8Array> {
    this.asked.push(`draw ${strength}`);
    if (this.failure) throw this.failure;
    if (this.gone.has(name)) throw new BridgeFailure("preview", "This preview is not open.", "");
    return new Uint8Array(pixels.length).fill(Math.round(100 * strength));
  }

  async closePreview(name: string): Promise<void> {
    this.asked.push(`close ${name}`);
  }
}

function made(bridge: FakeBridge): { preview: Preview; shown: string[] } {
  const shown: string[] = [];
  const preview = new Preview(photoshop, bridge as any, picture, mask, ({ before, after }) => {
    assert.ok(before.endsWith(",0"));
    shown.push(after.split(",")[1] as string);
  });
  return { preview, shown };
}

test("of the positions that come during a drawing only the last is drawn", async () => {
  const bridge = new FakeBridge();
  const { preview, shown } = made(bridge);
  await Promise.all([0.1, 0.2, 0.3, 0.4].map((strength) => preview.draw(edit(strength))));
  assert.deepEqual(bridge.asked, ["open", "draw 0.1", "draw 0.4"]);
  assert.deepEqual(shown, ["10", "40"]);
});

test("a preview that the bridge has closed is opened again, once", async () => {
  const bridge = new FakeBridge();
  const { preview, shown } = made(bridge);
  await preview.draw(edit(0.1));
  bridge.gone.add("preview 1");
  await preview.draw(edit(0.2));
  assert.deepEqual(bridge.asked, ["open", "draw 0.1", "draw 0.2", "open", "draw 0.2"]);
  assert.deepEqual(shown, ["10", "20"]);
});

test("a failure reaches the caller, and the next position is drawn all the same", async () => {
  const bridge = new FakeBridge();
  const { preview, shown } = made(bridge);
  bridge.failure = new BridgeFailure("lost", "The connection was lost.", "");
  await assert.rejects(preview.draw(edit(0.1)), { code: "lost" });
  bridge.failure = null;
  await preview.draw(edit(0.2));
  assert.deepEqual(shown, ["20"]);
});

test("a closed preview shows nothing any more, and the bridge forgets it", async () => {
  const bridge = new FakeBridge();
  const { preview, shown } = made(bridge);
  const drawing = preview.draw(edit(0.1));
  await Promise.all([preview.close(), drawing]);
  assert.deepEqual(shown, []);
  assert.equal(bridge.asked[bridge.asked.length - 1], "close preview 1");
  const unused = made(new FakeBridge());
  await unused.preview.close();
});
