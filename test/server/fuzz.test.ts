import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import {
  clusterCertificates,
  ScriptedReviews,
  securedServer,
  type ClusterCertificates,
  type SecuredServer,
} from '../support/secured-server.ts';
import { ask, rawConnection, untilClosed } from '../support/tls-client.ts';

describe('Any bytes at all', () => {
  let certificates: ClusterCertificates;
  let server: SecuredServer;

  before(async () => {
    certificates = await clusterCertificates();
    const reviews = new ScriptedReviews();
    reviews.onAccess = ({ user }) => ({ allowed: user === 'jane' });
    server = await securedServer({ certificates, reviews });
  });
  after(async () => await server.stop());

  const token = fc.string({ minLength: 1, maxLength: 30, unit: 'binary' });
  const target = fc.oneof(
    fc.webPath().map((path) => path || '/'),
    fc
      .array(
        fc.oneof(
          fc.constantFrom('apis', 'metrics.k8s.io', 'v1beta1', 'pods', '..', '%2f', '%', '?', '&', 'watch=', '#', ';'),
          token,
        ),
      )
      .map((parts) => `/${parts.join('/')}`),
    token,
  );
  const header = fc.tuple(
    fc.oneof(
      fc.constantFrom(
        'X-Remote-User',
        'X-Remote-Group',
        'X-Remote-Extra-a',
        'Authorization',
        'Content-Length',
        'Transfer-Encoding',
        'Accept',
        'Connection',
        'Upgrade',
        'Expect',
      ),
      token,
    ),
    fc.oneof(fc.constantFrom('jane', 'Bearer eyJhbGciOiJub25lIn0.e30.', 'chunked', '-1', '100-continue', 'h2c'), token),
  );
  const request = fc
    .tuple(
      fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'CONNECT', 'PRI', 'FOO', ''),
      target,
      fc.array(header, { maxLength: 8 }),
    )
    .map(([method, path, headers]) =>
      [
        `${method} ${path} HTTP/1.1`,
        'Host: x',
        ...headers.map(([name, value]) => `${name}: ${value}`),
        'Connection: close',
        '',
        '',
      ].join('\r\n'),
    );

  it('neither break the server nor make it answer 5xx', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(request, fc.string({ unit: 'binary', maxLength: 200 })), async (text) => {
        const socket = await rawConnection(
          { ...server.target, client: certificates.frontProxy },
          { ALPNProtocols: ['http/1.1'] },
        );
        socket.end(text);
        const answer = await untilClosed(socket);
        assert.doesNotMatch(answer, /^HTTP\/1\.1 5/m, JSON.stringify(text));
      }),
      { numRuns: 400, endOnFailure: true },
    );
    assert.deepEqual(
      server.log.lines.filter((line) => line.startsWith('error')),
      [],
    );
    const reply = await ask({ ...server.target, client: certificates.frontProxy }, '/metrics', {
      headers: { 'x-remote-user': 'jane' },
    });
    assert.equal(reply.status, 200);
  });
});
