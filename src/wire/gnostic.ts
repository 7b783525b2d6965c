import protobuf from 'protobufjs/minimal.js';

/** How a JSON value becomes the value of a field; `write` begins with the field's tag. */
export interface FieldType {
  write(writer: protobuf.Writer, field: number, value: unknown): void;
}

/** Fields of a message by the key of the JSON object they come from, in order of field number. */
export type Fields = Readonly<Record<string, readonly [field: number, type: FieldType]>>;

/** Encodes a JSON document as one of gnostic's protobuf models of OpenAPI (google/gnostic-models). Keys without a field are skipped. */
export function encodeModel(type: FieldType, document: unknown): Buffer {
  // A message is written with a tag and its length; only the content is wanted.
  const reader = protobuf.Reader.create(collect((writer) => type.write(writer, 1, document)));
  reader.uint32();
  return Buffer.from(reader.bytes());
}

export const stringField: FieldType = {
  write(writer, field, value) {
    if (typeof value === 'string') writer.uint32((field << 3) | 2).string(value);
  },
};

export const booleanField: FieldType = {
  write(writer, field, value) {
    if (value === true) writer.uint32(field << 3).bool(true);
  },
};

/** A message with its own fields; `extension` is the field of what begins with `x-`. The fields may refer to the message itself. */
export function message(fields: () => Fields, extension?: number): FieldType {
  return {
    write(writer, field, value) {
      const object = asObject(value);
      writer.uint32((field << 3) | 2).fork();
      for (const [key, [number, type]] of Object.entries(fields()))
        if (Object.hasOwn(object, key)) type.write(writer, number, object[key]);
      if (extension !== undefined)
        for (const [key, content] of Object.entries(object))
          if (key.startsWith('x-')) namedAny.write(writer, extension, [key, content]);
      writer.ldelim();
    },
  };
}

export function repeated(type: FieldType): FieldType {
  return {
    write(writer, field, value) {
      if (Array.isArray(value)) for (const item of value) type.write(writer, field, item);
    },
  };
}

/** A message around a single field: `wrap(2, x)` is `{ 2: x }`. */
export function wrap(inner: number, type: FieldType): FieldType {
  return {
    write(writer, field, value) {
      writer.uint32((field << 3) | 2).fork();
      type.write(writer, inner, value);
      writer.ldelim();
    },
  };
}

/** The entries of an object as repeated messages `{ 1: name, 2: value }`. */
export function entries(type: FieldType): FieldType {
  return {
    write(writer, field, value) {
      for (const [name, content] of Object.entries(asObject(value))) named(type).write(writer, field, [name, content]);
    },
  };
}

/** One of two, by the look of the value. */
export function either(isFirst: (value: unknown) => boolean, first: FieldType, second: FieldType): FieldType {
  return {
    write(writer, field, value) {
      (isFirst(value) ? first : second).write(writer, field, value);
    },
  };
}

export function isReference(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, '$ref');
}

function named(type: FieldType): FieldType {
  return {
    write(writer, field, pair) {
      const [name, value]: readonly unknown[] = Array.isArray(pair) ? pair : [];
      writer.uint32((field << 3) | 2).fork();
      stringField.write(writer, 1, name);
      type.write(writer, 2, value);
      writer.ldelim();
    },
  };
}

/** `Any { 2: yaml }`; JSON is YAML. */
const namedAny = named({
  write(writer, field, value) {
    writer
      .uint32((field << 3) | 2)
      .fork()
      .uint32(0x12)
      .string(`${JSON.stringify(value)}\n`)
      .ldelim();
  },
});

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function collect(write: (writer: protobuf.Writer) => void): Uint8Array {
  const writer = protobuf.Writer.create();
  write(writer);
  return writer.finish();
}
