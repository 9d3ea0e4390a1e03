import { describe, expect, test } from "vitest";
import { StoreError } from "../store/client.ts";
import { asTaskError, clip, failureJson, permanent, redact, transient } from "./failure.ts";
import { parseUri } from "./source/uri.ts";
import { taskFailure } from "./tasks.ts";

describe("what an exception means", () => {
  test.each<[string, unknown, string, boolean]>([
    ["told trouble", permanent("SourceInvalid", "ragged"), "SourceInvalid", false],
    ["a store that is away", new StoreError(0, "Unreachable", "no answer"), "StoreUnavailable", true],
    ["a store that is full", new StoreError(507, "DiskFull", "full"), "StoreUnavailable", true],
    ["a token that has expired", new StoreError(401, "Unauthorized", "old"), "StoreRejected", true],
    ["a refusal", new StoreError(409, "Conflict", "final"), "StoreRejected", false],
    ["a full volume", Object.assign(new Error("write"), { code: "ENOSPC" }), "InternalError", true],
    ["a table too large for the pod", new Error("Out of Memory Error: could not"), "MemoryTooSmall", false],
    ["anything else", new TypeError("x is undefined"), "InternalError", true],
  ])("%s", (_, error, reason, retryable) => {
    expect(asTaskError(error)).toMatchObject({ reason, retryable });
  });
});

describe("a termination message", () => {
  test("is what the operator reads, and fits the kubelet's 4096 bytes in any script", () => {
    for (const text of ["short", "x".repeat(9000), "葡萄酒".repeat(3000), '"\\\n'.repeat(3000)]) {
      const json = failureJson(transient("SourceUnreachable", text));
      expect(Buffer.byteLength(json)).toBeLessThanOrEqual(4096);
      expect(taskFailure.parse(JSON.parse(json)).reason).toBe("SourceUnreachable");
    }
  });

  test.each([
    ["https://user:secret@host/a.csv?token=secret#frag", "https://host/a.csv"],
    ["s3://bucket/key is gone; see http://x:y@z/?q=secret.", "s3://bucket/key is gone; see http://z/"],
    ["no uri in it", "no uri in it"],
  ])("has no credentials: %s", (text, shown) => {
    expect(redact(text)).toBe(shown);
  });
});

describe("a uri", () => {
  test.each(["ftp://host/a", "file:///etc/passwd", "http://", "pvc://claim/../x", "s3://", "not a uri"])(
    "%s is refused",
    (uri) => {
      expect(() => parseUri(uri)).toThrow();
    },
  );

  test("tells where the bytes are", () => {
    expect(parseUri("s3://bucket/a/b/")).toEqual({
      kind: "bucket",
      bucket: { scheme: "s3", name: "bucket" },
      key: "a/b/",
    });
    expect(parseUri("https://host/a.csv?x=1")).toMatchObject({ kind: "http" });
    expect(parseUri("pvc://claim/folder/a.csv")).toMatchObject({ path: "folder/a.csv" });
  });
});

test("a text that is shortened has no half a character", () => {
  expect(clip("ab😀cd", 4)).toBe("ab\ufffd…");
  expect(clip("ab😀", 4)).toBe("ab😀");
});
