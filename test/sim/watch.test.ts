import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { createInterface } from 'node:readline';
import type { SimulatedCluster } from '../../src/sim/cluster.ts';
import { askApi, openApi, startCluster } from '../support/cluster.ts';
import { FakeClock } from '../support/fake-clock.ts';

interface Event {
  readonly type: string;
  readonly object: {
    readonly kind: string;
    readonly code?: number;
    readonly metadata: {
      readonly name?: string;
      readonly resourceVersion?: string;
      readonly annotations?: Record<string, string>;
    };
  };
}

/** The events of one watch, as they come. */
class Watching {
  readonly #response: IncomingMessage;
  readonly #lines: AsyncIterator<string>;

  constructor(response: IncomingMessage) {
    this.#response = response;
    this.#lines = createInterface({ input: response })[Symbol.asyncIterator]();
  }

  get status(): number {
    return this.#response.statusCode ?? 0;
  }

  /** The next event, or undefined when the watch is over. */
  async next(): Promise<Event | undefined> {
    const { value, done } = await this.#lines.next();
    return done === true ? undefined : (JSON.parse(value) as Event);
  }

  async take(count: number): Promise<string[]> {
    const seen: string[] = [];
    while (seen.length < count) {
      const event = await this.next();
      seen.push(event === undefined ? 'end' : `${event.type} ${event.object.metadata.name ?? ''}`);
    }
    return seen;
  }
}

async function watch(
  context: TestContext,
  cluster: SimulatedCluster,
  query: string,
  accept = 'application/json',
): Promise<Watching> {
  const response = await openApi(cluster, `/api/v1/pods?watch=true&${query}`, { headers: { accept } });
  response.on('error', () => undefined);
  context.after(() => response.destroy());
  return new Watching(response);
}

const running = 'fieldSelector=status.phase%3DRunning';

async function revision(cluster: SimulatedCluster): Promise<string> {
  const { body } = await askApi(cluster, '/api/v1/pods?limit=1');
  return (JSON.parse(body) as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
}

async function smallCluster(context: TestContext): Promise<[SimulatedCluster, FakeClock]> {
  const clock = new FakeClock();
  return [await startCluster(context, { clock, nodes: 1, podsPerNode: 2 }), clock];
}

const manifest = { metadata: { name: 'web' }, spec: { containers: [{ name: 'main' }] } };

describe('a watch', () => {
  it('begins with what there is when it names no revision', async (context) => {
    const [cluster] = await smallCluster(context);
    const events = await watch(context, cluster, '');
    assert.deepEqual(await events.take(2), ['ADDED app-0-00000', 'ADDED app-1-00000']);
  });

  it('tells a watcher of running pods of one when it starts to run and when it goes', async (context) => {
    const [cluster, clock] = await smallCluster(context);
    const events = await watch(context, cluster, `${running}&resourceVersion=${await revision(cluster)}`);
    const all = await watch(context, cluster, `resourceVersion=${await revision(cluster)}`);
    cluster.pods.create('team-0', manifest);
    await clock.advance(1000);
    cluster.pods.delete({ namespace: 'team-0', name: 'web' });
    await clock.advance(1000);
    assert.deepEqual(await events.take(3), ['ADDED web', 'MODIFIED web', 'DELETED web']);
    assert.deepEqual(await all.take(4), ['ADDED web', 'MODIFIED web', 'MODIFIED web', 'DELETED web']);
  });

  it('resumes after a revision', async (context) => {
    const [cluster] = await smallCluster(context);
    const since = await revision(cluster);
    cluster.pods.create('team-0', manifest);
    const events = await watch(context, cluster, `resourceVersion=${since}`);
    assert.deepEqual(await events.take(1), ['ADDED web']);
  });

  it('is told that its revision is too old', async (context) => {
    const [cluster] = await smallCluster(context);
    const since = await revision(cluster);
    cluster.pods.create('team-0', manifest);
    cluster.resources.pods.store.compact();
    const events = await watch(context, cluster, `resourceVersion=${since}`);
    const error = await events.next();
    assert.deepEqual(
      [events.status, error?.type, error?.object.kind, error?.object.code],
      [200, 'ERROR', 'Status', 410],
    );
    assert.equal(await events.next(), undefined);
  });

  it('gets bookmarks with the latest revision when it asks for them', async (context) => {
    const [cluster, clock] = await smallCluster(context);
    const events = await watch(context, cluster, `resourceVersion=${await revision(cluster)}&allowWatchBookmarks=true`);
    cluster.setReady('node-00000', true);
    await clock.advance(10_000);
    const bookmark = await events.next();
    assert.equal(bookmark?.type, 'BOOKMARK');
    assert.equal(bookmark.object.metadata.resourceVersion, await revision(cluster));
  });

  it('streams the list when asked to, with a bookmark at its end', async (context) => {
    const [cluster] = await smallCluster(context);
    const events = await watch(
      context,
      cluster,
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true',
    );
    assert.equal((await events.take(2)).length, 2);
    const bookmark = await events.next();
    assert.equal(bookmark?.object.metadata.annotations?.['k8s.io/initial-events-end'], 'true');
  });

  it('carries metadata alone when asked to', async (context) => {
    const [cluster] = await smallCluster(context);
    const accept = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
    const events = await watch(context, cluster, '', accept);
    assert.equal((await events.next())?.object.kind, 'PartialObjectMetadata');
  });

  it('ends when its time is over', async (context) => {
    const [cluster, clock] = await smallCluster(context);
    const events = await watch(context, cluster, `timeoutSeconds=5&resourceVersion=${await revision(cluster)}`);
    await clock.advance(5000);
    assert.equal(await events.next(), undefined);
  });

  it('can be made to expire or be refused', async (context) => {
    const [cluster] = await smallCluster(context);
    const events = await watch(context, cluster, `resourceVersion=${await revision(cluster)}`);
    cluster.apiServer.setFault({ kind: 'watch-expired' });
    assert.equal((await events.next())?.object.code, 410);
    cluster.apiServer.setFault({ kind: 'watch-gone' });
    assert.equal((await watch(context, cluster, 'resourceVersion=1')).status, 410);
    assert.equal((await askApi(cluster, '/api/v1/pods')).status, 200);
  });
});
