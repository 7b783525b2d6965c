import type { AddressInfo, Server } from 'node:net';
import { ServerError } from './server-error.ts';

const unspecified = new Set(['', '0.0.0.0', '::', '[::]']);

const causes: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'the port is already in use'],
  ['EACCES', 'permission denied (ports below 1024 need a privilege)'],
  ['EADDRNOTAVAIL', 'this machine has no such address'],
  ['ENOTFOUND', 'the host name cannot be resolved'],
]);

/** Makes `server` listen and says on which port. Rejects with `ServerError` `listen`. */
export async function listenOn(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      const why = causes.get(error.code ?? '') ?? error.message;
      const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
      reject(new ServerError('listen', `cannot listen on ${address}: ${why}`, { cause: error }));
    };
    server.once('error', fail);
    // Without a host Node takes both families, or IPv4 alone where there is no IPv6, as Go does for an unspecified address.
    server.listen(unspecified.has(host) ? { port } : { host, port }, () => {
      server.removeListener('error', fail);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}
