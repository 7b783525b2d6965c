import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { apiGroup } from '../../metrics-api/objects.ts';
import { unknownResource } from '../../wire/status.ts';
import { aggregatedType } from './aggregated-group.ts';
import type { Aggregator } from './aggregator.ts';
import type { ApiDiscovery } from './api-discovery.ts';
import { sendJson } from './http-json.ts';
import type { Identity } from '../identity.ts';
import { issuer, type TokenIssuer } from '../token-issuer.ts';

const openapiUser: Identity = { username: 'system:aggregator', groups: [] };
const openapiPrefix = `apis/${apiGroup}`;

/** Paths of the API server that are no resources: discovery, health, version, OpenAPI and the issuer's keys. */
export class ApiDocuments {
  readonly #discovery: ApiDiscovery;
  readonly #aggregator: Aggregator;
  readonly #tokens: TokenIssuer;

  constructor(discovery: ApiDiscovery, aggregator: Aggregator, tokens: TokenIssuer) {
    this.#discovery = discovery;
    this.#aggregator = aggregator;
    this.#tokens = tokens;
  }

  /** @throws StatusError 404 for a path that nobody serves */
  async serve(request: IncomingMessage, response: ServerResponse, path: string, identity: Identity): Promise<void> {
    if (this.#aggregator.registered && /^\/apis\/metrics\.k8s\.io\/[^/]+\/?$/.test(path))
      return this.#aggregator.proxy(request, response, identity);
    if (/^\/(?:livez|readyz|healthz)(?:\/.*)?$/.test(path)) return sendText(response, 'ok');
    if (path === '/version' || path === '/version/') return sendJson(response, 200, version);
    if (path === '/openid/v1/jwks') return sendJson(response, 200, this.#tokens.keys, 'application/jwk-set+json');
    if (path === '/.well-known/openid-configuration') return sendJson(response, 200, issuerConfiguration);
    if (path.startsWith('/openapi/')) return await this.#openapi(request, response, path, identity);
    const aggregated = request.headers.accept?.split(',').some(isAggregatedClause) === true;
    const document = this.#discovery.document(path, aggregated, request.headers.host ?? '');
    if (document === undefined) throw unknownResource();
    const isAggregated = document['kind'] === 'APIGroupDiscoveryList';
    if (isAggregated) response.setHeader('ETag', `"${digest(document)}"`).setHeader('Vary', 'Accept');
    sendJson(response, 200, document, isAggregated ? aggregatedType : 'application/json');
  }

  /** The backend's documents of its group. Of our own there are none: clients then check nothing before they send it. */
  async #openapi(request: IncomingMessage, response: ServerResponse, path: string, identity: Identity): Promise<void> {
    const { available } = this.#aggregator.availability;
    if (path.startsWith(`/openapi/v3/${openapiPrefix}`) || (path === '/openapi/v2' && available))
      return this.#aggregator.proxy(request, response, identity);
    if (path === '/openapi/v3') {
      const reply = await this.#aggregator.fetch(path, openapiUser, 'application/json').catch(() => undefined);
      const paths = reply?.status === 200 ? (JSON.parse(reply.body) as { paths?: object }).paths : undefined;
      const own = Object.entries(paths ?? {}).filter(([key]) => key.startsWith(openapiPrefix));
      return sendJson(response, 200, { paths: Object.fromEntries(own) });
    }
    if (path !== '/openapi/v2') throw unknownResource();
    // An empty message is a document without paths.
    if (request.headers.accept?.includes('openapi.spec.v2@v1.0+protobuf') === true)
      return sendText(response, '', 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
    const info = { title: 'Kubernetes', version: version.gitVersion };
    sendJson(response, 200, { swagger: '2.0', info, paths: {}, definitions: {} });
  }
}

const version = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.0-sim',
  gitCommit: '0000000000000000000000000000000000000000',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'none',
  platform: 'linux/amd64',
};

const issuerConfiguration = {
  issuer,
  jwks_uri: `${issuer}/openid/v1/jwks`,
  response_types_supported: ['id_token'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['ES256'],
};

function isAggregatedClause(clause: string): boolean {
  const [type, ...parameters] = clause.split(';').map((part) => part.trim());
  return type === 'application/json' && parameters.includes('as=APIGroupDiscoveryList') && parameters.includes('v=v2');
}

function digest(document: unknown): string {
  return createHash('sha512').update(JSON.stringify(document)).digest('hex').toUpperCase();
}

function sendText(response: ServerResponse, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(200, { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' });
  response.end(text);
}
