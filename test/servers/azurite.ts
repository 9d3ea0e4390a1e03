/** Azure Blob Storage as Microsoft emulates it. */
import { createHmac } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { run } from "../cluster/command.ts";
import { cacheDir } from "../cluster/layout.ts";
import { Child, freePorts } from "../cluster/os/child.ts";
import { withLock } from "../cluster/os/lock.ts";
import { type LogOptions, silent, withProgress } from "../cluster/progress.ts";
import { isListening } from "./listening.ts";

/** Not among the development dependencies: it brings 245 MB of which no build of ours needs any. Its dependencies are those of the day. */
const pinned = { name: "azurite@3.37.0", before: "2026-11-20" };
/** Azurite's, which are public: https://learn.microsoft.com/azure/storage/common/storage-use-azurite. */
const account = "devstoreaccount1";
const key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const apiVersion = "2021-12-02";

export interface AzureServer {
  endpoint: string;
  account: string;
  key: string;
  /** A token that may list and read for an hour. */
  sasToken(): string;
  makeContainer(name: string): Promise<void>;
  put(container: string, blob: string, content: string): Promise<void>;
  stop(): Promise<void>;
}

/** The program, installed into the cache when it is not there. */
export async function azurite({ log = silent }: LogOptions = {}): Promise<string> {
  const folder = join(cacheDir(), "azurite", pinned.name);
  const file = join(folder, "node_modules/azurite/dist/src/blob/main.js");
  if (existsSync(file)) return file;
  await mkdir(join(folder, ".."), { recursive: true });
  return withLock(`${folder}.lock`, async () => {
    if (existsSync(file)) return file;
    const partial = `${folder}.partial`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial);
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", `--before=${pinned.before}`];
    const install = () => run("npm", ["install", "--prefix", partial, ...options, pinned.name]);
    await withProgress(log, `installing ${pinned.name}`, install);
    await rename(partial, folder);
    return file;
  });
}

export async function startAzure(): Promise<AzureServer> {
  const main = await azurite();
  const root = await mkdtemp(join(tmpdir(), "lemnis-azure-"));
  const [port = 0] = await freePorts(1);
  const child = await Child.start({
    name: "azurite",
    command: process.execPath,
    args: [
      ...[main, "--blobHost", "127.0.0.1", "--blobPort", String(port), "--location", root],
      ...["--silent", "--skipApiVersionCheck", "--disableTelemetry"],
    ],
    logFile: join(root, "azurite.log"),
    isReady: () => isListening(port),
  });
  const endpoint = `http://127.0.0.1:${port}`;
  const send = async (path: string, headers: Record<string, string>, body = "") => {
    const token = sas({ ss: "b", srt: "co", sp: "cw" });
    const separator = path.includes("?") ? "&" : "?";
    const response = await request(`${endpoint}/${account}/${path}${separator}${token}`, {
      method: "PUT",
      headers: { "x-ms-version": apiVersion, ...headers },
      body,
    });
    if (response.statusCode !== 201) throw new Error(`Azurite: ${response.statusCode} ${await response.body.text()}`);
    await response.body.dump();
  };
  return {
    endpoint,
    account,
    key,
    sasToken: () => sas({ ss: "b", srt: "co", sp: "rl" }),
    makeContainer: (name) => send(`${name}?restype=container`, {}),
    put: (container, blob, content) => {
      const path = [container, ...blob.split("/")].map(encodeURIComponent).join("/");
      return send(path, { "x-ms-blob-type": "BlockBlob" }, content);
    },
    async stop() {
      await child.stop("SIGKILL");
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** An account SAS: https://learn.microsoft.com/rest/api/storageservices/create-account-sas. */
function sas({ ss, srt, sp }: { ss: string; srt: string; sp: string }): string {
  const se = new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+/, "");
  const text = [account, sp, ss, srt, "", se, "", "", apiVersion, "", ""].join("\n");
  const sig = createHmac("sha256", Buffer.from(key, "base64")).update(text, "utf8").digest("base64");
  return new URLSearchParams({ sv: apiVersion, ss, srt, sp, se, sig }).toString();
}
