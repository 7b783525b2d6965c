import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { RequestOptions } from 'node:https';
import { resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { sleep, type Clock } from '../model/clock.ts';
import { asError, messageChain } from '../model/errors.ts';
import { seconds } from '../model/units.ts';
import type { Logger } from '../telemetry/log.ts';
import type { PluginCredential } from './credentials.ts';
import { KubeError } from './kube-error.ts';

/** The part of a kubeconfig's `exec` that we read (Kubernetes `clientcmd/api/v1` `ExecConfig`). */
interface ExecConfig {
  readonly apiVersion?: unknown;
  readonly command?: unknown;
  readonly args?: unknown;
  readonly env?: unknown;
  readonly provideClusterInfo?: unknown;
}

export interface PluginUser {
  readonly name: string;
  readonly exec?: ExecConfig | null | undefined;
  readonly authProvider?: { readonly name?: unknown } | null | undefined;
}

/** What a plugin may be told about the cluster. */
export interface PluginCluster {
  readonly server: string;
  readonly tlsServerName?: string;
  readonly skipTLSVerify: boolean;
  readonly caData?: string;
  readonly proxyUrl?: string;
}

/** Starts an exec plugin's command. */
export type SpawnPlugin = (
  command: string,
  args: readonly string[] | undefined,
  options: { readonly env?: NodeJS.ProcessEnv },
) => PluginProcess;

type PluginProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/** client-node's authenticator of one user: puts the user's `Authorization` header, `cert` and `key` into the options. */
export interface Authenticator {
  applyToHTTPSOptions(options: RequestOptions): Promise<void>;
}

export interface PluginContext {
  /** The kubeconfig's folder, against which relative commands are resolved, and its path for messages. */
  readonly folder: string;
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly authenticator: (user: PluginUser, spawnPlugin: SpawnPlugin) => Authenticator;
}

const timeout = seconds(30);

/**
 * The user's exec plugin or auth provider (OIDC, GCP, Azure), run by client-node's authenticators, which keep a credential until it
 * expires; undefined when the user has neither. What it returns rejects with `KubeError` `config`; its signal ends the plugin's process.
 */
export function credentialPlugin(
  user: PluginUser,
  cluster: PluginCluster,
  { folder, path, clock, logger, authenticator }: PluginContext,
): ((closed: AbortSignal) => Promise<PluginCredential>) | undefined {
  const exec = user.exec ?? undefined;
  const provider = user.authProvider ?? undefined;
  if (exec === undefined && provider === undefined) return undefined;
  const name =
    exec === undefined ? `auth provider "${String(provider?.name)}"` : `exec plugin "${String(exec.command)}"`;
  let child: PluginProcess | undefined;
  const source = authenticator(
    { name: user.name, exec: exec && execWithInfo(exec, cluster, folder), authProvider: provider },
    (command, args, options) => (child = spawn(command, args ?? [], options)),
  );
  const fail = (why: string): KubeError =>
    new KubeError('config', `kubeconfig ${path}: ${name} of user "${user.name}" ${why}`);

  // A plugin that hangs is waited for by later calls too, so that its processes do not pile up.
  let running: Promise<RequestOptions> | undefined;
  const run = async (closed: AbortSignal): Promise<RequestOptions> => {
    const options: RequestOptions = {};
    return await new Promise((resolve, reject) => {
      const end = (): void => {
        endProcess(child);
        reject(new Error('it was ended'));
      };
      closed.addEventListener('abort', end, { once: true });
      source
        .applyToHTTPSOptions(options)
        .then(() => resolve(options), reject)
        .finally(() => closed.removeEventListener('abort', end));
    });
  };
  return async (closed) => {
    if (closed.aborted) throw fail('is not asked any more');
    const done = new AbortController();
    running ??= run(closed).finally(() => (running = undefined));
    running.catch((error: unknown) => {
      if (!closed.aborted) logger.verbose(4, 'Credential plugin failed', { err: messageChain(error) });
    });
    let options: RequestOptions | undefined;
    try {
      options = await Promise.race([running, sleep(clock, timeout, done.signal).then(() => undefined)]);
    } catch (error) {
      // What a plugin printed as its answer may be a secret, and a SyntaxError quotes it. What it has to say to people is on stderr.
      if (error instanceof SyntaxError) throw fail('printed no JSON');
      const said = asError(error).message === '' ? '' : messageChain(error).replace(/\s+/g, ' ').trim().slice(0, 500);
      if (said !== '') throw fail(`failed: ${said}`);
      throw fail(
        `ended with ${child?.signalCode ?? `exit code ${child?.exitCode ?? 'unknown'}`} and nothing on stderr`,
      );
    } finally {
      done.abort();
    }
    if (options === undefined) throw fail(`has not answered for ${timeout / 1000} s`);
    const { cert, key, headers } = options;
    const authorization =
      headers !== undefined && 'Authorization' in headers ? String(headers['Authorization']) : undefined;
    const certificate = typeof cert === 'string' && typeof key === 'string' ? { cert, key } : undefined;
    if (authorization === undefined && certificate === undefined) throw fail('gave no credential');
    return { authorization, certificate };
  };
}

/** Also one that does not listen, or whose own children hold its output open, keeps our process no longer. */
function endProcess(child: PluginProcess | undefined): void {
  if (child === undefined) return;
  child.kill();
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  child.unref();
}

/** Tells the plugin its API version and, when it asks for it, the cluster, in `KUBERNETES_EXEC_INFO` as client-go does. */
function execWithInfo(exec: ExecConfig, cluster: PluginCluster, folder: string): ExecConfig {
  const command =
    typeof exec.command === 'string' && exec.command.includes('/') ? resolve(folder, exec.command) : exec.command;
  const info = {
    kind: 'ExecCredential',
    apiVersion: exec.apiVersion ?? 'client.authentication.k8s.io/v1',
    spec: {
      interactive: false,
      ...(exec.provideClusterInfo === true && {
        cluster: {
          server: cluster.server,
          'tls-server-name': cluster.tlsServerName,
          'insecure-skip-tls-verify': cluster.skipTLSVerify,
          'certificate-authority-data': cluster.caData,
          'proxy-url': cluster.proxyUrl,
        },
      }),
    },
  };
  const env = Array.isArray(exec.env) ? (exec.env as unknown[]) : [];
  return { ...exec, command, env: [...env, { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }] };
}
