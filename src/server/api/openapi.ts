import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { openApiV2, openApiV3 } from '../../metrics-api/openapi/documents.ts';
import { epochMs, type EpochMs } from '../../model/units.ts';
import { parseAccept } from '../../wire/accept.ts';
import { wholeBody, type Answer } from '../../wire/body.ts';
import { encodeOpenApiV2 } from '../../wire/gnostic-v2.ts';
import { encodeOpenApiV3 } from '../../wire/gnostic-v3.ts';
import { firstValue } from '../request-target.ts';
import type { ApiRequest } from './api-request.ts';

/** A document in its two encodings; the protobuf is made when it is first asked for. */
interface OpenApiDocument {
  readonly json: Buffer;
  readonly protobuf: () => Buffer;
  /** SHA-512 of the JSON in upper-case hexadecimal, for both encodings. */
  readonly hash: string;
}

/** What `/openapi` serves; it never changes while the server runs. */
export interface OpenApiDocuments {
  readonly v2: OpenApiDocument;
  readonly v3: ReadonlyMap<string, OpenApiDocument>;
  /** Since when they are as they are, in whole seconds. */
  readonly modified: EpochMs;
  readonly now: () => EpochMs;
}

/** The documents, each built when it is first asked for. `gitVersion` is this server's; they carry it up to the first `-`. */
export function makeOpenApiDocuments(gitVersion: string, now: () => EpochMs): OpenApiDocuments {
  const version = gitVersion.split('-', 1)[0] ?? gitVersion;
  let v2: OpenApiDocument | undefined;
  let v3: ReadonlyMap<string, OpenApiDocument> | undefined;
  const modified = epochMs(Math.floor(now() / 1000) * 1000);
  return {
    get v2() {
      return (v2 ??= makeDocument(openApiV2(version), encodeOpenApiV2));
    },
    get v3() {
      return (v3 ??= new Map(
        [...openApiV3(version)].map(([key, document]) => [key, makeDocument(document, encodeOpenApiV3)]),
      ));
    },
    modified,
    now,
  };
}

function makeDocument(document: object, encode: (document: object) => Buffer): OpenApiDocument {
  const json = Buffer.from(JSON.stringify(document));
  let protobuf: Buffer | undefined;
  const hash = createHash('sha512').update(json).digest('hex').toUpperCase();
  return { json, protobuf: () => (protobuf ??= encode(document)), hash };
}

const jsonType = 'application/json';
/** The client accepts neither encoding. */
const notAcceptable: Answer = { status: 406, headers: { vary: 'Accept' }, body: Buffer.alloc(0) };
/** The form in which HTTP dates are written; who sends one of the two obsolete ones gets the document. */
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
/** Smaller bodies are not worth compressing. */
const gzipThreshold = 1400;
const yearMs = 365 * 24 * 3600 * 1000;

/** `/openapi/v2`: JSON or protobuf, compressed when the client can read it. */
export function serveOpenApiV2(request: ApiRequest, documents: OpenApiDocuments): Answer {
  const type = pickType(request.wishes.accept, 'v2');
  const answer = type === undefined ? notAcceptable : serveDocument(request, documents.v2, type, documents);
  const body = wholeBody(answer.body);
  const headers = { ...answer.headers, vary: 'Accept-Encoding, Accept' };
  if (body.length < gzipThreshold || !acceptsGzip(request.acceptEncoding)) return { ...answer, headers };
  return { ...answer, headers: { ...headers, 'content-encoding': 'gzip' }, body: gzipSync(body) };
}

/**
 * A document below `/openapi/v3/`. With the current hash in the URL an answer may be cached for ever; another hash is redirected.
 * Undefined for an unknown document.
 */
export function serveOpenApiV3(request: ApiRequest, documents: OpenApiDocuments): Answer | undefined {
  const key = request.info.path.slice('/openapi/v3/'.length);
  const document = documents.v3.get(key);
  if (document === undefined) return undefined;
  const type = pickType(request.wishes.accept, 'v3');
  if (type === undefined) return notAcceptable;
  const hash = firstValue(request.info.query, 'hash') ?? '';
  if (hash !== '' && hash !== document.hash) {
    const etag = `"${document.hash}"`;
    const headers = { 'content-type': type, vary: 'Accept', etag, location: location(key, document) };
    return { status: 301, headers, body: Buffer.alloc(0) };
  }
  const answer = serveDocument(request, document, type, documents);
  if (hash === '') return answer;
  const expires = new Date(documents.now() + yearMs).toUTCString();
  return { ...answer, headers: { ...answer.headers, 'cache-control': 'public, immutable', expires } };
}

/** `/openapi/v3`: which documents there are, and their hashes. */
export function serveOpenApiV3Root(request: ApiRequest, { v3, modified }: OpenApiDocuments): Answer {
  const keys = [...v3.keys()].sort();
  const paths = Object.fromEntries(keys.map((key) => [key, { serverRelativeURL: location(key, v3.get(key)) }]));
  const json = Buffer.from(JSON.stringify({ paths }));
  const hash = createHash('sha512').update(json).digest('hex').toUpperCase();
  return unlessKnown(request, { hash, modified }, { 'content-type': jsonType }, json);
}

function location(key: string, document: OpenApiDocument | undefined): string {
  return `/openapi/v3/${key}?hash=${document?.hash ?? ''}`;
}

function serveDocument(
  request: ApiRequest,
  document: OpenApiDocument,
  type: string,
  { modified }: Pick<OpenApiDocuments, 'modified'>,
): Answer {
  const body = type === jsonType ? document.json : document.protobuf();
  return unlessKnown(request, { hash: document.hash, modified }, { 'content-type': type, vary: 'Accept' }, body);
}

/** The media type of the encoding that the client would rather have; undefined when it accepts neither. */
function pickType(accept: string | undefined, version: 'v2' | 'v3'): string | undefined {
  if (accept === undefined || accept === '') return jsonType;
  const protobuf = `com.github.proto-openapi.spec.${version}.v1.0+protobuf`;
  // The older spelling is not a valid media type, and still sent.
  const older = protobuf.replace('.v1.0', '@v1.0');
  for (const { type, subtype } of parseAccept(accept)) {
    if (type !== 'application' && type !== '*') continue;
    if (subtype === 'json' || subtype === '*') return jsonType;
    if (subtype === protobuf || subtype === older) return `application/${protobuf}`;
  }
  return undefined;
}

interface Validators {
  readonly hash: string;
  readonly modified: EpochMs;
}

/** 304 when the client already has it (RFC 9110, section 13.2.2). */
function unlessKnown(
  request: ApiRequest,
  { hash, modified }: Validators,
  headers: Record<string, string>,
  body: Buffer,
): Answer {
  const etag = `"${hash}"`;
  if (!isKnown(request, etag, modified)) {
    const lastModified = new Date(modified).toUTCString();
    return { status: 200, headers: { ...headers, etag, 'last-modified': lastModified }, body };
  }
  const { vary } = headers;
  return { status: 304, headers: { etag, ...(vary === undefined ? {} : { vary }) }, body: Buffer.alloc(0) };
}

/** By the entity tags that the client names, or else by a date. */
function isKnown({ ifNoneMatch, ifModifiedSince }: ApiRequest, etag: string, modified: EpochMs): boolean {
  if (ifNoneMatch !== undefined && ifNoneMatch !== '') {
    const known = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    return known.includes(etag) || known.includes('*');
  }
  const since = ifModifiedSince ?? '';
  return httpDate.test(since) && Date.parse(since) >= modified;
}

/** Other than for lists: names of codings in any case, and `q` counts. As the handler that Kubernetes has around this document reads them (nytimes/gziphandler). */
function acceptsGzip(acceptEncoding: string): boolean {
  return acceptEncoding.split(',').some((clause) => {
    const [coding = '', ...parameters] = clause.split(';').map((part) => part.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    return coding === 'gzip' && (quality === undefined || Number(quality.slice('q='.length)) > 0);
  });
}
