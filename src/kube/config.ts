import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import {
  newClusters,
  newContexts,
  newUsers,
  type Cluster,
  type User,
} from '@kubernetes/client-node/dist/config_types.js';
import type { Clock } from '../model/clock.ts';
import { messageChain } from '../model/errors.ts';
import type { Logger } from '../telemetry/log.ts';
import type { ApiServer } from './api-server.ts';
import { credentialPlugin, type Authenticator, type PluginUser, type SpawnPlugin } from './credential-plugin.ts';
import { Credentials, type CredentialSources } from './credentials.ts';
import { inClusterServer, type InClusterOptions } from './in-cluster.ts';
import { KubeError } from './kube-error.ts';
import { checkFields } from './kubeconfig-fields.ts';
import type { TextSource } from './text-source.ts';

export interface KubeConfigOptions extends InClusterOptions {
  /** `--kubeconfig`; empty or undefined means in-cluster. */
  readonly kubeconfig?: string | undefined;
}

/** Fields of a kubeconfig's user that client-node does not read (Kubernetes `clientcmd/api/v1` `AuthInfo`). */
interface MoreUserFields {
  readonly tokenFile?: string;
  readonly 'as-groups'?: readonly string[];
  readonly 'as-uid'?: string;
}

/** A kubeconfig as it was parsed (Kubernetes `clientcmd/api/v1` `Config`). */
interface Kubeconfig {
  readonly clusters?: unknown;
  readonly contexts?: unknown;
  readonly users?: unknown;
  readonly 'current-context'?: unknown;
}

interface Loaded {
  readonly cluster: Cluster;
  readonly sources: CredentialSources;
}

/** The API server named by a kubeconfig file's current context, or in-cluster. Throws `KubeError` `config` that names the file. */
export async function loadApiServer(options: KubeConfigOptions): Promise<ApiServer> {
  const { kubeconfig: path = '', clock, logger } = options;
  if (path === '') return await inClusterServer(options);
  const { cluster, sources } = await loadKubeconfig(path, clock, logger);
  const credentials = await Credentials.read(
    sources,
    async () => (await loadKubeconfig(path, clock, logger)).sources,
    clock,
    logger,
  );
  return {
    url: httpUrl(cluster.server, `kubeconfig ${path}: server of cluster "${cluster.name}"`),
    serverName: cluster.tlsServerName,
    insecure: cluster.skipTLSVerify,
    proxy:
      cluster.proxyUrl === undefined
        ? undefined
        : httpUrl(cluster.proxyUrl, `kubeconfig ${path}: proxy-url of cluster "${cluster.name}"`),
    credentials,
    source: path,
  };
}

/** client-node and yaml are loaded only when a kubeconfig is, since they cost memory and time that a pod in the cluster can save. */
async function loadKubeconfig(path: string, clock: Clock, logger: Logger): Promise<Loaded> {
  const document = await readKubeconfig(path);
  checkFields(document.clusters, document.users, path);
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const { ExecAuth } = await import('@kubernetes/client-node/dist/exec_auth.js');
  const config = new KubeConfig();
  try {
    // Parsed already: from the text, client-node would parse it again, with a parser of its own.
    config.loadFromOptions({
      clusters: newClusters(document.clusters),
      contexts: newContexts(document.contexts),
      users: newUsers(document.users),
      currentContext: document['current-context'],
    });
  } catch (error) {
    throw new KubeError('config', `kubeconfig ${path}: ${messageChain(error)}`, { cause: error });
  }
  const folder = resolve(dirname(path));
  config.makePathsAbsolute(folder);
  const current = config.getCurrentContext();
  if (typeof current !== 'string' || current === '')
    throw new KubeError('config', `kubeconfig ${path}: current-context is not set`);
  const context = config.getContextObject(current);
  if (context === null) throw new KubeError('config', `kubeconfig ${path}: there is no context "${current}"`);
  const cluster = config.getCluster(context.cluster);
  if (cluster === null)
    throw new KubeError(
      'config',
      `kubeconfig ${path}: there is no cluster "${context.cluster}" (context "${current}")`,
    );
  // `user` is optional in a context, whatever the type says.
  const userName = (context.user as string | undefined) ?? '';
  const user = userName === '' ? { name: '' } : config.getUser(userName);
  if (user === null)
    throw new KubeError('config', `kubeconfig ${path}: there is no user "${userName}" (context "${current}")`);
  const more = moreUserFields(document, userName);
  // With a cluster of its own, asking for credentials reads no CA and no certificate file.
  const authenticator = (user: PluginUser, spawnPlugin: SpawnPlugin): Authenticator => {
    if (user.exec) {
      const exec = new ExecAuth();
      // There is no other door to the process, which must be ended when we stop.
      Object.assign(exec, { execFn: spawnPlugin });
      return { applyToHTTPSOptions: async (options) => await exec.applyAuthentication(user, options) };
    }
    const config = new KubeConfig();
    config.loadFromClusterAndUser({ name: '', server: 'https://plugin.invalid', skipTLSVerify: true }, user);
    return config;
  };
  return {
    cluster,
    sources: {
      ...textSources(cluster, user, more, path),
      plugin: credentialPlugin(user, cluster, { folder, path, clock, logger, authenticator }),
      impersonation: impersonation(user, more),
    },
  };
}

async function readKubeconfig(path: string): Promise<Kubeconfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new KubeError('config', `cannot read kubeconfig ${path}: ${messageChain(error)}`, { cause: error });
  }
  const { LineCounter, parse, YAMLParseError } = await import('yaml');
  const lineCounter = new LineCounter();
  let document: unknown;
  try {
    document = parse(text, { lineCounter, prettyErrors: false, logLevel: 'error' });
  } catch (error) {
    // What stands there may be a token or a key, and the parser quotes it.
    const { line, col } = lineCounter.linePos(error instanceof YAMLParseError ? error.pos[0] : 0);
    const what = error instanceof YAMLParseError ? `${error.code} in line ${line}, column ${col}` : 'it cannot be read';
    throw new KubeError('config', `kubeconfig ${path} is not YAML: ${what}`);
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new KubeError('config', `kubeconfig ${path} is empty or not a mapping`);
  return document;
}

/** Inline data goes before files, and a token file before a token, as in client-go. */
function textSources(cluster: Cluster, user: User, more: MoreUserFields, path: string): CredentialSources {
  const ofCluster = `cluster "${cluster.name}" of kubeconfig ${path}`;
  const ofUser = `user "${user.name}" of kubeconfig ${path}`;
  const cert = textSource(ofUser, 'client-certificate', user.certData, user.certFile);
  const key = textSource(ofUser, 'client-key', user.keyData, user.keyFile);
  const authority = (): TextSource | undefined =>
    textSource(ofCluster, 'certificate-authority', cluster.caData, cluster.caFile);
  return {
    ca: cluster.skipTLSVerify ? undefined : authority(),
    certificate: cert === undefined || key === undefined ? undefined : { cert, key },
    token: tokenSource(ofUser, user, more, dirname(path)),
    authorization: isText(user.username)
      ? `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`
      : undefined,
  };
}

function tokenSource(of: string, user: User, more: MoreUserFields, folder: string): TextSource | undefined {
  if (isText(more.tokenFile)) return { kind: 'file', path: resolve(folder, more.tokenFile), field: 'tokenFile', of };
  return isText(user.token) ? { kind: 'inline', text: user.token, field: 'token', of } : undefined;
}

function textSource(of: string, field: string, data: unknown, file: unknown): TextSource | undefined {
  if (isText(data))
    return { kind: 'inline', text: Buffer.from(data, 'base64').toString('utf8'), field: `${field}-data`, of };
  return isText(file) ? { kind: 'file', path: file, field, of } : undefined;
}

function impersonation(user: User, more: MoreUserFields): Record<string, string | string[]> | undefined {
  if (!isText(user.impersonateUser)) return undefined;
  const headers: Record<string, string | string[]> = { 'impersonate-user': user.impersonateUser };
  if (isText(more['as-uid'])) headers['impersonate-uid'] = more['as-uid'];
  if (more['as-groups']) headers['impersonate-group'] = [...more['as-groups']];
  return headers;
}

function moreUserFields({ users }: Kubeconfig, name: string): MoreUserFields {
  for (const entry of Array.isArray(users) ? (users as unknown[]) : []) {
    const { name: entryName, user } = (entry ?? {}) as { name?: unknown; user?: unknown };
    if (entryName === name && typeof user === 'object' && user !== null) return user;
  }
  return {};
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function httpUrl(text: string, what: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new KubeError('config', `${what} is not an http or https URL: "${text}"`);
  return url;
}
