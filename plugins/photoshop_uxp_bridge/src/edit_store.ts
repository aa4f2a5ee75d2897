/** The edit in XMP, so that it can be opened again; the core writes the same into its files. */

import type { Edit } from "./messages.ts";

const NAMESPACE = "https://gazeshift.invalid/xmp/1.0/";

export function toXmp(edit: Edit): string {
  return (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>' +
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">' +
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
    `<rdf:Description rdf:about="" xmlns:gazeshift="${NAMESPACE}" ` +
    `gazeshift:edit="${escapeXml(JSON.stringify(edit))}"/></rdf:RDF></x:xmpmeta>` +
    '<?xpacket end="w"?>'
  );
}

/** Returns null where there is no edit of ours. Photoshop may rewrite the attribute as an element. */
export function fromXmp(xmp: string): Edit | null {
  const attribute = /gazeshift:edit=(?:"([^"]*)"|'([^']*)')/.exec(xmp);
  const element = /<gazeshift:edit>([^<]*)<\/gazeshift:edit>/.exec(xmp);
  const text = attribute?.[1] ?? attribute?.[2] ?? element?.[1];
  if (text === undefined) {
    return null;
  }
  try {
    const edit = JSON.parse(unescapeXml(text)) as Edit;
    return typeof edit.format === "string" && edit.format.startsWith("gazeshift-edit/") ? edit : null;
  } catch {
    return null;
  }
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

const escapeXml = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => `&${{ "&": "amp", "<": "lt", ">": "gt", '"': "quot" }[c] ?? ""};`);

const unescapeXml = (text: string): string =>
  text
    .replace(/&#x([0-9a-fA-F]+);/g, (_, hex: string) => String.fromCodePoint(parseInt(hex, 16)))
    .replace(/&#([0-9]+);/g, (_, digits: string) => String.fromCodePoint(parseInt(digits, 10)))
    .replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => ENTITIES[name] ?? "");
