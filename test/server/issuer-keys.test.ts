import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';
import { AuthenticationError } from '../../src/server/authentication-error.ts';
import { IssuerKeys } from '../../src/server/issuer-keys.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLogger } from '../support/recording-logger.ts';

const issuer = 'https://kubernetes.default.svc';
type Keys = Awaited<ReturnType<typeof generateKeyPair>>;

describe('IssuerKeys', () => {
  let old: Keys;
  let fresh: Keys;

  before(async () => {
    old = await generateKeyPair('RS256');
    fresh = await generateKeyPair('RS256');
  });

  const jwk = async (keys: Keys, kid: string): Promise<JWK> => ({
    ...(await exportJWK(keys.publicKey)),
    kid,
    alg: 'RS256',
  });
  const token = async (keys: Keys, kid: string): Promise<string> =>
    await new SignJWT({}).setProtectedHeader({ alg: 'RS256', kid }).setIssuer(issuer).sign(keys.privateKey);

  function make(keys: JWK[]) {
    const clock = new FakeClock(Date.now());
    const log = new RecordingLogger();
    const state = { keys, down: false, hanging: false, fetches: 0 };
    const discovery = {
      async get(path: string): Promise<unknown> {
        if (state.down) throw new Error('forbidden');
        if (state.hanging) return await new Promise(() => undefined);
        if (path === '/.well-known/openid-configuration')
          return { issuer, jwks_uri: 'https://elsewhere/openid/v1/jwks' };
        assert.equal(path, '/openid/v1/jwks');
        state.fetches++;
        return await Promise.resolve({ keys: state.keys });
      },
    };
    return { keys: new IssuerKeys({ discovery, clock, log }), clock, log, state };
  }

  it('gets the keys once for many tokens', async () => {
    const { keys, state } = make([await jwk(old, 'old')]);
    const good = await token(old, 'old');
    await Promise.all([keys.check(good, issuer), keys.check(good, issuer), keys.check(good, 'https://other')]);
    await keys.check(good, issuer);
    assert.equal(state.fetches, 1);
  });

  it('refuses a signature by another key under a known name', async () => {
    const { keys } = make([await jwk(old, 'old')]);
    await assert.rejects(keys.check(await token(fresh, 'old'), issuer), AuthenticationError);
  });

  it('learns of a new key when a token names it', async () => {
    const { keys, clock, state } = make([await jwk(old, 'old')]);
    await keys.check(await token(old, 'old'), issuer);
    state.keys = [await jwk(old, 'old'), await jwk(fresh, 'fresh')];
    await clock.advance(10_000);
    await keys.check(await token(fresh, 'fresh'), issuer);
    assert.equal(state.fetches, 2);
  });

  it('is not driven to ask again and again by unknown keys', async () => {
    const { keys, clock, state } = make([await jwk(old, 'old')]);
    await keys.check(await token(old, 'old'), issuer);
    await clock.advance(10_000);
    const unknown = await token(fresh, 'unknown');
    await assert.rejects(keys.check(unknown, issuer), /a key the issuer does not have/);
    for (let count = 0; count < 20; count++) await keys.check(unknown, issuer);
    assert.equal(state.fetches, 2);
  });

  it('forgets a retired key', async () => {
    const { keys, clock, state } = make([await jwk(old, 'old')]);
    const good = await token(old, 'old');
    await keys.check(good, issuer);
    state.keys = [await jwk(fresh, 'fresh')];
    await clock.advance(300_000);
    await keys.check(await token(fresh, 'fresh'), issuer);
    await clock.advance(10_000);
    await assert.rejects(keys.check(good, issuer), AuthenticationError);
  });

  it('leaves tokens to TokenReview while the keys cannot be had, and says so once', async () => {
    const { keys, clock, log, state } = make([await jwk(old, 'old')]);
    state.down = true;
    for (let count = 0; count < 5; count++) {
      await keys.check(await token(fresh, 'old'), issuer);
      await clock.advance(10_000);
    }
    assert.equal(log.lines.length, 1);
    state.down = false;
    await assert.rejects(keys.check(await token(fresh, 'old'), issuer), AuthenticationError);
  });

  it('keeps the keys it has when new ones cannot be had', async () => {
    const { keys, clock, state } = make([await jwk(old, 'old')]);
    await keys.check(await token(old, 'old'), issuer);
    state.down = true;
    await clock.advance(600_000);
    await assert.rejects(keys.check(await token(fresh, 'old'), issuer), AuthenticationError);
  });

  it('lets no token wait for newer keys while it has some', async () => {
    const { keys, clock, state } = make([await jwk(old, 'old')]);
    const good = await token(old, 'old');
    await keys.check(good, issuer);
    await clock.advance(300_000);
    state.hanging = true;
    await keys.check(good, issuer);
    await assert.rejects(keys.check(await token(fresh, 'old'), issuer), AuthenticationError);
  });

  it('lets no token wait longer than five seconds for the first keys', async () => {
    const { keys, clock, state } = make([await jwk(old, 'old')]);
    state.hanging = true;
    const checked = keys.check(await token(old, 'old'), issuer);
    await clock.advance(5000);
    await checked;
    assert.equal(clock.waiting, 0);
  });

  for (const [what, document] of [
    ['no object', 'nonsense'],
    ['no keys', {}],
    ['keys that are no list', { keys: 'x' }],
    ['keys that are no objects', { keys: [null, 1] }],
    ['no keys at all', { keys: [] }],
  ] as const) {
    it(`makes nothing of an issuer that publishes ${what}`, async () => {
      const discovery = {
        get: async (path: string) => await Promise.resolve(path.startsWith('/openid') ? document : { issuer }),
      };
      const keys = new IssuerKeys({ discovery, clock: new FakeClock(Date.now()), log: new RecordingLogger() });
      await keys.check(await token(old, 'old'), issuer);
    });
  }

  it('leaves a token to TokenReview whose key cannot be used', async () => {
    const weak = await jwk(old, 'old');
    const { keys } = make([{ ...weak, n: (weak.n ?? '').slice(0, 128) }]);
    await keys.check(await token(old, 'old'), issuer);
    const broken = make([{ ...weak, n: '!', e: '' }]);
    await broken.keys.check(await token(old, 'old'), issuer);
  });
});
