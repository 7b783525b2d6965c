import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import protobuf from 'protobufjs';
import { readJson } from '../../support/json-file.ts';
import { json, refusal, root, serve, text, type Answered } from './serving.ts';

describe('discovery', () => {
  const proto = protobuf.loadSync(fileURLToPath(new URL('../../wire/data/kubernetes.proto', import.meta.url)));
  const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  const protobufType = 'application/vnd.kubernetes.protobuf';

  /** The object inside a protobuf answer, as the JSON that protobufjs makes of it. */
  function decoded(answer: Answered, type: string): Record<string, unknown> {
    const unknownType = proto.lookupType('kubernetes.Unknown');
    const envelope = unknownType.toObject(unknownType.decode(answer.body.subarray(4)), { bytes: Buffer }) as {
      typeMeta: { kind: string };
      raw: Buffer;
    };
    assert.equal(envelope.typeMeta.kind, type);
    const message = proto.lookupType(`kubernetes.${type}`);
    return message.toObject(message.decode(envelope.raw));
  }

  it('gives the documents of the examples, with both versions', async () => {
    const examples = readFileSync(new URL('../../metrics-api/data/discovery.json', import.meta.url), 'utf8');
    const { apis, group, resources, aggregatedV2 } = JSON.parse(examples) as Record<string, unknown>;
    const beta = '{"groupVersion":"metrics.k8s.io/v1beta1","version":"v1beta1"}';
    const onlyBeta = (document: Record<string, unknown>): unknown =>
      JSON.parse(
        JSON.stringify(document)
          .replace(
            '"preferredVersion":{"groupVersion":"metrics.k8s.io/v1","version":"v1"}',
            `"preferredVersion":${beta}`,
          )
          .replace('{"groupVersion":"metrics.k8s.io/v1","version":"v1"},', '')
          .replaceAll(':4444', '10.0.0.5:10250'),
      );
    assert.deepEqual(onlyBeta(await json('/apis')), apis);
    assert.deepEqual(onlyBeta(await json('/apis/metrics.k8s.io')), group);
    assert.equal(text(await serve(root)), `${JSON.stringify(resources)}\n`);
    const { items } = (await json('/apis', { accept: aggregated })) as { items: { versions: { version: string }[] }[] };
    const [expected] = (aggregatedV2 as { items: { versions: unknown[] }[] }).items;
    assert.deepEqual(
      items[0]?.versions.find(({ version }) => version === 'v1beta1'),
      expected?.versions[0],
    );
  });

  it('marks aggregated discovery and does not send it twice', async () => {
    const answer = await serve('/apis/', { accept: `${aggregated},application/json` });
    assert.equal(answer.headers['content-type'], aggregated);
    assert.equal(answer.headers['vary'], 'Accept');
    assert.equal(answer.headers['cache-control'], 'public');
    const { etag = '' } = answer.headers;
    assert.match(etag, /^"[0-9A-F]{128}"$/);
    const again = await serve('/apis', { accept: aggregated, ifNoneMatch: etag });
    assert.equal(again.status, 304);
    assert.equal(again.body.length, 0);
    assert.equal((await serve('/apis', { accept: aggregated, ifNoneMatch: '"other"' })).status, 200);
  });

  it('falls back to the legacy form', async () => {
    const beta = aggregated.replace('v=v2', 'v=v2beta1');
    assert.equal((await json('/apis', { accept: `${beta},application/json` }))['kind'], 'APIGroupList');
    assert.match(await refusal('/apis', { accept: beta }), /^406 only the following/);
  });

  it('speaks protobuf as a real server did', async () => {
    const golden = readJson(new URL('../../conformance/data/golden.json', import.meta.url)) as Record<
      string,
      { response: { bodyBase64?: string } }
    >;
    const answer = await serve(root, { accept: protobufType });
    assert.equal(answer.body.toString('base64'), golden['resources-proto']?.response.bodyBase64);
  });

  it('says the same in protobuf as in JSON', async () => {
    const groups = decoded(await serve('/apis', { accept: protobufType }), 'APIGroupList');
    assert.deepEqual(JSON.parse(JSON.stringify(groups['groups'])), (await json('/apis'))['groups']);
    const group = decoded(await serve('/apis/metrics.k8s.io', { accept: protobufType }), 'APIGroup');
    assert.deepEqual(
      { kind: 'APIGroup', apiVersion: 'v1', ...JSON.parse(JSON.stringify(group)) },
      await json('/apis/metrics.k8s.io'),
    );
    const accept = aggregated.replace('application/json', protobufType);
    const answer = await serve('/apis', { accept });
    assert.equal(answer.headers['content-type'], accept);
    const all = decoded(answer, 'APIGroupDiscoveryList') as { items: { versions: unknown }[] };
    const { items } = (await json('/apis', { accept: aggregated })) as { items: { versions: unknown }[] };
    assert.deepEqual(JSON.parse(JSON.stringify(all.items[0]?.versions)), items[0]?.versions);
  });

  it('tells the version in indented JSON', async () => {
    assert.match(text(await serve('/version')), /^\{\n {2}"major": "0",/);
    assert.match(
      await refusal('/version', { accept: 'application/yaml' }),
      /^406 .*representations: application\/json$/s,
    );
  });
});
