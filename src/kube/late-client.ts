import type { KubeClient, RequestOptions } from './client.ts';

/** The requests of a `KubeClient`. */
export type ApiRequests = Pick<KubeClient, 'get' | 'create' | 'replace' | 'patch' | 'stream'>;

/** Takes the place of a client that is not there yet: each request waits for it, and rejects as `client` does when there will be none. */
export function lateClient(client: () => Promise<ApiRequests>): ApiRequests {
  return {
    get: async <T extends object>(path: string, options?: RequestOptions) =>
      await (await client()).get<T>(path, options),
    create: async <T extends object>(path: string, object: object, options?: RequestOptions) =>
      await (await client()).create<T>(path, object, options),
    replace: async <T extends object>(path: string, object: object, options?: RequestOptions) =>
      await (await client()).replace<T>(path, object, options),
    patch: async <T extends object>(path: string, patch: object, options?: RequestOptions) =>
      await (await client()).patch<T>(path, patch, options),
    stream: async (path, options) => await (await client()).stream(path, options),
  };
}
