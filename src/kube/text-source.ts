import { readFile } from 'node:fs/promises';
import { messageChain } from '../model/errors.ts';
import { KubeError } from './kube-error.ts';

interface Field {
  readonly field: string;
  /** What has the field, where several may: `user "admin" of kubeconfig /etc/kubeconfig`. */
  readonly of?: string;
}

/** A text of the configuration: in a file that may be replaced at any time, or given in the configuration itself. */
export type TextSource = Field &
  ({ readonly kind: 'file'; readonly path: string } | { readonly kind: 'inline'; readonly text: string });

/** How the source is called in messages: `certificate-authority /etc/ca.crt (cluster "home" of kubeconfig /etc/kubeconfig)`. */
export function sourceName(source: TextSource): string {
  const name = source.kind === 'file' ? `${source.field} ${source.path}` : source.field;
  return source.of === undefined ? name : `${name} (${source.of})`;
}

/** The source's text as it is now. Throws `KubeError` `config` that names the file. */
export async function readText(source: TextSource): Promise<string> {
  if (source.kind === 'inline') return source.text;
  try {
    return await readFile(source.path, 'utf8');
  } catch (error) {
    throw new KubeError('config', `cannot read ${sourceName(source)}: ${messageChain(error)}`, { cause: error });
  }
}
