import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseAccept } from '../../src/wire/accept.ts';
import {
  aggregatedDiscoveryEndpoint,
  findFormat,
  negotiate,
  plainEndpoint,
  resourceEndpoint,
  type Endpoint,
} from '../../src/wire/negotiation.ts';
import { listTypes, objectTypes, requireConsumed, requireProduced } from '../../src/wire/router-negotiation.ts';

const tableClause = ';as=Table;v=v1;g=meta.k8s.io';

/** Encoding and transform in one word, `none` for a refusal. */
function choose(accept: string | undefined, endpoint: Endpoint = resourceEndpoint): string {
  const format = findFormat({ accept, userAgent: '', pretty: undefined }, endpoint);
  if (format === undefined) return 'none';
  return [format.encoding, format.transform?.kind, format.transform?.version].filter((part) => part).join(' ');
}

describe('findFormat', () => {
  const choices: readonly (readonly [accept: string | undefined, chosen: string])[] = [
    [undefined, 'json'],
    ['', 'json'],
    ['*/*', 'json'],
    ['*', 'json'],
    ['application/*', 'json'],
    ['application/yaml', 'yaml'],
    ['application/vnd.kubernetes.protobuf, */*', 'protobuf'],
    ['application/json;q=0.1, application/yaml;q=0.9', 'yaml'],
    ['application/yaml;q=0, application/cbor', 'yaml'],
    ['application/yaml;q=x, application/json;q=0.1', 'json'],
    ['text/html', 'none'],
    ['application/json/x', 'none'],
    [`application/json${tableClause},application/json`, 'json Table v1'],
    [`application/json${tableClause.replace('v=v1', 'v=v1beta1')}`, 'json Table v1beta1'],
    [`application/json${tableClause.replace('v=v1', 'v=v2')},application/yaml`, 'yaml'],
    [`application/yaml${tableClause}`, 'yaml Table v1'],
    [`application/vnd.kubernetes.protobuf${tableClause}, application/json`, 'json'],
    [`*/*${tableClause}`, 'json Table v1'],
    [
      'application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
      'protobuf PartialObjectMetadataList v1',
    ],
    ['application/json;as=Unknown;v=v1;g=meta.k8s.io', 'none'],
    ['application/json;as=Table', 'none'],
    ['application/json;stream=watch', 'json'],
    ['application/yaml;stream=watch', 'none'],
    ['application/json;stream=other', 'none'],
    ['application/json;sv=v1', 'json'],
    ['application/json;sv=v2', 'none'],
    ['application/json;charset=utf-8', 'json'],
    [' application/json ; q = 0.1 ,application/yaml', 'yaml'],
  ];
  for (const [accept, chosen] of choices)
    it(`chooses ${chosen} for ${JSON.stringify(accept)}`, () => assert.equal(choose(accept), chosen));

  it('gives errors and discovery no transforms', () => {
    assert.equal(choose(`application/json${tableClause}`, plainEndpoint), 'none');
    assert.equal(choose(`application/json${tableClause},application/json`, plainEndpoint), 'json');
    assert.equal(choose('application/json;sv=v1', plainEndpoint), 'none');
  });

  it('finds aggregated discovery behind a plain clause, in version 2 only', () => {
    const clause = (version: string): string =>
      `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
    assert.equal(
      choose(`application/json,${clause('v2')}`, aggregatedDiscoveryEndpoint),
      'json APIGroupDiscoveryList v2',
    );
    assert.equal(choose(clause('v2beta1'), aggregatedDiscoveryEndpoint), 'none');
  });

  it('is not led astray by parameters called like inherited properties', () => {
    assert.equal(choose('application/json;__proto__=x;constructor=y'), 'json');
  });

  it('ends on any header', () => {
    const pieces = fc.constantFrom(
      'application',
      '/',
      'json',
      '*',
      ';',
      ',',
      'q=',
      '0.5',
      'as=',
      'Table',
      ' ',
      '=',
      '\t',
      'é',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), fc.boolean(), (parts, resource) => {
        choose(parts.join(''), resource ? resourceEndpoint : plainEndpoint);
      }),
      { numRuns: 1000 },
    );
    assert.equal(parseAccept('a/b;q=0.5,'.repeat(5000)).length, 5000);
  });
});

describe('negotiate', () => {
  it('says what there is', () => {
    assert.throws(() => negotiate({ accept: 'text/html', userAgent: '', pretty: undefined }, plainEndpoint), {
      code: 'not-acceptable',
      message:
        'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    });
  });

  const isPretty = (accept: string | undefined, userAgent: string, pretty?: string): boolean =>
    negotiate({ accept, userAgent, pretty }, plainEndpoint).pretty;

  it('indents for people', () => {
    for (const agent of ['curl/8.5.0', 'Wget/1.21', 'Mozilla/5.0 (X11)']) assert.ok(isPretty(undefined, agent), agent);
    assert.ok(!isPretty(undefined, 'kubectl/v1.32.4'));
    assert.ok(!isPretty(undefined, 'Mozilla/4.0'));
  });

  it('indents when the query or the Accept clause says so', () => {
    for (const yes of ['1', 't', 'T', 'TRUE', 'true', 'True']) assert.ok(isPretty('*/*', '', yes), yes);
    for (const no of ['0', 'false', 'yes', 'tRUE']) assert.ok(!isPretty('*/*', 'curl/8', no), no);
    assert.ok(isPretty('*/*', 'curl/8', ''));
    assert.ok(isPretty('application/json;pretty=1', '', 'false'));
  });
});

describe('the router', () => {
  it('compares media types literally', () => {
    for (const accept of [undefined, '', '*/*', 'text/html, application/yaml;q=0', 'application/json;as=Table'])
      assert.doesNotThrow(() => requireProduced(accept, objectTypes));
    for (const accept of ['application/*', 'text/html', 'APPLICATION/JSON', '*'])
      assert.throws(() => requireProduced(accept, objectTypes), {
        code: 'not-acceptable',
        message:
          '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf',
        details: {},
      });
  });

  // Reading that takes the square of the length would not end here within the hour.
  it('reads a million spaces or digits at once', () => {
    const spaces = ' '.repeat(1_000_000);
    assert.doesNotThrow(() => requireProduced(`a${spaces}b,${spaces}*/*${spaces}`, objectTypes));
    const wishes = { userAgent: '', pretty: undefined };
    const accept = `a${spaces}b/c${spaces}d;q=${'1'.repeat(1_000_000)}x, application/yaml`;
    assert.equal(negotiate({ ...wishes, accept }, plainEndpoint).encoding, 'yaml');
  });

  it('names the streams of lists', () => {
    assert.throws(
      () => requireProduced('x/y', listTypes),
      /protobuf, application\/json;stream=watch, application\/vnd/,
    );
  });

  it('refuses bodies it does not know', () => {
    for (const type of [undefined, '', 'application/json; charset=utf-8', '*/*', 'text/plain, application/yaml'])
      assert.doesNotThrow(() => requireConsumed(type, objectTypes));
    assert.throws(() => requireConsumed('text/plain', objectTypes), { message: '415: Unsupported Media Type' });
  });
});
