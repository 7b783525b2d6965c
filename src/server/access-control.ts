import type { Context, Middleware, Next } from 'koa';
import { quote } from '../model/quote.ts';
import type { Clock } from '../model/clock.ts';
import { messageChain } from '../model/errors.ts';
import { milliseconds } from '../model/units.ts';
import type { Logger } from '../telemetry/log.ts';
import { unauthorized } from '../wire/status.ts';
import type { AccessAttributes } from './access-attributes.ts';
import { AuthenticationError } from './authentication-error.ts';
import { AuthorizationError, type Decision, type Verdict } from './authorization.ts';
import { connectionOf, type ServerRequest } from './connection.ts';
import { escapeHtml, forbidden } from './forbidden.ts';
import { impersonate, takeImpersonation } from './impersonation.ts';
import { InFlight, occupying, ReplyEnd } from './in-flight.ts';
import { isDiscovery, soonEnough } from './open-discovery.ts';
import type { RequestObserver } from './request-observer.ts';
import { stateOf } from './request-state.ts';
import { writeText } from './text-answer.ts';
import { anonymous, mastersGroup, type UserInfo } from './user.ts';

export interface AccessControlDependencies {
  readonly authentication: {
    authenticate(request: ServerRequest): UserInfo | Promise<UserInfo>;
    /** False until it is known whose word and whose certificates to believe. */
    readonly ready: boolean;
  };
  readonly authorization: { authorize(user: UserInfo, attributes: AccessAttributes): Decision | Promise<Decision> };
  readonly observer: Pick<RequestObserver, 'inFlight' | 'rejected' | 'authenticated' | 'authorized'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Lets a request through when it is known who sent it, when not too many are served already, and when its sender may do it; in this order, which is
 * Kubernetes' own (401, 429, 403). Discovery is let through as well while it cannot be known: before authentication is ready, and when the API server
 * cannot be asked.
 * @param maxInFlight `--max-requests-inflight`; `system:masters` do not count.
 */
export function accessControl(maxInFlight: number, deps: AccessControlDependencies): Middleware {
  const { observer } = deps;
  const inFlight = new InFlight(maxInFlight, (count) => observer.inFlight(count));
  const tooMany = (ctx: Context): void => {
    observer.rejected('in_flight');
    ctx.set('Retry-After', '1');
    writeText(ctx, 429, 'Too many requests, please try again later.\n');
  };

  return async function controlAccess(ctx, next) {
    const { requestInfo: info } = stateOf(ctx);
    const reply = new ReplyEnd(ctx.res);
    const open = isDiscovery(info) && !deps.authentication.ready;
    const known = open ? anonymous : await authenticate(ctx, deps);
    if (known === 'overloaded') {
      tooMany(ctx);
      return;
    }
    const user = known === 'unjudged' ? anonymous : known;
    stateOf(ctx).user = user;
    if (user === anonymous) retireHttp2(ctx);
    const counted = !user.groups.includes(mastersGroup) && info.verb !== 'watch';
    if (counted && inFlight.full) {
      tooMany(ctx);
      return;
    }
    const serve = async (): Promise<void> => {
      if (known === 'unjudged') await requireOutage(ctx, deps);
      if (open || known === 'unjudged') await next();
      else await serveIfAllowed(ctx, next, await actingUser(ctx, user, deps), deps);
    };
    await (counted ? occupying(inFlight, reply, serve) : serve());
  };
}

/** Who sent the request; `unjudged` when it is for discovery and the API server cannot be asked about its token. @throws {StatusError} 401 */
async function authenticate(
  ctx: Context,
  deps: AccessControlDependencies,
): Promise<UserInfo | 'overloaded' | 'unjudged'> {
  const { authentication, observer, clock, log } = deps;
  const start = clock.monotonic();
  const finished = (result: 'success' | 'error'): void =>
    observer.authenticated(result, milliseconds(clock.monotonic() - start));
  try {
    const answer = authentication.authenticate(ctx.req);
    const user = await inTime(answer, ctx, clock);
    finished(user === undefined ? 'error' : 'success');
    return user ?? 'unjudged';
  } catch (error) {
    finished('error');
    if (!(error instanceof AuthenticationError)) throw error;
    log.verbose(2, 'Unable to authenticate the request', { reason: error.message });
    if (error.code === 'overloaded') return 'overloaded';
    if (error.code === 'unavailable' && isDiscovery(stateOf(ctx).requestInfo)) return 'unjudged';
    retireHttp2(ctx);
    throw unauthorized();
  }
}

/** Who could not be judged reads discovery only if access cannot be reviewed either. @throws {StatusError} 401 */
async function requireOutage(ctx: Context, deps: AccessControlDependencies): Promise<void> {
  if ((await authorize(anonymous, ctx, deps)) === unasked) return;
  throw unauthorized();
}

/**
 * Who the request counts as sent by: whom its headers name to act as, or else its sender. Asked while the request is in flight, for it may take many questions.
 * @throws {StatusError} 400, 403
 */
async function actingUser(ctx: Context, sender: UserInfo, deps: AccessControlDependencies): Promise<UserInfo> {
  const { authorization, log } = deps;
  try {
    const wanted = takeImpersonation(ctx.req);
    if (wanted === undefined) return sender;
    const user = await impersonate(sender, wanted, (who, attributes) => authorization.authorize(who, attributes));
    log.verbose(2, 'Impersonating', { user: sender.name, as: user.name, auditId: stateOf(ctx).auditId });
    stateOf(ctx).user = user;
    return user;
  } catch (error) {
    log.verbose(2, 'Forbidden', { user: sender.name, verb: 'impersonate', reason: messageChain(error) });
    ctx.set('X-Content-Type-Options', 'nosniff');
    throw error;
  }
}

async function serveIfAllowed(
  ctx: Context,
  next: Next,
  user: UserInfo,
  deps: AccessControlDependencies,
): Promise<void> {
  const { requestInfo: info } = stateOf(ctx);
  let decision: Decision;
  try {
    decision = await authorize(user, ctx, deps);
  } catch (error) {
    if (!(error instanceof AuthorizationError)) throw error;
    const text = `Internal Server Error: ${quote(ctx.req.url ?? '')}: ${error.message}`;
    writeText(ctx, 500, `${escapeHtml(text)}\n`);
    return;
  }
  if (decision.verdict === 'allowed') {
    await next();
    return;
  }
  deps.log.verbose(2, 'Forbidden', { user: user.name, verb: info.verb, path: info.path, reason: decision.reason });
  ctx.set('X-Content-Type-Options', 'nosniff');
  throw forbidden(user, info, decision.reason);
}

const unasked: Decision = { verdict: 'allowed', reason: 'the API server cannot be asked who may read discovery' };

/** Whether the user may. Rejects with `AuthorizationError` when that cannot be found out, unless it is about discovery. */
async function authorize(user: UserInfo, ctx: Context, deps: AccessControlDependencies): Promise<Decision> {
  const { requestInfo: info } = stateOf(ctx);
  const { authorization, observer, clock } = deps;
  const start = clock.monotonic();
  const finished = (result: Verdict | 'error'): void =>
    observer.authorized(result, milliseconds(clock.monotonic() - start));
  try {
    const decision = await inTime(authorization.authorize(user, info), ctx, clock);
    finished(decision?.verdict ?? 'error');
    return decision ?? unasked;
  } catch (error) {
    finished('error');
    if (error instanceof AuthorizationError && isDiscovery(info)) return unasked;
    throw error;
  }
}

/** The answer; undefined when it is about discovery and did not come soon enough. */
async function inTime<Answer>(
  answer: Answer | Promise<Answer>,
  ctx: Context,
  clock: Clock,
): Promise<Answer | undefined> {
  if (!(answer instanceof Promise)) return answer;
  return isDiscovery(stateOf(ctx).requestInfo) ? await soonEnough(answer, clock) : await answer;
}

/**
 * A client without an identity keeps no HTTP/2 connection, so that it cannot open and reset streams without end
 * (Kubernetes' `UnauthenticatedHTTP2DOSMitigation`).
 */
function retireHttp2(ctx: Context): void {
  const connection = connectionOf(ctx.req);
  if (connection.protocol === 'h2') connection.retire();
}
