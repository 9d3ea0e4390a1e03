import { createServer, type Server } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Guard } from "./guard.ts";

/** A name of which each question gets another answer. */
const rebinding = { host: "rebinding.test", answers: ["127.0.0.1", "127.0.0.2"], asked: 0 };
vi.mock("node:dns/promises", async (original) => {
  const { lookup } = await original<typeof import("node:dns/promises")>();
  return {
    lookup: async (host: string, options: { all: true }) => {
      if (host !== rebinding.host) return lookup(host, options);
      return [{ address: rebinding.answers[rebinding.asked++ % 2], family: 4 }];
    },
  };
});

const timeout = 10_000;
const strict = new Guard({ timeout });
const refusal = (range: string) => ({ reason: "SourceForbidden", message: expect.stringContaining(range) });

describe("the guard", () => {
  test.each([
    ["127.0.0.1", "127.0.0.0/8"],
    ["127.255.255.254", "127.0.0.0/8"],
    ["2130706433", "127.0.0.0/8"],
    ["0x7f.1", "127.0.0.0/8"],
    ["localhost", "loopback"],
    ["0.0.0.0", "0.0.0.0/8"],
    ["169.254.169.254", "169.254.0.0/16"],
    ["100.100.100.200", "100.100.100.200/32"],
    ["255.255.255.255", "240.0.0.0/4"],
    ["::", "::/128"],
    ["::1", "::1/128"],
    ["fe80::1", "fe80::/10"],
    ["fd00:ec2::254", "fd00:ec2::254/128"],
    ["::ffff:127.0.0.1", "127.0.0.0/8"],
    ["::ffff:a9fe:a9fe", "169.254.0.0/16"],
    ["::127.0.0.1", "127.0.0.0/8"],
    ["64:ff9b::7f00:1", "127.0.0.0/8"],
    ["2002:7f00:1::", "127.0.0.0/8"],
  ])("refuses %s", async (host, range) => {
    await expect(strict.resolve(host)).rejects.toMatchObject(refusal(range));
  });

  test("refuses what the platform team denies, and says which network that is", async () => {
    const guard = new Guard({ timeout, deniedRanges: ["10.0.0.0/8", "fd00::/8"] });
    for (const host of ["10.1.2.3", "::ffff:10.1.2.3"]) {
      await expect(guard.resolve(host)).rejects.toMatchObject(refusal("10.0.0.0/8 (denied by the platform team)"));
    }
    await expect(guard.resolve("fd12::1")).rejects.toMatchObject(refusal("fd00::/8"));
    expect(await guard.resolve("192.0.2.1")).toEqual([{ address: "192.0.2.1", family: 4 }]);
    expect(() => new Guard({ timeout, deniedRanges: ["10.0.0.0"] })).toThrow(/CIDR/);
  });

  test("lets no address of a refused network through, in whatever form", async () => {
    const octet = fc.integer({ min: 0, max: 255 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(0, 127), octet, octet, octet, async (a, b, c, d) => {
        const hex = [a * 256 + b, c * 256 + d].map((group) => group.toString(16)).join(":");
        for (const form of [[a, b, c, d].join("."), `::ffff:${hex}`, `64:ff9b::${hex}`, `2002:${hex}::`]) {
          await expect(strict.resolve(form)).rejects.toMatchObject({ reason: "SourceForbidden" });
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("a connection", () => {
  let server: Server;
  let port = 0;
  beforeAll(async () => {
    server = createServer((socket) => socket.on("error", () => {}).end("hello"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    port = typeof address === "object" && address ? address.port : 0;
  });
  afterAll(() => {
    server.close();
  });

  test("goes to the address that was checked", async () => {
    const guard = new Guard({ timeout, allowLoopback: true });
    const socket = await guard.connect({ host: "localhost", port });
    expect(socket.remoteAddress).toMatch(/127\.0\.0\.1$/);
    socket.destroy();
  });

  test("asks for a name once: an answer that changes after the check changes nothing", async () => {
    const guard = new Guard({ timeout, allowLoopback: true, deniedRanges: ["127.0.0.2/32"] });
    const socket = await guard.connect({ host: rebinding.host, port });
    expect([socket.remoteAddress, rebinding.asked]).toEqual(["127.0.0.1", 1]);
    socket.destroy();
    await expect(guard.connect({ host: rebinding.host, port })).rejects.toMatchObject(refusal("127.0.0.2/32"));
  });

  test("is not made to this machine, nor to a port that nobody listens on", async () => {
    await expect(strict.connect({ host: "127.0.0.1", port })).rejects.toMatchObject({ reason: "SourceForbidden" });
    await expect(strict.connect({ host: "[::1]", port })).rejects.toMatchObject({ reason: "SourceForbidden" });
    const guard = new Guard({ timeout, allowLoopback: true });
    await expect(guard.connect({ host: "127.0.0.1", port: 1 })).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});
