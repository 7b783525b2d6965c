import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { milliseconds, seconds } from '../../src/model/units.ts';
import {
  Authorization,
  AuthorizationError,
  type AuthorizationOptions,
  type Decision,
} from '../../src/server/authorization.ts';
import { parseRequestInfo, type RequestInfo } from '../../src/server/request-info.ts';
import type { UserInfo } from '../../src/server/user.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { FakeClock } from '../support/fake-clock.ts';

const user = (name: string, ...groups: string[]): UserInfo => ({ name, uid: '', groups, extra: {} });

function request(target: string, method = 'GET'): RequestInfo {
  const info = parseRequestInfo(method, target);
  assert.ok(info);
  return info;
}

function make(answer: (spec: { user: string }) => unknown, options: Partial<AuthorizationOptions> = {}) {
  const clock = new FakeClock();
  const specs: object[] = [];
  const hits: boolean[] = [];
  const authorization = new Authorization(
    {
      alwaysAllowPaths: ['/healthz', 'livez', '/open/*'],
      allowedTtl: seconds(10),
      deniedTtl: seconds(5),
      cacheSize: 10,
      ...options,
    },
    {
      reviews: {
        async create(_path, body) {
          const { spec } = body as { spec: { user: string } };
          specs.push(spec);
          return { status: await answer(spec) };
        },
      },
      clock,
      random: () => 0,
      log: silentLogger,
      onCache: (hit) => void hits.push(hit),
    },
  );
  const decide = async (who: UserInfo, info: RequestInfo): Promise<Decision> =>
    await authorization.authorize(who, info);
  return { authorization, decide, clock, specs, hits };
}

const pods = '/apis/metrics.k8s.io/v1beta1/namespaces/default/pods';

describe('Authorization', () => {
  it('lets system:masters do everything without asking', async () => {
    const { decide, specs } = make(() => ({ allowed: false }));
    assert.equal((await decide(user('x', 'system:masters'), request('/metrics'))).verdict, 'allowed');
    assert.equal(specs.length, 0);
  });

  for (const [path, open] of [
    ['/healthz', true],
    ['/livez', true],
    ['/open/a/b', true],
    ['/open/', true],
    ['/open', false],
    ['/healthz/ping', false],
    ['/healthzx', false],
    ['/', false],
  ] as const) {
    it(`${open ? 'opens' : 'does not open'} ${path} to everybody`, async () => {
      const { decide } = make(() => ({ allowed: false }));
      assert.equal((await decide(user('x'), request(path))).verdict, open ? 'allowed' : 'no-opinion');
    });
  }

  it('asks about resources with every attribute and both selectors', async () => {
    const { decide, specs } = make(() => ({ allowed: true }));
    const selectors = 'fieldSelector=metadata.name%3Dweb-1&labelSelector=app+in+(b,a),tier,!old,x!%3D1,n%3E3';
    const jane = { name: 'jane', uid: '42', groups: ['devs'], extra: { scopes: ['a'] } };
    await decide(jane, request(`${pods}?${selectors}`));
    assert.deepEqual(specs, [
      {
        resourceAttributes: {
          namespace: 'default',
          verb: 'list',
          group: 'metrics.k8s.io',
          version: 'v1beta1',
          resource: 'pods',
          name: 'web-1',
          fieldSelector: { requirements: [{ key: 'metadata.name', operator: 'In', values: ['web-1'] }] },
          labelSelector: {
            requirements: [
              { key: 'app', operator: 'In', values: ['a', 'b'] },
              { key: 'old', operator: 'DoesNotExist' },
              { key: 'tier', operator: 'Exists' },
              { key: 'x', operator: 'NotIn', values: ['1'] },
            ],
          },
        },
        user: 'jane',
        groups: ['devs'],
        extra: { scopes: ['a'] },
        uid: '42',
      },
    ]);
  });

  it('leaves selectors out that cannot be read', async () => {
    const { decide, specs } = make(() => ({ allowed: true }));
    await decide(user('jane'), request(`${pods}?labelSelector=a+b+c&fieldSelector=nonsense`));
    assert.deepEqual(Object.keys((specs[0] as { resourceAttributes: object }).resourceAttributes), [
      'namespace',
      'verb',
      'group',
      'version',
      'resource',
    ]);
  });

  it('asks about paths with the method in lower case', async () => {
    const { decide, specs } = make(() => ({ allowed: true }));
    await decide(user('jane'), request('/metrics', 'POST'));
    assert.deepEqual(specs, [{ nonResourceAttributes: { path: '/metrics', verb: 'post' }, user: 'jane' }]);
  });

  for (const [status, verdict, reason] of [
    [{ allowed: true, reason: 'RBAC' }, 'allowed', 'RBAC'],
    [{ allowed: false, reason: 'no' }, 'no-opinion', 'no'],
    [{ allowed: false, denied: true, reason: 'no' }, 'denied', 'no'],
    [{ allowed: true, denied: true }, 'denied', ''],
    [{ allowed: 'true' }, 'no-opinion', ''],
    [{}, 'no-opinion', ''],
  ] as const) {
    it(`takes ${JSON.stringify(status)} as ${verdict}`, async () => {
      const { decide } = make(() => status);
      assert.deepEqual(await decide(user('jane'), request(pods)), { verdict, reason });
    });
  }

  it('remembers permission and refusal for times of their own', async () => {
    const { decide, clock, specs, hits } = make((spec) => ({ allowed: spec.user === 'jane' }));
    const both = async (): Promise<number> => {
      await decide(user('jane'), request(pods));
      await decide(user('joe'), request(pods));
      return specs.length;
    };
    assert.equal(await both(), 2);
    await clock.advance(5000);
    assert.equal(await both(), 2);
    await clock.advance(1);
    assert.equal(await both(), 3);
    await clock.advance(5000);
    assert.equal(await both(), 4);
    assert.equal(hits.filter((hit) => !hit).length, specs.length);
    assert.ok(hits.includes(true));
  });

  it('remembers nothing when the times are 0', async () => {
    const none = { allowedTtl: milliseconds(0), deniedTtl: milliseconds(0) };
    const { decide, specs } = make(() => ({ allowed: true }), none);
    await decide(user('jane'), request(pods));
    await decide(user('jane'), request(pods));
    assert.equal(specs.length, 2);
  });

  it('forgets verdicts when told to', async () => {
    const { authorization, decide, specs } = make(() => ({ allowed: true }));
    await decide(user('jane'), request(pods));
    authorization.forgetVerdicts();
    assert.equal((await decide(user('jane'), request(pods))).verdict, 'allowed');
    assert.equal(specs.length, 2);
  });

  it('does not remember long questions', async () => {
    const { decide, specs } = make(() => ({ allowed: true }));
    const long = user('jane', 'g'.repeat(10_001));
    await decide(long, request(pods));
    await decide(long, request(pods));
    assert.equal(specs.length, 2);
  });

  it('rejects when nobody can be asked, and asks again next time', async () => {
    let down = true;
    const { decide } = make(() => {
      if (down) throw Object.assign(new Error('no route'), { status: 403 });
      return { allowed: true };
    });
    await assert.rejects(decide(user('jane'), request(pods)), AuthorizationError);
    down = false;
    assert.equal((await decide(user('jane'), request(pods))).verdict, 'allowed');
  });

  it('takes an answer without a status for an outage', async () => {
    const { decide } = make(() => 'x');
    await assert.rejects(decide(user('jane'), request(pods)), AuthorizationError);
  });
});
