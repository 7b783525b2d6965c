import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { milliseconds, seconds } from '../../src/model/units.ts';
import { AuthenticationError } from '../../src/server/authentication-error.ts';
import { TokenReviewer, type TokenReviewOptions } from '../../src/server/token-review.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { RecordingLogger } from '../support/recording-logger.ts';

interface Call {
  readonly path: string;
  readonly body: { readonly spec: { readonly token: string; readonly audiences?: readonly string[] } };
}

const jane = { status: { authenticated: true, user: { username: 'jane' } } };

function make(answer: (call: Call) => unknown, options: Partial<TokenReviewOptions> = {}) {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const calls: Call[] = [];
  const hits: boolean[] = [];
  const reviews = {
    async create(path: string, body: object): Promise<unknown> {
      const call = { path, body: body as Call['body'] };
      calls.push(call);
      return await answer(call);
    },
  };
  const reviewer = new TokenReviewer(
    { audiences: [], cacheTtl: seconds(10), cacheSize: 3, ...options },
    {
      reviews,
      clock,
      log,
      random: () => 0,
      hashKey: new Uint8Array(32),
      issuerKeys: undefined,
      onCache: (hit) => void hits.push(hit),
    },
  );
  return { reviewer, clock, log, calls, hits };
}

const isRefused = (code: string) => (error: unknown) => error instanceof AuthenticationError && error.code === code;
const serverError = (status: number): Error => Object.assign(new Error(`status ${status}`), { status });

describe('TokenReviewer', () => {
  it('asks the API server as Kubernetes does', async () => {
    const { reviewer, calls } = make(() => jane);
    assert.equal((await reviewer.authenticate('t')).name, 'jane');
    assert.deepEqual(calls, [
      {
        path: '/apis/authentication.k8s.io/v1/tokenreviews',
        body: { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', metadata: {}, spec: { token: 't' } },
      },
    ]);
  });

  it('remembers both verdicts for the TTL and no longer', async () => {
    const { reviewer, clock, calls, hits } = make(({ body }) => (body.spec.token === 'good' ? jane : { status: {} }));
    for (const elapsed of [0, 5000, 5000]) {
      await clock.advance(elapsed);
      await reviewer.authenticate('good');
      await assert.rejects(reviewer.authenticate('bad'), isRefused('token'));
    }
    assert.equal(calls.length, 2);
    assert.deepEqual(hits, [false, false, true, true, true, true]);
    await clock.advance(1);
    await reviewer.authenticate('good');
    assert.equal(calls.length, 3);
  });

  it('forgets verdicts when told to, and still answers who waits for one', async () => {
    let release = (): void => undefined;
    const { reviewer, calls } = make(async ({ body }) => {
      if (body.spec.token === 'slow') await new Promise<void>((resolve) => (release = resolve));
      return jane;
    });
    await reviewer.authenticate('known');
    const waiting = reviewer.authenticate('slow');
    await settle();
    reviewer.forgetVerdicts();
    release();
    assert.equal((await waiting).name, 'jane');
    await reviewer.authenticate('known');
    assert.deepEqual(
      calls.map(({ body }) => body.spec.token),
      ['known', 'slow', 'known'],
    );
  });

  it('asks once for many at a time', async () => {
    let release = (): void => undefined;
    const { reviewer, calls } = make(async () => {
      await new Promise<void>((resolve) => (release = resolve));
      return jane;
    });
    const all = Promise.all(Array.from({ length: 20 }, async () => await reviewer.authenticate('t')));
    await settle();
    release();
    assert.equal((await all).length, 20);
    assert.equal(calls.length, 1);
  });

  it('answers everybody who waits though the cache is too small for them', async () => {
    let release: (() => void)[] = [];
    const { reviewer } = make(async ({ body }) => {
      await new Promise<void>((resolve) => release.push(resolve));
      return { status: { authenticated: true, user: { username: body.spec.token } } };
    });
    const tokens = Array.from({ length: 12 }, (_, index) => `token-${index}`);
    const all = Promise.all(tokens.map(async (token) => (await reviewer.authenticate(token)).name));
    while (release.length > 0 || (await Promise.race([all.then(() => false), settle().then(() => true)]))) {
      const now = release;
      release = [];
      for (const go of now) go();
    }
    assert.deepEqual(await all, tokens);
  });

  it('remembers nothing when the TTL is 0', async () => {
    const { reviewer, calls } = make(() => jane, { cacheTtl: milliseconds(0) });
    await reviewer.authenticate('t');
    await reviewer.authenticate('t');
    assert.equal(calls.length, 2);
  });

  for (const status of [undefined, 429, 500, 504]) {
    it(`retries ${status ?? 'a reset connection'} four times with growing pauses, then refuses without remembering`, async () => {
      const { reviewer, clock, calls, log } = make(() => {
        throw status === undefined ? Object.assign(new Error('closed'), { code: 'ECONNRESET' }) : serverError(status);
      });
      const refused = assert.rejects(reviewer.authenticate('t'), isRefused('unavailable'));
      const after: number[] = [];
      for (const pause of [0, 500, 750, 1125, 1687.5]) {
        await clock.advance(pause);
        after.push(calls.length);
      }
      await refused;
      assert.deepEqual(after, [1, 2, 3, 4, 5]);
      assert.equal(log.lines.length, 1);
      await clock.advance(1000);
      await assert.rejects(reviewer.authenticate('t'), isRefused('unavailable'));
      assert.equal(calls.length, 6);
    });
  }

  for (const status of [400, 401, 403, 404, 503]) {
    it(`does not retry ${status}`, async () => {
      const { reviewer, calls } = make(() => {
        throw serverError(status);
      });
      await assert.rejects(reviewer.authenticate('t'), isRefused('unavailable'));
      assert.equal(calls.length, 1);
    });
  }

  it('gives a review ten seconds', async () => {
    const { reviewer, clock, calls } = make(async () => await new Promise(() => undefined));
    const refused = assert.rejects(reviewer.authenticate('t'), /did not answer in 10s/);
    await clock.advance(10_000);
    await refused;
    assert.equal(calls.length, 1);
    assert.equal(clock.waiting, 0);
  });

  it('recovers after an outage and says so once', async () => {
    let down = true;
    const { reviewer, log } = make(() => {
      if (down) throw serverError(403);
      return jane;
    });
    await assert.rejects(reviewer.authenticate('t'));
    down = false;
    await reviewer.authenticate('t');
    assert.deepEqual(
      log.lines.map((line) => line.split(' {')[0]),
      ['error TokenReview failed', 'info TokenReview works again'],
    );
  });

  it('insists on one of its audiences', async () => {
    let audiences: readonly string[] = ['other'];
    const { reviewer, calls } = make(() => ({ status: { ...jane.status, audiences } }), {
      audiences: ['metrics'],
      cacheTtl: milliseconds(0),
    });
    await assert.rejects(reviewer.authenticate('t'), /another audience/);
    assert.deepEqual(calls[0]?.body.spec.audiences, ['metrics']);
    audiences = ['other', 'metrics'];
    assert.equal((await reviewer.authenticate('t')).name, 'jane');
  });

  for (const answer of [undefined, null, 'x', [], {}, { status: 'x' }, { status: { authenticated: true } }]) {
    it(`takes ${JSON.stringify(answer)} for an outage, not for a verdict`, async () => {
      const { reviewer, calls } = make(() => answer);
      await assert.rejects(reviewer.authenticate('t'), isRefused('unavailable'));
      await assert.rejects(reviewer.authenticate('t'), isRefused('unavailable'));
      assert.equal(calls.length, 2);
    });
  }

  it('believes nothing but true', async () => {
    const { reviewer } = make(() => ({ status: { authenticated: 'true', user: { username: 'jane' } } }));
    await assert.rejects(reviewer.authenticate('t'), isRefused('token'));
  });

  it('leaves tokens that are no JWT to the API server, and spares it the ones that cannot be any', async () => {
    const { reviewer, calls } = make(() => jane);
    for (const token of ['opaque', 'abcdef.0123456789abcdef', 'a.b.c', '{"json":1}'])
      await reviewer.authenticate(token);
    assert.equal(calls.length, 4);
    for (const token of [
      'sp ace',
      'line\nbreak',
      'ümlaut',
      'eyJhbGciOi.x.y',
      'eyJhbGciOiJSUzI1NiJ9.e30',
      'x'.repeat(70_000),
    ]) {
      await assert.rejects(reviewer.authenticate(token), isRefused('token'), token);
    }
    assert.equal(calls.length, 4);
  });
});
