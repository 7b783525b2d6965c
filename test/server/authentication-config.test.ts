import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { AuthenticationConfig, type AuthenticationFlags } from '../../src/server/authentication-config.ts';
import { ServerError } from '../../src/server/server-error.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { testAuthority } from '../support/pki.ts';
import { RecordingLogger } from '../support/recording-logger.ts';

const flags: AuthenticationFlags = {
  clientCaFile: undefined,
  requestHeader: {
    clientCaFile: undefined,
    allowedNames: ['flag-name'],
    usernameHeaders: ['X-Flag-User'],
    uidHeaders: [],
    groupHeaders: ['X-Flag-Group'],
    extraHeadersPrefix: ['X-Flag-Extra-'],
  },
};

describe('AuthenticationConfig', () => {
  let clientCa: string;
  let proxyCa: string;
  let good: Record<string, string>;

  before(async () => {
    clientCa = (await testAuthority('client-ca')).cert;
    proxyCa = (await testAuthority('proxy-ca')).cert;
    good = {
      'client-ca-file': clientCa,
      'requestheader-client-ca-file': proxyCa,
      'requestheader-allowed-names': '["front-proxy-client"]',
      'requestheader-username-headers': '["X-Remote-User"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
      'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    };
  });

  function make(given: Partial<AuthenticationFlags> = {}, files: Record<string, string> = {}) {
    const clock = new FakeClock();
    const log = new RecordingLogger();
    const authorities: (readonly string[])[] = [];
    const config = new AuthenticationConfig(
      { ...flags, ...given },
      {
        clock,
        log,
        read: async (path) => files[path] ?? (await Promise.reject(new Error(`no such file ${path}`))),
        onAuthorities: (pems) => void authorities.push(pems),
      },
    );
    return { config, clock, log, authorities };
  }

  it('believes nothing before it is told anything', () => {
    const { config } = make();
    assert.deepEqual(config.settings, { requestHeader: undefined, clientAuthorities: undefined });
    config.apply(undefined);
    assert.deepEqual(config.settings, { requestHeader: undefined, clientAuthorities: undefined });
  });

  it('takes everything from the ConfigMap and announces the authorities', () => {
    const { config, authorities } = make();
    config.apply(good);
    const { requestHeader, clientAuthorities } = config.settings;
    assert.equal(clientAuthorities?.pem, clientCa.endsWith('\n') ? clientCa : `${clientCa}\n`);
    assert.deepEqual(requestHeader?.allowedNames, ['front-proxy-client']);
    assert.deepEqual(requestHeader?.usernameHeaders, ['x-remote-user']);
    assert.deepEqual(requestHeader?.uidHeaders, []);
    assert.deepEqual(requestHeader?.extraHeaderPrefixes, ['x-remote-extra-']);
    assert.equal(authorities.length, 1);
    config.apply(good);
    assert.equal(authorities.length, 1);
  });

  for (const [part, bad] of [
    ['client-ca-file', 'not a certificate'],
    ['client-ca-file', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'],
    ['requestheader-client-ca-file', ''],
    ['requestheader-allowed-names', '[""]'],
    ['requestheader-allowed-names', '{"a":1}'],
    ['requestheader-username-headers', 'X-Remote-User'],
  ] as const) {
    it(`keeps the last good value when ${part} becomes ${JSON.stringify(bad.slice(0, 30))}, and says so once`, () => {
      const { config, log } = make();
      config.apply(good);
      const { requestHeader, clientAuthorities } = config.settings;
      config.apply({ ...good, [part]: bad });
      config.apply({ ...good, [part]: bad });
      assert.equal(config.settings.clientAuthorities?.pem, clientAuthorities?.pem);
      assert.deepEqual(config.settings.requestHeader?.allowedNames, requestHeader?.allowedNames);
      assert.equal(config.settings.requestHeader?.authorities.pem, requestHeader?.authorities.pem);
      assert.equal(log.lines.filter((line) => line.startsWith('warning')).length, 1);
      config.apply(good);
      assert.match(log.lines.at(-1) ?? '', /good again/);
    });
  }

  it('takes the good parts when another is bad', async () => {
    const { config } = make();
    config.apply({ ...good, 'requestheader-allowed-names': '[7]' });
    assert.notEqual(config.settings.clientAuthorities, undefined);
    const { requestHeader } = config.settings;
    assert.equal(requestHeader, undefined, 'no allowed names must not mean any name');
    const rotated = (await testAuthority('rotated')).cert;
    config.apply(good);
    config.apply({ ...good, 'requestheader-client-ca-file': rotated, 'client-ca-file': 'x' });
    assert.match(config.settings.requestHeader?.authorities.certificates[0]?.subject ?? '', /rotated/);
    assert.match(config.settings.clientAuthorities?.certificates[0]?.subject ?? '', /client-ca/);
  });

  it('keeps everything when the ConfigMap is deleted', () => {
    const { config } = make();
    config.apply(good);
    const before = config.settings;
    config.apply(undefined);
    assert.equal(config.settings, before);
  });

  it('reads every certificate of a bundle', () => {
    const { config } = make();
    config.apply({ ...good, 'client-ca-file': `# first\n${clientCa}\n# second\n${proxyCa}` });
    assert.equal(config.settings.clientAuthorities?.certificates.length, 2);
  });

  it('lets a client CA file replace that part of the ConfigMap only', async () => {
    const { config } = make({ clientCaFile: '/ca' }, { '/ca': proxyCa });
    await config.start();
    config.apply(good);
    assert.match(config.settings.clientAuthorities?.certificates[0]?.subject ?? '', /proxy-ca/);
    assert.deepEqual(config.settings.requestHeader?.allowedNames, ['front-proxy-client']);
    assert.equal(config.needsConfigMap, true);
    config.stop();
  });

  it('lets a front-proxy CA file replace the whole front-proxy part', async () => {
    const requestHeader = { ...flags.requestHeader, clientCaFile: '/proxy' };
    const { config } = make({ requestHeader, clientCaFile: '/ca' }, { '/proxy': clientCa, '/ca': clientCa });
    await config.start();
    config.apply(good);
    assert.deepEqual(config.settings.requestHeader?.allowedNames, ['flag-name']);
    assert.deepEqual(config.settings.requestHeader?.usernameHeaders, ['x-flag-user']);
    assert.equal(config.needsConfigMap, false);
    config.stop();
  });

  it('follows its files and keeps the last good content', async () => {
    const files: Record<string, string> = { '/ca': clientCa };
    const { config, clock, log, authorities } = make({ clientCaFile: '/ca' }, files);
    await config.start();
    files['/ca'] = proxyCa;
    await clock.advance(10_000);
    assert.match(config.settings.clientAuthorities?.certificates[0]?.subject ?? '', /proxy-ca/);
    files['/ca'] = 'broken';
    await clock.advance(60_000);
    assert.match(config.settings.clientAuthorities?.certificates[0]?.subject ?? '', /proxy-ca/);
    assert.equal(log.lines.length, 1);
    delete files['/ca'];
    await clock.advance(10_000);
    files['/ca'] = clientCa;
    await clock.advance(10_000);
    assert.match(config.settings.clientAuthorities?.certificates[0]?.subject ?? '', /client-ca/);
    assert.equal(authorities.length, 3);
    config.stop();
    assert.equal(clock.waiting, 0);
  });

  it('names the file and the flag that cannot be used at start', async () => {
    const { config } = make({ clientCaFile: '/missing' });
    await assert.rejects(config.start(), (error) => {
      assert.ok(error instanceof ServerError);
      assert.equal(error.message, '--client-ca-file /missing: no such file /missing');
      return true;
    });
  });
});
