import { create, createFileRegistry } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

const { INT32, STRING, BOOL } = FieldDescriptorProto_Type;

const message = (name, fields) => ({
  name,
  field: Object.entries(fields).map(([field, type], index) => ({
    name: field,
    jsonName: field,
    number: index + 1,
    type,
    label: FieldDescriptorProto_Label.OPTIONAL,
  })),
});

const file = create(FileDescriptorProtoSchema, {
  name: "bench.proto",
  package: "bench",
  syntax: "proto3",
  messageType: [
    message("Wanted", { kind: STRING, count: INT32 }),
    message("Row", { id: INT32, name: STRING, on: BOOL, text: STRING }),
  ],
  service: [
    {
      name: "Rows",
      method: [{ name: "Rows", inputType: ".bench.Wanted", outputType: ".bench.Row", serverStreaming: true }],
    },
  ],
});

/** The service, as generated code would describe it. */
export const Rows = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] })).getService("bench.Rows");
