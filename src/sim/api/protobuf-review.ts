import protobuf from 'protobufjs/minimal.js';
import { textAt } from '../../server/review-fields.ts';

/**
 * Field numbers of the reviews that clients post, from the `generated.proto` files of k8s.io/api/authentication/v1 and
 * k8s.io/api/authorization/v1. A name is a string, a name with `[]` a list of strings, one with `*` bytes, an object a nested
 * message.
 */
interface Shape {
  readonly [field: number]: string | { readonly name: string; readonly shape: Shape };
}

/** `runtime.Unknown`: a type and the message. */
const unknown: Shape = { 1: { name: 'typeMeta', shape: { 1: 'apiVersion', 2: 'kind' } }, 2: 'raw*' };
const resourceAttributes: Shape = {
  1: 'namespace',
  2: 'verb',
  3: 'group',
  4: 'version',
  5: 'resource',
  6: 'subresource',
  7: 'name',
};
const access: Shape = {
  1: { name: 'resourceAttributes', shape: resourceAttributes },
  2: { name: 'nonResourceAttributes', shape: { 1: 'path', 2: 'verb' } },
  3: 'user',
  4: 'groups[]',
  6: 'uid',
};
const specs: Readonly<Record<string, Shape>> = {
  TokenReview: { 1: 'token', 2: 'audiences[]' },
  SubjectAccessReview: access,
  SelfSubjectAccessReview: access,
  SelfSubjectReview: {},
};

/** The media type of these bodies. */
export const protobufType = 'application/vnd.kubernetes.protobuf';

/**
 * Reads a review as Go clients send it: four magic bytes, then `runtime.Unknown` with the type and the message.
 * @returns the same object that the JSON form would give, or undefined when it is no review
 */
export function readProtobufReview(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    if (Buffer.from(body.subarray(0, 4)).toString('latin1') !== 'k8s\0') return undefined;
    const { typeMeta, raw } = read(body.subarray(4), unknown);
    const shape = specs[textAt(typeMeta, 'kind')];
    return shape !== undefined && raw instanceof Uint8Array ? read(raw, { 2: { name: 'spec', shape } }) : undefined;
  } catch {
    return undefined;
  }
}

function read(message: Uint8Array, shape: Shape): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  const reader = protobuf.Reader.create(message);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const field = shape[tag >>> 3];
    if (field === undefined || (tag & 7) !== 2) {
      reader.skipType(tag & 7);
    } else if (typeof field !== 'string') {
      fields[field.name] = read(reader.bytes(), field.shape);
    } else if (field.endsWith('*')) {
      fields[field.slice(0, -1)] = reader.bytes();
    } else if (field.endsWith('[]')) {
      const name = field.slice(0, -2);
      const values = fields[name];
      fields[name] = [...(Array.isArray(values) ? (values as unknown[]) : []), reader.string()];
    } else {
      const value = reader.string();
      if (value !== '') fields[field] = value;
    }
  }
  return fields;
}
