// How an app in TypeScript or JSX is run: by tsx where its project has it, else by Node itself where that can.

import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Node's flag for it where it is not the default. */
const STRIP = '--experimental-strip-types';
const INSTALL = 'npm install --save-dev tsx';

/** What Node can do by itself. */
interface Node {
  readonly version: string;
  /** Whether it takes the types off as it is. */
  readonly strips: boolean;
  /** Whether it does so when it is told to. */
  readonly canStrip: boolean;
}

const thisNode = (): Node => ({
  version: process.version,
  strips: Boolean((process.features as { readonly typescript?: unknown }).typescript),
  canStrip: process.allowedNodeEnvironmentFlags.has(STRIP),
});

/** Node's options for workers that run the app, or in one line why none of them would. */
export function optionsFor(
  entry: string,
  node: Node = thisNode(),
): { readonly options: readonly string[] } | { readonly problem: string } {
  if (!/^\.([mc]?ts|[jt]sx)$/.test(extname(entry))) return { options: [] };
  const tsx = find('tsx', entry);
  if (tsx !== undefined) return { options: ['--import', pathToFileURL(tsx).href] };
  if (entry.endsWith('x')) return { problem: `expected tsx for JSX (${INSTALL}), got none in its project` };
  if (node.strips) return { options: [] };
  if (node.canStrip) return { options: [STRIP] };
  return {
    problem: `expected Node 22.18 or later, or tsx (${INSTALL}), got Node ${node.version.slice(1)} alone`,
  };
}

/** The file of a package as the app would find it. */
function find(name: string, entry: string): string | undefined {
  try {
    return createRequire(entry).resolve(name);
  } catch {
    return undefined;
  }
}
