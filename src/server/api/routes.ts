import type { Router } from '@koa/router';
import type { Context, Middleware } from 'koa';
import { encodeStatus } from '../../wire/encode.ts';
import type { ClientWishes } from '../../wire/negotiation.ts';
import { stateOf } from '../request-state.ts';
import { firstValue } from '../request-target.ts';
import { writeAnswer } from './answer-writer.ts';
import { serveApi, type ApiDependencies } from './serve.ts';

export type { ApiDependencies } from './serve.ts';

/** Serves every path that nothing before it has served; reads `ctx.state.requestInfo`, never the URL again. */
export function apiRoutes(deps: ApiDependencies): Middleware {
  return function serve(ctx) {
    const { requestInfo } = stateOf(ctx);
    const acceptEncoding = ctx.get('Accept-Encoding');
    const answer = serveApi(
      {
        info: requestInfo,
        wishes: wishesOf(ctx),
        contentType: firstHeader(ctx, 'content-type'),
        acceptEncoding,
        ifNoneMatch: firstHeader(ctx, 'if-none-match'),
      },
      deps,
    );
    writeAnswer(ctx, answer, acceptEncoding);
  };
}

/** Makes the API the last routes of a router. */
export function mountApi(router: Router, deps: ApiDependencies): void {
  router.all(/.*/, apiRoutes(deps));
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
  const { rawHeaders } = ctx.req;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2)
    if (rawHeaders[index]?.toLowerCase() === name) return rawHeaders[index + 1];
  return undefined;
}
