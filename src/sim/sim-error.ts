import { KubetallyError } from '../model/errors.ts';

/** Why the simulated cluster cannot do what it was asked. */
export type SimErrorCode = 'unknown-object';

export class SimError extends KubetallyError<SimErrorCode> {}
