import type { Writable } from 'node:stream';
import { messageChain } from '../model/errors.ts';

/** What a subcommand may touch of the process it runs in. */
export interface CommandIo {
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Aborted at the first SIGINT, SIGTERM or SIGHUP; a second signal ends the process at once. */
  readonly stop: AbortSignal;
  /** Says what to do with an error that nobody caught, before the process exits with code 1. */
  onCrash(listener: (error: unknown) => void): void;
}

/** Tells people why a command failed: `Error: ` and the messages of the error and its causes, on each of their lines. */
export function writeError(stderr: Writable, error: unknown): void {
  for (const line of messageChain(error).split('\n')) stderr.write(`Error: ${line}\n`);
}
