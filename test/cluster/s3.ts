import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Child, freePorts } from "./os/child.ts";
import { probe } from "./os/http.ts";
import { binary } from "./tools.ts";

export interface S3Server {
  url: string;
  accessKey: string;
  secretKey: string;
  /** Writes an object; its bucket is made when it is new. */
  put(bucket: string, key: string, content: string | Uint8Array): Promise<void>;
  stop(): Promise<void>;
}

/** A real S3 server on a folder of its own. Its clients must reach `address`: pods reach the node's, tests any loopback one. */
export async function startS3(address = "127.0.0.1"): Promise<S3Server> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(address);
    } catch (error) {
      // Another process took the free port between our look and our use of it.
      if (attempt === 3 || !(error instanceof Error && error.message.includes("address already in use"))) throw error;
    }
  }
}

async function start(address: string): Promise<S3Server> {
  const root = await mkdtemp(join(tmpdir(), "lemnis-s3-"));
  const [port = 0] = await freePorts(1);
  const url = `http://${address}:${port}`;
  const [accessKey, secretKey] = ["lemnis-test", "lemnis-test-secret"];
  const data = join(root, "data");
  const versions = join(root, "versions");
  await mkdir(data);
  await mkdir(versions);
  const server = await Child.start({
    name: "versitygw",
    command: await binary("versitygw"),
    args: [
      ...["--access", accessKey, "--secret", secretKey, "--port", `${address}:${port}`],
      ...["posix", "--versioning-dir", versions, data],
    ],
    logFile: join(root, "versitygw.log"),
    isReady: async () => (await probe(url)) !== undefined,
  });
  return {
    url,
    accessKey,
    secretKey,
    async put(bucket, key, content) {
      const file = join(data, bucket, key);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    },
    async stop() {
      await server.stop("SIGKILL");
      await rm(root, { recursive: true, force: true });
    },
  };
}
