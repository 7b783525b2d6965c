import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import type { IncomingHttpHeaders } from 'node:http';
import { parseQuantity } from '../../src/kube/quantity.ts';
import type { SimulatedCluster } from '../../src/sim/cluster.ts';
import { openApi, type Caller } from './cluster.ts';
import { decodeKubernetes } from './kubernetes-protobuf.ts';

/** What clients offer in `Accept`. */
export const accepts = {
  /** Go clients made for protobuf. */
  protobufFirst: 'application/vnd.kubernetes.protobuf,application/json',
  kubectlTop: 'application/vnd.kubernetes.protobuf, */*',
  /** Go clients made for JSON. */
  jsonFirst: 'application/json, */*',
  discovery:
    'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json',
} as const;

export interface ConsumerReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** `NodeMetrics` and `PodMetrics`, whichever encoding they came in. */
export interface Measured {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  /** Seconds. */
  readonly window: number;
  /** By container; that of a node under the empty name. */
  readonly usage: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/** A program that reads resource metrics through the API server, with the headers that it sends. */
export class Consumer {
  readonly #cluster: SimulatedCluster;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #as: Caller;

  constructor(cluster: SimulatedCluster, userAgent: string, headers: Readonly<Record<string, string>>, as: Caller) {
    this.#cluster = cluster;
    this.#headers = { 'user-agent': userAgent, 'accept-encoding': 'gzip', ...headers };
    this.#as = as;
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<ConsumerReply> {
    const response = await openApi(this.#cluster, path, { as: this.#as, headers: { ...this.#headers, ...headers } });
    const sent = await buffer(response);
    const body = response.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    return { status: response.statusCode ?? 0, headers: response.headers, body };
  }

  /** The document at `path`, in the encoding that the answer names. */
  async read(path: string, status = 200): Promise<Record<string, unknown> & { kind: string }> {
    const reply = await this.get(path);
    assert.equal(reply.status, status, `${path}: ${reply.body.toString()}`);
    return document(reply);
  }

  async list(path: string): Promise<Measured[]> {
    const { kind, items } = (await this.read(path)) as { kind: string; items: object[] };
    assert.match(kind, /^(Node|Pod)MetricsList$/);
    return items.map(measured);
  }

  async one(path: string): Promise<Measured> {
    return measured(await this.read(path));
  }
}

function document({ headers, body }: ConsumerReply): Record<string, unknown> & { kind: string } {
  if (headers['content-type'] === 'application/vnd.kubernetes.protobuf') return decodeKubernetes(body);
  assert.match(headers['content-type'] ?? '', /^application\/json(;|$)/);
  return JSON.parse(body.toString()) as Record<string, unknown> & { kind: string };
}

interface Raw {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly timestamp: string | { readonly seconds: string };
  readonly window: string | { readonly duration: string };
  readonly usage?: RawUsage;
  readonly containers?: readonly { readonly name: string; readonly usage: RawUsage }[];
}
type RawUsage = Readonly<Record<string, string | { readonly string: string }>>;

function measured(object: object): Measured {
  const { metadata, timestamp, window, usage, containers } = object as Raw;
  const parts = containers ?? [{ name: '', usage: usage ?? {} }];
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    uid: metadata.uid ?? '',
    labels: metadata.labels ?? {},
    timestamp: typeof timestamp === 'string' ? Date.parse(timestamp) : Number(timestamp.seconds) * 1000,
    window: typeof window === 'string' ? secondsOf(window) : Number(window.duration) / 1e9,
    usage: new Map(parts.map(({ name, usage: used }) => [name, texts(used)])),
  };
}

function texts(usage: RawUsage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(usage).map(([name, quantity]) => [name, typeof quantity === 'string' ? quantity : quantity.string]),
  );
}

/** Seconds of a Go duration below an hour. */
function secondsOf(duration: string): number {
  const [, minutes = '0', seconds = ''] = /^(?:(\d+)m)?([\d.]+)s$/.exec(duration) ?? [];
  assert.notEqual(seconds, '', duration);
  return Number(minutes) * 60 + Number(seconds);
}

/** `resource.Quantity.MilliValue`: thousandths, rounded up. */
export function milliValue(quantity: string | undefined): number {
  const nanos = parseQuantity(quantity ?? '');
  assert.ok(nanos !== undefined, `not a quantity: ${quantity}`);
  return Number((nanos + 999_999n) / 1_000_000n);
}
