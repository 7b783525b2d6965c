import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import { stringify } from 'yaml';
import { loadApiServer } from '../../src/kube/config.ts';
import { messageChain } from '../../src/model/errors.ts';
import { KubeError } from '../../src/kube/kube-error.ts';
import type { ApiServer } from '../../src/kube/api-server.ts';
import type { CertifiedKey } from '../../src/pki/authority.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { clientCertificate, testAuthority } from '../support/pki.ts';

let ca: string;
let alice: CertifiedKey;
let bob: CertifiedKey;
before(async () => {
  const authority = await testAuthority('cluster-ca');
  ca = authority.cert;
  alice = await clientCertificate(authority, 'alice');
  bob = await clientCertificate(authority, 'bob');
});

describe('a kubeconfig', () => {
  let folder: string;
  let clock: FakeClock;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
    clock = new FakeClock();
  });
  afterEach(async () => await rm(folder, { recursive: true }));

  async function write(name: string, text: string): Promise<string> {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    return path;
  }

  /** Writes and loads a kubeconfig of one cluster and one user. */
  async function load(user: object, cluster: object = {}): Promise<ApiServer> {
    return await loadApiServer({ kubeconfig: await writeConfig(user, cluster), clock, logger: silentLogger });
  }

  async function writeConfig(user: object, cluster: object = {}): Promise<string> {
    return await write(
      'config',
      stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'here',
        contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
        clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443', ...cluster } }],
        users: [{ name: 'u', user }],
      }),
    );
  }

  async function refuses(text: string | undefined, message: RegExp): Promise<void> {
    const kubeconfig = text === undefined ? join(folder, 'none') : await write('config', text);
    await assert.rejects(loadApiServer({ kubeconfig, clock, logger: silentLogger }), (error) => {
      assert.ok(error instanceof KubeError, String(error));
      assert.equal(error.code, 'config');
      assert.match(error.message, message);
      assert.ok(error.message.includes(kubeconfig), error.message);
      return true;
    });
  }

  it('gives server, token and inline authority', async () => {
    const server = await load(
      { token: 'sesame' },
      { 'certificate-authority-data': Buffer.from(ca).toString('base64'), 'tls-server-name': 'kubernetes' },
    );
    assert.equal(server.url.href, 'https://10.0.0.1:6443/');
    assert.equal(server.serverName, 'kubernetes');
    assert.equal(server.insecure, false);
    assert.equal(server.credentials.ca(), ca);
    assert.equal(await server.credentials.authorizationHeader(), 'Bearer sesame');
  });

  it('resolves files against its own folder', async () => {
    await write('pki/ca.crt', ca);
    await write('pki/u.crt', alice.cert);
    await write('pki/u.key', alice.key);
    const server = await load(
      { 'client-certificate': 'pki/u.crt', 'client-key': 'pki/u.key' },
      { 'certificate-authority': 'pki/ca.crt' },
    );
    assert.equal(server.credentials.ca(), ca);
    assert.deepEqual(server.credentials.clientCertificate(), alice);
    assert.equal(await server.credentials.authorizationHeader(), undefined);
  });

  it('ignores the authority when told not to verify', async () => {
    const server = await load({}, { 'insecure-skip-tls-verify': true, 'certificate-authority': 'missing' });
    assert.equal(server.insecure, true);
    assert.equal(server.credentials.ca(), undefined);
  });

  it('makes basic authentication of a user name and password', async () => {
    const server = await load({ username: 'ann', password: 'pass' });
    assert.equal(await server.credentials.authorizationHeader(), `Basic ${btoa('ann:pass')}`);
  });

  it('carries impersonation and the proxy', async () => {
    const server = await load(
      { token: 't', as: 'jane', 'as-groups': ['devs', 'ops'] },
      { 'proxy-url': 'http://proxy.example:3128' },
    );
    assert.deepEqual(server.credentials.impersonation(), {
      'impersonate-user': 'jane',
      'impersonate-group': ['devs', 'ops'],
    });
    assert.equal(server.proxy?.href, 'http://proxy.example:3128/');
  });

  it('follows a token file, which goes before a token', async () => {
    const path = await write('token', 'first\n');
    const { credentials } = await load({ tokenFile: 'token', token: 'old' });
    assert.equal(await credentials.authorizationHeader(), 'Bearer first');
    await writeFile(path, 'second');
    await clock.advance(59_000);
    assert.equal(await credentials.authorizationHeader(), 'Bearer first');
    await clock.advance(2000);
    assert.equal(await credentials.authorizationHeader(), 'Bearer second');
  });

  it('follows a client certificate, and waits until its key fits', async () => {
    const cert = await write('u.crt', alice.cert);
    const key = await write('u.key', alice.key);
    const { credentials } = await load({ 'client-certificate': cert, 'client-key': key });
    let rotations = 0;
    credentials.onRotate(() => rotations++);
    await writeFile(cert, bob.cert);
    await clock.advance(61_000);
    await credentials.authorizationHeader();
    assert.deepEqual([credentials.clientCertificate(), rotations], [alice, 0]);
    await writeFile(key, bob.key);
    await clock.advance(61_000);
    await credentials.authorizationHeader();
    assert.deepEqual([credentials.clientCertificate(), rotations], [bob, 1]);
  });

  it('keeps the last token when its file goes away', async () => {
    const path = await write('token', 'first');
    const { credentials } = await load({ tokenFile: path });
    await rm(path);
    await clock.advance(61_000);
    assert.equal(await credentials.authorizationHeader(), 'Bearer first');
  });

  it('is read again when the server refuses its token', async () => {
    const { credentials } = await load({ token: 'old' });
    await writeConfig({ token: 'new' });
    await credentials.refresh();
    assert.equal(await credentials.authorizationHeader(), 'Bearer new');
  });

  it('keeps the last credentials when it becomes unreadable', async () => {
    const { credentials } = await load({ token: 'old' });
    await write('config', '{');
    await credentials.refresh();
    assert.equal(await credentials.authorizationHeader(), 'Bearer old');
  });

  describe('with an exec plugin', () => {
    /** A plugin that counts its runs and prints what the script says. */
    async function plugin(script: string): Promise<object> {
      const path = await write('bin/plugin', `#!${process.execPath}\n${script}`);
      await chmod(path, 0o755);
      const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: './bin/plugin', interactiveMode: 'Never' };
      return { exec: { ...exec, env: [{ name: 'WHO', value: 'me' }] } };
    }
    const counting = `const fs = require('fs'); const file = __filename + '.runs';
      const run = fs.existsSync(file) ? Number(fs.readFileSync(file)) + 1 : 1; fs.writeFileSync(file, String(run));`;

    it('takes its token, and asks again after a refusal', async () => {
      const { credentials } = await load(
        await plugin(`${counting} console.log(JSON.stringify({ status: { token: process.env.WHO + run } }))`),
      );
      assert.equal(await credentials.authorizationHeader(), 'Bearer me1');
      assert.equal(await credentials.authorizationHeader(), 'Bearer me1');
      await credentials.refresh();
      assert.equal(await credentials.authorizationHeader(), 'Bearer me2');
      await credentials.refresh();
      assert.equal(await credentials.authorizationHeader(), 'Bearer me2', 'asked again too soon');
    });

    it('takes its client certificate', async () => {
      const status = { clientCertificateData: alice.cert, clientKeyData: alice.key };
      const { credentials } = await load(await plugin(`console.log(${JSON.stringify(JSON.stringify({ status }))})`));
      assert.equal(await credentials.authorizationHeader(), undefined);
      assert.deepEqual(credentials.clientCertificate(), alice);
    });

    it('tells it the API version', async () => {
      const { credentials } = await load(
        await plugin(`const info = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
          console.log(JSON.stringify({ status: { token: info.apiVersion.split('/')[1] + info.spec.interactive } }))`),
      );
      assert.equal(await credentials.authorizationHeader(), 'Bearer v1false');
    });

    it('says what went wrong with it', async () => {
      const cases: [string, RegExp][] = [
        [`console.error('please log in'); process.exit(1)`, /failed: please log in$/],
        ['process.exit(3)', /ended with exit code 3 and nothing on stderr$/],
        [`process.kill(process.pid, 'SIGKILL')`, /ended with SIGKILL and nothing on stderr$/],
        [`console.log('{}')`, /failed: /],
        [`console.log('hello')`, /printed no JSON$/],
        [`console.log('{"status":{}}')`, /gave no credential$/],
      ];
      for (const [script, message] of cases) {
        const { credentials } = await load(await plugin(script));
        await assert.rejects(credentials.authorizationHeader(), (error) => {
          assert.ok(error instanceof KubeError);
          assert.match(error.message, /^kubeconfig .*config: exec plugin ".\/bin\/plugin" of user "u" /);
          assert.match(error.message, message);
          assert.equal(messageChain(error), error.message, 'said once');
          return true;
        });
      }
    });

    it('does not wait for one that hangs, nor start another beside it', async () => {
      const { credentials } = await load(
        await plugin(`${counting} setTimeout(() => {}, 60_000); fs.writeFileSync(file + '.pid', String(process.pid))`),
      );
      const asked = assert.rejects(credentials.authorizationHeader(), /has not answered for 30 s$/);
      const pidFile = join(folder, 'bin/plugin.runs.pid');
      await eventually(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '');
      await clock.advance(30_000);
      await asked;
      const again = assert.rejects(credentials.authorizationHeader(), /ended with SIGTERM and nothing on stderr$/);
      process.kill(Number(readFileSync(pidFile, 'utf8')));
      await again;
      assert.equal(readFileSync(join(folder, 'bin/plugin.runs'), 'utf8'), '1');
    });

    it('is left by a caller that gives up, and goes on for the others', async () => {
      const { credentials } = await load(
        await plugin(`const fs = require('fs'); fs.writeFileSync(__filename + '.asked', '');
          const timer = setInterval(() => {
            if (!fs.existsSync(__filename + '.go')) return;
            clearInterval(timer); console.log('{"status":{"token":"late"}}');
          }, 5);`),
      );
      const impatient = new AbortController();
      const left = assert.rejects(credentials.authorizationHeader(impatient.signal), /^Error: gone$/);
      const patient = credentials.authorizationHeader(new AbortController().signal);
      await eventually(() => existsSync(join(folder, 'bin/plugin.asked')));
      impatient.abort(new Error('gone'));
      await left;
      await write('bin/plugin.go', '');
      assert.equal(await patient, 'Bearer late');
    });

    it('is ended on closing, even when a process of its own holds its output', async () => {
      const script = `const held = require('child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'],
          { stdio: ['ignore', 'inherit', 'inherit'] });
        require('fs').writeFileSync(__filename + '.pids', [process.pid, held.pid, ''].join(' ')); setTimeout(() => {}, 60_000);`;
      const { credentials } = await load(await plugin(script));
      const pidFile = join(folder, 'bin/plugin.pids');
      const asked = assert.rejects(credentials.authorizationHeader(), /failed: it was ended$/);
      await eventually(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8').split(' ').length === 3);
      const [, held] = readFileSync(pidFile, 'utf8').split(' ');
      credentials.close();
      await asked;
      process.kill(Number(held));
      await assert.rejects(credentials.authorizationHeader(), /is not asked any more$/);
    });

    it('says that it cannot be found', async () => {
      const { credentials } = await load({ exec: { command: 'no-such-plugin-anywhere' } });
      await assert.rejects(credentials.authorizationHeader(), /exec plugin "no-such-plugin-anywhere" .*ENOENT/);
    });
  });

  it('is refused with the reason when it is broken', async () => {
    const users = 'users: [{name: u, user: {token: t}}]';
    const clusters = 'clusters: [{name: c, cluster: {server: "https://h"}}]';
    const contexts = 'contexts: [{name: x, context: {cluster: c, user: u}}]';
    await refuses(undefined, /cannot read kubeconfig .*ENOENT/);
    await refuses('', /is empty or not a mapping/);
    await refuses('- a', /is empty or not a mapping/);
    await refuses('a: [', /is not YAML: [A-Z_]+ in line 1, column \d+$/);
    for (const secret of [
      'users:\n- token: hush: hush',
      'token: *hush',
      '%hush\n---\n\thush: hush',
      '{}} hush',
      'hush: "\\q hush',
    ])
      await refuses(secret, /^(?!.*hush)[^\n]* is not YAML: /s);
    await refuses('a: b', /current-context is not set/);
    await refuses('current-context: x', /there is no context "x"/);
    await refuses(`current-context: x\n${contexts}`, /there is no cluster "c" \(context "x"\)/);
    await refuses(`current-context: x\n${contexts}\n${clusters}`, /there is no user "u" \(context "x"\)/);
    await refuses('clusters: [{name: c, cluster: {}}]', /clusters\[0\]\.cluster\.server is missing/);
    await refuses(
      `current-context: x\n${contexts}\n${users}\nclusters: [{name: c, cluster: {server: "h:6443"}}]`,
      /server of cluster "c" is not an http or https URL: "h:6443"/,
    );
    await refuses(
      `current-context: x\n${contexts}\n${users}\nclusters: [{name: c, cluster: {server: "https://h", proxy-url: "socks5://p"}}]`,
      /proxy-url of cluster "c" is not an http or https URL/,
    );
  });

  it('is refused where a credential would silently be left out', async () => {
    const refused: [object, string][] = [
      [{ token: 12345 }, 'token of user "u" is not a string'],
      [{ username: 1, password: 'x' }, 'username of user "u" is not a string'],
      [{ tokenFile: ['x'] }, 'tokenFile of user "u" is not a string'],
      [{ 'client-certificate': 'u.crt' }, 'user "u" has a client-certificate but no client-key'],
      [{ 'client-key-data': 'AAAA' }, 'user "u" has a client-key but no client-certificate'],
      [{ as: 'x', 'as-groups': ['a', 7] }, 'as-groups of user "u" is not a list of strings'],
      [{ 'as-groups': ['a'] }, 'user "u" has as-groups, but no as'],
      [{ exec: 'aws' }, 'exec of user "u" is not a mapping'],
      [{ exec: { args: ['x'] } }, 'exec of user "u" has no command'],
      [{ exec: { command: 'x', args: [1] } }, 'args of exec of user "u" is not a list of strings'],
      [
        { exec: { command: 'x', env: [{ name: 'A', value: 1 }] } },
        'env of exec of user "u" is not a list of names and values',
      ],
      [{ 'auth-provider': { name: 'gcp' } }, 'auth-provider of user "u" has no config'],
      [{ 'auth-provider': { config: {} } }, 'auth-provider of user "u" has no name'],
      [{ tokenFile: 'x', username: 'a', password: 'b' }, 'user "u" has tokenFile and username'],
      [{ exec: { command: 'x' }, 'auth-provider': { name: 'x' } }, 'user "u" has exec and auth-provider'],
    ];
    for (const [user, message] of refused)
      await assert.rejects(load(user), { code: 'config', message: `kubeconfig ${join(folder, 'config')}: ${message}` });
    for (const [cluster, message] of [
      [{ server: 12 }, 'server of cluster "c" is not a string'],
      [{ 'insecure-skip-tls-verify': 'yes' }, 'insecure-skip-tls-verify of cluster "c" is not true or false'],
    ] as const)
      await assert.rejects(load({}, cluster), {
        code: 'config',
        message: `kubeconfig ${join(folder, 'config')}: ${message}`,
      });
    assert.equal(
      await (await load({ token: 't', exec: null, username: null })).credentials.authorizationHeader(),
      'Bearer t',
    );
  });

  it('names the file of it that cannot be used', async () => {
    await assert.rejects(
      load({}, { 'certificate-authority': 'gone.crt' }),
      /cannot read certificate-authority .*gone\.crt \(cluster "\w+" of kubeconfig .*\): ENOENT/,
    );
    await write('bad.crt', 'not a certificate');
    await assert.rejects(
      load({}, { 'certificate-authority': 'bad.crt' }),
      /certificate-authority .*bad\.crt .* holds no PEM certificate/,
    );
    await assert.rejects(
      load({}, { 'certificate-authority-data': 'AAAA' }),
      /certificate-authority-data \(cluster "\w+" of kubeconfig .*\) holds no PEM certificate/,
    );
    await write('u.crt', alice.cert);
    await write('u.key', bob.key);
    await assert.rejects(
      load({ 'client-certificate': 'u.crt', 'client-key': 'u.key' }),
      /client-key .*u\.key .* does not fit the client certificate/,
    );
    await write('token', ' \n');
    await assert.rejects(load({ tokenFile: 'token' }), /tokenFile .*token .* is empty/);
    await write('token', 'a b');
    await assert.rejects(load({ tokenFile: 'token' }), /tokenFile .*token \(user "\w+" of .*\) holds no token/);
  });
});
