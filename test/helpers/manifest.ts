// Kubernetes manifests, read and held against Kubernetes' own schemas as strictly as kubectl does.

import { Deployment } from 'kubernetes-models/apps/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Service } from 'kubernetes-models/v1';
import { parseAllDocuments } from 'yaml';

const MODELS: Readonly<Record<string, { readonly prototype: { validate(): void } }>> = {
  'apps/v1 Deployment': Deployment,
  'policy/v1 PodDisruptionBudget': PodDisruptionBudget,
  'v1 Service': Service,
};

/** The documents of a file; throws on what is no YAML, a key given twice included. */
export const documentsOf = (text: string): unknown[] =>
  parseAllDocuments(text).map((document) => {
    for (const problem of [...document.errors, ...document.warnings]) throw problem;
    return document.toJS();
  });

/**
 * What the schema of its kind has against a document, one line each.
 * The schemas let a field pass that they do not know. Their validators read every field that they know, and no other:
 * one that is there and was never read is unknown.
 */
export function problemsOf(document: unknown): string[] {
  const { apiVersion, kind } = document as { readonly apiVersion?: unknown; readonly kind?: unknown };
  const model = MODELS[`${apiVersion} ${kind}`];
  if (model === undefined) return [`no schema for ${apiVersion} ${kind}`];
  const read = new Set<string>();
  try {
    model.prototype.validate.call(watched(document, '', read));
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  return unread(document, '', read);
}

/** The same value; whoever reads a field of it leaves its path in `read`. */
function watched(value: unknown, path: string, read: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get(target, key, receiver) {
      const field = `${path}/${String(key)}`;
      read.add(field);
      return watched(Reflect.get(target, key, receiver), field, read);
    },
  });
}

const unread = (value: unknown, path: string, read: ReadonlySet<string>): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, field]) =>
        read.has(`${path}/${key}`)
          ? unread(field, `${path}/${key}`, read)
          : [`data${path}/${key} is no field of it`],
      );
