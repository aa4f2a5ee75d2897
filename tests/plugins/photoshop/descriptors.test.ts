import assert from "node:assert/strict";
import { test } from "node:test";
import { makeAdjustment, setLayerXmp, smartFilter, smartFilterOpacity } from "../../../plugins/photoshop_uxp_bridge/src/descriptors.ts";
import { fromXmp, toXmp } from "../../../plugins/photoshop_uxp_bridge/src/edit_store.ts";
import type { RecipeLayer } from "../../../plugins/photoshop_uxp_bridge/src/messages.ts";

const exposure: RecipeLayer = { operator: "exposure", name: "Exposure", kind: "exposure", exposure: 0.66, curves: [] };

test("an exposure layer carries the recipe's number and Photoshop's neutral offset and gamma", () => {
  const { using } = makeAdjustment(exposure) as any;
  assert.equal(using.name, "Exposure");
  assert.deepEqual(using.type, {
    _obj: "exposure",
    presetKind: { _enum: "presetKindType", _value: "presetKindCustom" },
    exposure: 0.66,
    offset: 0,
    gammaCorrection: 1,
  });
});

test("an exposure layer without a number is an error", () => {
  assert.throws(() => makeAdjustment({ ...exposure, exposure: null }), /has no exposure/);
});

test("curves keep their nodes, and green has Photoshop's old name", () => {
  const nodes = [{ input: 0, output: 3 }, { input: 255, output: 250 }];
  const layer: RecipeLayer = {
    operator: "color", name: "Color", kind: "curves", exposure: null,
    curves: [{ channel: "green", nodes }, { channel: "blue", nodes }],
  };
  const { adjustment } = (makeAdjustment(layer) as any).using.type;
  assert.deepEqual(adjustment.map((one: any) => one.channel._value), ["grain", "blue"]);
  assert.deepEqual(adjustment[0].curve, [
    { _obj: "paint", horizontal: 0, vertical: 3 },
    { _obj: "paint", horizontal: 255, vertical: 250 },
  ]);
});

const sharpening = {
  name: "Sharpening", amount: 0.8, filter: "unsharpMask" as const, radius_px: 2.4, amount_percent: 80, opacity_percent: 100,
};

test("Smart Filters carry the recipe's numbers with Photoshop's units", () => {
  assert.deepEqual(smartFilter(sharpening), {
    _obj: "unsharpMask",
    amount: { _unit: "percentUnit", _value: 80 },
    radius: { _unit: "pixelsUnit", _value: 2.4 },
    threshold: 0,
  });
  const softening = { ...sharpening, amount: -0.6, filter: "gaussianBlur" as const, amount_percent: null };
  assert.deepEqual(smartFilter(softening), { _obj: "gaussianBlur", radius: { _unit: "pixelsUnit", _value: 2.4 } });
  const { blendOptions } = (smartFilterOpacity(60) as any).filterFX;
  assert.deepEqual(blendOptions.opacity, { _unit: "percentUnit", _value: 60 });
});

const edit = {
  format: "gazeshift-edit/1", direction: "attract" as const, strength: 0.5, model: 'a "quoted" <name> & more é',
  share_before: 0.1, share_after: null,
};

test("an edit survives the layer's XMP", () => {
  const command = setLayerXmp(7, toXmp(edit)) as any;
  assert.deepEqual(fromXmp(command.to.XMPMetadataAsUTF8), edit);
});

test("an edit survives XMP that was rewritten with an element or single quotes", () => {
  const text = JSON.stringify(edit).replace(/&/g, "&amp;").replace(/</g, "&lt;");
  assert.deepEqual(fromXmp(`<gazeshift:edit>${text}</gazeshift:edit>`), edit);
  assert.deepEqual(fromXmp(`gazeshift:edit='${text}'`), edit);
});

test("XMP without an edit of ours gives none", () => {
  assert.equal(fromXmp("<x:xmpmeta/>"), null);
  assert.equal(fromXmp('gazeshift:edit="not json"'), null);
  assert.equal(fromXmp('gazeshift:edit="{&quot;format&quot;:&quot;other/1&quot;}"'), null);
});
