// A client of a metrics server, in a process of its own: `client-process.ts autoscaler|dashboard URL DIRECTORY WORKLOADS`, the directory of the simulated cluster.
// Told "ask" by its parent it asks, on a new connection, until it is told "rest"; then it tells what it saw. It ends with its parent.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CalmWatch } from './calm-watch.ts';
import { Http2Client } from './http2-client.ts';
import { group } from './requests.ts';
import { workloads } from './workloads.ts';

/** What one client saw. */
export interface Seen {
  /** Milliseconds of each answer. */
  readonly latencies: readonly number[];
  /** Of those that no other machine disturbed. */
  readonly calm: readonly number[];
  /** Answers other than 200, and requests without an answer. */
  readonly failures: number;
}

const autoscalerPeriod = 15_000;
const dashboardPeriod = 2_000;
const protobuf = { accept: 'application/vnd.kubernetes.protobuf, */*' };
const json = { accept: 'application/json' };

const [role = '', url = '', directory = '', workloadCount = '0'] = process.argv.slice(2);
const file = (name: string): string => readFileSync(join(directory, name), 'utf8');
const identity = { cert: file('admin.crt'), key: file('admin.key') };
let rest: (() => Promise<Seen>) | undefined;

process.on('message', (message) => {
  if (message === 'ask') rest = startAsking();
  else void rest?.().then((seen) => process.send?.(seen));
});
process.once('disconnect', () => process.exit());

/** Asks from now on. Returns what ends it: it waits for the answers under way. */
function startAsking(): () => Promise<Seen> {
  const client = new Http2Client(url, identity);
  const latencies: number[] = [];
  const calm: number[] = [];
  const watch = new CalmWatch();
  const underWay = new Set<Promise<void>>();
  let failures = 0;
  const ask = async (path: string, headers: Readonly<Record<string, string>>): Promise<void> => {
    const begun = performance.now();
    const wasCalm = watch.begin();
    const asking = client.get(path, headers).then(
      ({ status }) => {
        const latency = performance.now() - begun;
        latencies.push(latency);
        if (wasCalm()) calm.push(latency);
        if (status !== 200) failures++;
      },
      () => void failures++,
    );
    underWay.add(asking);
    await asking;
    underWay.delete(asking);
  };

  /** Lists the pods of each workload once a period, evenly spread, on time whether or not the last answer has come. */
  const autoscale = (): NodeJS.Timeout | undefined => {
    const all = workloads(Number(workloadCount));
    if (all.length === 0) return undefined;
    let next = 0;
    return setInterval(() => {
      const { namespace, app } = all[next++ % all.length] ?? { namespace: '', app: '' };
      void ask(`${group}/namespaces/${namespace}/pods?labelSelector=app%3D${app}`, protobuf);
    }, autoscalerPeriod / all.length);
  };

  /** Lists all pods again and again, but waits for the last answer. */
  const showAllPods = (): NodeJS.Timeout =>
    setInterval(() => {
      if (underWay.size === 0) void ask(`${group}/pods`, json);
    }, dashboardPeriod);

  const timer = role === 'autoscaler' ? autoscale() : showAllPods();
  return async () => {
    clearInterval(timer);
    await Promise.all(underWay);
    client.close();
    watch.stop();
    return { latencies, calm, failures };
  };
}
