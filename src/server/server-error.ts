import { KubetallyError } from '../model/errors.ts';

/**
 * `listen`: the address cannot be listened on. `certificate`: a serving certificate, its key or a CA file cannot be used.
 */
export class ServerError extends KubetallyError<'listen' | 'certificate'> {}
