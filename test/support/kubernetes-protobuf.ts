import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const root = protobuf.loadSync(fileURLToPath(new URL('../wire/data/kubernetes.proto', import.meta.url)));

/** Decodes an object of Kubernetes with a library that knows nothing of our encoder. 64-bit numbers become text. */
export function decodeKubernetes(body: Buffer): Record<string, unknown> & { kind: string; apiVersion: string } {
  assert.equal(body.subarray(0, 4).toString('latin1'), 'k8s\0');
  const unknown = root.lookupType('kubernetes.Unknown').decode(body.subarray(4)).toJSON();
  const { kind, apiVersion } = unknown['typeMeta'] as { kind: string; apiVersion: string };
  const type = root.lookupType(`kubernetes.${kind}`);
  const object = type.decode(Buffer.from(String(unknown['raw']), 'base64'));
  return { kind, apiVersion, ...type.toObject(object, { longs: String, arrays: true }) };
}
