/**
 * A store in a process of its own, for tests that kill it: node store-process.ts FOLDER PORT. Tokens say who they are.
 * POSTGRES is the address of a database for its metadata, as JSON.
 */
import { pino } from "pino";
import { Registry } from "prom-client";
import type { PostgresAddress } from "../../../operator/store/postgres.ts";
import { startStore } from "../../../operator/store/server.ts";

const [, , dataDir = "", port] = process.argv;
const { POSTGRES } = process.env;
await startStore({
  postgres: POSTGRES ? (JSON.parse(POSTGRES) as PostgresAddress) : undefined,
  ...{ dataDir, host: "127.0.0.1", port: Number(port), operatorIdentity: "lemnis-system/lemnis" },
  review: async (token) => ({ authenticated: true, username: `system:serviceaccount:${token}` }),
  logger: pino({ level: "silent" }),
  registry: new Registry(),
});
process.stdout.write("ready\n");
