import { readFile } from 'node:fs/promises';
import { asRecord } from '../inventory/metadata.ts';
import { messageChain } from '../model/errors.ts';
import { milliseconds } from '../model/units.ts';
import type { SimulatedCluster } from './cluster.ts';
import type { KubeletFault } from './kubelet/kubelet-fault.ts';
import { nodeNumber } from './node/population.ts';

const readEvery = 250;

/**
 * Applies the faults that a JSON file names by node number, and applies them anew whenever it changes. A file that cannot be
 * read, or is no JSON object, leaves everything as it is, and `tell` hears of it when that begins. The function returned ends it.
 * An empty path follows nothing.
 */
export function followFaults(
  cluster: SimulatedCluster,
  path: string,
  tell: (problem: string) => void = () => {},
): () => void {
  if (path === '') return () => {};
  let last: string | undefined;
  let told = '';
  let stopped = false;
  const complain = (problem: string): void => {
    if (problem !== told && problem !== '' && !stopped) tell(problem);
    told = problem;
  };
  const look = async (): Promise<void> => {
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      complain(`faults cannot be read, they are applied once they can: ${messageChain(error)}`);
    });
    // An empty one is about to be written.
    if (text === undefined || text === '' || text === last) return;
    const read = readFaults(text);
    last = text;
    if (read === undefined) {
      complain(`${path} holds no JSON object, the faults stay as they are`);
      return;
    }
    const { faults, unknown } = read;
    complain(unknown.length === 0 ? '' : `${path}: these are no faults, and left out: ${unknown.join(', ')}`);
    for (const node of cluster.nodeNames)
      if (!stopped) await cluster.setKubeletFault(node, faults.get(nodeNumber(node))).catch(() => undefined);
  };
  let busy: Promise<void> | undefined;
  const lookUnlessBusy = (): void => {
    busy ??= look().finally(() => (busy = undefined));
  };
  lookUnlessBusy();
  const timer = setInterval(lookUnlessBusy, readEvery);
  return () => {
    stopped = true;
    clearInterval(timer);
  };
}

interface Faults {
  /** By node number. */
  readonly faults: ReadonlyMap<number, KubeletFault>;
  /** What cannot be understood. */
  readonly unknown: readonly string[];
}

/** Undefined when the text is no JSON object. */
function readFaults(text: string): Faults | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof document !== 'object' || document === null) return undefined;
  const faults = new Map<number, KubeletFault>();
  const unknown: string[] = [];
  for (const [kind, nodes] of Object.entries(document as Readonly<Record<string, unknown>>)) {
    // A list of nodes, or for each of them a number that says more.
    const pairs = Array.isArray(nodes) ? nodes.map((node: unknown) => [node, 0]) : Object.entries(asRecord(nodes));
    for (const [node, value] of pairs) {
      const fault = typeof value === 'number' ? faultOf(kind, value, Array.isArray(nodes)) : undefined;
      if (fault !== undefined && Number.isInteger(Number(node))) faults.set(Number(node), fault);
      else unknown.push(`${kind} ${String(node)}${Array.isArray(nodes) ? '' : `: ${JSON.stringify(value)}`}`);
    }
  }
  return { faults, unknown };
}

function faultOf(kind: string, value: number, plain: boolean): KubeletFault | undefined {
  if (!plain) {
    // Others are no answer, or one that promises another.
    if (kind === 'status') return value >= 200 && value <= 599 ? { kind, status: Math.trunc(value) } : undefined;
    return kind === 'slowMs' ? { kind: 'slow', delay: milliseconds(value) } : undefined;
  }
  switch (kind) {
    case 'hang':
    case 'reset':
    case 'truncate':
    case 'garbage':
    case 'empty':
    case 'refuse':
    case 'wrong-certificate':
    case 'no-summary':
    case 'forbidden-summary':
    case 'forbidden':
      return { kind };
    case 'huge':
      return { kind, size: 100_000_000 };
    case 'drip':
      return { kind, every: milliseconds(100) };
    default:
      return undefined;
  }
}
