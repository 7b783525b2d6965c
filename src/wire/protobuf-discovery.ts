import protobuf from 'protobufjs/minimal.js';
import type {
  ApiGroup,
  ApiGroupDiscoveryList,
  ApiResourceList,
  GroupVersion,
  ResourceDiscovery,
} from '../metrics-api/discovery.ts';
import { enclose } from './protobuf-envelope.ts';

// Field numbers: k8s.io/apimachinery meta/v1 and k8s.io/api apidiscovery/v2 `generated.proto`.
const delimited = (field: number): number => (field << 3) | 2;
type Writer = protobuf.Writer;

/** `metav1.APIGroupList`. The envelope names the version that the JSON leaves out. */
export function groupListProtobuf(groups: readonly ApiGroup[]): Buffer {
  const writer = protobuf.Writer.create();
  for (const group of groups) writeGroup(writer.uint32(delimited(1)).fork(), group).ldelim();
  return enclose('v1', 'APIGroupList', writer.finish());
}

/** `metav1.APIGroup`. */
export function groupProtobuf(group: ApiGroup): Buffer {
  return enclose('v1', 'APIGroup', writeGroup(protobuf.Writer.create(), group).finish());
}

/** `metav1.APIResourceList`. */
export function resourceListProtobuf(list: ApiResourceList): Buffer {
  const writer = protobuf.Writer.create();
  writer.uint32(delimited(1)).string(list.groupVersion);
  for (const resource of list.resources) {
    writer.uint32(delimited(2)).fork();
    writer.uint32(delimited(1)).string(resource.name).uint32(0x10).bool(resource.namespaced);
    writer.uint32(delimited(3)).string(resource.kind).uint32(delimited(4)).fork();
    for (const verb of resource.verbs) writer.uint32(delimited(1)).string(verb);
    writer.ldelim().uint32(delimited(6)).string(resource.singularName);
    // group, version, storageVersionHash
    for (const empty of [8, 9, 10]) writer.uint32(delimited(empty)).string('');
    writer.ldelim();
  }
  return enclose('v1', 'APIResourceList', writer.finish());
}

/** `apidiscovery.k8s.io/v2 APIGroupDiscoveryList`. */
export function aggregatedDiscoveryProtobuf(list: ApiGroupDiscoveryList): Buffer {
  const writer = protobuf.Writer.create();
  writer.uint32(delimited(1)).fork();
  for (const empty of [1, 2, 3]) writer.uint32(delimited(empty)).string('');
  writer.ldelim();
  for (const group of list.items) {
    writer.uint32(delimited(2)).fork().uint32(delimited(1)).fork();
    [group.metadata.name, '', '', '', '', ''].forEach((text, index) =>
      writer.uint32(delimited(index + 1)).string(text),
    );
    writer.uint32(0x38).int64(0).uint32(delimited(8)).bytes(Buffer.alloc(0)).ldelim();
    for (const { version, resources, freshness } of group.versions) {
      writer.uint32(delimited(2)).fork().uint32(delimited(1)).string(version);
      for (const resource of resources) writeResource(writer.uint32(delimited(2)).fork(), resource).ldelim();
      writer.uint32(delimited(3)).string(freshness).ldelim();
    }
    writer.ldelim();
  }
  return enclose(list.apiVersion, list.kind, writer.finish());
}

function writeGroup(writer: Writer, group: ApiGroup): Writer {
  writer.uint32(delimited(1)).string(group.name);
  for (const version of group.versions) writeVersion(writer.uint32(delimited(2)).fork(), version).ldelim();
  writeVersion(writer.uint32(delimited(3)).fork(), group.preferredVersion).ldelim();
  for (const { clientCIDR, serverAddress } of group.serverAddressByClientCIDRs ?? []) {
    writer.uint32(delimited(4)).fork().uint32(delimited(1)).string(clientCIDR);
    writer.uint32(delimited(2)).string(serverAddress).ldelim();
  }
  return writer;
}

function writeVersion(writer: Writer, { groupVersion, version }: GroupVersion): Writer {
  return writer.uint32(delimited(1)).string(groupVersion).uint32(delimited(2)).string(version);
}

function writeResource(writer: Writer, resource: ResourceDiscovery): Writer {
  const { group, version, kind } = resource.responseKind;
  writer.uint32(delimited(1)).string(resource.resource).uint32(delimited(2)).fork();
  writer.uint32(delimited(1)).string(group).uint32(delimited(2)).string(version).uint32(delimited(3)).string(kind);
  writer.ldelim().uint32(delimited(3)).string(resource.scope);
  writer.uint32(delimited(4)).string(resource.singularResource);
  for (const verb of resource.verbs) writer.uint32(delimited(5)).string(verb);
  return writer;
}
