import assert from 'node:assert/strict';
import { afterEach, before, describe, it } from 'node:test';
import { routes } from '../../src/server/router.ts';
import { recordedCluster, routerDependencies } from '../conformance/recorded-cluster.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { clientCertificate } from '../support/pki.ts';
import {
  authenticationConfigMap,
  clusterCertificates,
  ScriptedReviews,
  securedServer,
  type ClusterCertificates,
  type SecuredServer,
  type SecuredServerSetup,
} from '../support/secured-server.ts';
import { ask, type Asking, type Reply, type Target } from '../support/tls-client.ts';

const group = '/apis/metrics.k8s.io';
const discovery = [
  '/apis',
  '/apis/',
  group,
  `${group}/v1`,
  `${group}/v1beta1`,
  '/version',
  '/openapi/v2',
  '/openapi/v3',
];
const others = [
  `${group}/v1beta1/nodes`,
  `${group}/v1beta1/namespaces/a/pods/b`,
  '/metrics',
  '/',
  '/apisx',
  '/versions',
];
const refused = [401, 403, 500];
const away = (): never => {
  throw Object.assign(new Error('connection refused'), { status: 403 });
};

describe('Discovery', () => {
  let certificates: ClusterCertificates;
  const open: SecuredServer[] = [];
  before(async () => (certificates = await clusterCertificates()));
  afterEach(async () => {
    for (const server of open.splice(0)) await server.stop();
  });

  async function start(setup: Partial<SecuredServerSetup> = {}): Promise<SecuredServer & { readonly proxy: Target }> {
    const server = await securedServer({
      certificates,
      routes: [routes(routerDependencies(recordedCluster()))],
      ...setup,
    });
    open.push(server);
    return { ...server, proxy: { ...server.target, client: certificates.frontProxy } };
  }

  async function statuses(target: Target, paths: readonly string[], asking: Asking = {}): Promise<number[]> {
    return await Promise.all(paths.map(async (path) => (await ask(target, path, asking)).status));
  }

  const served = discovery.map(() => 200);
  const joe = { headers: { 'x-remote-user': 'joe' } };
  const token = { headers: { authorization: 'Bearer x' } };

  it('is served to anybody until the settings of authentication have been read', async () => {
    const server = await start({ configMap: undefined });
    const stranger = await clientCertificate(certificates.clients, 'eve');
    for (const [target, asking] of [
      [server.target, {}],
      [server.target, token],
      [server.proxy, joe],
      [{ ...server.target, client: stranger }, {}],
    ] as const) {
      assert.deepEqual(await statuses(target, discovery, asking), served);
      for (const status of await statuses(target, others, asking)) assert.ok(refused.includes(status));
      for (const status of await statuses(target, discovery, { ...asking, method: 'POST' }))
        assert.ok(refused.includes(status));
    }
    server.config.apply(authenticationConfigMap(certificates));
    assert.deepEqual(
      await statuses(server.target, discovery),
      discovery.map(() => 403),
    );
    assert.deepEqual(
      await statuses(server.target, discovery, token),
      discovery.map(() => 401),
    );
    assert.deepEqual(
      await statuses(server.proxy, discovery),
      discovery.map(() => 401),
      'no user is named',
    );
  });

  it('is served while access cannot be reviewed, and nothing else is', async () => {
    const reviews = new ScriptedReviews();
    reviews.onAccess = away;
    const { target, proxy } = await start({ reviews });
    for (const asked of [[target, {}] as const, [proxy, joe] as const]) {
      assert.deepEqual(await statuses(asked[0], discovery, asked[1]), served);
      assert.deepEqual(
        await statuses(asked[0], others, asked[1]),
        others.map(() => 500),
      );
    }
    assert.deepEqual(
      await statuses(proxy, discovery),
      discovery.map(() => 401),
      'a bad credential stays one',
    );
    assert.deepEqual(
      await statuses(target, discovery, token),
      discovery.map(() => 401),
      'a refused token, too',
    );
    reviews.onAccess = () => ({ allowed: false });
    assert.deepEqual(
      await statuses(proxy, discovery, joe),
      discovery.map(() => 403),
    );
  });

  it('is served to tokens that cannot be reviewed only if access cannot be reviewed either', async () => {
    const reviews = new ScriptedReviews();
    reviews.onToken = away;
    reviews.onAccess = away;
    const { target } = await start({ reviews });
    assert.deepEqual(await statuses(target, discovery, token), served);
    assert.deepEqual(
      await statuses(target, others, token),
      others.map(() => 401),
    );
    reviews.onAccess = () => ({ allowed: true });
    assert.deepEqual(
      await statuses(target, discovery, token),
      discovery.map(() => 401),
    );
  });

  it('does not wait long for an API server that hangs', async () => {
    const clock = new FakeClock();
    const reviews = new ScriptedReviews();
    let hanging = 0;
    reviews.onAccess = async () => {
      hanging++;
      return await new Promise<never>(() => undefined);
    };
    const { proxy } = await start({ reviews, clock });
    const answers: Reply[] = [];
    const discovered = ask(proxy, group, joe).then((reply) => answers.push(reply));
    const listed = ask(proxy, `${group}/v1/nodes`, joe).then((reply) => answers.push(reply));
    await eventually(() => hanging === 2);
    await clock.advance(2000);
    await discovered;
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200],
    );
    await clock.advance(58_000);
    await listed;
    assert.equal(answers[1]?.status, 500);
  });

  it('counts how authentications and authorizations end, in the words of Kubernetes', async () => {
    const reviews = new ScriptedReviews();
    reviews.onAccess = ({ user }) => (user === 'joe' ? { allowed: true } : away());
    const { target, proxy, outcomes } = await start({ reviews });
    await ask(proxy, `${group}/v1/nodes`, joe);
    await ask(target, `${group}/v1/nodes`, token);
    await ask(target, `${group}/v1/nodes`);
    reviews.onAccess = () => ({ allowed: false });
    reviews.onToken = away;
    await ask(target, `${group}/v1/nodes`);
    await ask(target, `${group}/v1/nodes`, { headers: { authorization: 'Bearer y' } });
    reviews.onAccess = () => ({ allowed: false, denied: true });
    await ask(proxy, `${group}/v1/pods`, joe);
    const ends = [
      ['success', 'allowed'],
      ['error'],
      ['success', 'error'],
      ['success', 'no-opinion'],
      ['error'],
      ['success', 'denied'],
    ];
    assert.deepEqual(outcomes, ends.flat());
  });
});
