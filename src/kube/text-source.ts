import { readFile } from 'node:fs/promises';
import { messageChain } from '../model/errors.ts';
import { KubeError } from './kube-error.ts';

/** A text of the configuration: in a file that may be replaced at any time, or given in the configuration itself. */
export type TextSource =
  | { readonly kind: 'file'; readonly path: string; readonly field: string }
  | { readonly kind: 'inline'; readonly text: string; readonly field: string };

/** How the source is called in messages: `certificate-authority /etc/ca.crt`. */
export function sourceName(source: TextSource): string {
  return source.kind === 'file' ? `${source.field} ${source.path}` : source.field;
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
