/** The one door to the network for all that reads sources: where a connection may go is decided on the address that it goes to. */
import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { BlockList, connect, isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { errorText, permanent, TaskError, transient } from "../failure.ts";
import { embeddedIPv4 } from "./ip-address.ts";

export interface GuardOptions {
  /** Networks in CIDR notation that the platform team denies. */
  deniedRanges?: readonly string[] | undefined;
  /** Tests only: their servers are on this machine. */
  allowLoopback?: boolean | undefined;
  /** Milliseconds until a connection is up. */
  timeout: number;
}

export interface Endpoint {
  host: string;
  port: number;
  /** Absent: no TLS. The host's name is verified unless `servername` or `rejectUnauthorized` say otherwise. */
  tls?: ConnectionOptions;
}

const loopback = ["127.0.0.0/8", "::1/128"];
const refused: [string, string[]][] = [
  ["this host", ["0.0.0.0/8", "::/128"]],
  ["link-local", ["169.254.0.0/16", "fe80::/10"]],
  // Cloud metadata outside of the link-local networks: Alibaba, Azure, AWS and Google over IPv6.
  ["cloud metadata", ["100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128", "fd20:ce::254/128"]],
  ["multicast or reserved", ["224.0.0.0/4", "240.0.0.0/4", "ff00::/8"]],
];

interface Range {
  cidr: string;
  why: string;
  list: BlockList;
}

function range(cidr: string, why: string): Range {
  const [network = "", prefix = ""] = cidr.split("/");
  const family = isIP(network);
  if (!family || !/^\d{1,3}$/.test(prefix)) {
    throw permanent(
      "InternalError",
      `${cidr} in the denied ranges is no network in CIDR notation: mend the chart's value`,
    );
  }
  const list = new BlockList();
  list.addSubnet(network, Number(prefix), family === 4 ? "ipv4" : "ipv6");
  return { cidr, why, list };
}

export class Guard {
  readonly #ranges: readonly Range[];
  readonly #timeout: number;

  constructor({ deniedRanges = [], allowLoopback = false, timeout }: GuardOptions) {
    this.#timeout = timeout;
    this.#ranges = [
      ...(allowLoopback ? [] : loopback.map((cidr) => range(cidr, "loopback"))),
      ...refused.flatMap(([why, cidrs]) => cidrs.map((cidr) => range(cidr, why))),
      ...deniedRanges.map((cidr) => range(cidr, "denied by the platform team")),
    ];
  }

  /** A host's addresses, all of them allowed. A name that has one that is not is SourceForbidden. */
  async resolve(name: string): Promise<LookupAddress[]> {
    const addresses = await lookup(name, { all: true }).catch((error: unknown) => {
      throw transient("SourceUnreachable", `the host ${name} can't be found: ${errorText(error)}`);
    });
    for (const { address } of addresses) this.#check(name, address);
    return addresses;
  }

  /** A connection to one of the addresses that were checked: the name is not asked for again. */
  async connect({ port, tls, ...endpoint }: Endpoint): Promise<Socket> {
    const host = endpoint.host.replace(/^\[(.*)\]$/, "$1");
    const addresses = await this.resolve(host);
    const [first] = addresses;
    if (!first) throw transient("SourceUnreachable", `the host ${host} has no address`);
    const socket = connect({
      host: isIP(host) ? first.address : host,
      port,
      lookup: (_name, options, done) => (options.all ? done(null, addresses) : done(null, first.address, first.family)),
    });
    await this.#established(socket, "connect");
    if (!tls) return socket;
    const named = isIP(host) ? {} : { servername: host };
    const secure = connectTls({ host, ...named, ...tls, socket });
    await this.#established(secure, "secureConnect");
    return secure;
  }

  #established(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
    // Until its user listens for errors, one must not end the process.
    socket.on("error", () => {});
    return new Promise((resolve, reject) => {
      const settle = (error?: Error) => {
        clearTimeout(timer);
        socket.off("error", settle);
        if (!error) return resolve();
        socket.destroy();
        reject(error);
      };
      const timer = setTimeout(
        () => settle(new Error(`no connection within ${this.#timeout / 1000} s`)),
        this.#timeout,
      );
      socket.once(event, () => settle());
      socket.once("error", settle);
    });
  }

  #check(host: string, address: string): void {
    for (const candidate of [address, ...embeddedIPv4(address)]) {
      const found = this.#ranges.find(({ list }) => list.check(candidate, isIP(candidate) === 6 ? "ipv6" : "ipv4"));
      if (!found) continue;
      const shown = host === address ? address : `${host} (${address})`;
      throw permanent(
        "SourceForbidden",
        `${shown} is in ${found.cidr} (${found.why}), where no source may be: use a source at another address`,
      );
    }
  }
}

/** The guard's refusal, wherever a client has wrapped it. */
export function refusalIn(error: unknown): TaskError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof TaskError) return cause;
  return undefined;
}
