import type { Middleware } from 'koa';
import { writeAnswer } from './api/answer-writer.ts';
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

/** Prometheus metrics, compressed as large lists are. */
export function serveMetrics(page: () => MetricsPage | Promise<MetricsPage>): Middleware {
  return async function answerMetrics(ctx) {
    const { contentType, body } = await page();
    const answer = { status: 200, headers: { 'content-type': contentType }, body: Buffer.from(body) };
    writeAnswer(ctx, answer, ctx.get('Accept-Encoding'));
  };
}
