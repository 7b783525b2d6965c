import type { TestContext } from 'node:test';
import { Agent, request } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { CertifiedKey } from '../../src/pki/authority.ts';
import { SimulatedCluster } from '../../src/sim/cluster.ts';
import type { ClusterOptions } from '../../src/sim/cluster-options.ts';

/** Starts a simulated cluster that ends with the test or suite. */
export async function startCluster(
  context: Pick<TestContext, 'after'>,
  options: Partial<ClusterOptions> = {},
): Promise<SimulatedCluster> {
  const cluster = await SimulatedCluster.start(options);
  context.after(async () => await cluster.stop());
  return cluster;
}

/** Who asks: a user by client certificate, or anybody by a token, or nobody. */
export type Caller = { readonly user: string } | { readonly token: string } | { readonly nobody: true };

export interface ClusterRequest {
  readonly as?: Caller;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Uint8Array;
}

export interface ClusterReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends a request to the cluster's API server, as `admin` unless told otherwise. */
export async function askApi(
  cluster: SimulatedCluster,
  path: string,
  asked: ClusterRequest = {},
): Promise<ClusterReply> {
  return await read(await openApi(cluster, path, asked));
}

/** The same, but gives the response as a stream: for watches. The caller destroys it. */
export async function openApi(
  cluster: SimulatedCluster,
  path: string,
  asked: ClusterRequest = {},
): Promise<IncomingMessage> {
  return await open(new URL(path, cluster.apiServer.url), cluster, cluster.certificates.cluster.cert, asked);
}

/** Sends a request to the kubelet of a node by its address, its certificate verified. */
export async function askKubelet(
  cluster: SimulatedCluster,
  node: string,
  path: string,
  asked: ClusterRequest = {},
): Promise<ClusterReply> {
  const { host, port } = cluster.kubeletAddress(node);
  const url = new URL(path, `https://${host}:${port}`);
  return await read(await open(url, cluster, cluster.certificates.kubelet.cert, asked));
}

async function open(
  url: URL,
  cluster: SimulatedCluster,
  ca: string,
  { as = { user: 'admin' }, method = 'GET', headers = {}, body }: ClusterRequest,
): Promise<IncomingMessage> {
  const pair: CertifiedKey | undefined = 'user' in as ? cluster.certificates.users.get(as.user) : undefined;
  const authorization = 'token' in as ? { authorization: `Bearer ${as.token}` } : {};
  // Without it Node sends the body of a DELETE with no length at all.
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  // One connection for each request, closed with it, so that nothing outlives a test.
  const agent = new Agent({ ca, keepAlive: false, ...(pair === undefined ? {} : { cert: pair.cert, key: pair.key }) });
  return await new Promise((resolve, reject) => {
    const sent = request(url, { method, agent, headers: { ...headers, ...authorization, ...length } }, resolve);
    sent.on('error', reject);
    sent.end(body);
  });
}

async function read(response: IncomingMessage): Promise<ClusterReply> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() };
}
