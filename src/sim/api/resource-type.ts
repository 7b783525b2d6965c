import type { EpochMs } from '../../model/units.ts';
import type { ObjectStore } from './object-store.ts';

/** A column of a Table answer after the name. */
export interface TableColumn {
  readonly name: string;
  /** 0 is always shown, 1 with `-o wide`. */
  readonly priority: 0 | 1;
}

/** What discovery says of a resource. */
export interface ResourceDescription {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
}

/** A resource that the simulated API server serves, with its objects. */
export interface ResourceType extends ResourceDescription {
  readonly columns: readonly TableColumn[];
  readonly store: ObjectStore;
}

/** A cluster-wide resource of the core group that can be read, in so far as `given` does not say otherwise. */
export function describeResource(kind: string, given: Partial<ResourceDescription>): ResourceDescription {
  const singular = kind.toLowerCase();
  const names = { kind, singular, plural: `${singular}s`, shortNames: [], categories: [] };
  return { group: '', version: 'v1', namespaced: false, verbs: ['get', 'list', 'watch'], ...names, ...given };
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
