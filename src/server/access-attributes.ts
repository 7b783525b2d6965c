/** What somebody wants to do, as authorization sees it (`k8s.io/apiserver/pkg/authorization/authorizer.Attributes`). Absent parts are the empty string. */
export interface AccessAttributes {
  /** Below `/apis/<group>/<version>/` or `/api/<version>/`: authorized by resource, otherwise by path. */
  readonly isResourceRequest: boolean;
  /** `get`, `list`, `watch`, `create`, ...; for paths, the method in lower case; empty for methods without a verb. */
  readonly verb: string;
  /** The decoded path. */
  readonly path: string;
  readonly apiGroup: string;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  /** The path's name, or the one that `fieldSelector=metadata.name=x` demands of a collection. */
  readonly name: string;
  /** As sent, of list, watch and deletecollection. */
  readonly labelSelector: string;
  readonly fieldSelector: string;
}
