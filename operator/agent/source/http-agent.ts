import { type ClientRequestArgs, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Duplex } from "node:stream";
import { smallTransfers } from "../artifact/concurrent.ts";
import type { Network } from "./network.ts";

type Done = (error: Error | null, stream: Duplex) => void;

/** Node's own HTTP agents with connections that pass the guard, for clients that know no others. */
export function guardedHttpAgents({ guard, ca }: Pick<Network, "guard" | "ca">) {
  const open = (options: ClientRequestArgs, done: Done | undefined, tls: object | undefined) => {
    const port = Number(options.port) || (tls ? 443 : 80);
    guard.connect({ host: options.host ?? "localhost", port, ...(tls ? { tls } : {}) }).then(
      (socket) => done?.(null, socket),
      (error: Error) => done?.(error, undefined as unknown as Duplex),
    );
    return undefined;
  };
  class Guarded extends HttpAgent {
    override createConnection(options: ClientRequestArgs, done?: Done) {
      return open(options, done, undefined);
    }
  }
  class GuardedTls extends HttpsAgent {
    override createConnection(options: ClientRequestArgs, done?: Done) {
      return open(options, done, ca ? { ca } : {});
    }
  }
  const limits = { keepAlive: true, maxSockets: smallTransfers };
  return { httpAgent: new Guarded(limits), httpsAgent: new GuardedTls(limits) };
}
