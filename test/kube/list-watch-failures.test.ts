import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { failure, hang, json, OpenStream, reset, text } from '../support/fake-api-server.ts';
import { ListWatchBench, page, pod } from '../support/list-watch-bench.ts';

const expired = failure(410, 'Expired', 'too old resource version');

describe('list and watch through failures', () => {
  let bench: ListWatchBench;
  beforeEach(async () => {
    bench = await ListWatchBench.open();
  });
  afterEach(async () => await bench.close());

  it('pauses when watches end at once, and says so until one works', async () => {
    const stream = new OpenStream();
    bench.answer(page(['a'], '100'), text(''), text(''), stream.answer);
    bench.start();
    await bench.logs(/^error .*ended it at once/);
    await bench.clock.advance(374);
    assert.equal(bench.server.requests.length, 2);
    await bench.clock.advance(1);
    await bench.logs(/^v4 .*ended it at once.*"failures":2/);
    await bench.clock.advance(750);
    await stream.opened();
    assert.ok(!bench.logger.lines.some((line) => line.startsWith('info ')));
    await stream.event('ADDED', pod('b', '101'));
    await bench.logs(/^info Watching the API server again/);
  });

  it('says that a watch without events works once it stayed open', async () => {
    const stream = new OpenStream();
    bench.answer(page(['a'], '100'), failure(500, 'InternalError', 'not now'), stream.answer);
    bench.start();
    await bench.logs(/^error Watching the API server failed/);
    await bench.clock.advance(375);
    await stream.opened();
    await eventually(() => bench.clock.untilNext === 1000);
    await bench.clock.advance(999);
    assert.ok(!bench.logger.lines.some((line) => line.startsWith('info ')));
    await bench.clock.advance(1);
    await bench.logs(/^info Watching the API server again/);
  });

  it('does not say that watches work again whose lines are garbage', async () => {
    const stream = new OpenStream();
    bench.answer(
      page(['a'], '100'),
      text('garbage\n'),
      page(['a'], '101'),
      text('garbage\n'),
      page(['a'], '102'),
      stream.answer,
    );
    bench.start();
    await bench.failed(/^error .*watch of/);
    await bench.failed(/^v4 .*watch of/);
    await stream.opened();
    assert.ok(!bench.logger.lines.some((line) => line.startsWith('info Watching the API server again')));
  });

  it('tells why each watch begins again', async () => {
    const [first, second, last] = [new OpenStream(), new OpenStream(), new OpenStream()];
    bench.answer(page(['a'], '100'), first.answer, second.answer, expired, page(['a'], '200'), last.answer);
    const reasons: string[] = [];
    const watch = bench.start({ onRestart: (reason) => reasons.push(reason) });
    assert.equal(watch.isRunning, true);
    await first.event('ADDED', pod('b', '105'));
    await first.break();
    await bench.failed(/Watching the API server failed/);
    await second.event('ADDED', pod('c', '106'));
    await second.end();
    await eventually(() => reasons.length === 3);
    assert.deepEqual(reasons, ['unreachable', 'closed', 'expired']);
    await watch.stop();
    assert.equal(watch.isRunning, false);
  });

  it('resumes after the connection broke', async () => {
    const [first, second] = [new OpenStream(), new OpenStream()];
    bench.answer(page(['a'], '100'), first.answer, second.answer);
    bench.start();
    await first.event('ADDED', pod('b', '105'));
    await bench.tells('=a', '+b');
    await first.break();
    await bench.failed(/Watching the API server failed/);
    await second.event('ADDED', pod('c', '106'));
    await bench.tells('=a', '+b', '+c');
    assert.equal(bench.lastVersion, '105');
    assert.equal(bench.failures(/GET https:\/\/127\.0\.0\.1:\d+\/api\/v1\/pods: /), 1);
  });

  it('lists anew when its version has expired, whether the server says so at once or in the stream', async () => {
    const [stream, last] = [new OpenStream(), new OpenStream()];
    bench.answer(
      page(['a', 'b'], '100'),
      expired,
      page(['b', 'c'], '200'),
      stream.answer,
      page(['d'], '300'),
      last.answer,
    );
    bench.start();
    await bench.tells('=a,b');
    await bench.logs(/^v1 Watch expired/);
    await bench.clock.advance(1000);
    await bench.tells('=a,b', '=b,c');
    await stream.event('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' });
    await stream.end();
    await bench.logs(/^v1 Watch expired/, 2);
    await bench.clock.advance(30_000);
    await bench.tells('=a,b', '=b,c', '=d');
    await last.opened();
    assert.equal(bench.lastVersion, '300');
  });

  it('lists without pages when a continue token expires under way', async () => {
    bench.answer(page(['a'], '100', 't'), expired, page(['a', 'b', 'c'], '200'), hang);
    bench.start({ pageSize: 1 });
    await bench.tells('=a,b,c');
    assert.deepEqual([...(bench.server.requests[2]?.query ?? [])], []);
  });

  it('resumes after an ERROR event that is no expiry', async () => {
    const [first, second] = [new OpenStream(), new OpenStream()];
    bench.answer(page(['a'], '100'), first.answer, second.answer);
    bench.start();
    await first.event('ADDED', pod('b', '101'));
    await first.event('ERROR', { kind: 'Status', code: 500, message: 'etcd is ill' });
    await bench.failed(/500: etcd is ill/);
    await second.opened();
    assert.equal(bench.lastVersion, '101');
    assert.deepEqual(bench.told, ['=a', '+b']);
  });

  it('lists anew after garbage in the stream', async () => {
    for (const garbage of ['{"type":"ADD', '[]', '{"type":"SURPRISE","object":{}}', '{"type":"ADDED"}', 'null']) {
      const stream = new OpenStream();
      bench.answer(page(['a'], '100'), stream.answer, page(['b'], '200'), hang);
      const watch = bench.start();
      await stream.write(`${garbage}\n`);
      await eventually(() => bench.failures(/watch of/) === 1, garbage);
      await bench.clock.advance(1000);
      await bench.tells('=a', '=b');
      await watch.stop();
      bench.told.length = 0;
      bench.logger.lines.length = 0;
    }
  });

  it('keeps the last known set while lists bring garbage', async () => {
    const stream = new OpenStream();
    bench.answer(
      page(['a'], '100'),
      stream.answer,
      text('<html>'),
      json({}),
      json({ metadata: {}, items: [] }),
      json({ metadata: { resourceVersion: '1' }, items: 'many' }),
      page(['b'], '200'),
      hang,
    );
    bench.start();
    await stream.event('ERROR', { code: 410 });
    await bench.logs(/^v1 Watch expired/);
    await bench.clock.advance(1000);
    await bench.failed(/is not JSON/);
    await bench.failed(/has no items/);
    await bench.failed(/has no resource version/);
    await bench.failed(/has no items/, 2);
    await bench.tells('=a', '=b');
  });

  it('does not follow a continue token that goes in circles', async () => {
    bench.answer(page(['a'], '100', 't'));
    bench.start();
    await bench.failed(/continue token that does not advance/);
    assert.deepEqual(bench.told, []);
  });

  it('keeps the last known set and retries ever more slowly while the server is away', async () => {
    const stream = new OpenStream();
    bench.answer(page(['a'], '100'), stream.answer);
    const watch = bench.start();
    await stream.opened();
    await bench.server.close();
    const pauses: number[] = [];
    for (let attempt = 1; attempt <= 9; attempt++) {
      await eventually(() => bench.failures(/trying again/) === attempt);
      pauses.push(Number(/"milliseconds":(\d+)/.exec(bench.logger.lines.at(-1) ?? '')?.[1]));
      await bench.clock.advance(pauses.at(-1) ?? 0);
    }
    assert.deepEqual(pauses, [375, 750, 1500, 3000, 6000, 12000, 22500, 22500, 22500]);
    assert.deepEqual(bench.told, ['=a']);
    assert.equal(await watch.whenSynced(), true);
    assert.match(bench.logger.lines.at(-1) ?? '', /ECONNREFUSED/);
    bench.answer(page(['b'], '7'), hang);
    await eventually(() => bench.failures(/trying again/) === 10);
    await bench.server.listen();
    await bench.clock.advance(30_000);
    await bench.tells('=a', '=b');
  });

  it('starts with short pauses again after an event', async () => {
    const stream = new OpenStream();
    bench.answer(reset, reset, reset, reset, page(['a'], '100'), stream.answer, reset);
    bench.start();
    await bench.failed(/trying again/);
    await bench.failed(/trying again/, 2);
    await stream.event('ADDED', pod('b', '101'));
    await stream.break();
    await eventually(() => bench.failures(/trying again/) === 3);
    assert.match(bench.logger.lines.at(-1) ?? '', /"milliseconds":375/);
  });

  it('opens a new watch when nothing, not even a bookmark, came for too long', async () => {
    const [first, second] = [new OpenStream(), new OpenStream()];
    bench.answer(page(['a'], '100'), first.answer, second.answer);
    bench.start();
    const heard = async (): Promise<void> => await eventually(() => bench.clock.untilNext === 150_000);
    await first.event('BOOKMARK', { metadata: { resourceVersion: '140' } });
    await heard();
    for (const resourceVersion of ['150', '160']) {
      await bench.clock.advance(140_000);
      await first.event('BOOKMARK', { metadata: { resourceVersion } });
      await heard();
    }
    await bench.clock.advance(140_000);
    assert.equal(bench.server.requests.length, 2);
    await bench.clock.advance(10_000);
    await second.opened();
    assert.equal(bench.lastVersion, '160');
    assert.ok(bench.logger.lines.some((line) => line.startsWith('info Watch went silent')));
  });

  it('gives up on a list and on a watch that hang', async () => {
    const stream = new OpenStream();
    bench.answer(hang, page(['a'], '100'), hang, stream.answer);
    bench.start();
    await eventually(() => bench.server.requests.length === 1);
    await bench.clock.advance(60_000);
    await bench.failed(/no answer within 60 s/);
    await eventually(() => bench.server.requests.length === 3);
    await bench.clock.advance(30_000);
    await bench.failed(/no answer within 30 s/);
    await stream.event('ADDED', pod('b', '101'));
    await bench.tells('=a', '+b');
  });

  it('waits as long as the server asks it to', async () => {
    bench.answer(failure(429, 'TooManyRequests', 'slow down', { 'retry-after': '20' }), page(['a'], '1'), hang);
    bench.start();
    await eventually(() => bench.failures(/slow down/) === 1);
    await bench.clock.advance(19_000);
    assert.equal(bench.server.requests.length, 1);
    await bench.clock.advance(1000);
    await bench.tells('=a');
  });

  it('lists anew when the server came back with an older past', async () => {
    const [first, second] = [new OpenStream(), new OpenStream()];
    bench.answer(page(['a'], '1000'), first.answer, second.answer, page(['z'], '12'), hang);
    bench.start();
    await first.event('BOOKMARK', { metadata: { resourceVersion: '1000' } });
    await first.end();
    await second.event('BOOKMARK', { metadata: { resourceVersion: '9' } });
    await bench.failed(/resource versions went back/);
    await bench.tells('=a', '=z');
  });
});
