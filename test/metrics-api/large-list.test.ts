import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseFieldSelector } from '../../src/kube/selectors/field-selector.ts';
import { parseLabelSelector } from '../../src/kube/selectors/label-selector.ts';
import { Inventory } from '../../src/inventory/inventory.ts';
import { MetricsCatalog } from '../../src/metrics-api/catalog.ts';
import type { PodInfo } from '../../src/model/inventory.ts';
import { encodeMetrics } from '../../src/wire/encode.ts';
import { negotiate, resourceEndpoint } from '../../src/wire/negotiation.ts';
import { PieceMemory } from '../../src/wire/piece-memory.ts';
import { WindowStore } from '../../src/windows/window-store.ts';
import { milliseconds } from '../../src/model/units.ts';
import type { NodeReading, PodSample } from '../../src/model/sample.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { begin, container, node, pod } from '../windows/support.ts';

interface Item {
  readonly metadata: { readonly name: string };
  readonly window: string;
  readonly containers: readonly { readonly name: string }[];
}

const second = 1_000_000_000;
const names = Array.from({ length: 1500 }, (_, index) => `web-${String(index).padStart(4, '0')}`);
/** Labels so long that a batch of pods is several pieces. */
const labels = { note: 'x'.repeat(400) };
const info = (name: string): PodInfo => ({
  namespace: 'default',
  name,
  uid: `uid-${name}`,
  kubeletUid: `uid-${name}`,
  labels,
});

/** A store of 1500 pods, and the list of all of them. */
class LargeCluster {
  readonly clock = new FakeClock(begin);
  readonly inventory = new Inventory();
  readonly store = new WindowStore({
    clock: this.clock,
    resolution: milliseconds(15_000),
    maxAge: milliseconds(45_000),
    pods: this.inventory,
  });

  constructor() {
    this.inventory.subscribe({ podRemoved: (gone) => this.store.removePod(gone) });
    this.inventory.podSink.replace(names.map(info));
  }

  async answer(pods: readonly PodSample[]): Promise<void> {
    await this.clock.advance(20_000);
    const reading: NodeReading = {
      source: 'summary',
      timePrecision: 1000,
      node: undefined,
      pods,
      requestedAt: this.clock.monotonic(),
      answeredAt: this.clock.monotonic(),
      answeredAtWall: this.clock.now(),
      date: undefined,
    };
    this.store.accept(node, reading);
  }

  /** The list's JSON in pieces, made as they are taken. */
  pieces(limit = 0): Iterator<Buffer> {
    const format = negotiate({ accept: 'application/json', userAgent: '', pretty: undefined }, resourceEndpoint);
    const query = { labelSelector: parseLabelSelector(''), fieldSelector: parseFieldSelector(''), limit };
    const list = new MetricsCatalog(this.inventory, this.store).listPods('', { ...query, continueToken: '' });
    const pieceMemory = new PieceMemory();
    const request = { format, apiVersion: 'v1', includeObject: undefined, now: this.clock.now(), pieceMemory } as const;
    const { body } = encodeMetrics(list, request);
    assert.ok(!Buffer.isBuffer(body), 'made at once');
    return body.pieces[Symbol.iterator]();
  }
}

const app = (at: number) => container('app', { at, used: at * second, rate: 1_000_000 });

describe('a large list', () => {
  it('holds whole items, whatever happens to pods between its pieces', async () => {
    const cluster = new LargeCluster();
    await cluster.answer(names.map((name) => pod(name, app(15))));
    const pieces = cluster.pieces();
    let text = String(pieces.next().value);
    cluster.inventory.podSink.remove(info('web-0400'));
    cluster.inventory.podSink.remove(info('web-1490'));
    const starting = container('sidecar', { at: 30, used: second, rate: 0 });
    const left = names.filter((name) => name !== 'web-0400' && name !== 'web-1490');
    await cluster.answer(
      left.map((name) => pod(name, app(30), ...(['web-0401', 'web-1491'].includes(name) ? [starting] : []))),
    );
    for (let next = pieces.next(); next.done !== true; next = pieces.next()) text += String(next.value);
    const { items } = JSON.parse(text) as { readonly items: readonly Item[] };
    for (const { metadata, window, containers } of items) {
      assert.match(window, /^\d+(\.\d+)?s$/, metadata.name);
      assert.deepEqual(
        containers.map(({ name }) => name),
        ['app'],
        metadata.name,
      );
    }
    const listed = new Set(items.map(({ metadata }) => metadata.name));
    // What was found before is told still; what had its turn later is left out.
    assert.deepEqual(
      names.filter((name) => !listed.has(name)),
      ['web-1490', 'web-1491'],
    );
  });

  it('has no more items than its limit, though more pods have metrics by the time that their turn comes', async () => {
    const cluster = new LargeCluster();
    await cluster.answer(names.slice(0, 1100).map((name) => pod(name, app(15))));
    const pieces = cluster.pieces(1200);
    let text = String(pieces.next().value);
    await cluster.answer(names.map((name) => pod(name, app(30))));
    for (let next = pieces.next(); next.done !== true; next = pieces.next()) text += String(next.value);
    const { items } = JSON.parse(text) as { readonly items: readonly Item[] };
    assert.equal(items.length, 1100);
  });
});
