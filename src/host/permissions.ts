// Node's permission model (`node --permission`): which flags beside it a role needs, and which of them are missing.

/** Node's own `process.permission`, which is there only under the model. */
interface Permissions {
  readonly has: (scope: string, reference?: string) => boolean;
}

/**
 * The flags that a process lacks under the permission model; empty where the model is off. Without --allow-fs-write
 * there is a fleet all the same, without a control socket.
 * @param reads the files it cannot do without
 * @param forks whether it starts other processes
 */
export function missingPermissions(
  reads: readonly string[],
  forks: boolean,
  given: Permissions | undefined = (process as { readonly permission?: Permissions }).permission,
  flags: ReadonlySet<string> = process.allowedNodeEnvironmentFlags,
): string[] {
  if (given === undefined) return [];
  const missing = reads
    .filter((path) => !given.has('fs.read', path))
    .map((path) => `--allow-fs-read=${path}`);
  if (forks && !given.has('child')) missing.push('--allow-child-process');
  // Nodes that do not know this flag let every process use the network.
  if (flags.has('--allow-net') && !given.has('net')) missing.push('--allow-net');
  return missing;
}
