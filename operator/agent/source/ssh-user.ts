import { writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";

interface User {
  uid: number;
  gid: number;
  /** It has an entry in /etc/passwd. */
  isKnown: boolean;
}

/**
 * What ssh needs in its environment to run as this user: it ends at once when there is no entry of it in /etc/passwd, and a
 * pod may run as any (runAsUser). The entry is written into `folder`, and read by way of libnss_wrapper, which the image has.
 */
export async function sshUser(folder: string, user: User = currentUser()): Promise<Record<string, string>> {
  if (user.isKnown) return {};
  const file = join(folder, "passwd");
  await writeFile(file, `lemnis:x:${user.uid}:${user.gid}::${folder}:/usr/sbin/nologin\n`);
  return { LD_PRELOAD: "libnss_wrapper.so", NSS_WRAPPER_PASSWD: file, NSS_WRAPPER_GROUP: "/etc/group" };
}

function currentUser(): User {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  try {
    userInfo();
    return { uid, gid, isKnown: true };
  } catch {
    return { uid, gid, isKnown: false };
  }
}
