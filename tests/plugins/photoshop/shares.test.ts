import assert from "node:assert/strict";
import { test } from "node:test";
import { Shares } from "../../../plugins/photoshop_uxp_bridge/src/shares.ts";

function known(): Shares {
  const shares = new Shares(0.2);
  shares.set(1, 0.4);
  shares.set(-1, 0.1);
  return shares;
}

test("measured positions give the bridge's own number", () => {
  assert.deepEqual(known().at(1), { share: 0.4, isMeasured: true });
  assert.deepEqual(known().at(0), { share: 0.2, isMeasured: true });
  assert.equal(known().measured(0.5), null);
});

test("between two of them lies a straight line, said to be one", () => {
  // A quarter of the way from 0.2 to 0.4, and half of the way from 0.1 to 0.2.
  assert.deepEqual(known().at(0.25), { share: 0.25, isMeasured: false });
  const { share, isMeasured } = known().at(-0.5) ?? assert.fail();
  assert.ok(Math.abs(share - 0.15) < 1e-12);
  assert.equal(isMeasured, false);
});

test("beyond the outermost position nothing is claimed", () => {
  assert.equal(known().at(1.5), null);
  assert.equal(new Shares(0.2).at(-0.1), null);
});
