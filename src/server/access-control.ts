import type { Context, Middleware, Next } from 'koa';
import { quote } from '../model/quote.ts';
import type { Logger } from '../telemetry/log.ts';
import { unauthorized } from '../wire/status.ts';
import { AuthenticationError } from './authentication-error.ts';
import { AuthorizationError, type Decision } from './authorization.ts';
import { connectionOf, type ServerRequest } from './connection.ts';
import { escapeHtml, forbidden } from './forbidden.ts';
import type { RequestInfo } from './request-info.ts';
import type { RequestObserver } from './request-observer.ts';
import { stateOf } from './request-state.ts';
import { writeText } from './text-answer.ts';
import { anonymous, mastersGroup, type UserInfo } from './user.ts';

export interface AccessControlDependencies {
  readonly authentication: { authenticate(request: ServerRequest): UserInfo | Promise<UserInfo> };
  readonly authorization: { authorize(user: UserInfo, info: RequestInfo): Decision | Promise<Decision> };
  readonly observer: Pick<RequestObserver, 'inFlight' | 'rejected'>;
  readonly log: Logger;
}

/**
 * Lets a request through when it is known who sent it, when not too many are served already, and when its sender may do it; in this order, which is
 * Kubernetes' own (401, 429, 403).
 * @param maxInFlight `--max-requests-inflight`; `system:masters` do not count.
 */
export function accessControl(maxInFlight: number, deps: AccessControlDependencies): Middleware {
  const { authentication, authorization, observer, log } = deps;
  let inFlight = 0;

  /** Undefined when the request has been answered. */
  const authenticate = async (ctx: Context): Promise<UserInfo | undefined> => {
    try {
      const answer = authentication.authenticate(ctx.req);
      return answer instanceof Promise ? await answer : answer;
    } catch (error) {
      if (!(error instanceof AuthenticationError)) throw error;
      log.verbose(2, 'Unable to authenticate the request', { reason: error.message });
      if (error.code !== 'overloaded') {
        retireHttp2(ctx);
        throw unauthorized();
      }
      tooMany(ctx);
      return undefined;
    }
  };

  const authorize = async (ctx: Context, next: Next, user: UserInfo): Promise<void> => {
    const { requestInfo: info } = stateOf(ctx);
    const answer = authorization.authorize(user, info);
    const decision = answer instanceof Promise ? await answer : answer;
    if (decision.allowed) {
      await next();
      return;
    }
    log.verbose(2, 'Forbidden', { user: user.name, verb: info.verb, path: info.path, reason: decision.reason });
    ctx.set('X-Content-Type-Options', 'nosniff');
    throw forbidden(user, info, decision.reason);
  };

  const tooMany = (ctx: Context): void => {
    observer.rejected();
    ctx.set('Retry-After', '1');
    writeText(ctx, 429, 'Too many requests, please try again later.\n');
  };

  return async function controlAccess(ctx, next) {
    const user = await authenticate(ctx);
    if (user === undefined) return;
    stateOf(ctx).user = user;
    if (user === anonymous) retireHttp2(ctx);
    const counted = !user.groups.includes(mastersGroup) && stateOf(ctx).requestInfo.verb !== 'watch';
    if (counted && inFlight >= maxInFlight) {
      tooMany(ctx);
      return;
    }
    if (counted) observer.inFlight(++inFlight);
    try {
      await authorize(ctx, next, user);
    } catch (error) {
      if (!(error instanceof AuthorizationError)) throw error;
      const text = `Internal Server Error: ${quote(ctx.req.url ?? '')}: ${error.message}`;
      writeText(ctx, 500, `${escapeHtml(text)}\n`);
    } finally {
      if (counted) observer.inFlight(--inFlight);
    }
  };
}

/**
 * A client without an identity keeps no HTTP/2 connection, so that it cannot open and reset streams without end
 * (Kubernetes' `UnauthenticatedHTTP2DOSMitigation`).
 */
function retireHttp2(ctx: Context): void {
  const connection = connectionOf(ctx.req);
  if (connection.protocol === 'h2') connection.retire();
}
