import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import {
  clusterCertificates,
  ScriptedReviews,
  securedServer,
  type AccessSpec,
  type ClusterCertificates,
  type SecuredServer,
} from '../support/secured-server.ts';
import { ask, askHttp2, http2Session, type Asking, type Reply } from '../support/tls-client.ts';

const nodes = '/apis/metrics.k8s.io/v1beta1/nodes';

interface Answer {
  readonly user: {
    readonly name: string;
    readonly uid: string;
    readonly groups: readonly string[];
    readonly extra: object;
  };
  readonly headers: readonly string[];
}

/** What was asked, one line each. */
function questions(reviews: ScriptedReviews): string[] {
  return (reviews.accesses as AccessSpec[]).map(({ user, resourceAttributes: attributes = {} }) =>
    [
      user,
      ...['verb', 'group', 'version', 'namespace', 'resource', 'subresource', 'name'].map((key) => attributes[key]),
    ]
      .map((part) => part ?? '-')
      .join(' '),
  );
}

describe('Impersonation', () => {
  let certificates: ClusterCertificates;
  let server: SecuredServer;
  const reviews = new ScriptedReviews();

  before(async () => {
    certificates = await clusterCertificates();
    server = await securedServer({ certificates, reviews, cacheTtl: 0 });
  });
  after(async () => await server.stop());
  beforeEach(() => {
    reviews.accesses.length = 0;
    reviews.onAccess = () => ({ allowed: true });
  });

  async function impersonating(headers: NonNullable<Asking['headers']>, path = nodes): Promise<Reply> {
    return await ask({ ...server.target, client: certificates.frontProxy }, path, {
      headers: { 'x-remote-user': 'boss', accept: 'application/json', ...headers },
    });
  }
  const answerOf = ({ body }: Reply): Answer => JSON.parse(body) as Answer;
  const statusOf = ({ body }: Reply) => JSON.parse(body) as { message: string; reason: string; details?: object };

  it('asks for the user, the uid, each group and each extra value in turn, then for the request as that user', async () => {
    const reply = await impersonating({
      'Impersonate-Group': ['devs', 'ops'],
      'Impersonate-Extra-Scopes': ['a', 'b'],
      'Impersonate-Uid': '42',
      'Impersonate-User': 'jane',
    });
    assert.equal(reply.status, 200);
    assert.deepEqual(questions(reviews), [
      'boss impersonate  v1 - users - jane',
      'boss impersonate authentication.k8s.io v1 - uids - 42',
      'boss impersonate  v1 - groups - devs',
      'boss impersonate  v1 - groups - ops',
      'boss impersonate authentication.k8s.io v1 - userextras scopes a',
      'boss impersonate authentication.k8s.io v1 - userextras scopes b',
      'jane list metrics.k8s.io v1beta1 - nodes - -',
    ]);
    const { user, headers } = answerOf(reply);
    const groups = ['devs', 'ops', 'system:authenticated'];
    assert.deepEqual(user, { name: 'jane', uid: '42', groups, extra: { scopes: ['a', 'b'] } });
    assert.deepEqual(
      headers.filter((header) => /impersonate/i.test(header)),
      [],
    );
  });

  const groupsOf = async (name: string, ...given: string[]): Promise<readonly string[]> =>
    answerOf(await impersonating({ 'Impersonate-User': name, 'Impersonate-Group': given })).user.groups;

  it('makes who is impersonated authenticated, unless said otherwise', async () => {
    assert.deepEqual(await groupsOf('jane'), ['system:authenticated']);
    assert.deepEqual(await groupsOf('jane', 'system:authenticated', 'x'), ['system:authenticated', 'x']);
    assert.deepEqual(await groupsOf('jane', 'system:unauthenticated'), ['system:unauthenticated']);
  });

  it('makes the anonymous user unauthenticated', async () => {
    assert.deepEqual(await groupsOf('system:anonymous'), ['system:unauthenticated']);
    assert.deepEqual(await groupsOf('system:anonymous', 'system:unauthenticated'), ['system:unauthenticated']);
  });

  it('knows the groups of a service account and asks for it by namespace', async () => {
    const name = 'system:serviceaccount:team:bot';
    const groups = ['system:serviceaccounts', 'system:serviceaccounts:team', 'system:authenticated'];
    assert.deepEqual(await groupsOf(name), groups);
    assert.equal(questions(reviews)[0], 'boss impersonate  v1 team serviceaccounts - bot');
    assert.deepEqual(await groupsOf(name, 'g'), ['g', 'system:authenticated']);
  });

  for (const name of [
    'system:serviceaccount:team',
    'system:serviceaccount:team:bot:x',
    'system:serviceaccount:Team:bot',
    'system:serviceaccount::bot',
    'system:serviceaccount:team:',
    'system:serviceaccount:team:../x',
  ]) {
    it(`takes ${name} for a user, not for a service account`, async () => {
      assert.deepEqual(await groupsOf(name), ['system:authenticated']);
      assert.equal(questions(reviews)[0], `boss impersonate  v1 - users - ${name}`);
    });
  }

  it('decodes the keys of extras and keeps what is no encoding', async () => {
    const reply = await impersonating({
      'Impersonate-User': 'jane',
      'Impersonate-Extra-Example.org%2fScope': 'a',
      'Impersonate-Extra-100%zz': 'b',
      'Impersonate-Extra-__proto__': 'c',
    });
    assert.match(reply.body, /"extra":\{"example\.org\/scope":\["a"\],"100%zz":\["b"\],"__proto__":\["c"\]\}/);
    assert.equal(questions(reviews)[1], 'boss impersonate authentication.k8s.io v1 - userextras example.org/scope a');
  });

  for (const [headers, text] of [
    [
      { 'Impersonate-Group': ['a', 'b'] },
      'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"a", "b"}, Extra:map[string][]string(nil)} without impersonating a user name',
    ],
    [
      { 'Impersonate-Uid': '1', 'Impersonate-Extra-B': 'x', 'Impersonate-Extra-A': ['y', 'z'] },
      'requested &user.DefaultInfo{Name:"", UID:"1", Groups:[]string(nil), Extra:map[string][]string{"a":[]string{"y", "z"}, "b":[]string{"x"}}} without impersonating a user name',
    ],
    [
      { 'Impersonate-User': ['', 'jane'], 'Impersonate-Uid': '1' },
      'requested &user.DefaultInfo{Name:"", UID:"1", Groups:[]string(nil), Extra:map[string][]string(nil)} without impersonating a user name',
    ],
  ] as const) {
    it(`refuses ${Object.keys(headers).join(' and ')} that name no user with 400`, async () => {
      const reply = await impersonating(headers as unknown as NonNullable<Asking['headers']>);
      assert.equal(reply.status, 400);
      assert.deepEqual([statusOf(reply).reason, statusOf(reply).message], ['BadRequest', text]);
      assert.equal(reply.headers['x-content-type-options'], 'nosniff');
      assert.deepEqual(reviews.accesses, []);
    });
  }

  for (const [denied, headers, message, details] of [
    [
      'users',
      {},
      'users "jane" is forbidden: User "boss" cannot impersonate resource "users" in API group "" at the cluster scope: no',
      { name: 'jane', kind: 'users' },
    ],
    [
      'groups',
      { 'Impersonate-Group': 'system:masters' },
      'groups "system:masters" is forbidden: User "boss" cannot impersonate resource "groups" in API group "" at the cluster scope: no',
      { name: 'system:masters', kind: 'groups' },
    ],
    [
      'userextras',
      { 'Impersonate-Extra-Scopes': 'view' },
      'userextras.authentication.k8s.io "view" is forbidden: User "boss" cannot impersonate resource "userextras/scopes" in API group "authentication.k8s.io" at the cluster scope: no',
      { name: 'view', group: 'authentication.k8s.io', kind: 'userextras' },
    ],
  ] as const) {
    it(`refuses with 403 and the words of Kubernetes when one of the ${denied} may not be impersonated`, async () => {
      reviews.onAccess = ({ resourceAttributes }) => ({
        allowed: resourceAttributes?.['resource'] !== denied,
        reason: 'no',
      });
      const reply = await impersonating({ 'Impersonate-User': 'jane', ...headers });
      assert.equal(reply.status, 403);
      assert.equal(statusOf(reply).message, message);
      assert.deepEqual(statusOf(reply).details, details);
      assert.equal(reply.headers['x-content-type-options'], 'nosniff');
      assert.ok(!questions(reviews).some((line) => line.startsWith('jane')), 'nothing was asked as jane');
    });
  }

  it('refuses with 403 when nobody can be asked, and says why', async () => {
    reviews.onAccess = () => {
      throw Object.assign(new Error('no route'), { status: 403 });
    };
    const reply = await impersonating({ 'Impersonate-User': 'jane' });
    assert.equal(reply.status, 403);
    assert.match(statusOf(reply).message, /at the cluster scope: no route$/);
  });

  it('asks nobody when system:masters impersonate, and lets who is impersonated do no more than they may', async () => {
    reviews.onAccess = () => ({ allowed: false });
    const reply = await impersonating({ 'x-remote-group': 'system:masters', 'Impersonate-User': 'jane' });
    assert.equal(reply.status, 403);
    assert.deepEqual(questions(reviews), ['jane list metrics.k8s.io v1beta1 - nodes - -']);
    assert.match(statusOf(reply).message, /User "jane" cannot list/);
  });

  it('works over HTTP/2, for paths as for resources', async () => {
    const session = await http2Session({ ...server.target, client: certificates.frontProxy });
    const reply = await askHttp2(session, '/metrics', { 'x-remote-user': 'boss', 'impersonate-user': 'jane' });
    assert.equal(answerOf(reply).user.name, 'jane');
    session.close();
  });

  it('records who acted', async () => {
    await impersonating({ 'Impersonate-User': 'jane' });
    assert.equal(server.records.at(-1)?.user?.name, 'jane');
    assert.ok(server.log.lines.some((line) => /Impersonating .*boss.*jane/.test(line)));
  });
});
