import type { Writable } from 'node:stream';

/** What a subcommand may touch of the process it runs in. */
export interface CommandIo {
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Aborted at the first SIGINT, SIGTERM or SIGHUP; a second signal ends the process at once. */
  readonly stop: AbortSignal;
  /** Says what to do with an error that nobody caught, before the process exits with code 1. */
  onCrash(listener: (error: unknown) => void): void;
}
