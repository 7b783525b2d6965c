import type { Middleware } from 'koa';
import type { Health } from './health.ts';
import { stateOf } from './request-state.ts';
import { writeText } from './text-answer.ts';

/** The health endpoints and a path for each check; passes on a check that there is not. Any method, as upstream. */
export function serveHealth(health: Health): Middleware {
  return async function answerHealth(ctx, next) {
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

/** Prometheus metrics. */
export function serveMetrics(page: () => MetricsPage | Promise<MetricsPage>): Middleware {
  return async function answerMetrics(ctx) {
    const { contentType, body } = await page();
    ctx.set('Content-Type', contentType);
    ctx.body = body;
  };
}
