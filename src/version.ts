/** Replaced by the bundle step with what git and package.json say; as it stands it is that of a run from the sources. */
declare const KUBETALLY_BUILD: BuildInfo | undefined;

export interface BuildInfo {
  /** Semantic version without a leading v. */
  readonly version: string;
  readonly commit: string;
  readonly treeState: string;
  /** RFC 3339. */
  readonly date: string;
}

export const build: BuildInfo =
  typeof KUBETALLY_BUILD === 'undefined'
    ? { version: '0.1.0', commit: 'unknown', treeState: 'unknown', date: '1970-01-01T00:00:00Z' }
    : KUBETALLY_BUILD;
