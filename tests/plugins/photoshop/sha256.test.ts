import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { hmacSha256 } from "../../../plugins/photoshop_uxp_bridge/src/sha256.ts";

test("the keyed hash equals node's, at every length around a block's end", () => {
  for (const length of [0, 1, 54, 55, 56, 63, 64, 65, 119, 120, 1000]) {
    const message = "é".repeat(length).slice(0, length);
    for (const key of ["", "k", "5e".repeat(32)]) {
      const expected = createHmac("sha256", key).update(message).digest("hex");
      assert.equal(hmacSha256(key, message), expected);
    }
  }
});
