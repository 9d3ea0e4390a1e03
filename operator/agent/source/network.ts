import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { Agent } from "undici";
import type { AgentContext } from "../context.ts";
import { mountedAt } from "../paths.ts";
import type { ArtifactLocation } from "../tasks.ts";
import { Guard } from "./guard.ts";

/** What sources need of a task's context. */
export type SourceContext = Pick<AgentContext, "paths" | "timing" | "allowLoopback">;

/** How one location is reached: where connections may go, whom they trust, and with what they are let in. */
export interface Network {
  guard: Guard;
  /** The system's authorities and the Secret's; undefined: the system's alone. */
  ca: string[] | undefined;
  /** A key of the mounted Secret without white space around it; empty where there is none. */
  secret(key: string): Promise<string>;
}

const connectTimeout = 10_000;

export async function openNetwork(
  { paths, allowLoopback }: SourceContext,
  { secret: mounted, mount, deniedRanges }: ArtifactLocation,
): Promise<Network> {
  const folder = mountedAt(paths.secret, mount);
  const secret = async (key: string) =>
    mounted ? (await readFile(join(folder, key), "utf8").catch(() => "")).trim() : "";
  const authority = await secret("ca.crt");
  return {
    guard: new Guard({ deniedRanges, allowLoopback, timeout: connectTimeout }),
    ca: authority ? [...rootCertificates, authority] : undefined,
    secret,
  };
}

/** An HTTP client whose every connection passes the guard. */
export function guardedAgent({ guard, ca }: Pick<Network, "guard" | "ca">, idle: number): Agent {
  return new Agent({
    headersTimeout: idle,
    bodyTimeout: idle,
    connect: ({ hostname, port, protocol }, callback) => {
      const secure = protocol === "https:";
      guard
        .connect({
          host: hostname,
          port: Number(port) || (secure ? 443 : 80),
          ...(secure ? { tls: ca ? { ca } : {} } : {}),
        })
        .then(
          (socket) => callback(null, socket),
          (error: Error) => callback(error, null),
        );
    },
  });
}
