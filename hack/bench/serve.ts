import { writeFile } from 'node:fs/promises';
import { until } from '../e2e/wait.ts';
import type { Figure } from './figure.ts';
import { Http2Client } from './http2-client.ts';
import { sampleRequests, type SampleRequest } from './requests.ts';
import type { Stage } from './stage.ts';
import { quantile } from './statistics.ts';
import { startServeFloor, type Subject } from './subject.ts';

const rounds = 2;
const parallel = 8;
/** Code is compiled while it runs; requests before that tell of the compiler. */
const warmUpRequests = 50;
/** Shares of the time given to a request: one after another, then several at once. */
const sequentialShare = 0.7;

/** What one subject took for one request; lists grow with every round. */
interface Tally {
  readonly latencies: number[];
  cpu: number;
  requests: number;
  parallelRequests: number;
  parallelSeconds: number;
}

interface Contestant {
  readonly subject: Subject;
  readonly client: Http2Client;
}

/** Latency, CPU and throughput of each request, subject after subject in turn, so that a busy moment of the machine hits none alone. */
export async function benchServe(stage: Stage): Promise<readonly Figure[]> {
  const floor = await startServeFloor(stage.simulation, await writeAnswers(stage));
  const subjects = [stage.kubetally, floor, ...(stage.metricsServer === undefined ? [] : [stage.metricsServer])];
  const figures: Figure[] = [];
  try {
    for (const request of sampleRequests) {
      stage.settings.say(`serve: ${request.name}`);
      const contestants: Contestant[] = [];
      try {
        for (const subject of subjects) contestants.push(await connected(subject, request, stage));
        figures.push(...figuresOf(request, await measure(contestants, request, stage.settings.serveSeconds)));
      } finally {
        for (const { client } of contestants) client.close();
      }
    }
    return figures;
  } finally {
    await floor.stop();
  }
}

/** A connection on which the subject has answered the request so often that both ends are compiled. */
async function connected(
  subject: Subject,
  { path, headers, windows }: SampleRequest,
  { simulation }: Stage,
): Promise<Contestant> {
  return await until(10_000, `${subject.name} answers`, async () => {
    subject.assertRunning();
    const client = new Http2Client(subject.url, simulation.admin, windows);
    try {
      for (let request = 0; request < warmUpRequests; request++) await client.get(path, headers);
      return { subject, client };
    } catch (error) {
      client.close();
      throw error;
    }
  });
}

/** Lets kubetally answer each request once, and keeps the bytes for the floor. */
async function writeAnswers({ simulation, kubetally }: Stage): Promise<string> {
  const client = new Http2Client(kubetally.url, simulation.admin);
  try {
    const answers = [];
    for (const [number, { name, path, headers }] of sampleRequests.entries()) {
      const { status, contentType, contentEncoding, body } = await client.get(path, headers, true);
      if (status !== 200) throw new Error(`${name}: kubetally answers ${status}: ${body.toString('utf8', 0, 200)}`);
      const file = simulation.path(`answer-${number}`);
      await writeFile(file, body);
      const key = `${path} ${headers['accept']} ${headers['accept-encoding'] ?? ''}`;
      answers.push({ key, type: contentType, encoding: contentEncoding, file });
    }
    const index = simulation.path('answers.json');
    await writeFile(index, JSON.stringify(answers));
    return index;
  } finally {
    client.close();
  }
}

async function measure(
  contestants: readonly Contestant[],
  { path, headers }: SampleRequest,
  seconds: number,
): Promise<readonly Tally[]> {
  const tallies = contestants.map((): Tally => ({
    latencies: [],
    cpu: 0,
    requests: 0,
    parallelRequests: 0,
    parallelSeconds: 0,
  }));
  const slice = (seconds * 1000) / rounds;
  for (let round = 0; round < rounds; round++)
    for (const [index, { subject, client }] of contestants.entries()) {
      const tally = tallies[index];
      if (tally === undefined) continue;
      const ask = async (): Promise<void> => {
        const { status } = await client.get(path, headers).catch((error: unknown) => {
          throw new Error(`${subject.name} does not answer ${path}`, { cause: error });
        });
        if (status !== 200) throw new Error(`${subject.name} answers ${status} to ${path}`);
      };
      await askInTurn(ask, slice * sequentialShare, subject, tally);
      await askAtOnce(ask, slice * (1 - sequentialShare), tally);
    }
  return tallies;
}

async function askInTurn(ask: () => Promise<void>, length: number, subject: Subject, tally: Tally): Promise<void> {
  const { cpu } = subject.usage;
  const end = performance.now() + length;
  do {
    const begun = performance.now();
    await ask();
    tally.latencies.push(performance.now() - begun);
    tally.requests++;
  } while (performance.now() < end);
  tally.cpu += subject.usage.cpu - cpu;
}

async function askAtOnce(ask: () => Promise<void>, length: number, tally: Tally): Promise<void> {
  const begun = performance.now();
  const asker = async (): Promise<void> => {
    do {
      await ask();
      tally.parallelRequests++;
    } while (performance.now() < begun + length);
  };
  await Promise.all(Array.from({ length: parallel }, asker));
  tally.parallelSeconds += (performance.now() - begun) / 1000;
}

function figuresOf({ name, most }: SampleRequest, tallies: readonly Tally[]): readonly Figure[] {
  const budget = { of: 'metrics-server', most } as const;
  const figure = (what: string, unit: string, of: (tally: Tally) => number): Figure => {
    const [kubetally = Number.NaN, floor, metricsServer] = tallies.map(of);
    return { bench: 'serve', name: `${name}: ${what}`, unit, kubetally, floor, metricsServer };
  };
  return [
    { ...figure('p50', 'ms', ({ latencies }) => quantile(latencies, 0.5)), budget },
    figure('p99', 'ms', ({ latencies }) => quantile(latencies, 0.99)),
    { ...figure('CPU', 'ms', ({ cpu, requests }) => cpu / requests), budget },
    figure('8 at once', '1/s', ({ parallelRequests, parallelSeconds }) => parallelRequests / parallelSeconds),
  ];
}
