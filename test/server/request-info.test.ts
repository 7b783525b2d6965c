import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseRequestInfo } from '../../src/server/request-info.ts';

const root = '/apis/metrics.k8s.io/v1beta1';

/** The parts that say something, verb first. */
function summary(method: string, target: string): string {
  const info = parseRequestInfo(method, target);
  if (info === undefined) return 'unreadable';
  const { verb, apiGroup, apiVersion, namespace, resource, subresource, name } = info;
  const parts = [apiGroup, apiVersion, namespace, resource, subresource, name];
  return [verb, info.isResourceRequest ? '' : 'path', ...parts].filter((part) => part !== '').join(' ');
}

describe('parseRequestInfo', () => {
  const group = 'metrics.k8s.io v1beta1';
  const requests: readonly (readonly [method: string, target: string, summary: string])[] = [
    ['GET', '/', 'get path'],
    ['GET', '/apis', 'get path'],
    ['GET', '/apis/metrics.k8s.io/v1beta1', 'get path'],
    ['GET', '/healthz', 'get path'],
    ['POST', '/metrics', 'post path'],
    ['GET', `${root}/nodes`, `list ${group} nodes`],
    ['GET', `${root}/nodes/`, `list ${group} nodes`],
    ['GET', `${root}/nodes/n1`, `get ${group} nodes n1`],
    ['HEAD', `${root}/nodes/n1`, `get ${group} nodes n1`],
    ['OPTIONS', `${root}/nodes`, `${group} nodes`],
    ['GET', `${root}/pods?watch=true`, `watch ${group} pods`],
    ['GET', `${root}/pods?watch=`, `watch ${group} pods`],
    ['GET', `${root}/pods?watch=0`, `list ${group} pods`],
    ['GET', `${root}/pods?watch=False`, `list ${group} pods`],
    ['GET', `${root}/namespaces/ns/pods`, `list ${group} ns pods`],
    ['GET', `${root}/namespaces/ns/pods/p`, `get ${group} ns pods p`],
    ['GET', `${root}/namespaces/ns/pods/p/status/x`, `get ${group} ns pods status p`],
    ['GET', `${root}/namespaces/ns`, `get ${group} ns namespaces ns`],
    ['GET', `${root}/namespaces/ns/status`, `get ${group} ns namespaces status ns`],
    ['GET', `${root}/namespaces`, `list ${group} namespaces`],
    ['GET', `${root}/namespaces//pods`, `list ${group} pods`],
    ['GET', `${root}/watch/pods`, `watch ${group} pods`],
    ['GET', `${root}/watch`, `list ${group} watch`],
    ['POST', `${root}/nodes`, `create ${group} nodes`],
    ['PUT', `${root}/nodes/n1`, `update ${group} nodes n1`],
    ['PATCH', `${root}/nodes/n1`, `patch ${group} nodes n1`],
    ['DELETE', `${root}/nodes/n1`, `delete ${group} nodes n1`],
    ['DELETE', `${root}/nodes`, `deletecollection ${group} nodes`],
    ['GET', '/api/v1/pods', 'list v1 pods'],
    ['GET', `${root}/pods?fieldSelector=metadata.name%3Dx`, `list ${group} pods x`],
    ['GET', `${root}/pods?fieldSelector=metadata.name!%3Dx`, `list ${group} pods`],
    ['GET', `${root}/pods?fieldSelector=metadata.name%3Da/b`, `list ${group} pods`],
    ['GET', `${root}/pods?fieldSelector=metadata.name%3Dx&limit=abc`, `list ${group} pods`],
    ['GET', `${root}/pods?fieldSelector=nonsense`, `list ${group} pods`],
    ['GET', `${root}/nodes%2Fn1`, `get ${group} nodes n1`],
    ['GET', `${root}/nodes/%E0%A4%A`, 'unreadable'],
    ['GET', 'nodes', 'unreadable'],
    ['GET', `http://host:1${root}/nodes`, `list ${group} nodes`],
    ['OPTIONS', '*', 'options path'],
  ];
  for (const [method, target, expected] of requests)
    it(`reads ${method} ${target} as: ${expected}`, () => assert.equal(summary(method, target), expected));

  it('keeps selectors of collections for the authorizer, those of single objects not', () => {
    const list = parseRequestInfo('GET', `${root}/pods?labelSelector=a%3Db&labelSelector=c&fieldSelector=x%3Dy`);
    assert.equal(list?.labelSelector, 'a=b');
    assert.equal(list?.fieldSelector, 'x=y');
    assert.equal(parseRequestInfo('GET', `${root}/nodes/n1?labelSelector=a`)?.labelSelector, '');
    assert.equal(parseRequestInfo('GET', `${root}/watch/pods?labelSelector=a`)?.labelSelector, '');
  });

  it('decodes the query as Go does', () => {
    const info = parseRequestInfo('GET', '/x?a=1+2&a=3&b=%zz&c;d=1&e&%66=%25&__proto__=p');
    assert.deepEqual(info && [...info.query], [
      ['a', ['1 2', '3']],
      ['e', ['']],
      ['f', ['%']],
      ['__proto__', ['p']],
    ]);
  });

  // Reading that takes the square of the length would not end here within the hour.
  it('reads a target of a million slashes at once', () => {
    const slashes = '/'.repeat(1_000_000);
    assert.equal(summary('GET', `/a${slashes}a`), 'get path');
    assert.equal(summary('GET', `${slashes}${root}/nodes${slashes}`), `list ${group} nodes`);
  });

  it('reads or refuses any target', () => {
    const pieces = fc.constantFrom(
      '/',
      'apis',
      'api',
      'namespaces',
      'watch',
      '%2F',
      '%',
      '?',
      '&',
      '=',
      ';',
      '..',
      'é',
      '%ff',
      'fieldSelector=',
    );
    fc.assert(
      fc.property(
        fc.constantFrom('GET', 'DELETE', 'constructor'),
        fc.array(pieces, { maxLength: 20 }),
        (method, parts) => {
          const info = parseRequestInfo(method, parts.join(''));
          if (info?.isResourceRequest === true) assert.match(info.path, /^\/*apis?\//);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
