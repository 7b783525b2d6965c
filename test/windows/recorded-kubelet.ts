import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { KnownStrings } from '../../src/model/known-strings.ts';
import type { PodSample } from '../../src/model/sample.ts';
import { bytes, milliseconds } from '../../src/model/units.ts';
import type { CertifiedKey } from '../../src/pki/authority.ts';
import { KubeletClient } from '../../src/scrape/kubelet-client.ts';
import { NodeSource } from '../../src/scrape/node-source.ts';
import { SummaryDecoder } from '../../src/scrape/summary.ts';
import { WindowStore } from '../../src/windows/window-store.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { servingCertificate, testAuthority } from '../support/pki.ts';
import { node } from './support.ts';

/** What a real kubelet answered to one request for `/stats/summary?only_cpu_and_memory=true`. */
export interface RecordedScrape {
  readonly requestedAtMs: number;
  readonly answeredAtMs: number;
  /** The `Date` header, where it was recorded. */
  readonly date: string | undefined;
  readonly summary: Buffer;
}

/** A window that was served after some scrape and not before. */
export interface ServedWindow {
  readonly container: string;
  /** Nanocores. */
  readonly cpu: number;
  /** Milliseconds since the epoch, whole seconds: the `timestamp`. */
  readonly end: number;
  /** Milliseconds. */
  readonly length: number;
  /** The scrape that brought it. */
  readonly scrape: number;
}

/** A kubelet on loopback that answers what was recorded, in the time it took. */
class RecordedKubelet {
  readonly #server: Server;
  #scrape: RecordedScrape | undefined;

  private constructor(certificate: CertifiedKey, clock: FakeClock) {
    this.#server = createServer(certificate, (request, response) => {
      const scrape = request.url === '/stats/summary?only_cpu_and_memory=true' ? this.#scrape : undefined;
      response.statusCode = scrape === undefined ? 404 : 200;
      if (scrape?.date !== undefined) response.setHeader('Date', scrape.date);
      void clock
        .advance((scrape?.answeredAtMs ?? 0) - (scrape?.requestedAtMs ?? 0))
        .then(() => response.end(scrape?.summary));
    });
  }

  static async start(certificate: CertifiedKey, clock: FakeClock): Promise<RecordedKubelet> {
    const kubelet = new RecordedKubelet(certificate, clock);
    kubelet.#server.listen(0, '127.0.0.1');
    await once(kubelet.#server, 'listening');
    return kubelet;
  }

  /** What the next request gets. */
  answer(scrape: RecordedScrape): void {
    this.#scrape = scrape;
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

/**
 * Every window served while a recording is replayed through client, decoder and store, those of the first scrape aside: their length is the kubelet's habit.
 *
 * @param taken which scrapes take place
 */
export async function replay(
  scrapes: readonly RecordedScrape[],
  taken: (index: number) => boolean,
): Promise<ServedWindow[]> {
  const authority = await testAuthority('kubelet-ca');
  const clock = new FakeClock(scrapes[0]?.requestedAtMs ?? 0);
  const kubelet = await RecordedKubelet.start(await servingCertificate(authority, '127.0.0.1'), clock);
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
    maxIdleConnections: 1000,
  });
  const source = new NodeSource({
    kubelets: client,
    clock,
    choice: 'summary',
    summaries: new SummaryDecoder(),
    strings: new KnownStrings(),
    isNode: () => false,
    onFallback: () => {},
  });
  const pods = { pod: () => undefined };
  const store = new WindowStore({ clock, resolution: milliseconds(15_000), maxAge: milliseconds(45_000), pods });
  const here = { ...node, addresses: [{ type: 'InternalIP', address: '127.0.0.1' }] };
  const windows = new Map<string, ServedWindow>();
  for (const [index, scrape] of scrapes.entries()) {
    await clock.advance(Math.max(0, scrape.requestedAtMs - clock.now()));
    if (!taken(index)) continue;
    kubelet.answer(scrape);
    let pods: readonly PodSample[] = [];
    await source.read(here, milliseconds(10_000), new AbortController().signal, (reading) => {
      ({ pods } = reading);
      // Where no header was recorded the one of this test's server is of today.
      store.accept(here, scrape.date === undefined ? { ...reading, date: undefined } : reading);
    });
    if (index === 0) continue;
    for (const { uid, namespace, name } of pods)
      for (const window of store.pod({ kubeletUid: uid ?? '', namespace, name })?.containers ?? []) {
        const container = `${name}/${window.name}`;
        const key = `${container}/${window.timestamp}`;
        if (!windows.has(key))
          windows.set(key, {
            container,
            cpu: window.cpu,
            end: window.timestamp,
            length: window.length / 1e6,
            scrape: index,
          });
      }
  }
  await client.close();
  await kubelet.stop();
  return [...windows.values()];
}
