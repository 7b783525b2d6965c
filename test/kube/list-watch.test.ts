import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { KubeClient } from '../../src/kube/client.ts';
import { ListWatch, type ListWatchOptions } from '../../src/kube/list-watch.ts';
import { eventually } from '../support/eventually.ts';
import {
  FakeApiServer,
  failure,
  hang,
  json,
  OpenStream,
  reset,
  text,
  type Answer,
} from '../support/fake-api-server.ts';
import { apiServer } from '../support/fake-credentials.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLogger } from '../support/recording-logger.ts';

const path = '/api/v1/pods';
const expired = failure(410, 'Expired', 'too old resource version');

function pod(name: string, resourceVersion = '1'): object {
  return { metadata: { name, resourceVersion } };
}

function page(names: string[], resourceVersion: string, token?: string): Answer {
  return json({
    kind: 'PartialObjectMetadataList',
    metadata: { resourceVersion, ...(token !== undefined && { continue: token }) },
    items: names.map((name) => pod(name)),
  });
}

describe('list and watch', () => {
  let server: FakeApiServer;
  let client: KubeClient;
  let clock: FakeClock;
  let logger: RecordingLogger;
  let watch: ListWatch<string>;
  /** What the sink was told, in order. */
  let told: string[];

  beforeEach(async () => {
    server = await FakeApiServer.start();
    clock = new FakeClock();
    logger = new RecordingLogger();
    client = new KubeClient(await apiServer(server), { clock });
    told = [];
  });
  afterEach(async () => {
    await watch.stop();
    await client.close();
    await server.close();
    assert.equal(clock.waiting, 0, 'timers left behind');
  });

  function start(options: Partial<ListWatchOptions<string>> = {}): void {
    watch = new ListWatch<string>({
      client,
      path,
      metadataOnly: true,
      project: (object) => (object as { metadata: { name?: string } }).metadata.name,
      sink: {
        replace: (names) => void told.push(`=${names.join(',')}`),
        upsert: (name) => void told.push(`+${name}`),
        remove: (name) => void told.push(`-${name}`),
      },
      clock,
      logger,
      random: () => 0.5,
      ...options,
    });
    watch.start();
  }

  async function tells(...expected: string[]): Promise<void> {
    await eventually(() => told.length >= expected.length, `${expected.join(' ')} (have ${told.join(' ')})`);
    assert.deepEqual(told, expected);
  }

  /** Waits for a failure to be noted, and lets the pause after it pass. */
  async function failed(message: RegExp, times = 1): Promise<void> {
    await eventually(() => failures(message) >= times, String(message));
    await clock.advance(30_000);
  }

  function failures(message: RegExp): number {
    return logger.lines.filter((line) => line.startsWith('warning') && message.test(line)).length;
  }

  it('lists page by page and then watches from there', async () => {
    const stream = new OpenStream();
    server.on(path, page(['a', 'b'], '100', 't1'), page(['c'], '100', 't2'), page(['d'], '100'), stream.answer);
    start({ pageSize: 2, fieldSelector: 'status.phase=Running', labelSelector: 'x=y' });
    assert.equal(await watch.whenSynced(), true);
    await stream.event('ADDED', pod('e', '101'));
    await stream.event('MODIFIED', pod('a', '102'));
    await stream.event('DELETED', pod('b', '103'));
    await tells('=a,b,c,d', '+e', '+a', '-b');
    const [first, second, third, last] = server.requests.map(({ query }) => Object.fromEntries(query));
    const selectors = { labelSelector: 'x=y', fieldSelector: 'status.phase=Running' };
    assert.deepEqual(first, { ...selectors, limit: '2' });
    assert.deepEqual(second, { ...selectors, limit: '2', continue: 't1' });
    assert.deepEqual(third, { ...selectors, limit: '2', continue: 't2' });
    assert.deepEqual(last, {
      ...selectors,
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '100',
      timeoutSeconds: '450',
    });
  });

  it('asks for metadata only, or for whole objects', async () => {
    server.on(path, page([], '1'), hang);
    start();
    await eventually(() => server.requests.length === 2);
    assert.deepEqual(
      server.requests.map(({ headers }) => headers.accept),
      [
        'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json',
        'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json',
      ],
    );
    await watch.stop();
    server.on(path, page([], '1'), hang);
    start({ metadataOnly: false });
    await eventually(() => server.requests.length === 4);
    assert.deepEqual(
      new Set(server.requests.slice(2).map(({ headers }) => headers.accept)),
      new Set(['application/json']),
    );
  });

  it('does not say it is synced before the last page', async () => {
    server.on(path, page(['a'], '1', 't'), hang);
    start();
    await eventually(() => server.requests.length === 2);
    assert.equal(watch.hasSynced, false);
    const synced = watch.whenSynced();
    await watch.stop();
    assert.equal(await synced, false);
    assert.deepEqual(told, []);
  });

  it('takes an empty list that was encoded as null', async () => {
    server.on(path, json({ metadata: { resourceVersion: '1' }, items: null }), hang);
    start();
    await tells('=');
  });

  it('resumes from the last bookmark when the server ends the watch', async () => {
    const [first, second] = [new OpenStream(), new OpenStream()];
    server.on(path, page(['a'], '100'), first.answer, second.answer);
    start();
    await first.event('ADDED', pod('b', '105'));
    await first.event('BOOKMARK', { metadata: { resourceVersion: '200' } });
    await first.end();
    await second.opened();
    assert.equal(server.requests.at(-1)?.query.get('resourceVersion'), '200');
    assert.deepEqual(told, ['=a', '+b']);
    assert.deepEqual(
      logger.lines.filter((line) => line.startsWith('warning')),
      [],
    );
  });

  it('pauses when watches end at once', async () => {
    server.on(path, page(['a'], '100'), text(''));
    start();
    await eventually(() => clock.waiting === 1 && server.requests.length === 2);
    await clock.advance(100);
    assert.equal(server.requests.length, 2);
    await clock.advance(400);
    await eventually(() => server.requests.length === 3);
  });

  it('resumes after the connection broke', async () => {
    const [first, second] = [new OpenStream(), new OpenStream()];
    server.on(path, page(['a'], '100'), first.answer, second.answer);
    start();
    await first.event('ADDED', pod('b', '105'));
    await tells('=a', '+b');
    await first.break();
    await failed(/Watching the API server failed/);
    await second.event('ADDED', pod('c', '106'));
    await tells('=a', '+b', '+c');
    assert.equal(server.requests.at(-1)?.query.get('resourceVersion'), '105');
    assert.match(watch.state.lastError?.message ?? '', /GET https:\/\/127\.0\.0\.1:\d+\/api\/v1\/pods: /);
    assert.equal(watch.state.connected, true);
  });

  it('lists anew when its version has expired, whether the server says so at once or in the stream', async () => {
    const [stream, last] = [new OpenStream(), new OpenStream()];
    server.on(
      path,
      page(['a', 'b'], '100'),
      expired,
      page(['b', 'c'], '200'),
      stream.answer,
      page(['d'], '300'),
      last.answer,
    );
    start();
    await tells('=a,b');
    await eventually(() => watch.state.lastError !== undefined);
    await clock.advance(1000);
    await tells('=a,b', '=b,c');
    await stream.event('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' });
    await stream.end();
    await eventually(() => clock.waiting === 1);
    await clock.advance(30_000);
    await tells('=a,b', '=b,c', '=d');
    await last.opened();
    assert.equal(server.requests.at(-1)?.query.get('resourceVersion'), '300');
  });

  it('lists without pages when a continue token expires under way', async () => {
    server.on(path, page(['a'], '100', 't'), expired, page(['a', 'b', 'c'], '200'), hang);
    start({ pageSize: 1 });
    await tells('=a,b,c');
    assert.deepEqual([...(server.requests[2]?.query ?? [])], []);
  });

  it('resumes after an ERROR event that is no expiry', async () => {
    const [first, second] = [new OpenStream(), new OpenStream()];
    server.on(path, page(['a'], '100'), first.answer, second.answer);
    start();
    await first.event('ADDED', pod('b', '101'));
    await first.event('ERROR', { kind: 'Status', code: 500, message: 'etcd is ill' });
    await failed(/500: etcd is ill/);
    await second.opened();
    assert.equal(server.requests.at(-1)?.query.get('resourceVersion'), '101');
    assert.deepEqual(told, ['=a', '+b']);
  });

  it('lists anew after garbage in the stream', async () => {
    for (const garbage of ['{"type":"ADD', '[]', '{"type":"SURPRISE","object":{}}', '{"type":"ADDED"}', 'null']) {
      const stream = new OpenStream();
      server.on(path, page(['a'], '100'), stream.answer, page(['b'], '200'), hang);
      start();
      await stream.write(`${garbage}\n`);
      await eventually(() => failures(/watch of/) === 1, garbage);
      await clock.advance(1000);
      await tells('=a', '=b');
      await watch.stop();
      told = [];
      logger.lines.length = 0;
    }
  });

  it('keeps the last known set while lists bring garbage', async () => {
    const stream = new OpenStream();
    server.on(
      path,
      page(['a'], '100'),
      stream.answer,
      text('<html>'),
      json({}),
      json({ metadata: {}, items: [] }),
      json({ metadata: { resourceVersion: '1' }, items: 'many' }),
      page(['b'], '200'),
      hang,
    );
    start();
    await stream.event('ERROR', { code: 410 });
    await eventually(() => clock.waiting === 1);
    await clock.advance(1000);
    await failed(/is not JSON/);
    await failed(/has no items/);
    await failed(/has no resource version/);
    await failed(/has no items/, 2);
    await tells('=a', '=b');
  });

  it('does not follow a continue token that goes in circles', async () => {
    server.on(path, page(['a'], '100', 't'));
    start();
    await failed(/continue token that does not advance/);
    assert.deepEqual(told, []);
  });

  it('keeps the last known set and retries ever more slowly while the server is away', async () => {
    const stream = new OpenStream();
    server.on(path, page(['a'], '100'), stream.answer);
    start();
    await stream.opened();
    await server.close();
    const pauses: number[] = [];
    for (let attempt = 1; attempt <= 9; attempt++) {
      await eventually(() => failures(/trying again/) === attempt && clock.waiting === 1);
      pauses.push(Number(/"milliseconds":(\d+)/.exec(logger.lines.at(-1) ?? '')?.[1]));
      await clock.advance(pauses.at(-1) ?? 0);
    }
    assert.deepEqual(pauses, [375, 750, 1500, 3000, 6000, 12000, 22500, 22500, 22500]);
    assert.deepEqual(told, ['=a']);
    assert.equal(watch.state.synced, true);
    assert.equal(watch.state.connected, false);
    assert.match(watch.state.lastError?.message ?? '', /ECONNREFUSED/);
    server.on(path, page(['b'], '7'), hang);
    await server.listen();
    await eventually(() => clock.waiting === 1);
    await clock.advance(30_000);
    await tells('=a', '=b');
  });

  it('starts with short pauses again after an event', async () => {
    const stream = new OpenStream();
    server.on(path, reset, reset, reset, reset, page(['a'], '100'), stream.answer, reset);
    start();
    await failed(/trying again/);
    await failed(/trying again/, 2);
    await stream.event('ADDED', pod('b', '101'));
    await stream.break();
    await eventually(() => failures(/trying again/) === 3);
    assert.match(logger.lines.at(-1) ?? '', /"milliseconds":375/);
  });

  it('opens a new watch when nothing, not even a bookmark, came for too long', async () => {
    const [first, second] = [new OpenStream(), new OpenStream()];
    server.on(path, page(['a'], '100'), first.answer, second.answer);
    start();
    await first.opened();
    await eventually(() => watch.state.connected && clock.waiting === 1);
    for (const resourceVersion of ['150', '160']) {
      await clock.advance(140_000);
      await first.event('BOOKMARK', { metadata: { resourceVersion } });
      await eventually(() => watch.state.lastContactAt === clock.now());
    }
    await clock.advance(140_000);
    assert.equal(server.requests.length, 2);
    await clock.advance(10_000);
    await second.opened();
    assert.equal(server.requests.at(-1)?.query.get('resourceVersion'), '160');
    assert.ok(logger.lines.some((line) => line.startsWith('info Watch went silent')));
  });

  it('gives up on a list and on a watch that hang', async () => {
    const stream = new OpenStream();
    server.on(path, hang, page(['a'], '100'), hang, stream.answer);
    start();
    await eventually(() => server.requests.length === 1);
    await clock.advance(60_000);
    await failed(/no answer within 60 s/);
    await eventually(() => server.requests.length === 3);
    await clock.advance(30_000);
    await failed(/no answer within 30 s/);
    await stream.event('ADDED', pod('b', '101'));
    await tells('=a', '+b');
  });

  it('waits as long as the server asks it to', async () => {
    server.on(path, failure(429, 'TooManyRequests', 'slow down', { 'retry-after': '20' }), page(['a'], '1'), hang);
    start();
    await eventually(() => failures(/slow down/) === 1);
    await clock.advance(19_000);
    assert.equal(server.requests.length, 1);
    await clock.advance(1000);
    await tells('=a');
  });

  it('lists anew when the server came back with an older past', async () => {
    const [first, second] = [new OpenStream(), new OpenStream()];
    server.on(path, page(['a'], '1000'), first.answer, second.answer, page(['z'], '12'), hang);
    start();
    await first.event('BOOKMARK', { metadata: { resourceVersion: '1000' } });
    await first.end();
    await second.event('BOOKMARK', { metadata: { resourceVersion: '9' } });
    await failed(/resource versions went back/);
    await tells('=a', '=z');
  });

  it('takes a deletion that carries the version the object had before', async () => {
    const [first, second] = [new OpenStream(), new OpenStream()];
    server.on(path, page(['a'], '1000'), first.answer, second.answer);
    start();
    await first.event('DELETED', pod('a', '900'));
    await tells('=a', '-a');
    await first.end();
    await second.opened();
    assert.equal(server.requests.at(-1)?.query.get('resourceVersion'), '1000');
  });

  it('goes on when the sink throws', async () => {
    const stream = new OpenStream();
    server.on(path, page(['a'], '100'), stream.answer);
    const boom = (): never => {
      told.push('boom');
      throw new Error('boom');
    };
    start({ sink: { replace: boom, upsert: boom, remove: boom } });
    await stream.event('ADDED', pod('b', '101'));
    await stream.event('DELETED', pod('b', '102'));
    await tells('boom', 'boom', 'boom');
    assert.equal(watch.state.connected, true);
    assert.equal(logger.lines.filter((line) => line.startsWith('error Handling a change failed')).length, 3);
    assert.equal(server.requests.length, 2);
  });

  it('leaves out objects that cannot be read', async () => {
    const stream = new OpenStream();
    const items = [pod('a'), { metadata: {} }, 7, null, {}, pod('b')];
    server.on(path, json({ metadata: { resourceVersion: '1' }, items }), stream.answer);
    start();
    await stream.event('ADDED', { metadata: { resourceVersion: '2' } });
    await stream.event('ADDED', pod('c', '3'));
    await tells('=a,b', '+c');
    assert.ok(logger.lines.some((line) => /Left out objects.*"count":4/.test(line)));
  });

  it('stops at once, also in the midst of a pause', async () => {
    server.on(path, reset);
    start();
    await eventually(() => clock.waiting === 1 && failures(/trying again/) === 1);
    await watch.stop();
    assert.equal(watch.state.connected, false);
  });
});
