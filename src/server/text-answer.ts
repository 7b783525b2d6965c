import type { Context } from 'koa';

/** Answers in plain text as Go's `http.Error` does. */
export function writeText(ctx: Context, status: number, body: string): void {
  ctx.status = status;
  ctx.set('Content-Type', 'text/plain; charset=utf-8');
  ctx.set('X-Content-Type-Options', 'nosniff');
  ctx.body = body;
}
