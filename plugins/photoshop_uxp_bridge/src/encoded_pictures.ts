/** Pictures in the form that UXP's image elements show. */

import type { Picture } from "./bridge_client.ts";
import { SRGB } from "./document_reader.ts";
import type { PhotoshopModule } from "./hosts.ts";

/** UXP shows pictures by address only; Photoshop encodes them. */
export async function toAddress(ps: PhotoshopModule, picture: Picture): Promise<string> {
  const imageData = await ps.imaging.createImageDataFromBuffer(picture.pixels, {
    width: picture.width,
    height: picture.height,
    components: picture.channels,
    chunky: true,
    colorSpace: "RGB",
    colorProfile: SRGB,
  });
  try {
    const encoded = await ps.imaging.encodeImageData({ imageData, base64: true });
    return `data:image/jpeg;base64,${String(encoded)}`;
  } finally {
    await imageData.dispose();
  }
}
