import { expect, test } from "vitest";
import { mountPoints } from "./mounts.ts";

test("mount points are read from mountinfo, blanks and all", () => {
  const lines = [
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw",
    "30 22 0:30 / /var/lib/a\\040b rw master:2 - tmpfs tmpfs rw",
  ];
  expect(mountPoints(`${lines.join("\n")}\n`)).toEqual(["/", "/var/lib/a b"]);
});
