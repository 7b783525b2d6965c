import assert from 'node:assert/strict';
import { Agent } from 'node:https';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { routes } from '../../src/server/router.ts';
import { recordedCluster, routerDependencies } from '../conformance/recorded-cluster.ts';
import { clusterCertificates, ScriptedReviews, securedServer, type SecuredServer } from '../support/secured-server.ts';
import { ask, askHttp2, http2Session, type Target } from '../support/tls-client.ts';

interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Requests sent side by side. */
const together = 50;

describe('Ten thousand requests at random', () => {
  let server: SecuredServer;
  let target: Target;
  before(async () => {
    const certificates = await clusterCertificates();
    const reviews = new ScriptedReviews();
    reviews.onAccess = ({ user }) => ({ allowed: user !== 'nobody' });
    server = await securedServer({
      certificates,
      reviews,
      routes: [routes(routerDependencies(recordedCluster()))],
      app: { maxRequestsInflight: Infinity },
    });
    target = { ...server.target, client: certificates.frontProxy };
  });
  after(async () => await server.stop());

  it('over HTTP/1.1 are answered below 500', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 10, ...target.client, ca: target.ca });
    await sendAll(async (asked) => (await ask(target, asked.path, { ...asked, agent })).status);
    agent.destroy();
    assertQuiet();
  });

  it('over HTTP/2 are answered below 500', async () => {
    let session = await http2Session(target);
    await sendAll(async ({ method, path, headers }) => {
      // HTTP/2 itself refuses paths of another form.
      const own = path.startsWith('/') ? path : `/${path}`;
      if (session.closed || session.destroyed) session = await http2Session(target);
      // Nobody at all would have the connection ended.
      const user = headers['x-remote-user'] || 'jane';
      const sent: Record<string, string> = { ':method': method, ...headers, 'x-remote-user': user };
      delete sent['expect'];
      return (await askHttp2(session, own, sent)).status;
    });
    session.destroy();
    assertQuiet();
  });

  /** Sends five thousand requests, some side by side, and checks what `send` says of each. */
  async function sendAll(send: (request: Request) => Promise<number>): Promise<void> {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const all = fc.sample(request, { numRuns: 5000, seed });
    for (let from = 0; from < all.length; from += together)
      await Promise.all(
        all.slice(from, from + together).map(async (asked) => {
          const status = await send(asked).catch((error: unknown) => String(error));
          const fine = typeof status === 'number' && status >= 200 && status < 500;
          assert.ok(fine, `${status} to ${JSON.stringify(asked)}, seed ${seed}`);
        }),
      );
  }

  function assertQuiet(): void {
    assert.deepEqual(
      server.log.lines.filter((line) => line.startsWith('error')),
      [],
    );
  }
});

const word = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('pods', 'nodes', 'team-0', 'node-00000', 'app-0-00000', 'namespaces') },
  fc.constantFrom('..', '.', '', '%2f', '%2e%2e', '%00', '%ff', '%zz', 'watch', 'proxy', 'status', '__proto__', 'Pods'),
  fc.webFragments({ size: 'small' }),
);
const prefix = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('/apis/metrics.k8s.io/v1beta1', '/apis/metrics.k8s.io/v1') },
  fc.constantFrom('', '/apis', '/apis/metrics.k8s.io', '/openapi/v3', '/openapi/v2', '/version', '/livez', '/readyz'),
  fc.constantFrom('/healthz', '/metrics', '//', '/api/v1', 'http://x/apis', 'x://[/apis'),
);
const value = fc.oneof(
  fc.constantFrom(
    '',
    '1',
    '-1',
    '99999999999999999999',
    'true',
    'false',
    'a=b',
    'a in (b,c)',
    '!a',
    'a=',
    ',',
    '(',
    '==',
  ),
  fc.constantFrom('metadata.name=x', 'spec.nodeName=node-00000', 'metadata.name==x,metadata.name!=y', '\\', 'Object'),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 10 }),
);
const parameter = fc
  .tuple(
    fc.oneof(
      fc.constantFrom('labelSelector', 'fieldSelector', 'limit', 'continue', 'watch', 'pretty', 'timeout', 'hash'),
      fc.constantFrom('resourceVersion', 'resourceVersionMatch', 'sendInitialEvents', 'timeoutSeconds', 'export'),
      fc.constantFrom('includeObject', 'verbose', 'exclude', 'dryRun', '__proto__'),
      fc.webFragments({ size: 'small' }),
    ),
    value,
    fc.boolean(),
  )
  .map(
    ([key, text, encoded]) => `${key}=${encoded ? encodeURIComponent(Buffer.from(text).toString()) : printable(text)}`,
  );
const path = fc
  .tuple(prefix, fc.array(word, { maxLength: 4 }), fc.array(parameter, { maxLength: 4 }))
  .map(([start, words, query]) => {
    const whole = printable(`${start}${words.map((part) => `/${part}`).join('')}`);
    return `${whole === '' ? '/' : whole}${query.length === 0 ? '' : `?${query.join('&')}`}`;
  });

const accept = fc.oneof(
  fc.constantFrom(
    '*/*',
    'application/json',
    'application/yaml',
    'application/vnd.kubernetes.protobuf',
    'text/html',
    '',
  ),
  fc.constantFrom('application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'application/json;stream=watch'),
  fc.constantFrom('application/yaml;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io', 'application/json;q=x;pretty=1'),
  fc.constantFrom('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList', ';;,=;q=9e9', '*', 'a/b/c'),
  fc.string({ maxLength: 60 }),
);
const texts = fc.string({ maxLength: 30 });
const headers = fc
  .record(
    {
      'x-remote-user': fc.oneof({ weight: 9, arbitrary: fc.constant('jane') }, fc.constant('nobody'), texts),
      'x-remote-group': texts,
      'x-remote-extra-a%zz': texts,
      accept,
      'accept-encoding': fc.oneof(fc.constantFrom('gzip', 'gzip;q=0', 'br', '*'), texts),
      'content-type': fc.oneof(fc.constantFrom('application/json', 'text/plain'), texts),
      'if-none-match': fc.oneof(fc.constantFrom('*', '""', 'W/"x"'), texts),
      'user-agent': fc.oneof(fc.constantFrom('kubectl/v1.32', 'curl/8', 'Mozilla/5.0'), texts),
      authorization: fc.oneof(fc.constantFrom('Bearer x', 'Bearer', 'Basic eDp4', 'Bearer a.b.c'), texts),
      'audit-id': texts,
      'impersonate-user': texts,
      expect: fc.constantFrom('100-continue', 'x'),
      range: texts,
    },
    { requiredKeys: ['x-remote-user'] },
  )
  .map((all) => Object.fromEntries(Object.entries(all).map(([name, text]) => [name, headerText(text ?? '')])));
const method = fc.oneof(
  { weight: 8, arbitrary: fc.constant('GET') },
  fc.constantFrom('HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'),
);
const request: fc.Arbitrary<Request> = fc.record({ method, path, headers });

/** What a client can put into a request line at all. */
function printable(text: string): string {
  return text.replace(/[^!-~]/g, '~');
}

/** HTTP/2 refuses spaces at the ends. */
function headerText(text: string): string {
  return text.replace(/[^ -~]/g, '~').trim();
}
