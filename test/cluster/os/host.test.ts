import { createServer } from "node:net";
import { expect, test } from "vitest";
import { freePorts } from "./child.ts";
import { requireFreePort } from "./host.ts";

async function listenOn(port: number) {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return server;
}

test("a port that is given back in a moment is waited for", async () => {
  const [port = 0] = await freePorts(1);
  const server = await listenOn(port);
  setTimeout(() => server.close(), 300);
  await requireFreePort("etcd", { address: "127.0.0.1", port });
});

test("a port that another program keeps is named, with the way to find that program", async () => {
  const [port = 0] = await freePorts(1);
  const server = await listenOn(port);
  const asked = requireFreePort("etcd", { address: "127.0.0.1", port });
  await expect(asked).rejects.toThrow(new RegExp(`etcd needs port ${port} of 127.0.0.1.*ss -ltnp`));
  server.close();
}, 10_000);

test("an address that this machine has not is said so at once", async () => {
  const asked = requireFreePort("etcd", { address: "203.0.113.1", port: 12_379 });
  await expect(asked).rejects.toThrow(/etcd can't listen on 203\.0\.113\.1:12379/);
});
