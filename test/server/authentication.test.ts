import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { CertifiedKey } from '../../src/pki/authority.ts';
import type { UserInfo } from '../../src/server/user.ts';
import { clientAuth, labCertificate } from '../support/certificate-lab.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { clientCertificate } from '../support/pki.ts';
import {
  authenticationConfigMap,
  clusterCertificates,
  ScriptedReviews,
  securedServer,
  type ClusterCertificates,
  type SecuredServer,
} from '../support/secured-server.ts';
import { ask, askHttp2, http2Session, type Asking } from '../support/tls-client.ts';

const path = '/apis/metrics.k8s.io/v1beta1/nodes';

describe('Authentication', () => {
  let certificates: ClusterCertificates;
  let server: SecuredServer;
  const reviews = new ScriptedReviews();
  reviews.onAccess = () => ({ allowed: true });
  reviews.onToken = (token) =>
    token === 'good' ? { username: 'jane', uid: '7', groups: ['devs'], extra: { scope: ['a', 'b'] } } : undefined;

  before(async () => {
    certificates = await clusterCertificates();
    server = await securedServer({ certificates, reviews });
  });
  after(async () => await server.stop());

  async function userOf(client: CertifiedKey | undefined, headers: Asking['headers'] = {}): Promise<UserInfo> {
    const reply = await ask({ ...server.target, client }, path, { headers });
    assert.equal(reply.status, 200, server.log.lines.join('\n'));
    return (JSON.parse(reply.body) as { user: UserInfo }).user;
  }

  it('takes the user from the headers of the front proxy', async () => {
    const user = await userOf(certificates.frontProxy, {
      'X-Remote-User': 'jane@example.com',
      'X-Remote-Uid': '42',
      'X-Remote-Group': ['devs', 'a, b', 'devs'],
      'X-Remote-Extra-Example.com%2fscope': ['read', 'write'],
      'X-Remote-Extra-bad%zz': 'kept',
    });
    assert.deepEqual(user, {
      name: 'jane@example.com',
      uid: '42',
      groups: ['devs', 'a, b', 'devs', 'system:authenticated'],
      extra: { 'example.com/scope': ['read', 'write'], 'bad%zz': ['kept'] },
    });
  });

  it('reads names as UTF-8, over both protocols', async () => {
    const sent = (text: string): string => Buffer.from(text).toString('latin1');
    const headers = {
      'x-remote-user': sent('jürgen'),
      'x-remote-group': sent('Prüfer €'),
      'x-remote-extra-city': sent('北京'),
    };
    const expected = {
      name: 'jürgen',
      uid: '',
      groups: ['Prüfer €', 'system:authenticated'],
      extra: { city: ['北京'] },
    };
    assert.deepEqual(await userOf(certificates.frontProxy, headers), expected);
    const session = await http2Session({ ...server.target, client: certificates.frontProxy });
    const reply = await askHttp2(session, path, headers);
    assert.deepEqual((JSON.parse(reply.body) as { user: UserInfo }).user, expected);
    session.close();
  });

  it('lets the front proxy pass anonymous users on as such', async () => {
    const user = await userOf(certificates.frontProxy, {
      'x-remote-user': 'system:anonymous',
      'x-remote-group': 'system:unauthenticated',
    });
    assert.deepEqual(user.groups, ['system:unauthenticated']);
  });

  it('gives a user of the proxy without groups the right of discovery', async () => {
    const user = await userOf(certificates.frontProxy, { 'x-remote-user': 'system:kube-aggregator' });
    assert.deepEqual(user.groups, ['system:authenticated']);
  });

  it('takes common name, organizations and credential id from a client certificate', async () => {
    const user = await userOf(await clientCertificate(certificates.clients, 'jane', 'devs', 'ops'));
    assert.equal(user.name, 'jane');
    assert.deepEqual(user.groups, ['devs', 'ops', 'system:authenticated']);
    assert.match(user.extra['authentication.kubernetes.io/credential-id']?.[0] ?? '', /^X509SHA256=[0-9a-f]{64}$/);
  });

  it('takes user, uid, groups and extra from TokenReview', async () => {
    assert.deepEqual(await userOf(undefined, { authorization: 'bEaReR good' }), {
      name: 'jane',
      uid: '7',
      groups: ['devs', 'system:authenticated'],
      extra: { scope: ['a', 'b'] },
    });
  });

  it('takes whoever shows nothing as anonymous', async () => {
    assert.deepEqual(await userOf(undefined), {
      name: 'system:anonymous',
      uid: '',
      groups: ['system:unauthenticated'],
      extra: {},
    });
    assert.equal((await userOf(undefined, { authorization: 'Bearer ' })).name, 'system:anonymous');
    assert.equal((await userOf(undefined, { authorization: 'Bearer  good' })).name, 'system:anonymous');
  });

  it('prefers the proxy to the token, and a client certificate to the token', async () => {
    const both = { 'x-remote-user': 'proxied', authorization: 'Bearer good' };
    assert.equal((await userOf(certificates.frontProxy, both)).name, 'proxied');
    const client = await clientCertificate(certificates.clients, 'certified');
    assert.equal((await userOf(client, both)).name, 'certified');
  });

  it('accepts a good token beside a certificate that nobody trusts', async () => {
    const stranger = await labCertificate({ subject: 'CN=stranger', usages: [clientAuth] });
    assert.equal((await userOf(stranger, { authorization: 'Bearer good' })).name, 'jane');
    assert.equal((await userOf(certificates.frontProxy, { authorization: 'Bearer good' })).name, 'jane');
  });

  it('refuses the certificate of the proxy that names nobody', async () => {
    assert.equal((await ask({ ...server.target, client: certificates.frontProxy }, path)).status, 401);
  });

  it('remembers nothing of one request for the next on the same connection', async () => {
    const session = await http2Session({ ...server.target, client: certificates.frontProxy });
    const first = await askHttp2(session, path, { 'x-remote-user': 'first', 'x-remote-group': 'g' });
    const second = await askHttp2(session, path, { 'x-remote-user': 'second' });
    const third = await askHttp2(session, path);
    session.destroy();
    assert.deepEqual((JSON.parse(first.body) as { user: UserInfo }).user.groups, ['g', 'system:authenticated']);
    assert.deepEqual((JSON.parse(second.body) as { user: UserInfo }).user.groups, ['system:authenticated']);
    assert.equal(third.status, 401);
  });

  it('reads the intermediates of the handshake', async () => {
    const root = await labCertificate({ subject: 'CN=root', ca: true });
    const upper = await labCertificate({ subject: 'CN=upper', issuer: root, ca: true });
    const lower = await labCertificate({ subject: 'CN=lower', issuer: upper, ca: true });
    const leaf = await labCertificate({ subject: 'O=devs, CN=deep', issuer: lower, usages: [clientAuth] });
    server.config.apply({ ...authenticationConfigMap(certificates), 'client-ca-file': root.cert });
    const chain = { cert: [leaf.cert, lower.cert, upper.cert].join('\n'), key: leaf.key };
    assert.equal((await userOf(chain)).name, 'deep');
    const cut = { cert: [leaf.cert, upper.cert].join('\n'), key: leaf.key };
    assert.equal((await ask({ ...server.target, client: cut }, path)).status, 401);
    server.config.apply(authenticationConfigMap(certificates));
  });

  it('reads the uid of Kubernetes in a certificate, and the last of two common names', async () => {
    const root = await labCertificate({ subject: 'CN=root', ca: true });
    const leaf = await labCertificate({
      subject: '1.3.6.1.4.1.57683.2=u-1, CN=first, CN=second',
      issuer: root,
      usages: [clientAuth],
    });
    server.config.apply({ ...authenticationConfigMap(certificates), 'client-ca-file': root.cert });
    const user = await userOf(leaf);
    assert.deepEqual([user.name, user.uid], ['second', 'u-1']);
    server.config.apply(authenticationConfigMap(certificates));
  });

  it('judges a living connection anew when the authorities change', async () => {
    const session = await http2Session({ ...server.target, client: certificates.frontProxy });
    const status = async (): Promise<number> => (await askHttp2(session, path, { 'x-remote-user': 'x' })).status;
    assert.equal(await status(), 200);
    server.config.apply({
      ...authenticationConfigMap(certificates),
      'requestheader-client-ca-file': certificates.clients.cert,
    });
    assert.equal(await status(), 401);
    session.destroy();
    server.config.apply(authenticationConfigMap(certificates));
  });
});

describe('Authentication in time', () => {
  it('ends with the certificate, on a living connection, too', async () => {
    const certificates = await clusterCertificates();
    const clock = new FakeClock();
    const reviews = new ScriptedReviews();
    reviews.onAccess = () => ({ allowed: true });
    const server = await securedServer({ certificates, clock, reviews });
    const session = await http2Session({ ...server.target, client: certificates.frontProxy });
    const status = async (): Promise<number> => (await askHttp2(session, path, { 'x-remote-user': 'x' })).status;
    assert.equal(await status(), 200);
    clock.jumpWall(100 * 365.25 * 86_400_000);
    assert.equal(await status(), 401);
    session.destroy();
    await server.stop();
  });
});

describe('Authentication without settings', () => {
  it('believes no certificate and no header, and refuses nobody for showing one', async () => {
    const certificates = await clusterCertificates();
    const reviews = new ScriptedReviews();
    reviews.onAccess = () => ({ allowed: true });
    const server = await securedServer({ certificates, reviews, configMap: undefined });
    const target = { ...server.target, client: certificates.frontProxy };
    const reply = await ask(target, path, { headers: { 'x-remote-user': 'admin' } });
    assert.equal((JSON.parse(reply.body) as { user: UserInfo }).user.name, 'system:anonymous');
    await server.stop();
  });
});
