import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { bytes, epochMs, milliseconds } from '../../src/model/units.ts';
import type { CertifiedKey } from '../../src/pki/authority.ts';
import { decodeResourceMetrics } from '../../src/scrape/resource-metrics.ts';
import { KubeletClient } from '../../src/scrape/kubelet-client.ts';
import { NodeSource } from '../../src/scrape/node-source.ts';
import { WindowStore } from '../../src/windows/window-store.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { servingCertificate, testAuthority } from '../support/pki.ts';
import { node } from './support.ts';

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

interface ServedWindow {
  readonly container: string;
  readonly cpu: number;
  readonly end: number;
  readonly length: number;
}

const directory = (run: string): URL => new URL(`data/${run}/`, import.meta.url);
const read = (run: string, file: string): Buffer => readFileSync(new URL(file, directory(run)));
const recording = (run: string): Recording => JSON.parse(read(run, 'index.json').toString()) as Recording;

/** A kubelet on loopback that answers what was recorded: the answer numbered `current`. */
class RecordedKubelet {
  current = 0;
  readonly #server: Server;

  private constructor(run: string, certificate: CertifiedKey) {
    const { scrapes } = recording(run);
    this.#server = createServer(certificate, (request, response) => {
      const asked = request.url === '/stats/summary?only_cpu_and_memory=true';
      response.statusCode = asked ? 200 : 404;
      response.end(asked ? read(run, scrapes[this.current]?.summary ?? '') : '');
    });
  }

  static async start(run: string, certificate: CertifiedKey): Promise<RecordedKubelet> {
    const kubelet = new RecordedKubelet(run, certificate);
    kubelet.#server.listen(0, '127.0.0.1');
    await once(kubelet.#server, 'listening');
    return kubelet;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

/** Every window served while the recording is replayed through client, decoder and store; `taken` says which scrapes take place. */
async function replay(run: string, taken: (index: number) => boolean): Promise<ServedWindow[]> {
  const { scrapes } = recording(run);
  const authority = await testAuthority('kubelet-ca');
  const kubelet = await RecordedKubelet.start(run, await servingCertificate(authority, '127.0.0.1'));
  const clock = new FakeClock(scrapes[0]?.requestedAtMs ?? 0);
  const identity = {
    authorizationHeader: async () => await Promise.resolve(undefined),
    clientCertificate: () => undefined,
    ca: () => authority.cert,
    onRotate: () => () => {},
  };
  const client = new KubeletClient({
    clock,
    port: kubelet.port,
    useNodeStatusPort: false,
    addressTypes: ['InternalIP'],
    identity,
    insecureTls: false,
    maxBodySize: bytes(1 << 20),
  });
  const source = new NodeSource(client, clock, 'summary', () => {});
  const pods = { kubeletUid: () => undefined, isRunning: () => true };
  const store = new WindowStore({ clock, resolution: milliseconds(15_000), maxAge: milliseconds(45_000), pods });
  const here = { ...node, addresses: [{ type: 'InternalIP', address: '127.0.0.1' }] };
  const windows = new Map<string, ServedWindow>();
  for (const [index, scrape] of scrapes.entries()) {
    await clock.advance(Math.max(0, scrape.requestedAtMs - clock.now()));
    if (!taken(index)) continue;
    kubelet.current = index;
    const reading = await source.read(here, milliseconds(10_000), new AbortController().signal);
    // The recording's own present: the server's Date header is of the day of this test.
    store.accept(here, { ...reading, date: undefined });
    for (const { uid, namespace, name } of reading.pods)
      for (const { name: container, cpu, timestamp, length } of store.pod({ kubeletUid: uid ?? '', namespace, name })
        ?.containers ?? [])
        if (index > 0)
          windows.set(`${name}/${container}/${timestamp}`, {
            container: `${name}/${container}`,
            cpu,
            end: timestamp,
            length: length / 1e6,
          });
  }
  await client.close();
  await kubelet.stop();
  return [...windows.values()];
}

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
    for (const { name, containers } of decodeResourceMetrics(read(run, resource).toString(), epochMs(0)).pods)
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
  const errors = (await replay(run, taken))
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
