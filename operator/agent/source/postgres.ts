import { join } from "node:path";
import postgres, { type Sql, type TransactionSql } from "postgres";
import type { Timing } from "../context.ts";
import { clip, errorText, permanent, redact, type TaskError, transient } from "../failure.ts";
import type { Fetched, FetchOptions } from "./fetch.ts";
import { refusalIn } from "./guard.ts";
import type { Network } from "./network.ts";
import { writeBody } from "./transfer.ts";

export interface PostgresAddress {
  host: string;
  port: number;
  database: string;
  sslmode: "verify-full" | "require" | "disable";
}

const fileName = "data.csv";

/**
 * A query's rows as one CSV file, as COPY writes them in one read-only transaction that sees one state of the database. Text
 * is quoted and numbers are not, so that a reader of CSV finds the types again; null is the cell that is empty and not quoted.
 */
export async function fetchPostgres(
  network: Network,
  { address, query }: { address: PostgresAddress; query: string | undefined },
  { into, wanted, progress, timing }: FetchOptions & { timing: Timing },
): Promise<Fetched> {
  const { host, port, database } = address;
  const label = `postgres://${host}:${port}/${database}`;
  if (!query) throw permanent("SourceInvalid", `${label} needs a query`);
  if (!wanted(fileName)) {
    throw permanent("SourceInvalid", `${label} is read as CSV: leave format out, or write format: CSV`);
  }
  const sql = await open(network, address, timing);
  try {
    const local = join(into, fileName);
    const written = await sql.begin("isolation level repeatable read read only", async (transaction) => {
      const statement = await copyStatement(transaction, query);
      await transaction.unsafe(
        `SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'iso_8601';
         SET LOCAL extra_float_digits = 1; SET LOCAL statement_timeout = ${timing.transfer}`,
      );
      const stream = await transaction.unsafe(statement).readable();
      const received = (bytes: number) => progress?.(bytes, undefined);
      // A query may think for long before its first row; whether the server is there shows by TCP's own means.
      const patience = { idle: timing.transfer, transfer: timing.transfer };
      const failure = (error: unknown) => postgresError(error, label);
      return writeBody({ stream, length: undefined, label, received, failure }, local, patience);
    });
    return { files: [{ path: fileName, local, ...written }], folder: false };
  } catch (error) {
    throw postgresError(error, label);
  } finally {
    await sql.end({ timeout: 0 }).catch(() => {});
  }
}

async function open({ guard, ca, secret }: Network, address: PostgresAddress, timing: Timing): Promise<Sql> {
  const { host, port, database, sslmode } = address;
  const [username, password] = [await secret("username"), await secret("password")];
  if (!username) {
    throw permanent("SourceForbidden", "postgres:// needs a Secret in secretRef with the keys username and password");
  }
  const name = host.replace(/^\[(.*)\]$/, "$1");
  const authorities = ca ? { ca } : {};
  const verify = { host: name, ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }), ...authorities };
  const encrypt = ca ? { ...authorities, checkServerIdentity: () => undefined } : { rejectUnauthorized: false };
  return postgres({
    ...{ host: name, port, database, username, password },
    ssl: sslmode === "disable" ? false : sslmode === "require" ? encrypt : verify,
    max: 1,
    fetch_types: false,
    connect_timeout: timing.idle / 1000,
    connection: { application_name: "lemnis" },
    onnotice: () => {},
    socket: async () => {
      const socket = await guard.connect({ host, port });
      return socket.setKeepAlive(true, 15_000);
    },
  } as postgres.Options<Record<string, never>>);
}

/** Types that a reader of CSV tells from text; all others are quoted. */
const bare = new Set([20, 21, 23, 26, 700, 701, 1700, 1082, 1114, 1184]);
const boolean = 16;

/** The query on its own first: what the server takes for one statement can't end the COPY that is built around it. */
async function copyStatement(transaction: TransactionSql, query: string): Promise<string> {
  const single = query.replace(/[\s;]+$/, "");
  const { columns } = await transaction.unsafe(single, [], { simple: false } as object).describe();
  if (!columns || columns.length === 0) {
    throw permanent("SourceInvalid", "the query returns no columns: write a SELECT");
  }
  const names = columns.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw permanent("SourceInvalid", `the query returns two columns named ${twice}: name one of them anew with AS`);
  }
  const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;
  // COPY writes t and f for booleans, which say less than true and false.
  const select = columns.map(({ name, type }) =>
    type === boolean ? `${quote(name)}::text AS ${quote(name)}` : quote(name),
  );
  const quoted = columns.filter(({ type }) => !bare.has(type) && type !== boolean).map(({ name }) => quote(name));
  const force = quoted.length > 0 ? `, FORCE_QUOTE (${quoted.join(", ")})` : "";
  return `COPY (SELECT ${select.join(", ")} FROM (\n${single}\n) AS data) TO STDOUT (FORMAT csv, HEADER true${force})`;
}

/** What the server's or the connection's error means for the user. */
function postgresError(error: unknown, label: string): TaskError {
  const refusal = refusalIn(error);
  if (refusal) return refusal;
  const code = String((error as { code?: unknown }).code ?? "");
  const text = clip(redact(errorText(error)), 300);
  if (/^28/.test(code)) return permanent("SourceForbidden", `${label}: ${text}: check the Secret in secretRef`);
  if (code === "42501") return permanent("SourceForbidden", `${label}: ${text}: grant the user the right to read`);
  if (code === "3D000") return permanent("SourceNotFound", `${label}: ${text}: check the uri`);
  if (/^25/.test(code)) return permanent("SourceInvalid", `${label}: ${text}: the query may only read`);
  if (/^(0A|21|22|42)/.test(code)) return permanent("SourceInvalid", `${label}: the query failed: ${text}`);
  if (/^[0-9A-Z]{5}$/.test(code)) return transient("SourceUnreachable", `${label}: ${text}`);
  const hint = /certificate|SSL|TLS|altnames/i.test(text)
    ? ": check ca.crt in the Secret, or set sslmode in the uri (verify-full, require, disable)"
    : "";
  return transient("SourceUnreachable", `${label} can't be reached: ${text}${hint}`);
}
