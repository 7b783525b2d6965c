import type { Middleware } from 'koa';
import { StatusError, toStatus } from '../wire/status.ts';
import { stateOf } from './request-state.ts';

/** Whoever watches the server end is answered to the end. */
const exemptPrefixes = ['/readyz', '/livez', '/healthz', '/metrics'];

const shuttingDown = `${JSON.stringify(toStatus(new StatusError('service-unavailable', 'apiserver is shutting down')))}\n`;

/**
 * Refuses requests that come once none are begun any more; what is under way goes on (`WithWaitGroup` of k8s.io/apiserver, whose answer is JSON whatever the
 * client accepts). Another replica may well be there, hence the short wait.
 */
export function refuseLateRequests(isDraining: () => boolean): Middleware {
  return async function refuseLate(ctx, next) {
    const { path } = stateOf(ctx).requestInfo;
    if (!isDraining() || exemptPrefixes.some((prefix) => path.startsWith(prefix))) {
      await next();
      return;
    }
    ctx.status = 503;
    ctx.set({ 'Retry-After': '1', 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' });
    ctx.body = shuttingDown;
  };
}
