import { parseAccept, type AcceptClause } from './accept.ts';
import { StatusError } from './status.ts';

/** What a client says about the answer it wants. */
export interface ClientWishes {
  /** The first Accept header; undefined when there is none. */
  readonly accept: string | undefined;
  readonly userAgent: string;
  /** The query parameter `pretty`; undefined when it is absent. */
  readonly pretty: string | undefined;
}

export type Encoding = 'json' | 'yaml' | 'protobuf';

export const mediaTypes: Readonly<Record<Encoding, string>> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
};

/** Encodings in the order in which a wildcard picks them. */
const encodings: readonly Encoding[] = ['json', 'yaml', 'protobuf'];

/** What objects are turned into before they are encoded: the parameters `as`, `g` and `v`. */
export interface Transform {
  readonly kind: string;
  readonly group: string;
  readonly version: string;
}

/** The outcome of negotiation. */
export interface Format {
  readonly encoding: Encoding;
  /** Only JSON has a pretty form. */
  readonly pretty: boolean;
  /** Undefined: the object as it is. */
  readonly transform: Transform | undefined;
}

/** What an endpoint can do besides plain objects. */
export interface Endpoint {
  /** `sv=`: the version of the types that Tables are made of; undefined refuses the parameter. */
  readonly serverVersion: string | undefined;
  readonly allows: (transform: Transform | undefined, encoding: Encoding) => boolean;
}

/** Endpoints without transforms, and every error. */
export const plainEndpoint: Endpoint = { serverVersion: undefined, allows: (transform) => transform === undefined };

/** Lists and objects: Table (no protobuf) and PartialObjectMetadata(List) of `meta.k8s.io` v1 and v1beta1. */
export const resourceEndpoint: Endpoint = {
  serverVersion: 'v1',
  allows(transform, encoding) {
    if (transform === undefined) return true;
    if (transform.group !== 'meta.k8s.io' || !['v1', 'v1beta1'].includes(transform.version)) return false;
    if (transform.kind === 'Table') return encoding !== 'protobuf';
    return transform.kind === 'PartialObjectMetadata' || transform.kind === 'PartialObjectMetadataList';
  },
};

/** Aggregated discovery, and nothing else. */
export const aggregatedDiscoveryEndpoint: Endpoint = {
  serverVersion: undefined,
  allows: (transform) =>
    transform?.group === 'apidiscovery.k8s.io' &&
    transform.version === 'v2' &&
    transform.kind === 'APIGroupDiscoveryList',
};

/** Negotiates as k8s.io/apiserver does (`NegotiateOutputMediaType`). Undefined when no clause can be met. */
export function findFormat(wishes: ClientWishes, endpoint: Endpoint): Format | undefined {
  const { accept } = wishes;
  const pretty = wantsPretty(wishes);
  if (accept === undefined || accept === '') return { encoding: 'json', pretty, transform: undefined };
  for (const clause of parseAccept(accept))
    for (const encoding of encodings) {
      if (!names(clause, encoding)) continue;
      const transform = transformOf(clause);
      if (!accepts(clause, encoding, transform, endpoint)) continue;
      const form = encoding === 'json' && (pretty || clause.parameters['pretty'] === '1');
      return { encoding, pretty: form, transform };
    }
  return undefined;
}

/** @throws {StatusError} 406 when no clause can be met. */
export function negotiate(wishes: ClientWishes, endpoint: Endpoint): Format {
  const format = findFormat(wishes, endpoint);
  if (format !== undefined) return format;
  const accepted = encodings.map((encoding) => mediaTypes[encoding]).join(', ');
  throw new StatusError('not-acceptable', `only the following media types are accepted: ${accepted}`);
}

function names({ type, subtype }: AcceptClause, encoding: Encoding): boolean {
  if (type === '*' && subtype === '*') return true;
  return type === 'application' && (subtype === '*' || `${type}/${subtype}` === mediaTypes[encoding]);
}

function transformOf({ parameters }: AcceptClause): Transform | undefined {
  const { as: kind, g: group, v: version } = parameters;
  if (kind === undefined && group === undefined && version === undefined) return undefined;
  return { kind: kind ?? '', group: group ?? '', version: version ?? '' };
}

function accepts(clause: AcceptClause, encoding: Encoding, transform: Transform | undefined, endpoint: Endpoint) {
  const { stream = '', sv = '' } = clause.parameters;
  if (stream !== '' && (stream !== 'watch' || encoding === 'yaml')) return false;
  if (sv !== '' && sv !== endpoint.serverVersion) return false;
  return endpoint.allows(transform, encoding);
}

/** The query decides when it says anything; else people's tools get indented JSON. */
function wantsPretty({ pretty, userAgent }: ClientWishes): boolean {
  if (pretty !== undefined && pretty !== '') return ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(pretty);
  return /^(?:curl|Wget|Mozilla\/5\.0)/.test(userAgent);
}
