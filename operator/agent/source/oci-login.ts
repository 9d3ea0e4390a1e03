import type { Agent } from "undici";
import { permanent } from "../failure.ts";
import { basic } from "./http.ts";
import type { Network } from "./network.ts";
import { readBytes, request, statusError, type WebResponse } from "./web.ts";

/** Logs in to a registry as it asks for it: with Basic, or with a token from its realm (distribution's token specification). */
export class RegistryLogin {
  #authorization: string | undefined;
  readonly #agent: Agent;
  readonly #network: Network;
  readonly #repository: string;

  constructor(agent: Agent, network: Network, repository: string) {
    this.#agent = agent;
    this.#network = network;
    this.#repository = repository;
  }

  /** What to send before the registry asks: what it has given, or a token of the Secret's that is one already. */
  async first(): Promise<string | undefined> {
    if (this.#authorization) return this.#authorization;
    const { secret } = this.#network;
    const token = await secret("token");
    return token && !(await secret("username")) ? `Bearer ${token}` : undefined;
  }

  /** What to send after a 401. */
  async answer({ headers, url }: WebResponse): Promise<string> {
    const challenge = String(headers["www-authenticate"] ?? "");
    const own = await this.#credentials();
    if (/^basic\b/i.test(challenge)) {
      if (!own) throw statusError(401, url);
      this.#authorization = own;
      return own;
    }
    const fields = Object.fromEntries(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = "", value]) => [name.toLowerCase(), value]),
    );
    const realm = URL.parse(fields.realm ?? "");
    if (!/^bearer\b/i.test(challenge) || !realm || !/^https?:$/.test(realm.protocol)) throw statusError(401, url);
    if (url.protocol === "https:" && realm.protocol !== "https:") {
      throw permanent("SourceInvalid", `${url.host} asks for credentials to be sent to ${realm.host} without TLS`);
    }
    realm.searchParams.set("scope", fields.scope ?? `repository:${this.#repository}:pull`);
    if (fields.service) realm.searchParams.set("service", fields.service);
    const response = await request(this.#agent, { url: realm, authorization: own });
    if (response.statusCode !== 200) {
      await response.body.dump();
      throw statusError(response.statusCode, realm);
    }
    const given = tokenIn(await readBytes(response, 1 << 20));
    if (!given) throw statusError(401, realm);
    this.#authorization = `Bearer ${given}`;
    return this.#authorization;
  }

  async #credentials(): Promise<string | undefined> {
    const { secret } = this.#network;
    const username = await secret("username");
    return username ? basic(username, (await secret("token")) || (await secret("password"))) : undefined;
  }
}

function tokenIn(bytes: Buffer): string | undefined {
  try {
    const { token, access_token } = JSON.parse(bytes.toString("utf8")) as Record<string, unknown>;
    const given = token ?? access_token;
    return typeof given === "string" && /^[\x21-\x7e]+$/.test(given) ? given : undefined;
  } catch {
    return undefined;
  }
}
