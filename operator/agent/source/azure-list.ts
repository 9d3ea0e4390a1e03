import type { StoredObject } from "./object-store.ts";

/** The blobs of one page of List Blobs, which a machine writes in one form: https://learn.microsoft.com/rest/api/storageservices/list-blobs. */
export function blobsIn(page: string): StoredObject[] {
  return [...page.matchAll(/<Blob>(.*?)<\/Blob>/gs)].map(([, blob = ""]) => {
    const etag = textOf(blob, "Etag");
    return {
      key: textOf(blob, "Name"),
      size: Number(textOf(blob, "Content-Length")),
      // Get Blob has it in quotes, List Blobs has not.
      etag: etag.startsWith('"') ? etag : `"${etag}"`,
    };
  });
}

export function nextMarker(page: string): string | undefined {
  return textOf(page.slice(page.lastIndexOf("</Blobs>")), "NextMarker") || undefined;
}

function textOf(xml: string, element: string): string {
  const [, attributes = "", text = ""] = new RegExp(`<${element}( [^>]*)?>([^<]*)</${element}>`).exec(xml) ?? [];
  const plain = text.replace(/&(lt|gt|quot|apos|amp|#\d+|#x[0-9a-fA-F]+);/g, (_, name: string) => entity(name));
  // Names with characters that XML has not are percent-encoded.
  return / Encoded="true"/i.test(attributes) ? decodeURIComponent(plain) : plain;
}

const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function entity(name: string): string {
  const code = name.startsWith("#x") ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  return entities[name] ?? String.fromCodePoint(Math.min(code, 0x10ffff));
}
