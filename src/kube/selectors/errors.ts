import { KubetallyError } from '../../model/errors.ts';

export type SelectorErrorCode = 'invalid-label-selector' | 'invalid-field-selector' | 'unknown-field';

/** A selector cannot be read; `message` is word for word what an API server answers. */
export class SelectorError extends KubetallyError<SelectorErrorCode> {}
