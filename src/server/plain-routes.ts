import type { Middleware } from 'koa';
import type { Health } from './health.ts';
import { stateOf } from './request-state.ts';
import { writeText } from './text-answer.ts';

/** `/healthz`, `/livez`, `/readyz` and a path for each check; any method, as upstream. */
export function healthRoutes(health: Health): Middleware {
  return async function serveHealth(ctx, next) {
    const { path, query } = stateOf(ctx).requestInfo;
    const answer = health.answer(path, query);
    if (answer === undefined) await next();
    else writeText(ctx, answer.status, answer.body);
  };
}

/** An exposition of metrics with its media type. */
export interface MetricsPage {
  readonly contentType: string;
  readonly body: string;
}

/** `/metrics`. */
export function metricsRoute(page: () => MetricsPage | Promise<MetricsPage>): Middleware {
  return async function serveMetrics(ctx, next) {
    if (stateOf(ctx).requestInfo.path !== '/metrics') {
      await next();
      return;
    }
    const { contentType, body } = await page();
    ctx.set('Content-Type', contentType);
    ctx.body = body;
  };
}
