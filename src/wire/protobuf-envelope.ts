import protobuf from 'protobufjs/minimal.js';

/** `k8s\0`: tells Kubernetes' protobuf from any other. */
const magic = Buffer.from('k8s\0', 'latin1');
/** contentEncoding and contentType of `runtime.Unknown`, written though empty. */
const envelopeEnd = Buffer.from([0x1a, 0x00, 0x22, 0x00]);

/** What stands before and after an object of `length` bytes: the magic number and the message `runtime.Unknown`. */
export function envelope(apiVersion: string, kind: string, length: number): { head: Buffer; tail: Buffer } {
  const writer = protobuf.Writer.create();
  writer.uint32(0x0a).fork().uint32(0x0a).string(apiVersion).uint32(0x12).string(kind).ldelim();
  writer.uint32(0x12).uint32(length);
  return { head: Buffer.concat([magic, writer.finish()]), tail: envelopeEnd };
}

/** A whole object in its envelope. */
export function enclose(apiVersion: string, kind: string, object: Uint8Array): Buffer {
  const { head, tail } = envelope(apiVersion, kind, object.length);
  return Buffer.concat([head, object, tail]);
}
