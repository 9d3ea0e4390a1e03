import { expect, test } from "vitest";
import { containerPids } from "./containers.ts";

test("only shims of our containerd are ended, with all their descendants", () => {
  const shim = (pid: number, socket: string) => {
    return { pid, parent: 1, args: ["/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-address", socket] };
  };
  const processes = [
    { pid: 5, parent: 4, args: ["grandchild"] },
    shim(2, "/run/ours.sock"),
    { pid: 4, parent: 2, args: ["child"] },
    shim(3, "/run/theirs.sock"),
    { pid: 6, parent: 3, args: ["child of theirs"] },
    { pid: 7, parent: 1, args: ["vi", "-address", "/run/ours.sock"] },
  ];
  expect(containerPids(processes, "/run/ours.sock").sort()).toEqual([2, 4, 5]);
});
