import { PassThrough } from 'node:stream';
import { runServe } from '../../src/commands/serve.ts';
import { eventually } from './eventually.ts';

/** `kubetally serve` in this process, on loopback. */
export interface RunningServer {
  /** What it has logged so far. */
  readonly log: () => string;
  /** Resolves to its port once it listens. */
  readonly port: () => Promise<number>;
  /** Its exit code. */
  readonly exit: Promise<number>;
  /** Ends it as SIGTERM does; resolves to the exit code. */
  readonly stop: () => Promise<number>;
}

/** Starts it, on any free port unless a flag names one. */
export function runServer(...flags: readonly string[]): RunningServer {
  const stop = new AbortController();
  const output = new PassThrough();
  let log = '';
  output.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const args = ['--bind-address=127.0.0.1', '--secure-port=0', ...flags];
  const exit = runServe(args, { stdout: output, stderr: output, stop: stop.signal, onCrash: () => {} });
  const listeningOn = (): number => Number(/"Serving securely".* port=(\d+)/.exec(log)?.[1] ?? 0);
  return {
    log: () => log,
    port: async () => {
      await eventually(() => listeningOn() !== 0);
      return listeningOn();
    },
    exit,
    stop: async () => {
      stop.abort();
      return await exit;
    },
  };
}

/** A kubeconfig of an API server that is away: nobody listens there. */
export const kubeconfigOfNobody = `apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]
users: [{name: u, user: {token: t}}]
`;
