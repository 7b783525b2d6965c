import { createServer, type AddressInfo, type Server } from 'node:net';

/** So many different ports on which nothing listens on 127.0.0.1; held until all are found. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  try {
    for (let made = 0; made < count; made++) {
      const server = createServer();
      servers.push(server);
      await new Promise<void>((found, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', found);
      });
    }
    return servers.map((server) => (server.address() as AddressInfo).port);
  } finally {
    await Promise.all(servers.map(async (server) => await new Promise((closed) => server.close(closed))));
  }
}
