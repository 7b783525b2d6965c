import type { Writable } from 'node:stream';
import type { KubeClient } from '../kube/client.ts';
import { seconds } from '../model/units.ts';

const group = '/apis/metrics.k8s.io/v1beta1';
const timeout = seconds(5);
const tableType = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

/** How many nodes and pods have metrics. */
export interface Served {
  readonly nodes: number;
  readonly pods: number;
}

/** Counts what the aggregated API serves at the moment; nothing while it does not answer. */
export async function served(client: KubeClient): Promise<Served> {
  const [nodes, pods] = await Promise.all([count(client, `${group}/nodes`), count(client, `${group}/pods`)]);
  return { nodes, pods };
}

async function count(client: KubeClient, path: string): Promise<number> {
  try {
    const { items = [] } = await client.get<{ readonly items?: readonly unknown[] }>(path, { timeout });
    return items.length;
  } catch {
    return 0;
  }
}

interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[];
  readonly rows: readonly {
    readonly cells: readonly unknown[];
    readonly object?: { readonly metadata?: { readonly namespace?: string } } | null;
  }[];
}

/**
 * The metrics of nodes or pods as a table of text, at most `most` lines of it.
 * @throws KubeError when the aggregated API does not answer
 */
export async function metricsTable(client: KubeClient, plural: 'nodes' | 'pods', most: number): Promise<string> {
  const asked = { headers: { accept: tableType }, timeout };
  const { columnDefinitions, rows } = await client.get<Table>(`${group}/${plural}`, asked);
  const shown = columnDefinitions.flatMap(({ priority }, index) => (priority === 0 ? [index] : []));
  const namespaced = plural === 'pods';
  const head = shown.map((index) => (columnDefinitions[index]?.name ?? '').toUpperCase());
  const lines = rows.slice(0, most).map(({ cells, object }) => {
    const own = shown.map((index) => String(cells[index]));
    return namespaced ? [object?.metadata?.namespace ?? '', ...own] : own;
  });
  const text = aligned([namespaced ? ['NAMESPACE', ...head] : head, ...lines]);
  const left = rows.length - lines.length;
  return left > 0 ? `${text}... and ${left} more\n` : text;
}

function aligned(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('   ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Says how far something is: over and over on one line of a terminal, otherwise a line for each change. */
export class Progress {
  readonly #stream: Writable;
  readonly #terminal: boolean;
  #last = '';

  constructor(stream: Writable) {
    this.#stream = stream;
    this.#terminal = 'isTTY' in stream && stream.isTTY === true;
  }

  show(text: string): void {
    if (text === this.#last) return;
    this.#stream.write(this.#terminal ? `\r${text.padEnd(this.#last.length)}` : `${text}\n`);
    this.#last = text;
  }

  end(): void {
    if (this.#terminal && this.#last !== '') this.#stream.write('\n');
    this.#last = '';
  }
}
