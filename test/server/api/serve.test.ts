import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { cluster, json, refusal, root, serve, text, type Asked } from './serving.ts';

async function names(target: string): Promise<string[]> {
  const { items } = (await json(target)) as { items: { metadata: { name: string } }[] };
  return items.map(({ metadata }) => metadata.name);
}

describe('resources', () => {
  it('are served in both versions', async () => {
    for (const version of ['v1', 'v1beta1'])
      for (const [path, kind] of [
        ['nodes', 'NodeMetricsList'],
        ['nodes/node-00000', 'NodeMetrics'],
        ['pods', 'PodMetricsList'],
        ['namespaces/team-0/pods', 'PodMetricsList'],
        ['namespaces/team-0/pods/app-0-00000', 'PodMetrics'],
      ]) {
        const { apiVersion, kind: served } = await json(`/apis/metrics.k8s.io/${version}/${path}`);
        assert.deepEqual([apiVersion, served], [`metrics.k8s.io/${version}`, kind]);
      }
  });

  it('tolerate slashes at the end', async () => {
    assert.equal((await json(`${root}/nodes/`))['kind'], 'NodeMetricsList');
    assert.equal((await json(`${root}/nodes/node-00000/`))['kind'], 'NodeMetrics');
  });

  it('read an encoded slash as a slash', async () => {
    assert.equal((await json(`${root}/nodes%2Fnode-00000`))['kind'], 'NodeMetrics');
    assert.equal(await refusal(`${root}/nodes/node-00000%2Fx`), '404 the server could not find the requested resource');
  });

  it('are paged to the end', async () => {
    const seen: string[] = [];
    let target = `${root}/pods?limit=5`;
    for (let page = 0; page < 3; page++) {
      const { metadata } = (await json(target)) as { metadata: { continue?: string; remainingItemCount?: number } };
      seen.push(...(await names(target)));
      assert.equal(metadata.remainingItemCount, [7, 2, undefined][page]);
      target = `${root}/pods?limit=5&continue=${metadata.continue ?? ''}`;
    }
    assert.deepEqual(seen, await names(`${root}/pods`));
  });

  it('can be narrowed to a node', async () => {
    assert.deepEqual(await names(`${root}/pods?fieldSelector=spec.nodeName%3Dnode-00001,metadata.namespace%3Dteam-0`), [
      'app-0-00001',
      'app-2-00001',
    ]);
  });

  const unknown = '404 the server could not find the requested resource';
  const method = '405 the server does not allow this method on the requested resource';
  const refusals: readonly (readonly [target: string, asked: Asked, expected: string])[] = [
    [`${root}/nodes/ghost`, {}, '404 node "ghost" not found'],
    [`${root}/namespaces/team-0/pods/ghost`, {}, '404 pods "ghost" not found'],
    [`${root}/pods/app-0-00000`, {}, unknown],
    [`${root}/namespaces/team-0/nodes`, {}, unknown],
    [`${root}/namespaces/team-0`, {}, unknown],
    [`${root}/namespaces`, {}, unknown],
    [`${root}/Nodes`, {}, unknown],
    [`${root}/watch/pods`, {}, unknown],
    [`${root}/watch`, {}, unknown],
    [`${root}//nodes`, {}, unknown],
    ['/apis/metrics.k8s.io/v2/nodes', {}, unknown],
    ['/version/x', {}, unknown],
    [`${root}/nodes`, { method: 'HEAD' }, method],
    [`${root}/nodes`, { method: 'POST', accept: 'text/html' }, method],
    ['/apis', { method: 'POST' }, method],
    ['/version', { method: 'DELETE' }, method],
    [root, { contentType: 'text/plain' }, '415 415: Unsupported Media Type'],
    [`${root}/pods?watch=1`, {}, '405 watch is not supported on resources of kind "pods.metrics.k8s.io"'],
    [`${root}/nodes?watch`, {}, '405 watch is not supported on resources of kind "nodes.metrics.k8s.io"'],
    [`${root}/pods?limit=`, {}, '400 strconv.ParseInt: parsing "": invalid syntax'],
    [
      `${root}/pods?limit=99999999999999999999`,
      {},
      '400 strconv.ParseInt: parsing "99999999999999999999": value out of range',
    ],
    [`${root}/pods?timeoutSeconds=x&limit=y`, {}, '400 strconv.ParseInt: parsing "x": invalid syntax'],
    [`${root}/pods?limit=y&labelSelector=,`, {}, '400 strconv.ParseInt: parsing "y": invalid syntax'],
    [
      `${root}/pods?fieldSelector=status.phase%3DRunning`,
      {},
      '400 "status.phase" is not a known field selector: only "metadata.name", "metadata.namespace", "spec.nodeName"',
    ],
    [
      `${root}/nodes?fieldSelector=spec.nodeName%3Dx`,
      {},
      '400 "spec.nodeName" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
    [
      `${root}/pods?continue=x`,
      {},
      '400 invalid continue token: continue key is not valid: it was not given out by this server',
    ],
    [
      `${root}/pods?sendInitialEvents=true&resourceVersionMatch=x&resourceVersion=1`,
      {},
      '422 ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Unsupported value: "x": supported values: "Exact", "NotOlderThan", "", sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list]',
    ],
    [`${root}/nodes/node-00000?export=false`, {}, 'answered 200'],
    [`${root}/nodes/node-00000?limit=abc`, {}, 'answered 200'],
    [`${root}/nodes/node-00000?watch=true`, {}, 'answered 200'],
    [`${root}/nodes?limit=-1`, {}, 'answered 200'],
    [`${root}/nodes?resourceVersion=7&resourceVersionMatch=Exact`, {}, 'answered 200'],
  ];
  for (const [target, asked, expected] of refusals)
    it(`answer ${asked.method ?? 'GET'} ${target} with: ${expected}`, async () =>
      assert.equal(await refusal(target, asked), expected));

  it('tell a pod without metrics from a missing one', async () => {
    cluster.addNode({ ...requireNode(), name: 'silent' }, undefined);
    cluster.forgetNodeUsage('silent');
    assert.equal(await refusal(`${root}/nodes/silent`), '404 nodemetrics.metrics.k8s.io "silent" not found');
  });
});

function requireNode() {
  const node = cluster.objects.node('node-00000');
  assert.ok(node !== undefined);
  return node;
}

describe('unknown paths', () => {
  it('are answered with the list of paths', async () => {
    for (const path of [
      '/nothing',
      '/api',
      '/APIS',
      '/apis/other',
      '/apis/metrics.k8s.iox',
      '//apis',
      '/openapi/v3/none',
      '/openapi/v2/',
    ]) {
      const answer = await serve(path);
      assert.equal(answer.status, 404, path);
      assert.match(text(answer), /^\{\n {2}"paths": \[\n {4}"\/apis",\n[^]*\n {2}\]\n\}$/);
    }
    assert.ok(((await json('/'))['paths'] as string[]).includes('/apis/metrics.k8s.io/v1'));
  });
});

describe('any request', () => {
  it('gets an answer or a Status below 500', async () => {
    const segment = fc.constantFrom(
      'apis',
      'metrics.k8s.io',
      'v1',
      'v1beta1',
      'nodes',
      'pods',
      'namespaces',
      'team-0',
      '..',
      '%2f',
      '',
      'openapi',
      'v2',
      'v3',
      'version',
      'é',
    );
    const parameter = fc.tuple(
      fc.constantFrom(
        'limit',
        'continue',
        'labelSelector',
        'fieldSelector',
        'watch',
        'pretty',
        'includeObject',
        'hash',
        'export',
        'resourceVersionMatch',
      ),
      fc.oneof(
        fc.constantFrom('1', '', 'a=b', 'metadata.name=x', '%', 'x in (', 'true'),
        fc.string({ unit: 'grapheme' }),
      ),
    );
    const accept = fc.constantFrom(
      undefined,
      '*/*',
      'application/yaml',
      'text/html',
      'application/vnd.kubernetes.protobuf',
      'application/json;as=Table;v=v1;g=meta.k8s.io',
      ';;,',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(segment, { maxLength: 8 }),
        fc.array(parameter, { maxLength: 3 }),
        accept,
        async (path, query, type) => {
          const search = query.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&');
          const prefix = path.length % 2 === 0 ? `${root}/` : '/';
          const outcome = await refusal(
            `${prefix}${path.join('/')}?${search}`,
            type === undefined ? {} : { accept: type },
          );
          assert.doesNotMatch(outcome, /^5|answered 5/);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
