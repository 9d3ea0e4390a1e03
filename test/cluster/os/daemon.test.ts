import { expect, test } from "vitest";
import { parseStat, specDigest } from "./daemon.ts";

test("a process name with blanks and brackets does not shift the fields of /proc/PID/stat", () => {
  const rest = "S 7 3 3 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 1000 200";
  const expected = { state: "S", parent: 7, startTime: "123456" };
  expect(parseStat(`42 (etcd) ${rest}`)).toEqual(expected);
  expect(parseStat(`42 (a) Z 1 (b) ${rest}`)).toEqual(expected);
});

test("a daemon's digest changes with its arguments and with its configuration", () => {
  const spec = { name: "x", command: "x", args: ["--a=1"], files: { "/etc/x": "1" } };
  const others = [
    { ...spec, args: ["--a=2"] },
    { ...spec, files: { "/etc/x": "2" } },
  ];
  expect(specDigest({ ...spec })).toBe(specDigest(spec));
  for (const other of others) expect(specDigest(other)).not.toBe(specDigest(spec));
});
