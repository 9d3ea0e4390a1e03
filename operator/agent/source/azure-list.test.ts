import { expect, test } from "vitest";
import { blobsIn, nextMarker } from "./azure-list.ts";

const blob = (name: string, attributes = "") =>
  `<Blob><Name${attributes}>${name}</Name><Properties><Etag>0x8D</Etag><Content-Length>4</Content-Length></Properties></Blob>`;
const page = (blobs: string, marker: string) =>
  `<?xml version="1.0"?><EnumerationResults><Blobs>${blobs}</Blobs>${marker}</EnumerationResults>`;

test("reads a page of a container's list", () => {
  const text = page(
    blob("wine/a &amp; b&#x2d;c.csv") + blob("a%0Ab", ' Encoded="true"'),
    "<NextMarker>m&lt;1</NextMarker>",
  );
  expect(blobsIn(text)).toEqual([
    { key: "wine/a & b-c.csv", size: 4, etag: '"0x8D"' },
    { key: "a\nb", size: 4, etag: '"0x8D"' },
  ]);
  expect(nextMarker(text)).toBe("m<1");
});

test("the last page has no marker", () => {
  expect(nextMarker(page("", "<NextMarker />"))).toBeUndefined();
  expect(nextMarker(page(blob("<NextMarker>"), ""))).toBeUndefined();
  expect(blobsIn(page("", ""))).toEqual([]);
});
