/** An image's full name as the container runtime keeps it: registry, repository and tag. */
export function fullReference(name: string): string {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const hasRegistry = first === "localhost" || /[.:]/.test(first);
  const repository = hasRegistry ? name : `docker.io/${slash < 0 ? "library/" : ""}${name}`;
  const hasTag = /[:@]/.test(repository.slice(repository.lastIndexOf("/")));
  return hasTag ? repository : `${repository}:latest`;
}

/** A name for files, from a full reference. */
export function fileName(reference: string): string {
  return reference.replace(/[^a-zA-Z0-9.-]+/g, "_");
}
