import type { EpochMs } from '../model/units.ts';
import type { ObjectStore } from './object-store.ts';

/** A column of a Table answer after the name. */
export interface TableColumn {
  readonly name: string;
  readonly type: 'string' | 'integer';
  /** 0 is always shown, 1 with `-o wide`. */
  readonly priority: 0 | 1;
}

/** A resource that the simulated API server serves, with its objects. */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly verbs: readonly string[];
  readonly columns: readonly TableColumn[];
  readonly store: ObjectStore;
}

/** `group/version`, or the version alone for the core group. */
export function groupVersion(type: Pick<ResourceType, 'group' | 'version'>): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** How kubectl prints an age: `45s`, `7m`, `5h`, `3d`. */
export function age(from: EpochMs, now: EpochMs): string {
  const seconds = Math.max(0, Math.floor((now - from) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
