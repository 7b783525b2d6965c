import type { Clock } from '../model/clock.ts';
import { messageChain } from '../model/errors.ts';
import { parseBundle, type CertificateBundle } from '../pki/pem-bundle.ts';
import type { Logger } from '../telemetry/log.ts';
import type { AuthenticationSettings, RequestHeaderSettings } from './authentication-settings.ts';
import { ServerError } from './server-error.ts';
import { parseStringList } from './string-list.ts';
import { readText, WatchedFiles, type ReadText } from './watched-files.ts';

/** What the flags say; undefined files mean that the cluster's ConfigMap decides. */
export interface AuthenticationFlags {
  readonly clientCaFile: string | undefined;
  readonly requestHeader: {
    readonly clientCaFile: string | undefined;
    readonly allowedNames: readonly string[];
    readonly usernameHeaders: readonly string[];
    readonly uidHeaders: readonly string[];
    readonly groupHeaders: readonly string[];
    readonly extraHeadersPrefix: readonly string[];
  };
}

export interface AuthenticationConfigDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly read?: ReadText;
  /** Called after every change of the certificate authorities, with all of them as PEM. */
  readonly onAuthorities?: (authorities: readonly string[]) => void;
}

type ProxyRules = Omit<RequestHeaderSettings, 'authorities'>;

/**
 * The live authentication settings: flags first, the rest from the ConfigMap `kube-system/extension-apiserver-authentication`. The ConfigMap has three
 * parts (client CA, front-proxy CA, front-proxy rules); bad or missing content of one keeps that part's last good value.
 */
export class AuthenticationConfig {
  readonly #flags: AuthenticationFlags;
  readonly #deps: AuthenticationConfigDependencies;
  readonly #files: WatchedFiles[] = [];
  readonly #problems = new Map<string, string>();
  #clientAuthorities: CertificateBundle | undefined;
  #proxyAuthorities: CertificateBundle | undefined;
  #proxyRules: ProxyRules | undefined;
  #configMapRead = false;
  #settings: AuthenticationSettings = { requestHeader: undefined, clientAuthorities: undefined };

  constructor(flags: AuthenticationFlags, deps: AuthenticationConfigDependencies) {
    this.#flags = flags;
    this.#deps = deps;
    const { clientCaFile, allowedNames, ...headers } = flags.requestHeader;
    if (clientCaFile === undefined) return;
    this.#proxyRules = {
      allowedNames,
      usernameHeaders: lowerCase(headers.usernameHeaders),
      uidHeaders: lowerCase(headers.uidHeaders),
      groupHeaders: lowerCase(headers.groupHeaders),
      extraHeaderPrefixes: lowerCase(headers.extraHeadersPrefix),
    };
  }

  /** Whether anything is left for the ConfigMap to say. */
  get needsConfigMap(): boolean {
    return this.#flags.clientCaFile === undefined || this.#flags.requestHeader.clientCaFile === undefined;
  }

  /** Everything that decides has been read once. A ConfigMap that is not there has not been read. */
  get loaded(): boolean {
    return !this.needsConfigMap || this.#configMapRead;
  }

  /** The settings as they are now; a new object after every change. */
  get settings(): AuthenticationSettings {
    return this.#settings;
  }

  /** Reads the CA files of the flags and follows them. Rejects with `ServerError` `certificate` that names a file that cannot be used. */
  async start(): Promise<void> {
    await this.#follow(this.#flags.clientCaFile, 'client-ca-file', (bundle) => (this.#clientAuthorities = bundle));
    const proxyFile = this.#flags.requestHeader.clientCaFile;
    await this.#follow(proxyFile, 'requestheader-client-ca-file', (bundle) => (this.#proxyAuthorities = bundle));
  }

  stop(): void {
    for (const files of this.#files) files.stop();
  }

  /** Takes the `data` of the ConfigMap as it is now; undefined when there is no such ConfigMap, which changes nothing. */
  apply(data: Readonly<Record<string, string>> | undefined): void {
    if (data === undefined) return;
    this.#configMapRead = true;
    if (this.#flags.clientCaFile === undefined) {
      this.#take('client-ca-file', () => (this.#clientAuthorities = bundleAt(data, 'client-ca-file')));
    }
    if (this.#flags.requestHeader.clientCaFile === undefined) {
      const key = 'requestheader-client-ca-file';
      this.#take(key, () => (this.#proxyAuthorities = bundleAt(data, key)));
      this.#take('requestheader rules', () => (this.#proxyRules = proxyRules(data)));
    }
    this.#publish();
  }

  async #follow(path: string | undefined, part: string, use: (bundle: CertificateBundle) => void): Promise<void> {
    if (path === undefined) return;
    const files = new WatchedFiles([path], this.#deps.clock, this.#deps.read ?? readText);
    this.#files.push(files);
    try {
      const [text = ''] = await files.read();
      use(parseBundle(text));
    } catch (cause) {
      throw new ServerError('certificate', `--${part} ${path}: ${messageChain(cause)}`, { cause });
    }
    this.#publish();
    files.watch(
      ([text = '']) => {
        this.#take(part, () => use(parseBundle(text)));
        this.#publish();
      },
      (error) => this.#note(part, messageChain(error)),
    );
  }

  /** Runs one part's change; when it throws, the part stays as it was. */
  #take(part: string, change: () => void): void {
    try {
      change();
      if (this.#problems.delete(part)) this.#deps.log.info('Authentication settings are good again', { part });
    } catch (error) {
      this.#note(part, messageChain(error));
    }
  }

  #note(part: string, problem: string): void {
    if (this.#problems.get(part) === problem) return;
    this.#problems.set(part, problem);
    this.#deps.log.warning('Authentication settings cannot be used, keeping the last good ones', { part, problem });
  }

  #publish(): void {
    const before = this.#settings;
    const authorities = this.#proxyAuthorities;
    const rules = this.#proxyRules;
    // Without rules an empty list of allowed names would mean anybody: then no proxy is believed at all.
    const requestHeader = authorities === undefined || rules === undefined ? undefined : { authorities, ...rules };
    this.#settings = { requestHeader, clientAuthorities: this.#clientAuthorities };
    const pems = (settings: AuthenticationSettings): string[] =>
      [settings.clientAuthorities, settings.requestHeader?.authorities].flatMap((bundle) => bundle?.pem ?? []);
    const after = pems(this.#settings);
    if (after.join('') !== pems(before).join('')) this.#deps.onAuthorities?.(after);
  }
}

function proxyRules(data: Readonly<Record<string, string>>): ProxyRules {
  const list = (key: string): readonly string[] => parseStringList(key, Object.hasOwn(data, key) ? data[key] : '');
  return {
    allowedNames: list('requestheader-allowed-names'),
    usernameHeaders: lowerCase(list('requestheader-username-headers')),
    uidHeaders: lowerCase(list('requestheader-uid-headers')),
    groupHeaders: lowerCase(list('requestheader-group-headers')),
    extraHeaderPrefixes: lowerCase(list('requestheader-extra-headers-prefix')),
  };
}

function bundleAt(data: Readonly<Record<string, string>>, key: string): CertificateBundle {
  try {
    return parseBundle((Object.hasOwn(data, key) ? data[key] : undefined) ?? '');
  } catch (cause) {
    throw new Error(`${key} ${messageChain(cause)}`, { cause });
  }
}

function lowerCase(names: readonly string[]): readonly string[] {
  return names.map((name) => name.toLowerCase());
}
