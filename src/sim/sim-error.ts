import { KubetallyError } from '../model/errors.ts';

/** Why the simulated cluster cannot do what it was asked. */
export type SimErrorCode = 'no-address' | 'unknown-object' | 'already-exists';

export class SimError extends KubetallyError<SimErrorCode> {}
