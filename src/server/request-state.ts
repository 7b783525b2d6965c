import type { Context } from 'koa';
import type { RequestInfo } from './request-info.ts';
import type { UserInfo } from './user.ts';

/** What is known of a request besides its headers; `ctx.state`. */
export interface RequestState {
  readonly requestInfo: RequestInfo;
  readonly auditId: string;
  /** Undefined until authenticated. */
  user: UserInfo | undefined;
}

/** `ctx.state` by its type, which Koa does not know. */
export function stateOf(ctx: Context): RequestState {
  return ctx.state;
}
