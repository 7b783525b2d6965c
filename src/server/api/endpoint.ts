import type { Context, Middleware } from 'koa';
import type { Answer } from '../../wire/body.ts';
import { encodeStatus } from '../../wire/encode.ts';
import type { ClientWishes } from '../../wire/negotiation.ts';
import { valuesOf } from '../raw-headers.ts';
import { stateOf } from '../request-state.ts';
import { firstValue } from '../request-target.ts';
import { writeAnswer } from './answer-writer.ts';
import type { ApiRequest } from './api-request.ts';

/**
 * What a path of the API leads to: the answer as a function of the request, without input or output of its own.
 * @throws {KubetallyError} to be answered with a Status
 */
export type Endpoint = (request: ApiRequest) => Answer;

/** The route's end that answers with an endpoint. It reads `ctx.state.requestInfo` and the headers, never the URL again. */
export function answerWith(endpoint: Endpoint): Middleware {
  return function serveEndpoint(ctx) {
    const acceptEncoding = ctx.get('Accept-Encoding');
    const answer = endpoint({
      info: stateOf(ctx).requestInfo,
      wishes: wishesOf(ctx),
      contentType: firstHeader(ctx, 'content-type'),
      acceptEncoding,
      ifNoneMatch: firstHeader(ctx, 'if-none-match'),
      ifModifiedSince: firstHeader(ctx, 'if-modified-since'),
    });
    writeAnswer(ctx, answer, acceptEncoding);
  };
}

/** Answers with the Status of a thrown value, in the encoding that the client asks for. */
export function writeStatus(ctx: Context, thrown: unknown): void {
  const answer = encodeStatus(thrown, wishesOf(ctx));
  writeAnswer(ctx, answer, ctx.get('Accept-Encoding'));
}

function wishesOf(ctx: Context): ClientWishes {
  return {
    accept: firstHeader(ctx, 'accept'),
    userAgent: ctx.get('User-Agent'),
    pretty: firstValue(stateOf(ctx).requestInfo.query, 'pretty'),
  };
}

/** Node joins repeated headers; Kubernetes reads the first. */
function firstHeader(ctx: Context, name: string): string | undefined {
  return valuesOf(ctx.req.rawHeaders, name)[0];
}
