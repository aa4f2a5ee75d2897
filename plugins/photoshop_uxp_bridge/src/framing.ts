/** The bridge's binary bodies: a JSON header's length, the header, then raw bytes. */

import { toBytes, toText } from "./text_bytes.ts";

export type Samples = Uint8Array | Uint16Array;

export function encodeBody(header: unknown, sections: readonly Samples[]): ArrayBuffer {
  const text = toBytes(JSON.stringify(header));
  const total = sections.reduce((sum, section) => sum + section.byteLength, 4 + text.length);
  const body = new Uint8Array(total);
  new DataView(body.buffer).setUint32(0, text.length, true);
  body.set(text, 4);
  let place = 4 + text.length;
  for (const section of sections) {
    body.set(new Uint8Array(section.buffer, section.byteOffset, section.byteLength), place);
    place += section.byteLength;
  }
  return body.buffer;
}

export function decodeBody<Header>(body: ArrayBuffer): { header: Header; raw: Uint8Array } {
  const length = new DataView(body).getUint32(0, true);
  const header = JSON.parse(toText(new Uint8Array(body, 4, length))) as Header;
  return { header, raw: new Uint8Array(body, 4 + length) };
}
