import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { hang, json, OpenStream, reset } from '../support/fake-api-server.ts';
import { ListWatchBench, page, pod } from '../support/list-watch-bench.ts';

describe('list and watch', () => {
  let bench: ListWatchBench;
  beforeEach(async () => {
    bench = await ListWatchBench.open();
  });
  afterEach(async () => await bench.close());

  it('lists page by page and then watches from there', async () => {
    const stream = new OpenStream();
    bench.answer(page(['a', 'b'], '100', 't1'), page(['c'], '100', 't2'), page(['d'], '100'), stream.answer);
    const watch = bench.start({ pageSize: 2, fieldSelector: 'status.phase=Running', labelSelector: 'x=y' });
    assert.equal(await watch.whenSynced(), true);
    await stream.event('ADDED', pod('e', '101'));
    await stream.event('MODIFIED', pod('a', '102'));
    await stream.event('DELETED', pod('b', '103'));
    await bench.tells('=a,b,c,d', '+e', '+a', '-b');
    const [first, second, third, last] = bench.server.requests.map(({ query }) => Object.fromEntries(query));
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
    bench.answer(page([], '1'), hang);
    let watch = bench.start();
    await eventually(() => bench.server.requests.length === 2);
    assert.deepEqual(
      bench.server.requests.map(({ headers }) => headers.accept),
      [
        'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json',
        'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json',
      ],
    );
    await watch.stop();
    bench.answer(page([], '1'), hang);
    watch = bench.start({ metadataOnly: false });
    await eventually(() => bench.server.requests.length === 4);
    assert.deepEqual(
      new Set(bench.server.requests.slice(2).map(({ headers }) => headers.accept)),
      new Set(['application/json']),
    );
  });

  it('does not say it is synced before the last page', async () => {
    bench.answer(page(['a'], '1', 't'), hang);
    const watch = bench.start();
    await eventually(() => bench.server.requests.length === 2);
    const synced = watch.whenSynced();
    await watch.stop();
    assert.equal(await synced, false);
    assert.deepEqual(bench.told, []);
  });

  it('takes an empty list that was encoded as null', async () => {
    bench.answer(json({ metadata: { resourceVersion: '1' }, items: null }), hang);
    bench.start();
    await bench.tells('=');
  });

  it('resumes from the last bookmark when the server ends the watch', async () => {
    const [first, second] = [new OpenStream(), new OpenStream()];
    bench.answer(page(['a'], '100'), first.answer, second.answer);
    bench.start();
    await first.event('ADDED', pod('b', '105'));
    await first.event('BOOKMARK', { metadata: { resourceVersion: '200' } });
    await first.end();
    await second.opened();
    assert.equal(bench.lastVersion, '200');
    assert.deepEqual(bench.told, ['=a', '+b']);
    assert.deepEqual(
      bench.logger.lines.filter((line) => /^(error|v4) /.test(line)),
      [],
    );
  });

  it('takes a deletion that carries the version the object had before', async () => {
    const [first, second] = [new OpenStream(), new OpenStream()];
    bench.answer(page(['a'], '1000'), first.answer, second.answer);
    bench.start();
    await first.event('DELETED', pod('a', '900'));
    await bench.tells('=a', '-a');
    await first.end();
    await second.opened();
    assert.equal(bench.lastVersion, '1000');
  });

  it('goes on when the sink throws', async () => {
    const stream = new OpenStream();
    bench.answer(page(['a'], '100'), stream.answer);
    const boom = (): never => {
      bench.told.push('boom');
      throw new Error('boom');
    };
    bench.start({ sink: { replace: boom, upsert: boom, remove: boom } });
    await stream.event('ADDED', pod('b', '101'));
    await stream.event('DELETED', pod('b', '102'));
    await bench.tells('boom', 'boom', 'boom');
    assert.equal(bench.logger.lines.filter((line) => line.startsWith('error Handling a change failed')).length, 3);
    assert.equal(bench.server.requests.length, 2);
  });

  it('leaves out objects that cannot be read', async () => {
    const stream = new OpenStream();
    const items = [pod('a'), { metadata: {} }, 7, null, {}, pod('b')];
    bench.answer(json({ metadata: { resourceVersion: '1' }, items }), stream.answer);
    bench.start();
    await stream.event('ADDED', { metadata: { resourceVersion: '2' } });
    await stream.event('ADDED', pod('c', '3'));
    await bench.tells('=a,b', '+c');
    assert.ok(bench.logger.lines.some((line) => /Left out objects.*"count":4/.test(line)));
  });

  it('stops at once, also in the midst of a pause', async () => {
    bench.answer(reset);
    const watch = bench.start();
    await eventually(() => bench.clock.waiting === 1 && bench.failures(/trying again/) === 1);
    await watch.stop();
    assert.equal(watch.isRunning, false);
  });
});
