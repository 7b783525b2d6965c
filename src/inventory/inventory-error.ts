import { KubetallyError } from '../model/errors.ts';

/** `no_address`: a node has no address of the types asked for. */
export type InventoryErrorCode = 'no_address';

export class InventoryError extends KubetallyError<InventoryErrorCode> {}
