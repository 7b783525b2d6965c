import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { KnownStrings } from '../../src/model/known-strings.ts';
import { epochMs } from '../../src/model/units.ts';
import { decodeResourceMetrics } from '../../src/scrape/resource-metrics.ts';
import { replay, type RecordedScrape, type ServedWindow } from './recorded-kubelet.ts';

/** A run of a real kubelet: its answers, when they were asked for, and (with cAdvisor) the kernel's own counters read just after. */
interface Recording {
  readonly scrapes: readonly {
    readonly requestedAtMs: number;
    readonly summary: string;
    readonly resource: string;
    readonly cgroup?: readonly {
      readonly pod: string;
      readonly container: string;
      readonly atNs: string;
      readonly cpuNs: string;
    }[];
  }[];
}

const directory = (run: string): URL => new URL(`data/${run}/`, import.meta.url);
const read = (run: string, file: string): Buffer => readFileSync(new URL(file, directory(run)));
const recording = (run: string): Recording => JSON.parse(read(run, 'index.json').toString()) as Recording;

/** The recording does not say when answers came: each counts as given at once. */
const scrapesOf = (run: string): RecordedScrape[] =>
  recording(run).scrapes.map(({ requestedAtMs, summary }) => ({
    requestedAtMs,
    answeredAtMs: requestedAtMs,
    date: undefined,
    summary: read(run, summary),
  }));

/** Core-nanoseconds of each container at instants that are known to the millisecond or better, in order of time. */
function truth(run: string): Map<string, [number, number][]> {
  const points = new Map<string, [number, number][]>();
  const add = (container: string, time: number, used: number): void => {
    const known = points.get(container) ?? [];
    if (!known.some(([other]) => Math.abs(other - time) < 0.5))
      points.set(
        container,
        [...known, [time, used] as [number, number]].sort((a, b) => a[0] - b[0]),
      );
  };
  for (const { resource, cgroup } of recording(run).scrapes) {
    for (const { pod, container, atNs, cpuNs } of cgroup ?? [])
      add(`${pod}/${container}`, Number(atNs) / 1e6, Number(cpuNs));
    for (const { name, containers } of decodeResourceMetrics(
      read(run, resource).toString(),
      epochMs(0),
      new KnownStrings(),
    ).pods)
      for (const { name: container, cpu, cpuTime } of containers)
        if (cpu !== undefined && cpuTime !== undefined)
          add(`${name}/${container}`, cpuTime, cpu.seconds * 1e9 + cpu.nanos);
  }
  return points;
}

/** The true average over a window whose end is known to the second: of the ends within that second, the one that speaks most for what was served. */
function error(
  { container, cpu, end, length }: ServedWindow,
  points: Map<string, [number, number][]>,
): number | undefined {
  const known = points.get(container) ?? [];
  const at = (time: number): number => {
    const after = known.findIndex(([other]) => other >= time);
    const [later, earlier] = [known[after], known[after - 1]];
    return later === undefined || earlier === undefined
      ? Number.NaN
      : earlier[1] + ((later[1] - earlier[1]) * (time - earlier[0])) / (later[0] - earlier[0]);
  };
  let least: number | undefined;
  for (let offset = 0; offset < 1000; offset += 5) {
    const average = ((at(end + offset) - at(end + offset - length)) / length) * 1000;
    if (Number.isNaN(average)) continue;
    const wrong = average === 0 ? cpu : Math.abs(cpu - average) / average;
    least = Math.min(least ?? wrong, wrong);
  }
  return least;
}

async function worstError(run: string, taken: (index: number) => boolean): Promise<number> {
  const points = truth(run);
  const errors = (await replay(scrapesOf(run), taken))
    .map((window) => error(window, points))
    .filter((wrong) => wrong !== undefined);
  assert.ok(errors.length >= 6, `only ${errors.length} windows could be compared`);
  return Math.max(...errors);
}

describe('served CPU against the counters of the kernel, from what a real kubelet answered', () => {
  it('is within 0.5 % with every scrape, statistics from cAdvisor', async () => {
    assert.ok((await worstError('containerd-cadvisor', () => true)) < 0.005);
  });

  for (const nth of [2, 3])
    it(`is within 3 % when one of ${nth} scrapes is left out, statistics from cAdvisor`, async () => {
      assert.ok((await worstError('containerd-cadvisor', (index) => index % nth !== nth - 1)) < 0.03);
    });

  it('is within 1 % over 5 s, statistics over CRI, where only stamps of the next request tell the truth', async () => {
    assert.ok((await worstError('containerd-cri', () => true)) < 0.01);
  });

  for (const nth of [2, 3])
    it(`is within 3 % when one of ${nth} scrapes is left out, statistics over CRI`, async () => {
      assert.ok((await worstError('containerd-cri', (index) => index % nth !== nth - 1)) < 0.03);
    });
});
