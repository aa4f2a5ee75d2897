import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { BridgeClient } from "../../../plugins/photoshop_uxp_bridge/src/bridge_client.ts";
import { decodeBody, encodeBody } from "../../../plugins/photoshop_uxp_bridge/src/framing.ts";

const TOKEN = "ab".repeat(32);
const OPERATORS = { styles: [], strength_minimum: -1.5, strength_maximum: 1.5, model: "m", problem: null };

const json = (data: unknown, status = 200): Response => new Response(JSON.stringify(data), { status });

const proofFor = (port: string, challenge: string, token = TOKEN): string =>
  createHmac("sha256", token).update(`gazeshift-identity ${port} ${challenge}`).digest("hex");

function fake(answers: Record<string, () => Response>, asked: any[] = []): any {
  return async (address: string, options: any) => {
    asked.push({ address, ...options });
    const found = Object.entries(answers).find(([end]) => address.endsWith(end));
    if (!found) throw new TypeError("fetch failed");
    const answer = found[1]();
    const challenge = options.headers?.["GazeShift-Challenge"];
    if (challenge && !answer.headers.has("GazeShift-Proof")) {
      answer.headers.set("GazeShift-Proof", proofFor(new URL(address).port, challenge));
    }
    return answer;
  };
}

const identity = (protocol = 1): Response => json({ name: "gazeshift", protocol, version: "9.9" });

test("the ports are tried in turn, by number", async () => {
  const asked: any[] = [];
  const client = new BridgeClient(fake({ ":47615/v1/identity": identity, "/operators": () => json(OPERATORS) }, asked), TOKEN);
  await client.connect();
  assert.deepEqual(asked.map((one) => one.address), [
    "http://127.0.0.1:47613/v1/identity",
    "http://127.0.0.1:47614/v1/identity",
    "http://127.0.0.1:47615/v1/identity",
    "http://127.0.0.1:47615/v1/identity",
    "http://127.0.0.1:47615/v1/operators",
  ]);
  assert.equal(asked[4].headers.Authorization, `Bearer ${TOKEN}`);
  assert.equal(asked[4].headers["GazeShift-Protocol"], "1");
});

test("the token goes only to who proves to know it, on this very port", async () => {
  const passedOn = (): Response => {
    const answer = identity();
    answer.headers.set("GazeShift-Proof", proofFor("50000", asked[asked.length - 1].headers?.["GazeShift-Challenge"] ?? ""));
    return answer;
  };
  const asked: any[] = [];
  const client = new BridgeClient(fake({ "/identity": passedOn, "/operators": () => json(OPERATORS) }, asked), TOKEN);
  await assert.rejects(client.connect(), { code: "token", message: /another program answers/ });
  assert.ok(!JSON.stringify(asked).includes(TOKEN));
  assert.ok(asked.every((one) => one.address.endsWith("/identity")));
});

test("no two challenges are alike", async () => {
  const asked: any[] = [];
  const client = new BridgeClient(fake({ "/identity": identity, "/operators": () => json(OPERATORS) }, asked), TOKEN);
  for (let k = 0; k < 3; k++) await client.connect();
  const challenges = asked.map((one) => one.headers?.["GazeShift-Challenge"]).filter(Boolean);
  assert.equal(new Set(challenges).size, 3);
  assert.ok(challenges.every((one) => /^[0-9a-f]{64}$/.test(one)));
});

test("the token goes to no one before the bridge has said who it is", async () => {
  const asked: any[] = [];
  const client = new BridgeClient(fake({ "/identity": () => json({ name: "other" }) }, asked), TOKEN);
  await assert.rejects(client.connect(), { code: "unreachable" });
  assert.ok(asked.every((one) => !one.headers));
});

test("another protocol names the side to update", async () => {
  for (const [protocol, side] of [[2, "the panel"], [0, "GazeShift"]] as const) {
    const client = new BridgeClient(fake({ "/identity": () => identity(protocol) }), TOKEN);
    await assert.rejects(client.connect(), { code: "protocol", remedy: `Update ${side}.` });
  }
});

test("a missing token, a broken model and a refusal are said in the bridge's words", async () => {
  const none = new BridgeClient(fake({ "/identity": () => identity() }), "");
  await assert.rejects(none.connect(), { code: "token", message: "The panel has no token yet." });
  const problem = { message: "No network.", hint: "Install it." };
  const broken = new BridgeClient(fake({ "/identity": () => identity(), "/operators": () => json({ ...OPERATORS, problem }) }), TOKEN);
  await assert.rejects(broken.connect(), { message: "No network.", remedy: "Install it." });
  const refusal = { code: "token", message: "Wrong.", hint: "Right it." };
  const refused = new BridgeClient(fake({ "/identity": () => identity(), "/operators": () => json(refusal, 401) }), TOKEN);
  await assert.rejects(refused.connect(), { code: "token", message: "Wrong.", remedy: "Right it." });
});

test("bodies are a little-endian length, the header and the raw bytes", () => {
  const body = encodeBody({ a: "é" }, [Uint8Array.of(1, 2), Uint16Array.of(0x0304)]);
  const bytes = [...new Uint8Array(body)];
  const text = [...new TextEncoder().encode('{"a":"é"}')];
  assert.deepEqual(bytes, [text.length, 0, 0, 0, ...text, 1, 2, 4, 3]);
  const { header, raw } = decodeBody<{ a: string }>(body);
  assert.equal(header.a, "é");
  assert.deepEqual([...raw], [1, 2, 4, 3]);
});

test("rendered parts keep the picture's depth", async () => {
  const parts = () => new Response(encodeBody({}, [Uint16Array.of(1, 2, 3), Uint16Array.of(4, 5, 6)]));
  const client = new BridgeClient(fake({ "/identity": () => identity(), "/operators": () => json(OPERATORS), "/render": parts }), TOKEN);
  const picture = { width: 1, height: 1, channels: 3 as const, pixels: Uint16Array.of(0, 0, 0) };
  const edit = { format: "gazeshift-edit/1", direction: "attract" as const, strength: 1, model: null, share_before: null, share_after: null };
  const rendered = await client.render(picture, null, edit, ["foreground", "background"], ["sharpening"]);
  assert.deepEqual(rendered.map((one) => [...one]), [[1, 2, 3], [4, 5, 6]]);
});

test("asking whether the bridge is there sends no token, and goes on to later ports", async () => {
  const asked: any[] = [];
  const client = new BridgeClient(fake({ ":47614/v1/identity": identity, "/operators": () => json(OPERATORS) }, asked), TOKEN);
  assert.equal(await client.isThere(), true);
  assert.ok(asked.every((one) => !one.headers));
  await client.connect();
  asked.length = 0;
  assert.equal(await client.isThere(), true);
  assert.deepEqual(asked.map((one) => one.address), ["http://127.0.0.1:47614/v1/identity"]);
});

test("a bridge that is gone is not there, and its port is forgotten", async () => {
  const answers: Record<string, () => Response> = { ":47614/v1/identity": identity, "/operators": () => json(OPERATORS) };
  const client = new BridgeClient(fake(answers), TOKEN);
  await client.connect();
  delete answers[":47614/v1/identity"];
  assert.equal(await client.isThere(), false);
  assert.equal(client.lost().code, "lost");
  answers[":47613/v1/identity"] = identity;
  assert.equal(await client.isThere(), true);
});
