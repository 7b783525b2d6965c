import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseFieldSelector } from '../../src/kube/selectors/field-selector.ts';
import { decodeContinue } from '../../src/metrics-api/continue-token.ts';
import { encodeStatus } from '../../src/wire/encode.ts';
import {
  badRequest,
  invalidListOptions,
  methodNotAllowed,
  notFound,
  StatusError,
  toStatus,
  unauthorized,
  unknownResource,
  watchNotSupported,
} from '../../src/wire/status.ts';
import { readJson } from '../support/json-file.ts';

const examples = readJson(new URL('./data/status.json', import.meta.url)) as Record<string, unknown>;

/** What a call throws. */
function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const forbiddenField = {
  reason: 'FieldValueForbidden',
  message: 'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
  field: 'resourceVersionMatch',
};

describe('toStatus', () => {
  const errors: Readonly<Record<string, unknown>> = {
    unauthorized401: unauthorized(),
    notFoundNoSuchPod: notFound('pods', '', 'ghost'),
    notFoundNoSuchNode: notFound('node', '', 'ghost'),
    notFoundPodWithoutMetrics: notFound('podmetrics', 'metrics.k8s.io', 'default/web'),
    notFoundNodeWithoutMetrics: notFound('nodemetrics', 'metrics.k8s.io', 'worker-9'),
    notFoundUnknownResource: unknownResource(),
    methodNotAllowed405: methodNotAllowed(),
    watchNotSupported405: watchNotSupported('pods', 'metrics.k8s.io'),
    badLimit400: badRequest('strconv.ParseInt: parsing "abc": invalid syntax'),
    resourceVersionMatch422: invalidListOptions([forbiddenField]),
    genericError500: new Error('failed listing pods: boom'),
  };
  for (const [name, error] of Object.entries(errors))
    it(`gives ${name} key for key`, () =>
      assert.equal(JSON.stringify(toStatus(error)), JSON.stringify(examples[name])));

  it('makes a 400 of bad selectors and continue tokens', () => {
    for (const call of [() => parseFieldSelector('x'), () => decodeContinue('pods', 'nonsense')]) {
      const { code, reason, details } = toStatus(thrownBy(call));
      assert.deepEqual({ code, reason, details }, { code: 400, reason: 'BadRequest', details: undefined });
    }
  });

  it('quotes a name that was not found as Go does', () => {
    assert.equal(toStatus(notFound('node', '', '"\n\\')).message, String.raw`node "\"\n\\" not found`);
    assert.equal(
      toStatus(notFound('podmetrics', 'metrics.k8s.io', 'a"/b')).message,
      String.raw`podmetrics.metrics.k8s.io "a\"/b" not found`,
    );
  });

  it('survives anything thrown', () => {
    for (const thrown of [
      undefined,
      null,
      'text',
      7,
      Symbol('s'),
      {},
      Object.create(null),
      new StatusError('timeout', ''),
    ])
      assert.ok(toStatus(thrown).code >= 500);
  });
});

describe('encodeStatus', () => {
  const bodyFor = (accept: string | undefined, error: unknown = unauthorized()): string => {
    const { body } = encodeStatus(error, { accept, userAgent: '', pretty: undefined });
    assert.ok(Buffer.isBuffer(body));
    return body.toString();
  };

  it('follows the Accept header', () => {
    assert.equal(bodyFor('*/*'), `${JSON.stringify(examples['unauthorized401'])}\n`);
    assert.match(bodyFor('application/yaml'), /^apiVersion: v1\ncode: 401\nkind: Status\nmessage: Unauthorized\n/);
    assert.equal(bodyFor('application/vnd.kubernetes.protobuf').slice(0, 4), 'k8s\0');
  });

  it('is indented JSON for clients that accept nothing of it', () => {
    for (const accept of ['text/html', 'application/json;as=Table;v=v1;g=meta.k8s.io'])
      assert.equal(bodyFor(accept), JSON.stringify(examples['unauthorized401'], null, 2));
  });

  it('repeats what the client sent only in escaped form', () => {
    assert.match(bodyFor('*/*', badRequest('<script>&')), /"message":"\\u003cscript\\u003e\\u0026"/);
  });

  it('carries Retry-After where the details have it', () => {
    const error = new StatusError('service-unavailable', 'later', { retryAfterSeconds: 7 });
    const { headers } = encodeStatus(error, { accept: undefined, userAgent: '', pretty: undefined });
    assert.equal(headers['retry-after'], '7');
  });
});
