import { KubeError } from './kube-error.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What a field must be, as Go's decoder has it; one that is missing or null is as good as empty. */
const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  'a string': (value) => typeof value === 'string',
  'true or false': (value) => typeof value === 'boolean',
  'a list of strings': (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  'a list of names and values': (value) => Array.isArray(value) && value.every(isNameAndValue),
  'a mapping': (value) => isMapping(value),
};

/** Fields that are used (Kubernetes `clientcmd/api/v1` `Cluster`, `AuthInfo`, `ExecConfig` and `AuthProviderConfig`). */
const clusterFields = {
  'a string': ['server', 'tls-server-name', 'certificate-authority', 'certificate-authority-data', 'proxy-url'],
  'true or false': ['insecure-skip-tls-verify'],
};
const userFields = {
  'a string': [
    'client-certificate',
    'client-certificate-data',
    'client-key',
    'client-key-data',
    'token',
    'tokenFile',
    'username',
    'password',
    'as',
    'as-uid',
  ],
  'a list of strings': ['as-groups'],
  'a mapping': ['exec', 'auth-provider'],
};
const execFields = {
  'a string': ['command', 'apiVersion'],
  'a list of strings': ['args'],
  'a list of names and values': ['env'],
};
const providerFields = { 'a string': ['name'], 'a mapping': ['config'] };

/**
 * Refuses what client-node would take for something else, most often for no credential at all: `token: 12345` is a number.
 * @param clusters of the kubeconfig at `path`, as parsed; so are `users`. What is no list is left to client-node
 * @throws KubeError `config` that names the field and whose it is, but not what it holds
 */
export function checkFields(clusters: unknown, users: unknown, path: string): void {
  for (const [name, cluster] of entries(clusters, 'cluster')) check(cluster, clusterFields, `cluster "${name}"`);
  for (const [name, user] of entries(users, 'user')) {
    const of = `user "${name}"`;
    check(user, userFields, of);
    requirePair(user, of);
    refuseBoth(user, ['token', 'tokenFile'], ['username', 'password'], of);
    refuseBoth(user, ['exec'], ['auth-provider'], of);
    for (const field of ['as-uid', 'as-groups'])
      if (!isEmpty(user[field]) && isEmpty(user['as'])) throw refuse(`${of} has ${field}, but no as`);
    const { exec, 'auth-provider': provider } = user;
    if (isMapping(exec)) {
      check(exec, execFields, `exec of ${of}`);
      require(exec, 'command', `exec of ${of}`);
    }
    if (isMapping(provider)) {
      check(provider, providerFields, `auth-provider of ${of}`);
      for (const field of ['name', 'config']) require(provider, field, `auth-provider of ${of}`);
    }
  }

  function check(fields: Fields, rules: Readonly<Record<string, readonly string[]>>, of: string): void {
    for (const [type, names] of Object.entries(rules))
      for (const name of names) {
        const value = fields[name] ?? undefined;
        if (value !== undefined && types[type]?.(value) !== true) throw refuse(`${name} of ${of} is not ${type}`);
      }
  }

  function require(fields: Fields, name: string, of: string): void {
    if (isEmpty(fields[name])) throw refuse(`${of} has no ${name}`);
  }

  /** One without the other would be shown to nobody. */
  function requirePair(user: Fields, of: string): void {
    const has = (name: string): boolean => !isEmpty(user[name]) || !isEmpty(user[`${name}-data`]);
    const [certificate, key] = [has('client-certificate'), has('client-key')];
    if (certificate === key) return;
    throw refuse(
      `${of} has a ${certificate ? 'client-certificate but no client-key' : 'client-key but no client-certificate'}`,
    );
  }

  /** Two ways to say who one is: client-go takes neither, and which would be taken here is nothing to rely on. */
  function refuseBoth(user: Fields, one: readonly string[], other: readonly string[], of: string): void {
    const given = [one, other].map((names) => names.find((name) => !isEmpty(user[name])));
    if (given.every((name) => name !== undefined)) throw refuse(`${of} has ${given.join(' and ')}`);
  }

  function refuse(why: string): KubeError {
    return new KubeError('config', `kubeconfig ${path}: ${why}`);
  }
}

/** Names and contents of a kubeconfig's list. */
function* entries(list: unknown, content: 'cluster' | 'user'): Generator<[string, Fields]> {
  for (const entry of Array.isArray(list) ? (list as unknown[]) : [])
    if (isMapping(entry) && isMapping(entry[content])) yield [String(entry['name']), entry[content]];
}

function isMapping(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

function isNameAndValue(value: unknown): boolean {
  return isMapping(value) && typeof value['name'] === 'string' && typeof value['value'] === 'string';
}
