import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { accessReviewSpec } from '../../src/server/access-review.ts';
import { decodeListOptions } from '../../src/server/list-options.ts';
import { parseRequestInfo, type RequestInfo } from '../../src/server/request-info.ts';
import { anonymous } from '../../src/server/user.ts';
import { StatusError, toStatus } from '../../src/wire/status.ts';

function many(count: number, write: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => write(index)).join(',');
}

function request(query: string): RequestInfo {
  const info = parseRequestInfo('GET', `/apis/metrics.k8s.io/v1beta1/pods?${query}`);
  assert.ok(info);
  return info;
}

describe('List options', () => {
  for (const [what, query] of [
    ['a hundred requirements', `labelSelector=${many(100, (index) => `!k${index}`)}`],
    ['a thousand values', `labelSelector=a+in+(${many(500, String)}),b+notin+(${many(500, String)})`],
    ['values that repeat', `labelSelector=a+in+(${many(5000, () => 'x')})`],
    ['a hundred fields', `fieldSelector=${many(100, (index) => `metadata.name!=p${index}`)}`],
  ] as const) {
    it(`take ${what}`, () => {
      const { labelSelector, fieldSelector } = decodeListOptions(request(query).query);
      assert.ok(labelSelector.requirements.length + fieldSelector.terms.length > 0);
    });
  }

  for (const [query, message] of [
    [`labelSelector=${many(101, (index) => `!k${index}`)}`, 'labelSelector has 101 requirements, the limit is 100'],
    [
      `labelSelector=a+in+(${many(600, String)}),b+notin+(${many(401, String)})`,
      'labelSelector has 1001 values, the limit is 1000',
    ],
    [
      `fieldSelector=${many(101, (index) => `metadata.name!=p${index}`)}`,
      'fieldSelector has 101 requirements, the limit is 100',
    ],
  ] as const) {
    it(`refuse a selector with 400 where ${message}`, () => {
      const info = request(query);
      assert.throws(
        () => decodeListOptions(info.query),
        (error) => {
          assert.ok(error instanceof StatusError);
          const { code, reason } = toStatus(error);
          assert.deepEqual([code, reason, error.message], [400, 'BadRequest', message]);
          return true;
        },
      );
    });

    it(`do not bother the API server with one where ${message}`, () => {
      const { resourceAttributes } = accessReviewSpec(anonymous, request(query));
      assert.equal(resourceAttributes?.labelSelector, undefined);
      assert.equal(resourceAttributes?.fieldSelector, undefined);
    });
  }
});
