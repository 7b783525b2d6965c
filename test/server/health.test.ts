import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Health, pingCheck, shutdownCheck, type HealthCheck } from '../../src/server/health.ts';
import { parseRequestTarget } from '../../src/server/request-target.ts';
import { RecordingLogger } from '../support/recording-logger.ts';

const failing = new Set<string>();
const check = (name: string, ...endpoints: HealthCheck['endpoints']): HealthCheck => ({
  name,
  endpoints,
  check: () => (failing.has(name) ? new Error(`${name} is broken`) : undefined),
});

function make(...more: HealthCheck[]) {
  failing.clear();
  const log = new RecordingLogger();
  const health = new Health(
    [pingCheck, check('log', 'readyz', 'livez'), check('metric-storage-ready', 'readyz'), ...more],
    log,
  );
  const get = (target: string) => {
    const parsed = parseRequestTarget(target);
    assert.ok(parsed);
    return health.answer(parsed.path, parsed.query);
  };
  return { health, log, get };
}

describe('Health', () => {
  it('says ok without a line break', () => {
    const { get } = make();
    for (const path of ['/readyz', '/livez', '/healthz']) assert.deepEqual(get(path), { status: 200, body: 'ok' });
  });

  for (const verbose of ['?verbose', '?verbose=', '?verbose=false', '?a=b&verbose=1']) {
    it(`lists the checks of the endpoint for ${verbose}`, () => {
      const { get } = make();
      assert.equal(
        get(`/readyz${verbose}`)?.body,
        '[+]ping ok\n[+]log ok\n[+]metric-storage-ready ok\nreadyz check passed\n',
      );
      assert.equal(get(`/healthz${verbose}`)?.body, '[+]ping ok\nhealthz check passed\n');
    });
  }

  it('lists everything on failure, but not why', () => {
    const { get, log } = make();
    failing.add('metric-storage-ready');
    const body = '[+]ping ok\n[+]log ok\n[-]metric-storage-ready failed: reason withheld\nreadyz check failed\n';
    assert.deepEqual(get('/readyz'), { status: 500, body });
    assert.deepEqual(get('/readyz?verbose'), { status: 500, body });
    assert.deepEqual(get('/livez'), { status: 200, body: 'ok' });
    assert.equal(log.lines.length, 1);
    assert.match(log.lines[0] ?? '', /metric-storage-ready is broken/);
    failing.clear();
    get('/readyz');
    assert.equal(log.lines.length, 2);
  });

  it('leaves out what the caller excludes, and warns of names it does not know', () => {
    const { get, log } = make();
    failing.add('metric-storage-ready');
    assert.deepEqual(get('/readyz?exclude=metric-storage-ready'), { status: 200, body: 'ok' });
    assert.equal(
      get('/readyz?verbose&exclude=log&exclude=metric-storage-ready&exclude=nope&exclude=b%22')?.body,
      '[+]ping ok\n[+]log excluded: ok\n[+]metric-storage-ready excluded: ok\n' +
        'warn: some health checks cannot be excluded: no matches for "b\\"","nope"\nreadyz check passed\n',
    );
    assert.deepEqual(log.lines, []);
  });

  it('answers for one check alone', () => {
    const { get } = make(check('poststarthook/x', 'livez'));
    failing.add('log');
    assert.deepEqual(get('/readyz/ping'), { status: 200, body: 'ok' });
    assert.deepEqual(get('/readyz/log'), { status: 500, body: 'internal server error: log is broken\n' });
    assert.deepEqual(get('/livez/poststarthook/x'), { status: 200, body: 'ok' });
    assert.equal(get('/readyz/poststarthook/x'), undefined);
    assert.equal(get('/livez/nope'), undefined);
    assert.equal(get('/readyzz'), undefined);
  });

  it('takes a check that throws as failed', () => {
    const { get } = make({
      name: 'bad',
      endpoints: ['livez'],
      check: () => {
        throw new Error('oops');
      },
    });
    assert.equal(get('/livez')?.status, 500);
  });

  it('is not ready when shutting down, but alive', () => {
    let stopping = false;
    const { get } = make(shutdownCheck(() => stopping));
    assert.equal(get('/readyz')?.status, 200);
    stopping = true;
    assert.match(get('/readyz')?.body ?? '', /\[-\]shutdown failed: reason withheld/);
    assert.equal(get('/livez')?.status, 200);
  });

  it('knows its paths', () => {
    const { health } = make();
    assert.deepEqual(health.paths, [
      '/healthz',
      '/healthz/ping',
      '/livez',
      '/livez/ping',
      '/livez/log',
      '/readyz',
      '/readyz/ping',
      '/readyz/log',
      '/readyz/metric-storage-ready',
    ]);
  });
});
