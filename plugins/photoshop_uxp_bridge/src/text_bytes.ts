/** UTF-8 in both directions; UXP's oldest supported versions have no TextEncoder. */

export function toBytes(text: string): Uint8Array {
  const binary = unescape(encodeURIComponent(text));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

export function toText(bytes: Uint8Array): string {
  const pieces: string[] = [];
  // In pieces: a function takes only so many arguments.
  for (let start = 0; start < bytes.length; start += 8192) {
    pieces.push(String.fromCharCode(...bytes.subarray(start, start + 8192)));
  }
  return decodeURIComponent(escape(pieces.join("")));
}
