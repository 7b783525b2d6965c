import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CertifiedKey } from '../../src/pki/authority.ts';
import { clientAuth, labCertificate, serverAuth } from '../support/certificate-lab.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { clientCertificate, testAuthority } from '../support/pki.ts';
import {
  clusterCertificates,
  ScriptedReviews,
  securedServer,
  type AccessSpec,
  type ClusterCertificates,
  type SecuredServer,
} from '../support/secured-server.ts';
import {
  ask,
  askHttp2,
  http2Session,
  rawConnection,
  untilClosed,
  type Asking,
  type Target,
} from '../support/tls-client.ts';

const nodes = '/apis/metrics.k8s.io/v1beta1/nodes';
const masters = { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' };

/**
 * Only `admin` and what is open to everybody get through; whoever else is answered 200 has broken in. `helpdesk` may act as `mallory`, who may do nothing,
 * and as one group.
 */
const onlyAdmin = ({ user, resourceAttributes: { verb, resource, name } = {} }: AccessSpec): object => {
  if (verb !== 'impersonate') return { allowed: user === 'admin' };
  const granted = ['users mallory', 'groups open-group'];
  return { allowed: user === 'helpdesk' && granted.includes(`${resource} ${name}`) };
};

function jwt(header: object, claims: object, signature = 'c2lnbmF0dXJl'): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature}`;
}

describe('Attacks', () => {
  let certificates: ClusterCertificates;
  let server: SecuredServer;
  const reviews = new ScriptedReviews();
  reviews.onAccess = onlyAdmin;
  reviews.onToken = (token) => (token === 'good-token' ? { username: 'viewer', groups: ['viewers'] } : undefined);

  before(async () => {
    certificates = await clusterCertificates();
    server = await securedServer({ certificates, reviews });
  });
  after(async () => await server.stop());

  interface Attack {
    readonly name: string;
    /** 401: a credential was shown and refused; 403: nobody in particular asks; 400 and 431: not even read. */
    readonly expect: 400 | 401 | 403 | 431;
    readonly client?: () => Promise<CertifiedKey>;
    readonly path?: string;
    readonly asking?: Asking;
  }

  const lab = async (subject: string, usages: readonly string[], validDays: readonly [number, number] = [-1, 1]) => {
    const root = await labCertificate({ subject: 'CN=front-proxy-ca', ca: true });
    return await labCertificate({ subject, issuer: root, usages, validDays });
  };

  const day = 86_400_000;
  const proxyCertificate = async (
    from: number,
    to: number,
    usage: 'clientAuth' | 'serverAuth',
  ): Promise<CertifiedKey> =>
    await certificates.proxies.issue({
      commonName: 'front-proxy-client',
      usages: [usage],
      notBefore: new Date(Date.now() + from * day),
      notAfter: new Date(Date.now() + to * day),
    });

  const attacks: readonly Attack[] = [
    { name: 'identity headers without a certificate', expect: 403, asking: { headers: masters } },
    {
      name: 'identity headers with a certificate of an unknown authority',
      expect: 401,
      client: async () => await clientCertificate(await testAuthority('front-proxy-ca'), 'front-proxy-client'),
      asking: { headers: masters },
    },
    {
      name: 'identity headers with a self-signed certificate in the name of the proxy',
      expect: 401,
      client: async () => await labCertificate({ subject: 'CN=front-proxy-client', usages: [clientAuth] }),
      asking: { headers: masters },
    },
    {
      name: 'identity headers with a forged authority of the same name',
      expect: 401,
      client: async () => await lab('CN=front-proxy-client', [clientAuth]),
      asking: { headers: masters },
    },
    {
      name: 'identity headers with an expired proxy certificate',
      expect: 401,
      client: async () => await proxyCertificate(-3, -1, 'clientAuth'),
      asking: { headers: masters },
    },
    {
      name: 'identity headers with a proxy certificate that is not valid yet',
      expect: 401,
      client: async () => await proxyCertificate(1, 3, 'clientAuth'),
      asking: { headers: masters },
    },
    {
      name: 'identity headers with a serving certificate of the proxy authority',
      expect: 401,
      client: async () => await proxyCertificate(-1, 1, 'serverAuth'),
      asking: { headers: masters },
    },
    {
      name: 'identity headers with a certificate of the proxy authority for another name',
      expect: 401,
      client: async () => await clientCertificate(certificates.proxies, 'somebody-else'),
      asking: { headers: masters },
    },
    {
      name: 'identity headers with a certificate whose organization hides the proxy name',
      expect: 401,
      client: async () => await clientCertificate(certificates.proxies, 'x', 'CN=front-proxy-client'),
      asking: { headers: masters },
    },
    {
      name: 'identity headers with a certificate of the client authority',
      expect: 403,
      client: async () => await clientCertificate(certificates.clients, 'front-proxy-client'),
      asking: { headers: masters },
    },
    {
      name: 'identity headers in odd case',
      expect: 403,
      asking: { headers: { 'X-ReMoTe-UsEr': 'admin', 'X-REMOTE-GROUP': 'system:masters' } },
    },
    {
      name: 'identity headers with underscores',
      expect: 401,
      client: async () => certificates.frontProxy,
      asking: { headers: { x_remote_user: 'admin', x_remote_group: 'system:masters' } },
    },
    {
      name: 'the proxy naming a user without the right',
      expect: 403,
      client: async () => certificates.frontProxy,
      asking: { headers: { 'x-remote-user': 'mallory' } },
    },
    {
      name: 'a second user name after the real one',
      expect: 403,
      client: async () => certificates.frontProxy,
      asking: { headers: { 'x-remote-user': ['mallory', 'admin'] } },
    },
    {
      name: 'two groups in one value',
      expect: 403,
      client: async () => certificates.frontProxy,
      asking: { headers: { 'x-remote-user': 'mallory', 'x-remote-group': 'devs, system:masters' } },
    },
    {
      name: 'impersonation without the right to',
      expect: 403,
      client: async () => certificates.frontProxy,
      asking: { headers: { 'x-remote-user': 'mallory', 'impersonate-user': 'admin' } },
    },
    {
      name: 'impersonation of system:masters without the right to',
      expect: 403,
      client: async () => certificates.frontProxy,
      asking: {
        headers: { 'x-remote-user': 'mallory', 'impersonate-user': 'mallory', 'impersonate-group': 'system:masters' },
      },
    },
    {
      name: 'impersonation of system:masters by who may impersonate users only',
      expect: 403,
      client: async () => certificates.frontProxy,
      asking: {
        headers: { 'x-remote-user': 'helpdesk', 'impersonate-user': 'mallory', 'impersonate-group': 'system:masters' },
      },
    },
    {
      name: 'impersonation of system:masters hidden behind another group',
      expect: 403,
      client: async () => certificates.frontProxy,
      asking: {
        headers: {
          'x-remote-user': 'helpdesk',
          'impersonate-user': 'mallory',
          'impersonate-group': ['open-group', 'system:masters'],
        },
      },
    },
    {
      name: 'impersonation of a group whose value names two',
      expect: 403,
      client: async () => certificates.frontProxy,
      asking: {
        headers: {
          'x-remote-user': 'helpdesk',
          'impersonate-user': 'mallory',
          'impersonate-group': 'open-group, system:masters',
        },
      },
    },
    {
      name: 'impersonation in odd case',
      expect: 403,
      client: async () => certificates.frontProxy,
      asking: { headers: { 'x-remote-user': 'mallory', 'iMpErSoNaTe-UsEr': 'admin' } },
    },
    {
      name: 'a second impersonated user after one that is allowed',
      expect: 403,
      client: async () => certificates.frontProxy,
      asking: { headers: { 'x-remote-user': 'helpdesk', 'impersonate-user': ['mallory', 'admin'] } },
    },
    {
      name: 'impersonation of an extra whose key hides in percent signs',
      expect: 403,
      client: async () => certificates.frontProxy,
      asking: {
        headers: { 'x-remote-user': 'helpdesk', 'impersonate-user': 'mallory', 'impersonate-extra-%73copes': 'all' },
      },
    },
    {
      name: 'impersonation of a group without a user',
      expect: 400,
      client: async () => certificates.frontProxy,
      asking: { headers: { 'x-remote-user': 'mallory', 'impersonate-group': 'system:masters' } },
    },
    {
      name: 'impersonation by nobody',
      expect: 403,
      asking: { headers: { 'impersonate-user': 'admin', 'impersonate-group': 'system:masters' } },
    },
    {
      name: 'impersonation in place of the name of the proxy',
      expect: 401,
      client: async () => certificates.frontProxy,
      asking: { headers: { 'impersonate-user': 'admin' } },
    },
    {
      name: 'an anonymous user of the proxy in the group of the authenticated',
      expect: 403,
      client: async () => certificates.frontProxy,
      asking: { headers: { 'x-remote-user': 'system:anonymous', 'x-remote-group': 'system:unauthenticated' } },
    },
    {
      name: 'a client certificate without a common name',
      expect: 401,
      client: async () =>
        await certificates.clients.issue({
          commonName: '',
          organizations: ['system:masters-to-be'],
          usages: ['clientAuth'],
          notBefore: new Date(Date.now() - day),
          notAfter: new Date(Date.now() + day),
        }),
    },
    { name: 'an unknown token', expect: 401, asking: { headers: { authorization: 'Bearer nonsense' } } },
    {
      name: 'a bad certificate beside identity headers and a bad token',
      expect: 401,
      client: async () => await labCertificate({ subject: 'CN=admin', usages: [clientAuth, serverAuth] }),
      asking: { headers: { ...masters, authorization: 'Bearer nonsense' } },
    },
    { name: 'a token of two words', expect: 401, asking: { headers: { authorization: 'Bearer nonsense good-token' } } },
    { name: 'another scheme', expect: 403, asking: { headers: { authorization: 'Basic YWRtaW46YWRtaW4=' } } },
    {
      name: 'an unsigned token (alg=none)',
      expect: 401,
      asking: { headers: { authorization: `Bearer ${jwt({ alg: 'none' }, { sub: 'admin' }, '')}` } },
    },
    {
      name: 'an unsigned token (alg=NoNe)',
      expect: 401,
      asking: { headers: { authorization: `Bearer ${jwt({ alg: 'NoNe' }, { sub: 'admin' })}` } },
    },
    {
      name: 'an expired token',
      expect: 401,
      asking: { headers: { authorization: `Bearer ${jwt({ alg: 'RS256' }, { exp: 1_700_000_000 })}` } },
    },
    {
      name: 'a token that is not valid yet',
      expect: 401,
      asking: { headers: { authorization: `Bearer ${jwt({ alg: 'RS256' }, { nbf: 9_700_000_000 })}` } },
    },
    {
      name: 'a token whose payload is no JSON',
      expect: 401,
      asking: { headers: { authorization: `Bearer ${jwt({ alg: 'RS256' }, {}).replace(/\.e30\./, '.AAAA.')}` } },
    },
    { name: 'an oversized token', expect: 401, asking: { headers: { authorization: `Bearer ${'a'.repeat(70_000)}` } } },
    { name: 'an oversized path', expect: 431, path: `/${'a'.repeat(140_000)}` },
    { name: 'an oversized header', expect: 431, asking: { headers: { 'x-remote-user': 'a'.repeat(140_000) } } },
    { name: 'an open path as a prefix', expect: 403, path: '/livez/../metrics' },
    { name: 'an open path with an encoded way out', expect: 403, path: '/livez%2f..%2fmetrics' },
    { name: 'an open path with a trailing slash', expect: 403, path: '/livez/' },
    { name: 'an open path in upper case', expect: 403, path: '/LIVEZ' },
    { name: 'an open path in a query', expect: 403, path: '/metrics?/livez' },
    { name: 'an open path in a fragment', expect: 403, path: '/metrics#/livez' },
    { name: 'an open path after a NUL', expect: 403, path: '/metrics%00/livez' },
    { name: 'an encoded resource path', expect: 403, path: '/apis%2fmetrics.k8s.io%2fv1beta1%2fnodes' },
    { name: 'a doubled slash', expect: 403, path: '//apis/metrics.k8s.io/v1beta1/nodes' },
    { name: 'an absolute URL', expect: 403, path: 'https://elsewhere/metrics' },
    { name: 'a broken escape', expect: 400, path: '/apis/%E0%A4%A' },
    { name: 'HEAD in place of GET', expect: 403, asking: { method: 'HEAD' } },
    { name: 'OPTIONS', expect: 403, asking: { method: 'OPTIONS' } },
    {
      name: 'a method override',
      expect: 403,
      asking: { method: 'POST', headers: { 'x-http-method-override': 'GET' } },
    },
  ];

  for (const { name, expect, client, path = nodes, asking } of attacks) {
    it(`answers ${expect} to ${name}`, async () => {
      const target: Target = { ...server.target, client: await client?.() };
      assert.equal((await ask(target, path, asking)).status, expect);
      if (expect === 400 || expect === 431 || /[#%]|^https|^\/\//.test(path)) return;
      const session = await http2Session(target);
      const { method = 'GET', headers = {} } = asking ?? {};
      const lower = Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value]));
      const reply = await askHttp2(session, path, { ':method': method, ...lower });
      assert.equal(reply.status, expect, 'over HTTP/2');
      session.destroy();
    });
  }

  it('asks for the decoded path that is served, whatever its spelling', async () => {
    reviews.accesses.length = 0;
    await ask(server.target, '/%61pis%2Fmetrics.k8s.io/v1beta1/nodes/%6eode-1');
    const [spec] = reviews.accesses as AccessSpec[];
    assert.deepEqual(spec?.resourceAttributes, {
      verb: 'get',
      group: 'metrics.k8s.io',
      version: 'v1beta1',
      resource: 'nodes',
      name: 'node-1',
    });
  });

  it('does not let a body carry a second request', async () => {
    const socket = await rawConnection(
      { ...server.target, client: certificates.frontProxy },
      { ALPNProtocols: ['http/1.1'] },
    );
    const smuggled = `GET ${nodes} HTTP/1.1\r\nhost: x\r\nx-remote-user: admin\r\n\r\n`;
    socket.write(
      `POST ${nodes} HTTP/1.1\r\nhost: x\r\nx-remote-user: mallory\r\ncontent-length: ${smuggled.length}\r\n\r\n${smuggled}`,
    );
    const answers = await untilClosed(socket);
    assert.equal(answers.match(/HTTP\/1\.1 /g)?.length, 1);
    assert.match(answers, /^HTTP\/1\.1 403 /);
  });

  for (const [name, header] of [
    ['a line folded into a header', 'x-a: b\r\n x-remote-user: admin'],
    ['a bare carriage return', 'x-a: b\rx-remote-user: admin'],
    ['a space before the colon', 'x-remote-user : admin'],
    ['a NUL in a value', 'x-remote-user: ad\0min'],
  ] as const) {
    it(`does not take an identity from ${name}`, async () => {
      const socket = await rawConnection(
        { ...server.target, client: certificates.frontProxy },
        { ALPNProtocols: ['http/1.1'] },
      );
      socket.write(`GET ${nodes} HTTP/1.1\r\nhost: x\r\n${header}\r\nconnection: close\r\n\r\n`);
      assert.match(await untilClosed(socket), /^HTTP\/1\.1 (400|401) /);
    });
  }

  /** Bytes on a proxy's connection, and what comes back until it is closed. */
  const raw = async (bytes: string): Promise<string> => {
    const target = { ...server.target, client: certificates.frontProxy };
    const socket = await rawConnection(target, { ALPNProtocols: ['http/1.1'] });
    socket.write(bytes);
    return await untilClosed(socket);
  };
  const asMallory = 'HTTP/1.1\r\nhost: x\r\nx-remote-user: mallory\r\n';
  const smuggled = `GET ${nodes} HTTP/1.1\r\nhost: x\r\nx-remote-user: admin\r\n\r\n`;

  for (const [name, bytes, statuses] of [
    [
      'both lengths',
      `POST ${nodes} ${asMallory}content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      '400',
    ],
    ['two lengths', `POST ${nodes} ${asMallory}content-length: 0\r\ncontent-length: 99\r\n\r\n`, '400'],
    ['a list of lengths', `POST ${nodes} ${asMallory}content-length: 0, 99\r\n\r\n`, '400'],
    ['a signed length', `POST ${nodes} ${asMallory}content-length: +0\r\n\r\n`, '400'],
    ['a length of two zeros', `POST ${nodes} ${asMallory}content-length: 00\r\n\r\n`, '403'],
    ['an unknown transfer coding', `POST ${nodes} ${asMallory}transfer-encoding: xchunked\r\n\r\n`, '403'],
    [
      'a coding after chunked',
      `POST ${nodes} ${asMallory}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
      '400',
    ],
    [
      'two transfer codings',
      `POST ${nodes} ${asMallory}transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n`,
      '400',
    ],
    [
      'a bare line feed in a chunk extension',
      `POST ${nodes} ${asMallory}transfer-encoding: chunked\r\n\r\n2;\nxx\r\n0\r\n\r\n`,
      '403',
    ],
    [
      'trailers',
      `POST ${nodes} ${asMallory}transfer-encoding: chunked\r\n\r\n0\r\nx-remote-user: admin\r\n\r\n`,
      '403',
    ],
    ['line feeds alone', `GET ${nodes} ${asMallory}\r\n`.replaceAll('\r', ''), '400'],
    ['two hosts', `GET ${nodes} ${asMallory}host: y\r\n\r\n`, '400'],
    ['no host', `GET ${nodes} HTTP/1.1\r\nx-remote-user: mallory\r\n\r\n`, '400'],
    ['a tunnel', `CONNECT kubernetes.default.svc:443 ${asMallory}\r\n`, '405'],
    ['an unknown version', `GET ${nodes} HTTP/1.2\r\nhost: x\r\n\r\n`, '400'],
    ['a NUL in the path', `GET /livez\0 ${asMallory}\r\n`, '400'],
    ['a space in the path', `GET /livez /metrics ${asMallory}\r\n`, '400'],
    ['the target of a proxy', `GET x:443 ${asMallory}\r\n`, '400'],
    [
      'a hundred thousand bytes of cookies too many',
      `GET ${nodes} ${asMallory}cookie: ${'a=b; '.repeat(50_000)}\r\n\r\n`,
      '431',
    ],
  ] as const) {
    it(`answers ${statuses} to ${name}, and nothing to what follows`, async () => {
      const answers = await raw(bytes + smuggled);
      assert.deepEqual(
        Array.from(answers.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => status),
        [statuses],
      );
    });
  }

  it('does not renegotiate, which could bring another certificate', async () => {
    const target = { ...server.target, client: certificates.frontProxy };
    const socket = await rawConnection(target, { ALPNProtocols: ['http/1.1'], maxVersion: 'TLSv1.2' });
    const error = await new Promise((resolve) => {
      socket.once('error', resolve);
      socket.renegotiate({ rejectUnauthorized: false }, resolve);
    });
    assert.match(String(error), /no renegotiation/);
    socket.destroy();
  });

  it('keeps the identities of one proxy connection apart', async () => {
    const session = await http2Session({ ...server.target, client: certificates.frontProxy });
    const names = ['admin', 'mallory', 'admin', 'eve', 'admin'];
    const replies = await Promise.all(
      names.map(async (name) => await askHttp2(session, nodes, { 'x-remote-user': name })),
    );
    assert.deepEqual(
      replies.map(({ status }) => status),
      [200, 403, 200, 403, 200],
    );
    session.close();
  });

  it('does not remember one user for another whose parts only run together alike', async () => {
    const client = certificates.frontProxy;
    const asGroup = { 'x-remote-user': 'admin', 'x-remote-group': ['a', 'b'] };
    assert.equal((await ask({ ...server.target, client }, nodes, { headers: asGroup })).status, 200);
    for (const headers of [
      { 'x-remote-user': 'admina', 'x-remote-group': 'b' },
      { 'x-remote-user': 'admin","groups":["a', 'x-remote-group': 'b"]' },
      { 'x-remote-user': 'mallory', 'x-remote-extra-user': 'admin' },
      { 'x-remote-user': 'mallory', 'x-remote-extra-__proto__': 'admin' },
    ]) {
      assert.equal((await ask({ ...server.target, client }, nodes, { headers })).status, 403);
    }
  });

  it('hands no credential and no identity header on', async () => {
    const headers = {
      'x-remote-user': 'admin',
      'x-remote-group': 'g',
      'x-remote-extra-scope': 's',
      'x-remote-uid': 'u',
      'x-remote-other': 'o',
      authorization: 'Bearer good-token',
      'x-kept': 'k',
    };
    const reply = await ask({ ...server.target, client: certificates.frontProxy }, nodes, { headers });
    const { headers: left } = JSON.parse(reply.body) as { headers: string[] };
    assert.deepEqual(
      left.filter((text) => /remote|authorization|good-token/i.test(text)),
      [],
    );
    assert.ok(left.includes('x-kept'));
  });
});

describe('Token attacks', () => {
  it('refuse a token after its end though its verdict is still remembered', async () => {
    const certificates = await clusterCertificates();
    const clock = new FakeClock();
    const reviews = new ScriptedReviews();
    reviews.onToken = () => ({ username: 'jane' });
    reviews.onAccess = () => ({ allowed: true });
    const server = await securedServer({ certificates, reviews, clock });
    const token = jwt({ alg: 'RS256' }, { exp: clock.now() / 1000 + 5 });
    const headers = { authorization: `Bearer ${token}` };
    assert.equal((await ask(server.target, nodes, { headers })).status, 200);
    await clock.advance(4000);
    assert.equal((await ask(server.target, nodes, { headers })).status, 200);
    await clock.advance(1000);
    assert.equal((await ask(server.target, nodes, { headers })).status, 401);
    assert.equal(reviews.tokens.length, 1);
    await server.stop();
  });

  it('in the name of the cluster are refused without a round trip unless its keys signed them', async () => {
    const certificates = await clusterCertificates();
    const issuer = 'https://kubernetes.default.svc.cluster.local';
    const own = await generateKeyPair('ES256');
    const foreign = await generateKeyPair('ES256');
    const jwks = { keys: [{ ...(await exportJWK(own.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] };
    const reviews = new ScriptedReviews();
    reviews.onToken = () => ({ username: 'system:serviceaccount:default:jane' });
    reviews.onAccess = () => ({ allowed: true });
    const server = await securedServer({
      certificates,
      reviews,
      discovery: async (path) => (path.startsWith('/openid') ? jwks : { issuer }),
    });
    const sign = async (key: typeof own.privateKey, kid: string, from: string): Promise<string> =>
      await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid }).setIssuer(from).setExpirationTime('1h').sign(key);
    const status = async (token: string): Promise<number> =>
      (await ask(server.target, nodes, { headers: { authorization: `Bearer ${token}` } })).status;

    assert.equal(await status(await sign(foreign.privateKey, 'k1', issuer)), 401);
    const good = await sign(own.privateKey, 'k1', issuer);
    assert.equal(
      await status(
        good.replace(/\.[^.]*\./, '.eyJpc3MiOiJodHRwczovL2t1YmVybmV0ZXMuZGVmYXVsdC5zdmMuY2x1c3Rlci5sb2NhbCJ9.'),
      ),
      401,
    );
    const confused = await new SignJWT({})
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .setIssuer(issuer)
      .sign(Buffer.from(JSON.stringify(jwks.keys[0])));
    assert.equal(await status(confused), 401);
    assert.deepEqual(reviews.tokens, []);

    assert.equal(await status(good), 200);
    assert.equal(await status(await sign(foreign.privateKey, 'x', 'https://another.issuer')), 200);
    assert.equal(reviews.tokens.length, 2);
    await server.stop();
  });
});
