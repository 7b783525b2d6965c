import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { before, describe, it } from 'node:test';
import protobuf from 'protobufjs';
import { serve } from './serving.ts';

const models = protobuf.loadSync(
  ['openapi-v2.proto', 'openapi-v3.proto'].map((name) => fileURLToPath(new URL(`./data/${name}`, import.meta.url))),
);

interface Document {
  readonly paths: Readonly<Record<string, { readonly get: { readonly operationId: string } }>>;
  readonly definitions?: Readonly<Record<string, Schema>>;
  readonly components?: { readonly schemas: Readonly<Record<string, Schema>> };
}
interface Schema {
  readonly required?: readonly string[];
}

const json = async (target: string): Promise<Document> => JSON.parse((await serve(target)).body.toString()) as Document;

/** Every `$ref` in a document. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : references(inner),
  );
}

describe('OpenAPI v2', () => {
  it('names operations and types as clients know them', async () => {
    const { paths, definitions = {} } = await json('/openapi/v2');
    const ids = Object.values(paths).map(({ get }) => get.operationId);
    for (const version of ['V1', 'V1beta1'])
      for (const id of [
        `listMetrics${version}NodeMetrics`,
        `readMetrics${version}NodeMetrics`,
        `listMetrics${version}NamespacedPodMetrics`,
        `readMetrics${version}NamespacedPodMetrics`,
        `listMetrics${version}PodMetricsForAllNamespaces`,
        `getMetrics${version}APIResources`,
      ])
        assert.ok(ids.includes(id), id);
    assert.equal(new Set(ids).size, ids.length);
    const pod = definitions['io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics'];
    assert.deepEqual(pod?.required, ['timestamp', 'window', 'containers']);
  });

  it('refers only to what it defines', async () => {
    const document = await json('/openapi/v2');
    const known = new Set(Object.keys(document.definitions ?? {}).map((name) => `#/definitions/${name}`));
    for (const reference of references(document)) assert.ok(known.has(reference), reference);
  });

  it('is the same in protobuf', async () => {
    for (const version of ['v2.v1.0', 'v2@v1.0']) {
      const answer = await serve('/openapi/v2', {
        accept: `application/com.github.proto-openapi.spec.${version}+protobuf`,
      });
      assert.equal(answer.headers['content-type'], 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
      const type = models.lookupType('openapi.v2.Document');
      const decoded = type.toObject(type.decode(answer.body)) as {
        swagger: string;
        paths: { path: { name: string; value: { get: { operationId: string; responses: unknown } } }[] };
        definitions: { additionalProperties: { name: string; value: { required?: string[]; type?: unknown } }[] };
      };
      const document = await json('/openapi/v2');
      assert.equal(decoded.swagger, '2.0');
      assert.deepEqual(
        decoded.paths.path.map(({ name, value }) => [name, value.get.operationId]),
        Object.entries(document.paths).map(([name, { get }]) => [name, get.operationId]),
      );
      assert.deepEqual(
        decoded.definitions.additionalProperties.map(({ name, value }) => [name, value.required ?? []]),
        Object.entries(document.definitions ?? {}).map(([name, { required }]) => [name, required ?? []]),
      );
      assert.deepEqual(decoded.definitions.additionalProperties[0]?.value.type, { value: ['string'] });
    }
  });

  it('is compressed, cached and refused as upstream', async () => {
    const plain = await serve('/openapi/v2');
    assert.equal(plain.headers['vary'], 'Accept-Encoding, Accept');
    const { etag = '' } = plain.headers;
    assert.match(etag, /^"[0-9A-F]{128}"$/);
    const zipped = await serve('/openapi/v2', { acceptEncoding: 'deflate, gzip;q=1.0' });
    assert.equal(zipped.headers['content-encoding'], 'gzip');
    assert.deepEqual(gunzipSync(zipped.body), plain.body);
    assert.equal((await serve('/openapi/v2', { ifNoneMatch: `"x", W/${etag}` })).status, 304);
    const refused = await serve('/openapi/v2', { accept: 'text/html' });
    assert.equal(refused.status, 406);
    assert.equal(refused.body.length, 0);
  });

  for (const [acceptEncoding, encoding] of [
    ['gzip', 'gzip'],
    ['br, GZIP ; q=0.1', 'gzip'],
    ['identity;q=0,gzip;q=1.0', 'gzip'],
    ['gzip;q=0', undefined],
    ['gzip; q=0.000', undefined],
    ['gzip;q=x', undefined],
    ['x-gzip', undefined],
    ['gzip-2', undefined],
    ['br;x=gzip', undefined],
    ['*', undefined],
  ] as const)
    it(`is ${encoding ?? 'not encoded'} for Accept-Encoding: ${acceptEncoding}`, async () =>
      assert.equal((await serve('/openapi/v2', { acceptEncoding })).headers['content-encoding'], encoding));
});

describe('OpenAPI documents', () => {
  for (const target of ['/openapi/v2', '/openapi/v3', '/openapi/v3/version'])
    it(`tell on ${target} since when they are so, and are not sent again to who has them`, async () => {
      const { headers } = await serve(target);
      const modified = headers['last-modified'] ?? '';
      assert.equal(new Date(modified).toUTCString(), modified);
      const statusOf = async (ifModifiedSince: string, ifNoneMatch?: string): Promise<number> =>
        (await serve(target, { ifModifiedSince, ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }) })).status;
      const later = new Date(Date.parse(modified) + 1000).toUTCString();
      const earlier = new Date(Date.parse(modified) - 1000).toUTCString();
      assert.equal(await statusOf(modified), 304);
      assert.equal(await statusOf(later), 304);
      assert.equal(await statusOf(earlier), 200);
      for (const unreadable of ['tomorrow', '2999', 'Sun, 99 Nov 2999 08:49:37 GMT'])
        assert.equal(await statusOf(unreadable), 200, unreadable);
      assert.equal(await statusOf(later, '"other"'), 200, 'the entity tag decides where one is given');
      assert.equal(await statusOf(earlier, headers['etag']), 304);
    });
});

describe('OpenAPI v3', () => {
  let root: { paths: Record<string, { serverRelativeURL: string }> };
  before(async () => {
    root = JSON.parse((await serve('/openapi/v3')).body.toString()) as typeof root;
  });

  it('lists its documents with their hashes', async () => {
    assert.deepEqual(Object.keys(root.paths), [
      'apis',
      'apis/metrics.k8s.io',
      'apis/metrics.k8s.io/v1',
      'apis/metrics.k8s.io/v1beta1',
      'version',
    ]);
  });

  it('lets an answer at its hash be kept for ever and redirects from others', async () => {
    for (const [key, { serverRelativeURL }] of Object.entries(root.paths)) {
      const answer = await serve(serverRelativeURL);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['cache-control'], 'public, immutable');
      assert.match(answer.headers['expires'] ?? '', / GMT$/);
      assert.equal(serverRelativeURL, `/openapi/v3/${key}?hash=${answer.headers['etag']?.replaceAll('"', '')}`);
      const stale = await serve(`/openapi/v3/${key}?hash=old`);
      assert.equal(stale.status, 301);
      assert.equal(stale.headers['location'], serverRelativeURL);
      assert.equal(stale.headers['content-type'], 'application/json');
      const plain = await serve(`/openapi/v3/${key}`);
      assert.equal(plain.headers['cache-control'], undefined);
      assert.equal(plain.headers['vary'], 'Accept');
    }
  });

  it('describes each version by itself', async () => {
    const document = await json('/openapi/v3/apis/metrics.k8s.io/v1');
    const schemas = document.components?.schemas ?? {};
    assert.ok('io.k8s.metrics.pkg.apis.metrics.v1.NodeMetrics' in schemas);
    assert.ok(!('io.k8s.metrics.pkg.apis.metrics.v1beta1.NodeMetrics' in schemas));
    const known = new Set(Object.keys(schemas).map((name) => `#/components/schemas/${name}`));
    for (const reference of references(document)) assert.ok(known.has(reference), reference);
  });

  it('has quantities as Kubernetes has them, strings or numbers, in JSON and protobuf', async () => {
    const target = '/openapi/v3/apis/metrics.k8s.io/v1';
    const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
    const { type, oneOf } = ((await json(target)).components?.schemas ?? {})[quantity] as Record<string, unknown>;
    assert.deepEqual([type, oneOf], [undefined, [{ type: 'string' }, { type: 'number' }]]);
    const accept = 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf';
    const model = models.lookupType('openapi.v3.Document');
    const decoded = model.toObject(model.decode((await serve(target, { accept })).body)) as {
      components: { schemas: { additionalProperties: { name: string; value: { schema: { oneOf?: unknown } } }[] } };
    };
    const found = decoded.components.schemas.additionalProperties.find(({ name }) => name === quantity);
    assert.deepEqual(found?.value.schema.oneOf, [{ schema: { type: 'string' } }, { schema: { type: 'number' } }]);
  });

  it('is the same in protobuf', async () => {
    const accept = 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf';
    const type = models.lookupType('openapi.v3.Document');
    for (const key of Object.keys(root.paths)) {
      const decoded = type.toObject(type.decode((await serve(`/openapi/v3/${key}`, { accept })).body)) as {
        openapi: string;
        paths: { path: { name: string; value: { get: { operationId: string } } }[] };
        components: { schemas: { additionalProperties: { name: string }[] } };
      };
      const document = await json(`/openapi/v3/${key}`);
      assert.equal(decoded.openapi, '3.0.0');
      assert.deepEqual(
        decoded.paths.path.map(({ name, value }) => [name, value.get.operationId]),
        Object.entries(document.paths).map(([name, { get }]) => [name, get.operationId]),
      );
      assert.deepEqual(
        decoded.components.schemas.additionalProperties.map(({ name }) => name),
        Object.keys(document.components?.schemas ?? {}),
      );
    }
  });
});
