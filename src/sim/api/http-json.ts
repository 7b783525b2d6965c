import type { IncomingMessage, ServerResponse } from 'node:http';
import { badRequest, StatusError } from '../../wire/status.ts';
import { protobufType, readProtobufReview } from './protobuf-review.ts';

const bodyLimit = 3 * 1_048_576;

/** Sends a document as compact JSON. */
export function sendJson(response: ServerResponse, status: number, document: unknown, type = 'application/json'): void {
  const body = Buffer.from(`${JSON.stringify(document)}\n`);
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': body.length });
  response.end(body);
}

/**
 * Reads a request's JSON object, or a review in protobuf; an empty body is an empty object.
 * @throws StatusError 413 when it is too long, 415 when it says it is not JSON, 400 when it is not
 */
export async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimit) throw new StatusError('request-entity-too-large', 'Request entity too large');
    chunks.push(chunk);
  }
  if (size === 0) return {};
  const type = request.headers['content-type'] ?? 'application/json';
  const review = type === protobufType ? readProtobufReview(Buffer.concat(chunks)) : undefined;
  if (review !== undefined) return review;
  if (!type.startsWith('application/json'))
    throw new StatusError('unsupported-media-type', `the body of the request was in an unknown format - ${type}`);
  try {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  } catch {
    // Falls through to the refusal.
  }
  throw badRequest('the request body is not a JSON object');
}
