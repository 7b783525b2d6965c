import type { RequestInfo } from '../request-info.ts';
import type { ClientWishes } from '../../wire/negotiation.ts';

/** What the API looks at of a request, free of the HTTP framework. Headers that came several times count with their first value. */
export interface ApiRequest {
  readonly info: RequestInfo;
  readonly wishes: ClientWishes;
  readonly contentType: string | undefined;
  readonly acceptEncoding: string;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
}
