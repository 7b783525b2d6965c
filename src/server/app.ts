import { pipeline, Readable } from 'node:stream';
import Koa, { type Context, type Middleware } from 'koa';
import { KubetallyError } from '../model/errors.ts';
import type { Clock } from '../model/clock.ts';
import { milliseconds, type Milliseconds } from '../model/units.ts';
import type { Logger } from '../telemetry/log.ts';
import { accessControl, type AccessControlDependencies } from './access-control.ts';
import { connectionOf, type ServerRequest } from './connection.ts';
import { valuesOf } from './raw-headers.ts';
import { refuseLateRequests } from './late-request.ts';
import { allottedTime, finishesWithin, timeoutStatus } from './request-deadline.ts';
import { parseRequestInfo } from './request-info.ts';
import type { RequestObserver } from './request-observer.ts';
import { stateOf, type RequestState } from './request-state.ts';
import { writeText } from './text-answer.ts';
import type { ServerReply } from './tracked-connection.ts';

export interface AppOptions {
  /** `--max-requests-inflight`; `Infinity` for no limit. */
  readonly maxRequestsInflight: number;
  /** `--request-timeout`, the most that a request may take. */
  readonly requestTimeout: Milliseconds;
}

export interface AppDependencies {
  readonly authentication: AccessControlDependencies['authentication'];
  readonly authorization: AccessControlDependencies['authorization'];
  /** What is served, tried in turn; each passes on what it does not know. They read `ctx.state` (`RequestState`), never the URL again. */
  readonly routes: readonly Middleware[];
  /** Answers with a `Status`, in the encoding that the request asks for. */
  readonly writeError: (ctx: Context, thrown: unknown) => void;
  readonly observer: RequestObserver;
  /** True from the moment when no request is begun any more. */
  readonly isDraining: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
  /** Makes the id of a request that brings none. */
  readonly newAuditId: () => string;
}

/** Kubernetes cuts longer ids. */
const maxAuditIdLength = 64;

/**
 * The HTTP application, in the order of Kubernetes' handler chain: request info, end of service, deadline, authentication, in-flight limit, authorization, routes.
 * The result is the handler for a `Listener`; it never throws.
 */
export function createApp(
  options: AppOptions,
  deps: AppDependencies,
): (request: ServerRequest, reply: ServerReply) => void {
  const app = new Koa();
  app.on('error', tellBrokenAnswers(deps.log));
  app.use(sendStreams);
  app.use(requestIntake(deps));
  app.use(errorBoundary(deps));
  app.use(refuseLateRequests(deps.isDraining));
  app.use(requestDeadline(options.requestTimeout, deps));
  app.use(accessControl(options.maxRequestsInflight, deps));
  for (const route of deps.routes) app.use(route);
  const handle = app.callback();
  return (request, reply) => void handle(request, reply);
}

/**
 * What happens to answers under way, which Koa would print to stderr. Errors of clients that left are Node's and carry a code; any other is a fault of ours
 * while a list was made, whose status has gone out already.
 */
function tellBrokenAnswers(log: Logger): (error: unknown) => void {
  // Koa tells of one error at each end of a stream.
  const told = new WeakSet<Error>();
  return (error) => {
    if (!(error instanceof Error) || ('code' in error && !(error instanceof KubetallyError)))
      log.verbose(4, 'Answer could not be sent', { error: String(error) });
    else if (!told.has(error)) {
      told.add(error);
      log.error(error, 'Answer broke off');
    }
  };
}

/**
 * Sends bodies that are streams. Koa, which would do the same, first asks of each whether it is a `Response`: then Node loads its fetch, 3 MiB that nothing here calls, while
 * somebody waits for a large list.
 */
async function sendStreams(ctx: Context, next: () => Promise<void>): Promise<void> {
  await next();
  const { body, res } = ctx;
  if (!(body instanceof Readable) || ctx.method === 'HEAD' || !ctx.writable) return;
  ctx.respond = false;
  pipeline(body, res, (error) => {
    if (error) ctx.onerror(error);
  });
}

/** Reads the request line once, for every later step; sets what every answer carries; reports the end. */
function requestIntake({ observer, clock, newAuditId }: AppDependencies): Middleware {
  return async function takeIn(ctx, next) {
    const { req, res } = ctx;
    const requestInfo =
      valuesOf(req.rawHeaders, 'host').length > 1 ? undefined : parseRequestInfo(ctx.method, req.url ?? '');
    if (requestInfo === undefined) {
      // Go's HTTP server answers this before any handler runs.
      if (req.httpVersionMajor === 1) ctx.set('Connection', 'close');
      ctx.status = 400;
      ctx.set('Content-Type', 'text/plain; charset=utf-8');
      ctx.body = '400 Bad Request';
      return;
    }
    const auditId = (ctx.get('Audit-ID') || newAuditId()).slice(0, maxAuditIdLength);
    const state: RequestState = { requestInfo, auditId, user: undefined };
    Object.assign(ctx.state, state);
    ctx.set('Audit-ID', auditId);
    ctx.set('Cache-Control', 'no-cache, private');
    const start = clock.monotonic();
    const { protocol, remoteAddress } = connectionOf(req);
    let aborted = true;
    res.once('finish', () => (aborted = false));
    res.once('close', () => {
      observer.finished({
        info: requestInfo,
        user: stateOf(ctx).user,
        status: res.statusCode,
        duration: milliseconds(clock.monotonic() - start),
        aborted,
        protocol,
        remoteAddress,
        userAgent: ctx.get('User-Agent'),
        auditId,
      });
    });
    await next();
  };
}

/** Turns whatever is thrown into an answer: what is known into a Status, the rest into a bare 500 whose reason only the log has. */
function errorBoundary({ writeError, log }: AppDependencies): Middleware {
  return async function catchErrors(ctx, next) {
    try {
      await next();
    } catch (error) {
      if (ctx.headerSent) throw error;
      if (error instanceof KubetallyError) {
        writeError(ctx, error);
        return;
      }
      const { path, verb } = stateOf(ctx).requestInfo;
      log.error(error, 'Request failed unexpectedly', { verb, path, auditId: stateOf(ctx).auditId });
      writeText(ctx, 500, 'This request caused apiserver to panic. Look in the logs for details.\n');
    }
  };
}

function requestDeadline(maximum: Milliseconds, { clock, observer }: AppDependencies): Middleware {
  return async function limitTime(ctx, next) {
    const time = allottedTime(stateOf(ctx).requestInfo, maximum);
    if (await finishesWithin(clock, time, next)) return;
    observer.rejected('timeout');
    ctx.status = 504;
    ctx.set('Content-Type', 'application/json');
    ctx.body = timeoutStatus;
  };
}
