import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { KernelCounters } from './kernel-counters.ts';
import { replay, type RecordedScrape, type ServedWindow } from './recorded-kubelet.ts';

/** One line of `scrapes.json`; see data/README.md. */
interface ScrapeLine {
  readonly requestedAtMs: number;
  readonly answeredAtMs: number;
  readonly date: string;
  readonly summary: {
    readonly pods: readonly {
      readonly podRef: { readonly name: string };
      readonly containers: readonly {
        readonly name: string;
        readonly cpu: { readonly usageCoreNanoSeconds: number };
      }[];
    }[];
  };
  /** Where samples are older than the request: their stamps in milliseconds, from `/metrics/resource`. */
  readonly stamps?: Readonly<Record<string, number>>;
}

interface Run {
  readonly scrapes: readonly ScrapeLine[];
  readonly kernel: KernelCounters;
}

/** Containers whose counter moves all the time, so that it tells when it was read. */
const restless = ['steady-real-0/steady', 'web-real-0/sidecar'];
/** A sample of cAdvisor was read this long before its stamp at most. */
const stampDelay = 30;

function load(name: string): Run {
  const directory = new URL(`data/${name}/`, import.meta.url);
  const scrapes = JSON.parse(readFileSync(new URL('scrapes.json', directory), 'utf8')) as ScrapeLine[];
  return { scrapes, kernel: new KernelCounters(new URL('kernel.csv', directory)) };
}

async function served({ scrapes }: Run, taken: (index: number) => boolean): Promise<ServedWindow[]> {
  const recorded = scrapes.map(({ summary, ...times }): RecordedScrape => ({
    ...times,
    summary: Buffer.from(JSON.stringify(summary)),
  }));
  return await replay(recorded, taken);
}

/** The ends that a window can have had: within the second that its timestamp names, and while the kubelet read its statistics. */
function possibleEnds({ container, end, scrape }: ServedWindow, { scrapes }: Run): [number, number] {
  const { requestedAtMs = Number.NaN, answeredAtMs = Number.NaN, stamps } = scrapes[scrape] ?? {};
  const stamp = stamps?.[container];
  const [earliest, latest] =
    stamps === undefined ? [requestedAtMs, answeredAtMs] : [(stamp ?? end) - stampDelay, stamp ?? end + 999];
  return [Math.max(end, earliest), Math.min(end + 999, latest)];
}

/** By what share the served rate is wrong, for the possible end that speaks most for it; undefined where the window began before the recording. */
function rateError(window: ServedWindow, run: Run): number | undefined {
  const { container, cpu, length } = window;
  const [earliest, latest] = possibleEnds(window, run);
  let least = Number.POSITIVE_INFINITY;
  for (let end = earliest; end <= latest; end++) {
    const average = ((run.kernel.at(container, end) - run.kernel.at(container, end - length)) / length) * 1000;
    if (Number.isNaN(average)) return undefined;
    least = Math.min(least, cpu === average ? 0 : Math.abs(cpu - average) / average);
  }
  return least;
}

/** By what share the stated window is longer or shorter than the time between the two readings it is computed from; undefined where the counter stood still. */
function lengthError({ container, cpu, length, scrape }: ServedWindow, { scrapes, kernel }: Run): number | undefined {
  const [pod, name] = container.split('/');
  const counter = scrapes[scrape]?.summary.pods
    .find(({ podRef }) => podRef.name === pod)
    ?.containers.find((other) => other.name === name)?.cpu.usageCoreNanoSeconds;
  if (counter === undefined) return undefined;
  const before = kernel.passed(container, counter - (cpu * length) / 1000);
  const distance = kernel.passed(container, counter) - before;
  return Number.isNaN(distance) ? undefined : Math.abs(length - distance) / distance;
}

/** By what share a window may be wrong. */
type Allowance = (window: ServedWindow) => number;

/** Every window whose error can be told must be as exact as it is allowed to be. */
function assertExact(
  windows: readonly ServedWindow[],
  run: Run,
  errorOf: (window: ServedWindow, run: Run) => number | undefined,
  allowed: Allowance,
): void {
  let compared = 0;
  for (const window of windows) {
    const error = errorOf(window, run);
    if (error === undefined) continue;
    compared++;
    const { container, end, length } = window;
    const text = `${container}, ${length} ms to ${new Date(end).toISOString()}: ${(error * 100).toFixed(3)} %`;
    assert.ok(error < allowed(window), text);
  }
  assert.ok(compared >= 15, `only ${compared} windows could be compared`);
}

/** Samples of cAdvisor that follow each other are 20 s apart at most: in a longer window there is one that no scrape saw. */
const missedSample: Allowance = ({ length }) => (length <= 20_000 ? 0.005 : 0.03);

for (const [name, provider, everyScrape, fewerScrapes] of [
  ['kernel-cri', 'CRI', () => 0.005, () => 0.01],
  ['kernel-cadvisor', 'cAdvisor', missedSample, missedSample],
] as const)
  describe(`CPU served from statistics of ${provider}, against the kernel's counters`, () => {
    const run = load(name);

    for (const [scrapes, taken, allowed] of [
      ['with every scrape', () => true, everyScrape],
      ['when every second scrape is left out', (index: number) => index % 2 === 0, fewerScrapes],
      ['when every third scrape is left out', (index: number) => index % 3 !== 2, fewerScrapes],
    ] as const) {
      it(`is the average over the stated window ${scrapes}, for every container`, async () => {
        assertExact(await served(run, taken), run, rateError, allowed);
      });

      it(`is stated with the true length of the window ${scrapes}`, async () => {
        const windows = await served(run, taken);
        const telling = windows.filter(({ container }) => restless.includes(container));
        assertExact(telling, run, lengthError, allowed);
      });
    }
  });
